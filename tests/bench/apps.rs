//! Compose projects of several sizes: by stead, by docker compose, and by the bare calls of the Engine API that neither
//! can do without, all made at once.

mod floor;
mod process;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use stead::capability::{self, AnyCapability, Declared, Owned};
use stead::machine::Machine;
use stead_tests::docker::Engine;
use tempfile::TempDir;

use crate::sample::Sample;
use crate::table::Table;

const SIZES: [usize; 4] = [1, 5, 20, 50];
const RUNS: usize = 3;
const PROJECT: &str = "stead-bench";
const IMAGE: &str = "stead-bench:1";

/// Prints one table a size and a thing done, as they come.
pub(crate) fn measure() -> Result<()> {
    let engine = Engine::start()?;
    engine.import_busybox(IMAGE)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let servers = Servers { in_process: in_process(&engine)?, whole: process::Repo::make(&engine)? };
    // As on any server after its first app: stead knows the plugin.
    of_size(&engine, &runtime, &servers, 1)?;
    for size in SIZES {
        for table in of_size(&engine, &runtime, &servers, size)? {
            println!("{table}");
        }
    }
    Ok(())
}

/// What stead works on: a tree of files with the engine's socket in it, and its own record.
struct Servers {
    in_process: TempDir,
    whole: process::Repo,
}

struct Times {
    up: Vec<Duration>,
    nothing: Vec<Duration>,
    one: Vec<Duration>,
    down: Vec<Duration>,
}

fn in_process(engine: &Engine) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    engine.put_in(&folder.path().join("root"))?;
    Ok(folder)
}

fn of_size(engine: &Engine, runtime: &tokio::runtime::Runtime, servers: &Servers, size: usize) -> Result<Vec<Table>> {
    let mut all = [const { Times { up: Vec::new(), nothing: Vec::new(), one: Vec::new(), down: Vec::new() } }; 4];
    let [ours, whole, theirs, floor] = &mut all;
    for run in 0..RUNS {
        runtime.block_on(by_stead(servers.in_process.path(), size, run, ours))?;
        servers.whole.measure(size, run, whole)?;
        by_compose(engine, size, run, theirs)?;
        floor::measure(engine, size, floor)?;
    }
    let names = ["stead, in process", "stead apply --yes", "docker compose", "bare calls"];
    let table = |what: &str, of: fn(&Times) -> &Vec<Duration>| {
        let mut table = Table::new(format!("{what}, {size} services"));
        for (name, times) in names.into_iter().zip(&all).filter(|(_, times)| !of(times).is_empty()) {
            table = table.row(name, Sample::of(of(times).clone())?);
        }
        Ok::<_, anyhow::Error>(table)
    };
    Ok(vec![
        table("first up", |times| &times.up)?,
        table("nothing to do", |times| &times.nothing)?,
        table("one service changed", |times| &times.one)?,
        table("down", |times| &times.down)?,
    ])
}

fn file(size: usize, level: &str) -> String {
    let service = |number: usize| {
        let level = if number == 0 { level } else { "same" };
        format!(
            "  s{number}: {{ image: {IMAGE}, command: [sleep, '100000'], stop_grace_period: 0s, environment: {{ LEVEL: {level} }} }}\n"
        )
    };
    format!("services:\n{}", (0..size).map(service).collect::<String>())
}

/// What is brought up, brought up again and changed; new in every run, so that nothing is known of it.
fn levels(run: usize, times: &mut Times) -> [(String, &mut Vec<Duration>); 3] {
    let Times { up, nothing, one, .. } = times;
    [(format!("one{run}"), up), (format!("one{run}"), nothing), (format!("two{run}"), one)]
}

async fn by_stead(folder: &Path, size: usize, run: usize, times: &mut Times) -> Result<()> {
    let app = folder.join("apps").join(PROJECT);
    std::fs::create_dir_all(&app)?;
    let compose = capability::by_name("compose").context("no capability compose")?;
    let specs = vec![Declared { policy: "bench".to_owned(), spec: json!({ "project": PROJECT }) }];
    let mut owned = Owned::new();
    for (level, into) in levels(run, times) {
        std::fs::write(app.join("compose.yaml"), file(size, &level))?;
        let machine = machine(folder)?;
        let began = Instant::now();
        apply(compose, machine, &specs, &mut owned).await?;
        into.push(began.elapsed());
    }
    let began = Instant::now();
    apply(compose, machine(folder)?, &[], &mut owned).await?;
    times.down.push(began.elapsed());
    Ok(())
}

fn machine(folder: &Path) -> Result<Arc<Machine>> {
    let machine = Machine::open(&folder.join("root"), &folder.join("state"))?;
    Ok(Arc::new(machine.with_apps(folder.join("apps"))))
}

async fn apply(
    compose: &dyn AnyCapability,
    machine: Arc<Machine>,
    specs: &[Declared<Value>],
    owned: &mut Owned<Value>,
) -> Result<()> {
    let fact = compose.observe(machine.clone(), specs, owned).await?;
    for step in compose.diff(&fact, specs, owned, &Default::default())?.steps {
        compose.apply(machine.clone(), &step.action).await?;
        owned.entry(PROJECT.to_owned()).or_insert(step.releases.get(PROJECT).cloned());
    }
    Ok(())
}

fn by_compose(engine: &Engine, size: usize, run: usize, times: &mut Times) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("compose.yaml");
    for (level, into) in levels(run, times) {
        std::fs::write(&path, file(size, &level))?;
        into.push(timed(engine, folder.path(), &["up", "--detach"])?);
    }
    times.down.push(timed(engine, folder.path(), &["down"])?);
    Ok(())
}

fn timed(engine: &Engine, folder: &Path, arguments: &[&str]) -> Result<Duration> {
    let mut command = Command::new("docker");
    command.args(["compose", "--progress", "quiet", "--project-name", PROJECT]).args(arguments);
    crate::sample::timed(command.current_dir(folder).envs(engine.environment()))
}
