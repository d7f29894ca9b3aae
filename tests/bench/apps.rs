//! Compose projects of several sizes: by stead, by docker compose, and by the bare calls of the Engine API that neither
//! can do without, all made at once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use stead::capability::{self, AnyCapability, Declared, Owned};
use stead::machine::Machine;
use stead_tests::docker::Engine;

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
    for size in SIZES {
        for table in of_size(&engine, &runtime, size)? {
            println!("{table}");
        }
    }
    Ok(())
}

#[derive(Default)]
struct Times {
    up: Vec<Duration>,
    nothing: Vec<Duration>,
    one: Vec<Duration>,
    down: Vec<Duration>,
}

fn of_size(engine: &Engine, runtime: &tokio::runtime::Runtime, size: usize) -> Result<Vec<Table>> {
    let [mut ours, mut theirs, mut floor] = [Times::default(), Times::default(), Times::default()];
    for run in 0..RUNS {
        runtime.block_on(by_stead(engine, size, run, &mut ours))?;
        by_compose(engine, size, run, &mut theirs)?;
        by_hand(engine, size, &mut floor)?;
    }
    let table = |what: &str, rows: [(&str, &Vec<Duration>); 3]| {
        let mut table = Table::new(format!("{what}, {size} services"));
        for (name, times) in rows.into_iter().filter(|(_, times)| !times.is_empty()) {
            table = table.row(name, Sample::of(times.clone())?);
        }
        Ok(table)
    };
    let rows = |of: fn(&Times) -> &Vec<Duration>| {
        [("stead", of(&ours)), ("docker compose", of(&theirs)), ("bare calls", of(&floor))]
    };
    [
        ("first up", rows(|times| &times.up)),
        ("nothing to do", rows(|times| &times.nothing)),
        ("one service changed", rows(|times| &times.one)),
        ("down", rows(|times| &times.down)),
    ]
    .into_iter()
    .map(|(what, rows)| table(what, rows))
    .collect()
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

async fn by_stead(engine: &Engine, size: usize, run: usize, times: &mut Times) -> Result<()> {
    let folder = tempfile::tempdir()?;
    engine.put_in(&folder.path().join("root"))?;
    let app = folder.path().join("apps").join(PROJECT);
    std::fs::create_dir_all(&app)?;
    let compose = capability::by_name("compose").context("no capability compose")?;
    let specs = vec![Declared { policy: "bench".to_owned(), spec: json!({ "project": PROJECT }) }];
    let mut owned = Owned::new();
    for (level, into) in [("one", &mut times.up), ("one", &mut times.nothing), (&format!("two{run}"), &mut times.one)] {
        std::fs::write(app.join("compose.yaml"), file(size, level))?;
        let machine = machine(folder.path())?;
        let began = Instant::now();
        apply(compose, machine, &specs, &mut owned).await?;
        into.push(began.elapsed());
    }
    let began = Instant::now();
    apply(compose, machine(folder.path())?, &[], &mut owned).await?;
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
    for (level, into) in [("one", &mut times.up), ("one", &mut times.nothing), (&format!("two{run}"), &mut times.one)] {
        std::fs::write(&path, file(size, level))?;
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

/// A network, and containers that are made, started, stopped and removed: what an engine cannot be spared.
fn by_hand(engine: &Engine, size: usize, times: &mut Times) -> Result<()> {
    let socket: PathBuf = engine.socket().to_owned();
    let call = move |method: &str, path: &str, body: Value| -> Result<Value> {
        let mut command = Command::new("curl");
        command.args(["--silent", "--fail-with-body", "--unix-socket"]).arg(&socket).args(["--request", method]);
        command.args(["--header", "Content-Type: application/json", "--data", &body.to_string()]);
        let output = command.arg(format!("http://docker{path}")).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{method} {path}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    };
    let at_once = |work: &(dyn Fn(usize) -> Result<()> + Sync)| -> Result<()> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..size).map(|number| scope.spawn(move || work(number))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
        })
    };
    let began = Instant::now();
    call("POST", "/networks/create", json!({ "Name": PROJECT }))?;
    at_once(&|number| {
        let body = json!({ "Image": IMAGE, "Cmd": ["sleep", "100000"], "StopTimeout": 0, "HostConfig": { "NetworkMode": PROJECT } });
        call("POST", &format!("/containers/create?name={PROJECT}-{number}"), body)?;
        call("POST", &format!("/containers/{PROJECT}-{number}/start"), Value::Null).map(drop)
    })?;
    times.up.push(began.elapsed());
    let began = Instant::now();
    at_once(&|number| {
        call("POST", &format!("/containers/{PROJECT}-{number}/stop"), Value::Null)?;
        call("DELETE", &format!("/containers/{PROJECT}-{number}?force=true"), Value::Null).map(drop)
    })?;
    call("DELETE", &format!("/networks/{PROJECT}"), Value::Null)?;
    times.down.push(began.elapsed());
    Ok(())
}
