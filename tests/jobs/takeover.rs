//! Two servers that share a queue, each with a state folder of its own; one is killed, and the other goes on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use stead::job::{Providers, Service, Store, Worker};
use stead::repo::Repo;
use stead_queue::{JobId, Settings, State};
use stead_tests::postgres::{Postgres, Sync};
use stead_vm::provider::Provider;
use stead_vm::reaper::{Reaper, Rules};
use tokio::time::sleep;

use crate::far::{Far, serve};
use crate::place::{Place, result, said, settings, why};

/// Where a process finds what it works on, the database, and the name of its state folder.
const FOLDER: &str = "STEAD_TEST_TAKEOVER";
const DATABASE: &str = "STEAD_TEST_TAKEOVER_DATABASE";
const STATE: &str = "STEAD_TEST_TAKEOVER_STATE";
const TAKEOVER: Duration = Duration::from_secs(6);

/// Not a test: what a server does.
#[test]
#[ignore = "the test of the takeover runs it"]
fn a_server() -> Result<()> {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return Ok(()) };
    let (database, state) = (std::env::var(DATABASE)?, std::env::var(STATE)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let worker = Worker::new(service(&folder, &database, &state)?, &state)?;
        Ok(worker.run(2).await?)
    })
}

fn service(folder: &Path, database: &str, state: &str) -> Result<Arc<Service>> {
    let state = folder.join(state);
    let provider: Arc<dyn Provider> = Arc::new(Far::new(&folder.join("machines")));
    let providers: Providers = BTreeMap::from([("containers".to_owned(), provider)]);
    let settings = Settings { takeover: TAKEOVER, ..settings() };
    let store = Store::open_with(&state, Some(database.parse()?), settings)?;
    Ok(Arc::new(Service::with(Repo::open(folder)?, &state, store, providers)?))
}

struct Server(Child);

impl Server {
    fn start(folder: &Path, database: &str, state: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "--ignored", "--nocapture", "takeover::a_server"]);
        command.env(FOLDER, folder).env(DATABASE, database).env(STATE, state);
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn is_running(place: &Place) -> Result<()> {
    let began = Instant::now();
    while place.containers.inside("pgrep -x sleep").is_err() {
        ensure!(began.elapsed() < Duration::from_secs(120), "the command has not begun");
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn ended(service: &Service, job: JobId) -> Result<()> {
    let job = tokio::time::timeout(Duration::from_secs(180), service.store.queue.ended(job)).await??;
    ensure!(job.state == State::Succeeded, "{}", why(service, job.id).await?);
    Ok(())
}

#[tokio::test]
async fn another_server_takes_a_run_over() -> Result<()> {
    let (place, postgres) = (Place::new()?, Postgres::start(Sync::Off)?);
    let (folder, database) = (place.folder.path(), postgres.database()?);
    serve(&place.containers, &folder.join("machines"))?;
    // Whoever submits is a third one, so that what is attached has to come from the database.
    let client = service(folder, &database, "client")?;
    let script = "test -e /root/go || exec sleep 1000; cat /srv/in/tile";
    let input = json!({"machines": 1, "scripts": [script]});
    let attached = [("tile", b"a tile\n".as_slice())];

    // Its own server is back in time, and goes on where it was.
    let job = place.submit(&client, json!({"machines": 1, "scripts": ["sleep 8; echo on"]}), &attached).await?;
    let one = Server::start(folder, &database, "one")?;
    is_running(&place).await?;
    drop(one);
    let other = Server::start(folder, &database, "other")?;
    let one = Server::start(folder, &database, "one")?;
    ended(&client, job).await?;
    assert_eq!(place.containers.made(), 1, "it has gone on in its machine");
    assert_eq!(said(&client, job).await?["m0/2"], ["on"]);
    drop((one, other));

    // Its server is gone: another one begins it anew, in another machine, and not before the first must have ended.
    let job = place.submit(&client, input, &attached).await?;
    let one = Server::start(folder, &database, "one")?;
    is_running(&place).await?;
    drop(one);
    let killed = Instant::now();
    let other = Server::start(folder, &database, "other")?;
    while place.containers.made() < 3 {
        ensure!(killed.elapsed() < Duration::from_secs(120), "nobody has taken it over");
        if killed.elapsed() < TAKEOVER {
            assert_eq!(client.store.queue.job(job).await?.run.number(), 1, "it was taken over early");
        }
        sleep(Duration::from_millis(50)).await;
    }
    ensure!(killed.elapsed() >= TAKEOVER, "it was taken over after {:?}", killed.elapsed());
    // What is left of the first run is the reaper's, of any server.
    let reaper = Reaper::new(Rules { grace: Duration::ZERO });
    let mut reapers = BTreeMap::from([("containers".to_owned(), reaper)]);
    let rounds = client.reap(&mut reapers).await;
    let destroyed: usize = rounds.iter().flatten().map(|round| round.destroyed.len()).sum();
    assert_eq!(destroyed, 1, "{rounds:?}");
    while place.containers.inside("touch /root/go").is_err() {
        sleep(Duration::from_millis(50)).await;
    }
    ended(&client, job).await?;
    drop(other);
    let attempts = client.store.queue.attempts(job).await?;
    let workers: Vec<_> = attempts.iter().map(|attempt| attempt.worker.as_str()).collect();
    assert_eq!(workers, ["one", "other"]);
    assert_eq!(result(&client, job).await?["outputs"], json!(["a tile\n"]));
    ensure!(client.machines().await?.iter().all(|(_, left)| left.is_empty()), "a machine is left");

    // What the API shows, every server has.
    for (run, artifact) in client.store.queue.artifacts(job).await? {
        let path = client.store.fetch(&artifact.place).await?;
        let content = path.map(std::fs::read).transpose()?.unwrap_or_default();
        ensure!(content.len() as u64 == artifact.size && artifact.size > 0, "{run:?} {artifact:?}");
    }
    ensure!(client.store.queue.check().await?.is_empty());
    Ok(())
}
