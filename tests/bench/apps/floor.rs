//! A network, and containers that are made, started, stopped and removed: what an engine cannot be spared.
//!
//! Spoken over plain sockets: no client's own work is in the figures.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use stead_tests::docker::Engine;

use super::{IMAGE, PROJECT, Times};

/// An engine lets go of removed containers a moment later; each tool has to wait for that.
const TRIES: usize = 100;

pub(super) fn measure(engine: &Engine, size: usize, times: &mut Times) -> Result<()> {
    let socket = engine.socket();
    let began = Instant::now();
    call(socket, "POST", "/networks/create", &json!({ "Name": PROJECT }))?;
    at_once(size, &|number| {
        let body = json!({
            "Image": IMAGE, "Cmd": ["sleep", "100000"], "StopTimeout": 0, "HostConfig": { "NetworkMode": PROJECT }
        });
        call(socket, "POST", &format!("/containers/create?name={PROJECT}-{number}"), &body)?;
        call(socket, "POST", &format!("/containers/{PROJECT}-{number}/start"), &Value::Null)
    })?;
    times.up.push(began.elapsed());
    let began = Instant::now();
    at_once(size, &|number| {
        call(socket, "POST", &format!("/containers/{PROJECT}-{number}/stop"), &Value::Null)?;
        call(socket, "DELETE", &format!("/containers/{PROJECT}-{number}?force=true"), &Value::Null)
    })?;
    remove_network(socket)?;
    times.down.push(began.elapsed());
    Ok(())
}

fn remove_network(socket: &Path) -> Result<()> {
    for _ in 0..TRIES {
        match call(socket, "DELETE", &format!("/networks/{PROJECT}"), &Value::Null) {
            Err(error) if error.to_string().contains("active endpoints") => thread::sleep(Duration::from_millis(20)),
            done => return done,
        }
    }
    bail!("the network of removed containers stays in use")
}

fn at_once(size: usize, work: &(dyn Fn(usize) -> Result<()> + Sync)) -> Result<()> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..size).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

fn call(socket: &Path, method: &str, path: &str, body: &Value) -> Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).context("the engine said nothing")?;
    ensure!(status.starts_with('2'), "{method} {path}: {answer}");
    Ok(())
}
