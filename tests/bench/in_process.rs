//! Runs the policy of a repo in this process, and prints how long each run took: `KIND NANOSECONDS`, a line each.
//!
//! A program of its own, so that only this one is linked with the runtime, which takes minutes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stead::machine::{Facts, OsRelease};
use stead::policy::{Policy, Runtime};
use stead::repo::{self, Repo};

const RUNS: usize = 500;
/// Compiling takes longer, and minutes for a component that holds an interpreter.
const COLD_RUNS: usize = 15;
const COLD_TIME: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    let repo: PathBuf = env::args_os().nth(1).context("give it the folder of a repo")?.into();
    let subject = Subject::of(&Repo::open(&repo)?)?;
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("warm");
    let runtime = Runtime::open(&cache)?;
    executor.block_on(subject.run(&runtime))?;
    for _ in 0..RUNS {
        say("process", executor.block_on(subject.fresh(&cache))?);
        say("runtime", executor.block_on(subject.run(&runtime))?);
    }
    let began = Instant::now();
    for run in 0..COLD_RUNS {
        say("cold", executor.block_on(subject.fresh(&folder.path().join(format!("cold-{run}"))))?);
        if began.elapsed() > COLD_TIME {
            break;
        }
    }
    Ok(())
}

fn say(kind: &str, took: Duration) {
    println!("{kind} {}", took.as_nanos());
}

/// A policy and its config.
struct Subject {
    known: repo::Policy,
    component: Vec<u8>,
    config: Value,
}

impl Subject {
    /// The first policy of the first host.
    fn of(repo: &Repo) -> Result<Self> {
        let host = repo.hosts().next().context("the repo has no host")?;
        let known = repo.policies_of(host).into_iter().next().context("the host has no policy")?;
        let (component, config) = (fs::read(repo.component(&known))?, Value::Object(known.config.clone()));
        Ok(Self { known, component, config })
    }

    /// As a new process does it.
    async fn fresh(&self, cache: &Path) -> Result<Duration> {
        let began = Instant::now();
        let runtime = Runtime::open(cache)?;
        self.run(&runtime).await?;
        Ok(began.elapsed())
    }

    async fn run(&self, runtime: &Runtime) -> Result<Duration> {
        let Self { known, component, config } = self;
        let policy = Policy {
            name: known.name.as_str(),
            component,
            grants: &known.grants,
            config,
            meshes: &Default::default(),
            engines: &Default::default(),
            backups: &Default::default(),
            limits: known.limits,
        };
        let os = OsRelease { id: "debian".to_owned(), version_id: "13".to_owned(), ..OsRelease::default() };
        let facts = Facts { host_name: "server".to_owned(), os, ..Facts::default() };
        let began = Instant::now();
        let run = runtime.configure(&policy, &facts).await?;
        let took = began.elapsed();
        ensure!(run.calls.len() > 20, "the policy declares less than it should: {:?}", run.calls);
        Ok(took)
    }
}
