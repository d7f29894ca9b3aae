//! Where jobs get files from that they leave: a server on loopback, and a repo whose jobs may ask it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result};
use serde_json::json;

use crate::client::Client;
use crate::service::Repo;

/// A plot, 320 wide.
const PLOT: &[u8] = include_bytes!("plot.png");

/// A server; it ends with the process.
pub(crate) struct Source {
    port: u16,
}

impl Source {
    /// One that the jobs of this repo may ask.
    pub(crate) fn start(repo: &Repo) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                drop(answer(client));
            }
        });
        let path = repo.path().join("stead.toml");
        let granted = format!("hosts = [\"127.0.0.1:{port}\"]\nprivate = true");
        fs::write(&path, fs::read_to_string(&path)?.replace("hosts = [\"nobody.example\"]", &granted))?;
        Ok(Self { port })
    }

    /// A job that has left a file of this name: a plot, or what would run if it were let.
    pub(crate) fn job(&self, api: &Client, name: &str) -> Result<u64> {
        let url = format!("http://127.0.0.1:{}/{name}", self.port);
        let job = api.submit(json!({"ask": {"url": url, "keep": name}, "result": 30})).context("a job with a file")?;
        api.until(job, "succeeded")?;
        Ok(job)
    }
}

fn answer(mut client: TcpStream) -> Result<()> {
    let mut head = [0; 4096];
    let read = client.read(&mut head)?;
    let body: &[u8] = match String::from_utf8_lossy(&head[..read]).split(' ').nth(1) {
        Some("/plot.png") => PLOT,
        Some("/drawing.svg") => {
            b"<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40'><script>alert(1)</script></svg>"
        }
        _ => b"<html><script>alert(1)</script>",
    };
    write!(client, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    Ok(client.write_all(body)?)
}
