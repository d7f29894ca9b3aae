//! Many jobs, several workers in several processes, and processes that are killed at any moment.

mod booting;

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
/// With machines that are emulated, beside others.
const LIMIT: Duration = Duration::from_secs(1500);

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
    let (name, provider): (_, Arc<dyn Provider>) = match booting::qemu(folder)? {
        Some(qemu) => ("qemu", Arc::new(qemu)),
        None => ("containers", Arc::new(Far::new(&folder.join("machines")))),
    };
    let store = Store::open_with(&state, None, settings())?;
    let providers: Providers = BTreeMap::from([(name.to_owned(), provider)]);
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
    let place = Place::new()?;
    serve(&place.containers, &place.folder.path().join("machines"))?;
    let crowd = Crowd { place: &place, count: 5, image: "any".to_owned(), calls: 8 };
    crowd.has_one_result_each().await?;
    assert_eq!(place.containers.made(), crowd.count, "one machine for each job, whoever made it");
    Ok(())
}

/// A machine for each job is one of the embedded provider. `--profile vm` runs this.
#[tokio::test]
async fn every_job_of_a_large_crowd_has_one_result() -> Result<()> {
    let (place, _machines, image) = booting::place().await?;
    let crowd = Crowd { place: &place, count: 20, image, calls: 12 };
    crowd.has_one_result_each().await
}

struct Crowd<'a> {
    place: &'a Place,
    /// How many jobs.
    count: usize,
    image: String,
    /// After how many calls at most a process dies. Time is no measure: where a call takes longer than a process lives, no job
    /// would ever end.
    calls: u64,
}

impl Crowd<'_> {
    async fn has_one_result_each(&self) -> Result<()> {
        let service = service(self.place.folder.path())?;
        let mut jobs = Vec::new();
        for _ in 0..self.count {
            let input = json!({"machines": 1, "image": self.image, "lifetime": 3600, "scripts": [script()]});
            jobs.push(self.place.submit(&service, input, &[("tile", b"a tile\n".as_slice())]).await?);
        }
        self.work(&service, &jobs).await?;
        has_one_result_each(&service, &jobs).await?;
        ensure!(service.machines().await?.iter().all(|(_, left)| left.is_empty()), "a machine is left");
        ensure!(service.store.queue.check().await?.is_empty());
        Ok(())
    }

    /// Runs the processes, and kills one after the other, until all jobs have ended.
    async fn work(&self, service: &Service, jobs: &[JobId]) -> Result<()> {
        let folder = self.place.folder.path();
        let (mut processes, mut kills) = (Vec::new(), 0);
        for _ in 0..PROCESSES {
            processes.push(Process::start(folder)?);
        }
        let seed = u64::from(std::process::id());
        println!("seed {seed}");
        let (mut chance, began) = (Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), Instant::now());
        loop {
            let (before, until) = (answered(service, jobs).await?, 1 + chance.below(self.calls));
            let mut open = jobs.len();
            while open > 0 && answered(service, jobs).await? < before + until {
                sleep(Duration::from_millis(200)).await;
                open = 0;
                for job in jobs {
                    open += usize::from(!service.store.queue.job(*job).await?.state.has_ended());
                }
                ensure!(began.elapsed() < LIMIT, "{open} jobs have not ended");
            }
            if open == 0 {
                break;
            }
            // In the midst of the next call.
            sleep(Duration::from_millis(chance.below(1000))).await;
            println!("{open} jobs are left after {:?}", began.elapsed());
            let one = usize::try_from(chance.below(PROCESSES as u64))?;
            processes[one] = Process::start(folder)?;
            kills += 1;
        }
        println!("{} jobs ended after {:?}, {kills} processes were killed", self.count, began.elapsed());
        Ok(())
    }
}

/// How many calls of all jobs are in the journal.
async fn answered(service: &Service, jobs: &[JobId]) -> Result<u64> {
    let mut answered = 0;
    for job in jobs {
        let run = service.store.queue.job(*job).await?.run;
        answered += service.store.queue.journal(*job, run, 0, 1000).await?.len() as u64;
    }
    Ok(answered)
}

fn script() -> String {
    format!("for i in $(seq {LINES}); do echo line $i; sleep 0.03; done; echo ran >> /root/ran; wc -l < /root/ran")
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
        // A machine belongs to its run: whoever went on has found it.
        assert_eq!(service.store.queue.job(job).await?.run.number(), 1, "job {job} was begun anew");
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
