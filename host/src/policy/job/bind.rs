//! From the contract's world `job` to calls as plain data, and back.

use wasmtime::component::Linker;

use super::Cause;
use super::call::{Answer, Call};
use super::guest::{JobGuest, error, mismatched};
use crate::policy::log::Level;
use crate::policy::reads::Mismatched;
use crate::policy::types;

wasmtime::component::bindgen!({
    inline: "package stead:bind-job; world bind {
        import stead:host/config@0.1.0;
        import stead:host/log@0.1.0;
        import stead:host/clock@0.1.0;
        import stead:host/progress@0.1.0;
        import stead:host/artifact@0.1.0;
        import stead:host/retry@0.1.0;
        import stead:host/http@0.1.0;
        import stead:host/container@0.1.0;
        import stead:host/vm@0.1.0;
        export stead:host/run@0.1.0;
    }",
    path: "../wit",
    imports: { default: async | trappable },
    exports: { default: async },
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::{artifact, clock, config, container, http, log, progress, retry, vm};

mod containers;
mod machines;
mod requests;

pub(in crate::policy) use BindPre as Job;
pub(in crate::policy) use exports::stead::host::run::Failure as GaveUp;

/// Tells the linker where the state is.
pub(in crate::policy) struct HasJobGuest;

impl wasmtime::component::HasData for HasJobGuest {
    type Data<'a> = &'a mut JobGuest;
}

/// Instantiates a job policy and calls its `run`.
pub(in crate::policy) async fn run(
    policy: &Job<JobGuest>,
    store: &mut wasmtime::Store<JobGuest>,
    input: &str,
) -> wasmtime::Result<Result<String, GaveUp>> {
    let instance = policy.instance_pre().instantiate_async(&mut *store).await?;
    let exports = policy.indices.load(&mut *store, &instance).map_err(|error| Mismatched::new(&error))?;
    exports.stead_host_run().call_run(store, input).await
}

/// What needs no grant.
pub(in crate::policy) fn link(linker: &mut Linker<JobGuest>) -> wasmtime::Result<()> {
    config::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    log::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    clock::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    progress::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    retry::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    artifact::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)
}

/// What the grant `vm` gives.
pub(crate) fn link_vm(linker: &mut Linker<JobGuest>) -> wasmtime::Result<()> {
    vm::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)
}

/// What the grant `http` gives.
pub(crate) fn link_http(linker: &mut Linker<JobGuest>) -> wasmtime::Result<()> {
    http::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)
}

/// What the grant `container` gives.
pub(crate) fn link_container(linker: &mut Linker<JobGuest>) -> wasmtime::Result<()> {
    container::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)
}

impl config::Host for JobGuest {
    async fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.config().to_string())
    }
}

impl log::Host for JobGuest {
    async fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        self.said(level, &message).await
    }
}

impl progress::Host for JobGuest {
    async fn report(&mut self, permille: u16, message: String) -> wasmtime::Result<()> {
        self.progress(permille, message).await
    }
}

impl clock::Host for JobGuest {
    async fn now(&mut self) -> wasmtime::Result<String> {
        match self.pass(Call::Now).await? {
            Answer::Text(now) => Ok(now),
            other => Err(mismatched(&other)),
        }
    }

    async fn sleep(&mut self, seconds: u32) -> wasmtime::Result<()> {
        match self.pass(Call::Sleep { seconds }).await? {
            Answer::Done => Ok(()),
            other => Err(mismatched(&other)),
        }
    }
}

impl artifact::Host for JobGuest {
    async fn put(&mut self, artifact: String, content: Vec<u8>) -> wasmtime::Result<Result<(), types::Error>> {
        match self.pass(Call::Put { artifact, content }).await? {
            Answer::Done => Ok(Ok(())),
            Answer::Failed(failure) => Ok(Err(error(failure))),
            other => Err(mismatched(&other)),
        }
    }

    async fn get(&mut self, artifact: String) -> wasmtime::Result<Result<Vec<u8>, types::Error>> {
        match self.pass(Call::Get { artifact }).await? {
            Answer::Bytes(bytes) => Ok(Ok(bytes)),
            Answer::Failed(failure) => Ok(Err(error(failure))),
            other => Err(mismatched(&other)),
        }
    }

    async fn names(&mut self) -> wasmtime::Result<Vec<String>> {
        match self.pass(Call::Names).await? {
            Answer::Names(names) => Ok(names),
            other => Err(mismatched(&other)),
        }
    }
}

impl retry::Host for JobGuest {
    async fn because(&mut self, cause: retry::Cause) -> wasmtime::Result<()> {
        self.because(match cause {
            retry::Cause::Temporary => Cause::Temporary,
            retry::Cause::VmLost => Cause::VmLost,
            retry::Cause::NoCapacity => Cause::NoCapacity,
            retry::Cause::Preempted => Cause::Preempted,
        });
        Ok(())
    }
}
