//! The log of a job while it grows.

use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::service::Repo;

/// The events of a stream: id, name, data.
fn events(text: &str) -> Vec<(String, String, Value)> {
    let field = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default().to_owned()
    };
    let read = |event: &str| {
        let data = serde_json::from_str(&field(event, "data")).unwrap_or_default();
        (field(event, "id"), field(event, "event"), data)
    };
    text.split("\n\n").map(read).filter(|(_, name, _)| !name.is_empty()).collect()
}

fn follow(client: &Client, job: u64, last: Option<&str>) -> Result<Answer> {
    let headers: Vec<_> = last.iter().map(|last| ("last-event-id", *last)).collect();
    client.ask("GET", &format!("/v1/jobs/{job}/logs/stream"), &headers, b"")
}

#[test]
fn whoever_comes_back_misses_no_line() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "reader");
    let job = Client::of(&server, "all").submit(json!({"seconds": 2}))?;
    // From before it begins to after it ends.
    let all = follow(&client, job, None)?.is(200)?;
    ensure!(all.header("content-type") == Some("text/event-stream"), "{}", all.head);
    let all = events(&all.text());
    let shown: Vec<_> =
        all.iter().map(|(id, name, data)| (id.as_str(), name.as_str(), data["text"].as_str())).collect();
    assert_eq!(shown, [("0", "line", Some("it begins")), ("1", "line", Some("it ends")), ("", "end", None)]);
    assert_eq!(all[2].2["state"], "succeeded");
    let rest = events(&follow(&client, job, Some("0"))?.is(200)?.text());
    assert_eq!(rest, all[1..]);
    follow(&client, job, Some("1"))?.is(204)?;
    assert_eq!(follow(&client, job, Some("one"))?.problem(400)?, "invalid");

    let page = client.get(&format!("/v1/jobs/{job}/logs?from=1&limit=5"))?.is(200)?.json()?;
    assert_eq!((&page["lines"][0], &page["next"]), (&all[1].2, &json!(2)));
    Ok(())
}

#[test]
fn a_stream_comes_at_once_and_ends_with_the_service() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "all");
    let job = client.submit(json!({"seconds": 600}))?;
    let mut stream = client.connect()?;
    stream.write_all(&client.request("GET", &format!("/v1/jobs/{job}/logs/stream"), &[], b""))?;
    let mut lines = BufReader::new(stream).lines();
    let began = lines.by_ref().find(|line| line.as_ref().map_or(true, |line| line.contains("it begins")));
    began.context("the stream ended")??;
    let since = Instant::now();
    let said = server.end()?;
    ensure!(since.elapsed() < Duration::from_secs(8), "it took {:?} to end: {said}", since.elapsed());
    let rest = lines.collect::<std::io::Result<Vec<_>>>()?.join("\n");
    ensure!(!rest.contains("event: end"), "the job has not ended: {rest}");
    // The next one goes on with the job, and the client with its log.
    let server = repo.serve()?;
    let client = Client::of(&server, "all");
    client.until(job, "running")?;
    client.post(&format!("/v1/jobs/{job}/cancel"), &json!({}))?.is(202)?;
    let rest = events(&follow(&client, job, Some("0"))?.is(200)?.text());
    assert_eq!(rest.last().map(|(_, name, data)| (name.as_str(), &data["state"])), Some(("end", &json!("cancelled"))));
    Ok(())
}
