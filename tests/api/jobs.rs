//! From a submission to what is left of it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::client::Client;
use crate::service::Repo;

#[test]
fn a_job_is_submitted_once_run_and_looked_at() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "works");
    let new = json!({"policy": "works", "input": {"result": 3}, "priority": 5, "attempts": 2, "timeout_seconds": 60});
    let made = client.post_with("/v1/jobs", &[("idempotency-key", "once")], &new)?.is(201)?;
    ensure!(made.header("location") == Some("/v1/jobs/1"), "{}", made.head);
    let again = client.post_with("/v1/jobs", &[("idempotency-key", "once")], &new)?.is(200)?;
    ensure!(again.json()?["id"] == 1, "{}", again.text());
    let other = json!({"policy": "works", "input": {"result": 4}});
    assert_eq!(client.post_with("/v1/jobs", &[("idempotency-key", "once")], &other)?.problem(422)?, "key-reused");

    let shown = client.until(1, "succeeded")?;
    assert_eq!(shown["result"]["padding"], "xxx");
    assert_eq!((&shown["priority"], &shown["attempts"], &shown["timeout_seconds"]), (&json!(5), &json!(2), &json!(60)));
    assert_eq!(shown["history"][0]["outcome"], "succeeded");
    assert_eq!(client.post("/v1/jobs/1/cancel", &json!({}))?.problem(409)?, "already-ended");
    assert_eq!(client.post("/v1/jobs/1/retry", &json!({}))?.problem(409)?, "not-retryable");

    let listed = client.get("/v1/jobs/1/artifacts")?.is(200)?.json()?;
    assert_eq!(listed["artifacts"][0]["size"], 9, "{listed}");
    let file = "/v1/jobs/1/artifacts/done";
    let whole = client.get(file)?.is(200)?;
    assert_eq!((whole.text().as_str(), whole.header("content-length")), ("all of it", Some("9")));
    let tag = whole.header("etag").context("no tag")?.to_owned();
    ensure!(tag.trim_matches('"') == listed["artifacts"][0]["sha256"], "{tag}");
    let part = client.ask("GET", file, &[("range", "bytes=4-5")], b"")?.is(206)?;
    assert_eq!((part.text().as_str(), part.header("content-range")), ("of", Some("bytes 4-5/9")));
    let whole = client.ask("GET", file, &[("range", "bytes=4-5"), ("if-range", "\"of another\"")], b"")?.is(200)?;
    assert_eq!(whole.body.len(), 9);
    let beyond = client.ask("GET", file, &[("range", "bytes=9-")], b"")?;
    assert_eq!((beyond.problem(416)?.as_str(), beyond.header("content-range")), ("range", Some("bytes */9")));
    client.ask("GET", file, &[("if-none-match", &tag)], b"")?.is(304)?;
    let head = client.ask("HEAD", file, &[], b"")?.is(200)?;
    assert_eq!((head.body.len(), head.header("content-length")), (0, Some("9")));
    assert_eq!(client.get("/v1/jobs/1/artifacts/..%2f..%2fqueue.sqlite")?.problem(404)?, "not-found");
    Ok(())
}

#[test]
fn a_file_is_handed_over_and_is_an_artifact_of_its_job() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "works");
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let kept = client.ask("POST", "/v1/files", &[], &large)?.is(201)?.json()?;
    assert_eq!(kept["size"], large.len());
    let again = client.ask("POST", "/v1/files", &[], &large)?.is(201)?.json()?;
    assert_eq!(kept, again, "the same content is the same file");
    let new = |files: Value| json!({"policy": "works", "files": files});
    let made = client.post("/v1/jobs", &new(json!({"tile": kept["sha256"]})))?.is(201)?.json()?;
    let job = made["id"].as_u64().context("no number")?;
    assert_eq!(client.until(job, "succeeded")?["result"]["artifacts"], json!(["done", "tile"]));
    assert_eq!(client.post("/v1/jobs", &new(json!({"tile": "0".repeat(64)})))?.problem(422)?, "no-such-file");
    for wrong in [json!({"tile": "../../queue.sqlite"}), json!({".tile": kept["sha256"]}), json!({"tile": 7})] {
        assert_eq!(client.post("/v1/jobs", &new(wrong))?.problem(400)?, "invalid");
    }
    assert_eq!(Client::of(&server, "reader").ask("POST", "/v1/files", &[], b"x")?.problem(403)?, "insufficient-scope");
    Ok(())
}

#[test]
fn jobs_are_listed_by_page_cancelled_and_tried_again() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "all");
    for number in 0..7 {
        let policy = if number % 2 == 0 { "works" } else { "other" };
        client.post("/v1/jobs", &json!({"policy": policy, "input": {"seconds": "not a number"}}))?.is(201)?;
    }
    for job in 1..=7 {
        client.until(job, "failed")?;
    }
    // One who may see every second one gets all of them, by whatever pages.
    let half = Client::of(&server, "works");
    for limit in [1, 2, 3, 100] {
        let (mut seen, mut query) = (Vec::new(), format!("limit={limit}"));
        loop {
            let page = half.get(&format!("/v1/jobs?{query}"))?.is(200)?.json()?;
            let jobs = page["jobs"].as_array().context("no jobs")?;
            ensure!(jobs.len() <= limit, "{page}");
            seen.extend(jobs.iter().filter_map(|job| job["id"].as_u64()));
            let Some(next) = page["next"].as_u64() else { break };
            query = format!("limit={limit}&before={next}");
        }
        assert_eq!(seen, [7, 5, 3, 1], "by {limit}");
    }
    let failed = client.get("/v1/jobs?state=failed&policy=other")?.is(200)?.json()?;
    assert_eq!(failed["jobs"].as_array().map(Vec::len), Some(3), "{failed}");

    let again = client.post("/v1/jobs/7/retry", &json!({}))?.is(200)?.json()?;
    ensure!(again["run"] == 2 && again["tries"].as_u64() <= Some(1), "{again}");
    let running = client.submit(json!({"seconds": 600}))?;
    client.until(running, "running")?;
    let asked = client.post(&format!("/v1/jobs/{running}/cancel"), &json!({}))?.is(202)?.json()?;
    assert_eq!(asked, json!({"done": false}));
    client.until(running, "cancelled")?;
    Ok(())
}

#[test]
fn what_is_counted_is_shown_to_prometheus() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "all");
    let job = client.submit(json!({}))?;
    client.until(job, "succeeded")?;
    let running = client.submit(json!({"seconds": 600}))?;
    client.until(running, "running")?;
    client.get("/nowhere/at/all")?.problem(404)?;
    let said = Client::of(&server, "scraper").get("/metrics")?.is(200)?;
    ensure!(said.header("content-type").is_some_and(|media| media.starts_with("application/openmetrics-text")));
    for line in [
        "stead_jobs{policy=\"works\",state=\"succeeded\"} 1",
        "stead_jobs{policy=\"works\",state=\"running\"} 1",
        "stead_job_attempts_total{policy=\"works\",outcome=\"succeeded\"} 1",
        "stead_job_attempt_duration_seconds_count{policy=\"works\"} 1",
        "stead_http_requests_total{method=\"POST\",route=\"/v1/jobs\",status=\"201\"} 2",
        "stead_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1",
        "stead_reaper_destroyed_total{provider=\"qemu\"} 0",
        "# EOF",
    ] {
        ensure!(said.text().lines().any(|said| said == line), "no {line} in\n{}", said.text());
    }
    let machines = client.get("/v1/machines")?.is(200)?.json()?;
    ensure!(machines["machines"] == json!([]) && machines["seen"]["qemu"].is_string(), "{machines}");
    Ok(())
}
