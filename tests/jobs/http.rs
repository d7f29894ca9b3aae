//! Requests of jobs to other hosts, by a real server on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead_queue::State;

use crate::place::{HTTP, Place, result, why};
use crate::secrets::{VALUE, holding, set};

/// Counts requests; ends with the process.
struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (port, asked) = (listener.local_addr()?.port(), Arc::new(AtomicUsize::new(0)));
        let count = asked.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = count.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || serve(&client, port, number));
            }
        });
        Ok(Self { port, asked })
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

fn serve(mut client: &TcpStream, port: u16, number: usize) -> Result<()> {
    let mut lines = BufReader::new(client).lines();
    let first = lines.next().context("no request")??;
    let mut token = String::new();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(value) = line.strip_prefix("authorization: ") {
            token = value.to_owned();
        }
    }
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (head, body) = match path {
        "/near" => ("302 Found\r\nlocation: /whoami".to_owned(), String::new()),
        "/far" => (format!("302 Found\r\nlocation: http://localhost:{port}/whoami"), String::new()),
        "/out" => ("302 Found\r\nlocation: http://example.org/?key=1".to_owned(), String::new()),
        "/round" => ("302 Found\r\nlocation: /round".to_owned(), String::new()),
        "/large" => ("200 OK".to_owned(), "x".repeat(1 << 20)),
        "/none" => ("404 Not Found".to_owned(), "nothing here".to_owned()),
        "/slow" => {
            thread::sleep(Duration::from_secs(20));
            return Ok(());
        }
        "/twice" if number == 0 => ("503 Service Unavailable".to_owned(), String::new()),
        _ => (format!("200 OK\r\nx-echo: {token}"), format!("{method} {token}")),
    };
    let length = body.len();
    Ok(write!(client, "HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")?)
}

/// What becomes of one request.
async fn ask(place: &Place, ask: Value) -> Result<Result<Value, String>> {
    let service = place.service()?;
    let job = place.submit(&service, json!({"ask": ask}), &[]).await?;
    let working = async {
        // One that is tried again is not waited for.
        while service.store.queue.attempts(job).await?.first().is_none_or(|attempt| attempt.ended.is_none()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        service.store.queue.cancel(job).await
    };
    let (ended, cancelled) = tokio::join!(place.work(&service, job), working);
    cancelled?;
    Ok(match ended?.state {
        State::Succeeded => Ok(result(&service, job).await?),
        _ => Err(why(&service, job).await?),
    })
}

#[tokio::test]
async fn a_granted_host_is_asked_and_its_answer_is_kept() -> Result<()> {
    let place = Place::with_http(&format!("{HTTP}secrets = [\"token\"]\n"))?;
    set(&place, "token")?;
    let server = Server::start()?;
    let hidden = format!("200 GET Bearer {}", "*".repeat(VALUE.len()));
    for (asked, answer) in [
        (json!({"url": server.url("/whoami")}), "200 GET "),
        (json!({"url": server.url("/whoami"), "token": "token"}), hidden.as_str()),
        (json!({"url": server.url("/near"), "token": "token"}), hidden.as_str()),
        // Another host is not told.
        (json!({"url": server.url("/far"), "token": "token"}), "200 GET "),
        (json!({"url": server.url("/none"), "keep": "none"}), "404 nothing here"),
    ] {
        let got = ask(&place, asked.clone()).await?.map_err(anyhow::Error::msg)?;
        assert_eq!(got["answer"], json!(answer), "{asked}");
    }
    let got = ask(&place, json!({"url": server.url("/large"), "keep": "large"})).await?.map_err(anyhow::Error::msg)?;
    assert_eq!((&got["answer"], &got["artifacts"]), (&json!("200 "), &json!(["done", "large"])));
    let kept = holding(&place.folder.path().join("state"))?;
    ensure!(kept.is_empty(), "the secret is in {kept:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_not_granted_is_not_asked() -> Result<()> {
    let place = Place::new()?;
    let server = Server::start()?;
    for (asked, words) in [
        (json!({"url": "https://example.org/"}), "[policy.works.grant.http]\nhosts = [\"example.org\"]"),
        (json!({"url": server.url("/x"), "post": true}), "methods = [\"POST\"]"),
        (json!({"url": server.url("/x"), "token": "token"}), "secrets = [\"token\"]"),
        (json!({"url": "file:///etc/passwd"}), "url: it begins with https://"),
        (json!({"url": "http://user@127.0.0.1/"}), "url: it has neither a user nor a fragment"),
        (json!({"url": server.url("/x"), "timeout": 601}), "timeout: it is 1 to 600 seconds"),
    ] {
        let why = ask(&place, asked.clone()).await?.expect_err("denied");
        ensure!(why.starts_with("policy-error") && why.contains(words), "{asked}: {why}");
    }
    assert_eq!(server.asked.load(Ordering::SeqCst), 0);
    for (asked, words) in [
        (json!({"url": server.url("/out")}), "leads to http://example.org/: http: the host example.org is not granted"),
        (json!({"url": server.url("/round")}), "more than 5 redirects"),
        (json!({"url": server.url("/large")}), "the body has more than 524288 bytes"),
        (json!({"url": server.url("/slow"), "timeout": 1}), "no whole answer from 127.0.0.1 within 1s"),
    ] {
        let why = ask(&place, asked.clone()).await?.expect_err("refused");
        ensure!(why.contains(words) && !why.contains("key=1"), "{asked}: {why}");
    }
    Ok(())
}

/// This machine's own services, by its address and by its name.
#[tokio::test]
async fn private_addresses_are_not_reached() -> Result<()> {
    let place = Place::with_http(&HTTP.replace("private = true", "private = false"))?;
    let server = Server::start()?;
    for host in ["127.0.0.1", "localhost", "[::1]", "127.1", "2130706433"] {
        let url = format!("http://{host}:{}/", server.port);
        let why = ask(&place, json!({"url": url})).await?.expect_err("refused");
        ensure!(why.starts_with("temporary") && why.contains("private = true"), "{host}: {why}");
    }
    assert_eq!(server.asked.load(Ordering::SeqCst), 0);
    Ok(())
}

/// The policy says that another attempt may do better.
#[tokio::test]
async fn a_job_is_tried_again_when_it_says_so() -> Result<()> {
    let place = Place::new()?;
    let (server, service) = (Server::start()?, place.service()?);
    let job = place.submit(&service, json!({"ask": {"url": server.url("/twice")}}), &[]).await?;
    assert_eq!(place.work(&service, job).await?.state, State::Succeeded);
    let attempts = service.store.queue.attempts(job).await?;
    let how: Vec<_> = attempts.iter().filter_map(|attempt| Some(attempt.ended.as_ref()?.how.word())).collect();
    assert_eq!(how, ["temporary", "succeeded"]);
    Ok(())
}
