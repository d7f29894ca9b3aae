//! Many jobs, several workers in several processes, and processes that are killed at any moment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use stead::job::{Providers, Service, Store, Worker};
use stead::repo::Repo;
use stead_queue::{JobId, State};
use stead_vm::provider::Provider;
use tokio::time::sleep;

use crate::far::{Far, serve};
use crate::place::{Place, result, said, settings, why};

/// Where a process finds what it works on.
const FOLDER: &str = "STEAD_TEST_CROWD";
const PROCESSES: usize = 2;
/// Workers of one process.
const WORKERS: u32 = 2;
const LINES: usize = 60;

/// Not a test: what a process of the crowd does.
#[test]
#[ignore = "the test of the crowd runs it"]
fn a_process_of_the_crowd() -> Result<()> {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let worker = Worker::new(service(&folder)?, &format!("process-{}", std::process::id()))?;
        Ok(worker.run(WORKERS).await?)
    })
}

fn service(folder: &Path) -> Result<Arc<Service>> {
    let state = folder.join("state");
    let provider: Arc<dyn Provider> = Arc::new(Far::new(&folder.join("machines")));
    let providers: Providers = BTreeMap::from([("containers".to_owned(), provider)]);
    let store = Store::open_with(&state, None, settings())?;
    Ok(Arc::new(Service::with(Repo::open(folder)?, &state, store, providers)?))
}

struct Process(Child);

impl Process {
    fn start(folder: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "--ignored", "--nocapture", "crowd::a_process_of_the_crowd"]).env(FOLDER, folder);
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Numbers that look random (Marsaglia, 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// A machine for each job is a container that boots.
#[tokio::test]
async fn every_job_of_a_crowd_has_one_result_whoever_is_killed() -> Result<()> {
    every_job_has_one_result(5).await
}

/// `--profile vm` runs this one.
#[tokio::test]
async fn every_job_of_a_large_crowd_has_one_result() -> Result<()> {
    every_job_has_one_result(20).await
}

async fn every_job_has_one_result(count: usize) -> Result<()> {
    let place = Place::new()?;
    let folder = place.folder.path();
    serve(&place.containers, &folder.join("machines"))?;
    let service = service(folder)?;
    let script =
        format!("for i in $(seq {LINES}); do echo line $i; sleep 0.03; done; echo ran >> /root/ran; wc -l < /root/ran");
    let mut jobs = Vec::new();
    for _ in 0..count {
        let input = json!({"machines": 1, "scripts": [script]});
        jobs.push(place.submit(&service, input, &[("tile", b"a tile\n".as_slice())]).await?);
    }
    let (mut processes, mut kills) = (Vec::new(), 0);
    for _ in 0..PROCESSES {
        processes.push(Process::start(folder)?);
    }
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let (mut chance, began) = (Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), Instant::now());
    loop {
        sleep(Duration::from_millis(500 + chance.below(3000))).await;
        let mut open = 0;
        for job in &jobs {
            open += usize::from(!service.store.queue.job(*job).await?.state.has_ended());
        }
        if open == 0 {
            break;
        }
        ensure!(began.elapsed() < Duration::from_secs(600), "{open} jobs have not ended");
        let one = usize::try_from(chance.below(PROCESSES as u64))?;
        processes[one] = Process::start(folder)?;
        kills += 1;
    }
    println!("{count} jobs ended after {:?}, {kills} processes were killed", began.elapsed());
    drop(processes);
    has_one_result_each(&service, &jobs).await?;
    assert_eq!(place.containers.made(), count, "one machine for each job, whoever made it");
    ensure!(service.machines().await?.iter().all(|(_, left)| left.is_empty()), "a machine is left");
    ensure!(service.store.queue.check().await?.is_empty());
    Ok(())
}

/// One result, and each line of its output once.
async fn has_one_result_each(service: &Service, jobs: &[JobId]) -> Result<()> {
    let mut lost = 0;
    for job in jobs.iter().copied() {
        let state = service.store.queue.job(job).await?.state;
        ensure!(state == State::Succeeded, "job {job} is {state}: {}", why(service, job).await?);
        let said = said(service, job).await?;
        let lines: Vec<_> = (1..=LINES).map(|line| format!("line {line}")).chain(["1".to_owned()]).collect();
        // The first command is the one that turns the tile into the result.
        ensure!(said["m0/2"] == lines, "job {job}: {:?}", said["m0/2"]);
        assert_eq!(said["policy"], ["it begins", "it ends"]);
        let result = result(service, job).await?;
        assert_eq!(result["outputs"], json!([lines.join("\n") + "\n"]), "job {job}");
        let attempts = service.store.queue.attempts(job).await?;
        let ends = attempts.iter().map(|attempt| Ok(attempt.ended.as_ref().context("it runs")?.how.word()));
        let ends = ends.collect::<Result<Vec<_>>>()?;
        ensure!(ends.iter().filter(|end| **end == "succeeded").count() == 1, "job {job}: {ends:?}");
        lost += ends.len() - 1;
    }
    println!("{lost} attempts lost their worker");
    ensure!(lost > 0, "no process was killed while it worked");
    Ok(())
}
