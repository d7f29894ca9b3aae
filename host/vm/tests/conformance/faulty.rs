//! A provider whose network and service fail as told; what gets through is the real one's.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use stead_vm::machine::{Offer, Vm};
use stead_vm::name::VmName;
use stead_vm::provider::{Cause, Provider, ProviderError};
use stead_vm::request::Request;

#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The call has this error and no effect.
    Fails(Cause),
    /// The call has its effect, and the answer is lost.
    TimesOutAfterwards,
    /// The list is this old one.
    IsStale(Vec<Vm>),
}

pub(crate) const LIMITED: Fault = Fault::Fails(Cause::RateLimited { retry_after: Some(Duration::from_millis(20)) });

#[derive(Debug)]
pub(crate) struct Faulty {
    real: Box<dyn Provider>,
    faults: Mutex<VecDeque<Fault>>,
    calls: Mutex<u32>,
}

impl Faulty {
    /// The first calls have these faults, in this order.
    pub(crate) fn new(real: Box<dyn Provider>, faults: impl IntoIterator<Item = Fault>) -> Self {
        Self { real, faults: Mutex::new(faults.into_iter().collect()), calls: Mutex::new(0) }
    }

    pub(crate) fn calls(&self) -> u32 {
        *self.calls.lock().expect("no panic")
    }

    fn next(&self) -> Option<Fault> {
        *self.calls.lock().expect("no panic") += 1;
        self.faults.lock().expect("no panic").pop_front()
    }

    async fn through<T>(&self, call: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
        match self.next() {
            None => call.await,
            Some(Fault::Fails(cause)) => Err(ProviderError::new(cause, "injected")),
            Some(Fault::TimesOutAfterwards) => {
                let _ = call.await?;
                Err(ProviderError::new(Cause::TimedOut, "injected"))
            }
            Some(Fault::IsStale(_)) => unreachable!("only lists are stale"),
        }
    }
}

#[async_trait]
impl Provider for Faulty {
    fn name(&self) -> &'static str {
        self.real.name()
    }

    async fn offers(&self) -> Result<Vec<Offer>, ProviderError> {
        self.real.offers().await
    }

    async fn create(&self, request: &Request) -> Result<Vm, ProviderError> {
        self.through(self.real.create(request)).await
    }

    async fn list(&self) -> Result<Vec<Vm>, ProviderError> {
        match self.next() {
            Some(Fault::IsStale(list)) => Ok(list),
            Some(Fault::Fails(cause)) => Err(ProviderError::new(cause, "injected")),
            _ => self.real.list().await,
        }
    }

    async fn destroy(&self, name: &VmName) -> Result<(), ProviderError> {
        self.through(self.real.destroy(name)).await
    }

    async fn console(&self, name: &VmName) -> Result<Option<String>, ProviderError> {
        self.real.console(name).await
    }
}
