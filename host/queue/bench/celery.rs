//! Celery with Redis, made as durable as the queue: Redis syncs its log before it answers, and tasks are acknowledged late.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use stead_tests::run::{run, words};
use stead_tests::{cache, wait};

use crate::no_op::{MANY, ONE_BY_ONE};

const REQUIREMENTS: &str = "celery[redis]==5.7.0\n";
const TASKS: &str = include_str!("celery_tasks.py");
const LIMIT: Duration = Duration::from_secs(600);

/// A server of Redis and two worker processes, until this is dropped.
pub(crate) struct Celery {
    folder: PathBuf,
    python: PathBuf,
    workers: Child,
    redis: Child,
}

impl Celery {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let folder = folder.join("celery");
        fs::create_dir(&folder)?;
        fs::write(folder.join("celery_tasks.py"), TASKS)?;
        let python = cache::entry("celery", &cache::key(&[REQUIREMENTS]), install)?.join("bin/python");
        let mut redis =
            words("redis-server --port 0 --unixsocket redis.sock --save --appendonly yes --appendfsync always");
        redis.current_dir(&folder).stdin(Stdio::null()).stdout(fs::File::create(folder.join("redis.log"))?);
        let redis = redis.spawn().context("redis-server is not installed")?;
        wait::until("Redis", LIMIT, || Ok(folder.join("redis.sock").exists().then_some(())))?;
        let mut workers = Command::new(&python);
        workers.args(["-m", "celery", "-A", "celery_tasks", "worker", "--concurrency", "2", "--loglevel", "ERROR"]);
        workers.args(["--without-gossip", "--without-mingle", "--without-heartbeat"]).env("C_FORCE_ROOT", "1");
        workers.current_dir(&folder).stdin(Stdio::null()).stdout(fs::File::create(folder.join("celery.log"))?);
        workers.stderr(fs::File::create(folder.join("celery.errors"))?);
        let celery = Self { workers: workers.spawn()?, folder, python, redis };
        // Once before the clock runs, until the workers are up.
        celery.one_by_one()?;
        Ok(celery)
    }

    fn ask(&self, what: &str, count: usize) -> Result<Vec<Duration>> {
        let mut driver = Command::new(&self.python);
        driver.args(["celery_tasks.py", what, &count.to_string()]).current_dir(&self.folder);
        let said = run(&mut driver, LIMIT)?.ok()?;
        said.lines().map(|line| Ok(Duration::from_nanos(line.parse()?))).collect()
    }

    pub(crate) fn many(&self) -> Result<Duration> {
        self.ask("many", MANY)?.first().copied().context("nothing was timed")
    }

    pub(crate) fn one_by_one(&self) -> Result<Vec<Duration>> {
        self.ask("one-by-one", ONE_BY_ONE)
    }
}

impl Drop for Celery {
    fn drop(&mut self) {
        // Celery's first process ends the others when it is asked to.
        let asked = Command::new("kill").arg(self.workers.id().to_string()).status();
        if asked.is_err() {
            drop(self.workers.kill());
        }
        drop(self.workers.wait());
        drop(self.redis.kill());
        drop(self.redis.wait());
    }
}

fn install(folder: &Path) -> Result<()> {
    eprintln!("Installing Celery from PyPI…");
    run(words("python3 -m venv").arg(folder), LIMIT)?.ok()?;
    fs::write(folder.join("requirements.txt"), REQUIREMENTS)?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(pip.arg(folder.join("requirements.txt")), LIMIT)?.ok().map(drop)
}
