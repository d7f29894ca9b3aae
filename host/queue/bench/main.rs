//! What the queue costs: at a thousand to a million queued jobs, and beside Celery with Redis, each in the same run.
//!
//! `queue_bench [curve] [postgres] [celery]`: those parts, or all but `postgres`. Both sides write to the same disk and wait for it.

mod celery;
mod curve;
mod no_op;
#[expect(dead_code, reason = "other benchmarks use more of it")]
#[path = "../../../tests/bench/sample.rs"]
mod sample;
#[expect(dead_code, reason = "other benchmarks use more of it")]
#[path = "../../../tests/bench/table.rs"]
mod table;

use std::env;

use anyhow::{Result, ensure};
use stead_queue::Place;
use stead_tests::postgres::{Postgres, Sync};

const PARTS: [&str; 3] = ["curve", "postgres", "celery"];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let asked: Vec<String> = env::args().skip(1).collect();
    if let [role, place, rest @ ..] = asked.as_slice()
        && role == "worker"
    {
        return no_op::worker_process(place, rest).await;
    }
    ensure!(asked.iter().all(|part| PARTS.contains(&part.as_str())), "the parts are {}", PARTS.join(", "));
    let wanted = |part: &str| asked.iter().any(|one| one == part) || (asked.is_empty() && part != "postgres");
    let folder = tempfile::Builder::new().prefix("queue-bench").tempdir_in(env::current_dir()?.join("target"))?;
    if wanted("curve") {
        curve::measure("SQLite", &Place::File(folder.path().join("curve.sqlite"))).await?;
    }
    if wanted("postgres") {
        let server = Postgres::start(Sync::On)?;
        curve::measure("PostgreSQL", &server.database()?.parse()?).await?;
    }
    if wanted("celery") {
        no_op::measure(folder.path()).await?;
    }
    Ok(())
}
