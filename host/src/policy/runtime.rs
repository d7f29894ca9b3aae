//! Loads a policy, runs it once, and gives back what it asked for.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, Store, UpdateDeadline, WasmBacktraceDetails};

use super::cache::Cache;
use super::error::{LoadError, PolicyError, RunError};
use super::guest::{Guest, Recorded};
use super::job::{self, Door, JobEnd, JobError, JobGuest};
use super::limits::{Limits, Metered, Spent};
use super::log::LogLine;
use super::reads::Configure;
use super::tick::{TICK, Ticker};
use super::words::{printable, printable_lines};
use super::{link, load, reads, trap, types};
use crate::capability::backup::Backups;
use crate::capability::compose::Engines;
use crate::capability::vpn::Meshes;
use crate::grant::Grants;
use crate::machine::Facts;
use crate::stage::Stage;

/// How many bytes a guest may hand over in one call.
const ONE_CALL: usize = 32 << 20;
/// How many handles of host resources a guest may hold.
const HANDLES: usize = 10_000;

/// Runs policies: a compiler, its store of compiled code, and a clock.
#[derive(Debug)]
pub struct Runtime {
    engine: Engine,
    cache: Result<Cache, String>,
    ticker: Ticker,
}

/// A policy and what it is given.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// Its name in `stead.toml`.
    pub name: &'a str,
    /// The bytes of the component.
    pub component: &'a [u8],
    pub grants: &'a Grants,
    /// What the interface `config` answers.
    pub config: &'a Value,
    /// What `vpn.add-mesh` can name.
    pub meshes: &'a Meshes,
    /// What brings the projects up that `compose.up` names.
    pub engines: &'a Engines,
    /// What `backup.schedule` declares.
    pub backups: &'a Backups,
    pub limits: Limits,
}

/// What a policy did.
#[derive(Debug)]
pub struct Run {
    /// What it asked for.
    pub stage: Stage,
    /// Every call that it made, in order.
    pub calls: Vec<Recorded>,
    /// What it said.
    pub log: Vec<LogLine>,
}

impl Runtime {
    /// Starts the runtime, with its compiled code in the folder `cache`. A folder that cannot be trusted is not
    /// used, and [`Runtime::cache_unused`] says why.
    ///
    /// # Errors
    /// When the machine has no memory or threads left.
    pub fn open(cache: &Path) -> Result<Self, PolicyError> {
        let failed = |reason: String| PolicyError::Runtime { reason };
        let engine = Engine::new(&config()).map_err(|error| failed(format!("{error:#}")))?;
        let ticker = Ticker::start(&engine).map_err(|error| failed(error.to_string()))?;
        Ok(Self { cache: Cache::open(cache, &engine), engine, ticker })
    }

    /// Why compiled code is not kept, when it is not: every run then compiles its policies anew.
    pub fn cache_unused(&self) -> Option<&str> {
        self.cache.as_ref().err().map(String::as_str)
    }

    /// Runs `configure` of a policy in a fresh instance.
    ///
    /// # Errors
    /// When it cannot be loaded, is refused something that it needs, fails, crashes, or uses more than it may.
    /// Nothing is staged then.
    pub async fn configure(&self, policy: &Policy<'_>, facts: &Facts) -> Result<Run, PolicyError> {
        let configure =
            self.load(policy).await.map_err(|error| PolicyError::Load { policy: policy.name.to_owned(), error })?;
        let mut store = self.store(policy.limits, Guest::new(policy, facts));
        let _ticking = self.ticker.running();
        let ended = tokio::time::timeout(policy.limits.wall, reads::configure(&configure, &mut store)).await;
        let guest = store.into_data();
        let log = guest.take_log();
        match outcome(ended, policy.limits, &guest, &log) {
            Ok(()) => {
                let (stage, calls) = guest.finish();
                Ok(Run { stage, calls, log })
            }
            Err(error) => Err(PolicyError::Run { policy: policy.name.to_owned(), error, log }),
        }
    }

    async fn load(&self, policy: &Policy<'_>) -> Result<Configure<Guest>, LoadError> {
        let component = self.component(policy.component).await?;
        link::check(&self.engine, &component, link::BOOTSTRAP, policy.name, policy.grants)?;
        let mismatch = |error: wasmtime::Error| LoadError::Mismatch { reason: printable(&format!("{error:#}")) };
        let linker = link::linker(&self.engine, &component, policy.grants).map_err(mismatch)?;
        Configure::new(linker.instantiate_pre(&component).map_err(mismatch)?).map_err(mismatch)
    }

    /// Runs a job policy in a fresh instance. How long it waits is up to the door.
    ///
    /// # Errors
    /// When it cannot be loaded, is refused something that it needs, crashes, or uses more than it may; and when the door
    /// is closed.
    pub async fn run_job(&self, policy: &Policy<'_>, input: &str, door: Box<dyn Door>) -> Result<JobEnd, JobError> {
        let named = || policy.name.to_owned();
        let loaded = self.load_job(policy).await;
        let loaded = loaded.map_err(|error| JobError::Policy(PolicyError::Load { policy: named(), error }))?;
        let mut store = self.store(policy.limits, JobGuest::new(policy, door));
        let _ticking = self.ticker.running();
        let ended = job::run(&loaded, &mut store, input).await;
        let job::Finished { log, closed, because } = store.into_data().finish().await;
        match ended {
            _ if closed => Err(JobError::Closed),
            Ok(Ok(result)) => Ok(JobEnd::Done(result)),
            Ok(Err(gave_up)) => {
                let message = printable_lines(&gave_up.message);
                Ok(JobEnd::Failed { message, retry: gave_up.retry, because })
            }
            Err(error) => {
                let error = trap::ended(&error, policy.limits, &log);
                Err(JobError::Policy(PolicyError::Run { policy: named(), error, log }))
            }
        }
    }

    async fn load_job(&self, policy: &Policy<'_>) -> Result<job::Job<JobGuest>, LoadError> {
        let component = self.component(policy.component).await?;
        link::check(&self.engine, &component, link::JOB, policy.name, policy.grants)?;
        let mismatch = |error: wasmtime::Error| LoadError::Mismatch { reason: printable(&format!("{error:#}")) };
        let linker = link::job_linker(&self.engine, &component, policy.grants).map_err(mismatch)?;
        job::Job::new(linker.instantiate_pre(&component).map_err(mismatch)?).map_err(mismatch)
    }

    /// Makes sure that the code of a component is kept, so that its first run does not wait for the compiler.
    ///
    /// # Errors
    /// When it is no component.
    pub async fn compile(&self, component: &[u8]) -> Result<(), LoadError> {
        self.component(component).await.map(drop)
    }

    async fn component(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        load::preamble(bytes)?;
        let entry = self.cache.as_ref().ok().map(|cache| cache.entry(bytes));
        if let Some(component) = entry.as_ref().and_then(|entry| entry.load(&self.engine)) {
            return Ok(component);
        }
        let (engine, owned) = (self.engine.clone(), bytes.to_vec());
        let compiled = tokio::task::spawn_blocking(move || load::compile(&engine, &owned)).await;
        let component = compiled.map_err(|error| LoadError::Malformed { reason: error.to_string() })??;
        if let Some(entry) = entry {
            // The next run compiles again when this fails, which is slow and not wrong.
            let _ = component.serialize().map_err(std::io::Error::other).and_then(|code| entry.keep(&code));
        }
        Ok(component)
    }

    fn store<G: Metered>(&self, limits: Limits, guest: G) -> Store<G> {
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| guest.meter());
        store.set_hostcall_fuel(ONE_CALL);
        store.set_max_component_handles(HANDLES);
        store.set_epoch_deadline(1);
        let mut left = ticks(limits.cpu);
        store.epoch_deadline_callback(move |_| {
            // Ticks that pass while the guest waits in a host call are not counted: the next one comes once it computes.
            left = left.checked_sub(1).ok_or(Spent::Cpu)?;
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}

type Ended = Result<wasmtime::Result<Result<(), types::Error>>, tokio::time::error::Elapsed>;

fn outcome(ended: Ended, limits: Limits, guest: &Guest, log: &[LogLine]) -> Result<(), RunError> {
    match ended {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => Err(returned(error, guest)),
        Ok(Err(error)) => Err(trap::ended(&error, limits, log)),
        Err(_) => Err(RunError::Wall { limit: limits.wall }),
    }
}

/// What the policy returned as its error.
fn returned(error: types::Error, guest: &Guest) -> RunError {
    match error {
        types::Error::Denied(denial) if guest.denied(&denial) => {
            RunError::Denied { capability: denial.capability, asked: denial.asked, grant: denial.grant }
        }
        types::Error::Denied(denial) => RunError::Failed { message: printable(&denial.asked) },
        types::Error::Invalid(ref invalid) => RunError::Invalid {
            argument: printable(&invalid.argument),
            reason: printable(&invalid.reason),
            call: guest.refused(&error).map(|(number, interface)| format!("call {number}, to {interface}").into()),
        },
        types::Error::Other(message) => RunError::Failed { message: printable_lines(&message) },
    }
}

fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        // For debuggers only. The unwinder of a static binary takes each function by itself, in a time that grows with the
        // square of their number: 6 ms of 15 for a policy in Go, and more for one in Python.
        .native_unwind_info(false)
        // A policy is a function of its facts: what the processor would decide is decided here.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true);
    config
}
