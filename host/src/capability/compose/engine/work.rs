//! How much is asked of the engine at once, in which order, and when to ask for no more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Semaphore;

use crate::capability::ApplyError;
use crate::capability::compose::model::Model;

/// More containers than that on their way make an engine slower, not faster: it waits for its own locks (seen with 50).
const AT_ONCE: usize = 16;

/// The work of one run.
#[derive(Debug)]
pub(in crate::capability::compose) struct Work {
    turns: Semaphore,
    /// What failed first: the rest follows from it.
    failed: Mutex<Failed>,
}

#[derive(Debug)]
enum Failed {
    No,
    With(ApplyError),
    /// It was told.
    Told,
}

impl Work {
    pub(in crate::capability::compose) fn new() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), failed: Mutex::new(Failed::No) }
    }

    /// Makes a call when its turn comes.
    pub(super) async fn turn<T>(&self, call: impl Future<Output = T>) -> T {
        // Nobody closes it; without a turn the call is as good.
        let _turn = self.turns.acquire().await;
        call.await
    }

    /// Whether something failed, so that nothing more is to be waited for.
    pub(super) fn is_halted(&self) -> bool {
        !matches!(*self.failed.lock().unwrap_or_else(PoisonError::into_inner), Failed::No)
    }

    /// What failed first, in place of what failed because of it.
    pub(in crate::capability::compose) fn first(&self, error: ApplyError) -> ApplyError {
        let failed = &mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(failed, Failed::Told) {
            Failed::With(first) => first,
            Failed::No | Failed::Told => error,
        }
    }

    fn halt(&self, error: ApplyError) -> ApplyError {
        let failed = &mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(failed, Failed::No) {
            return error;
        }
        let reason = "was given up, because something else failed".to_owned();
        *failed = Failed::With(error);
        ApplyError::Refused { resource: "compose".to_owned(), reason }
    }

    /// Does all of it at once, and answers when nothing is under way any more: a call that is let go of half-way may
    /// yet be done by the engine, after everything was taken back.
    pub(super) async fn all<T, F>(&self, work: impl IntoIterator<Item = F>) -> Result<Vec<T>, ApplyError>
    where
        F: Future<Output = Result<T, ApplyError>>,
    {
        let done = futures::future::join_all(work.into_iter().map(|one| async { one.await.map_err(|e| self.halt(e)) }));
        done.await.into_iter().collect()
    }

    /// Does something for each service, as soon as it is done for all that the service depends on. After a failure
    /// nothing more is begun, and what is under way comes to its end.
    pub(in crate::capability::compose) async fn in_order<'m, T, F>(
        &self,
        model: &'m Model,
        begin: impl Fn(&'m str, &BTreeMap<&'m str, T>) -> F,
    ) -> Result<BTreeMap<&'m str, T>, ApplyError>
    where
        F: Future<Output = Result<T, ApplyError>>,
    {
        let mut left: BTreeSet<&str> = model.services.keys().map(String::as_str).collect();
        let mut done = BTreeMap::new();
        let mut under_way = FuturesUnordered::new();
        let mut failed = None;
        loop {
            let ready: Vec<&str> = left.iter().copied().filter(|name| is_ready(model, name, &done)).collect();
            for name in ready.into_iter().filter(|_| failed.is_none()) {
                left.remove(name);
                let work = begin(name, &done);
                under_way.push(async move { work.await.map(|done| (name, done)) });
            }
            match under_way.next().await {
                None => break,
                Some(Ok((name, one))) => drop(done.insert(name, one)),
                Some(Err(error)) => failed = Some(self.halt(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None if left.is_empty() => Ok(done),
            None => Err(ApplyError::Refused {
                resource: "compose".to_owned(),
                reason: format!("these services wait for each other: {}", Vec::from_iter(left).join(", ")),
            }),
        }
    }
}

fn is_ready<T>(model: &Model, name: &str, done: &BTreeMap<&str, T>) -> bool {
    let depends_on = model.services.get(name).into_iter().flat_map(|service| service.depends_on.keys());
    // One that is not in the model (its profile is not active) is nothing to wait for.
    depends_on.into_iter().all(|other| done.contains_key(other.as_str()) || !model.services.contains_key(other))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::capability::compose::model::parse;

    fn model(services: &str) -> Model {
        parse(&serde_json::from_str(&format!(r#"{{"services": {services}}}"#)).unwrap_or_default()).model
    }

    const CHAINS: &str = r#"{
        "a": {"image": "x"}, "b": {"image": "x", "depends_on": {"a": {"condition": "service_started"}}},
        "slow": {"image": "x"}, "z": {"image": "x", "depends_on": {"slow": {"condition": "service_started"}}}
    }"#;

    #[tokio::test]
    async fn a_chain_does_not_wait_for_another_one() {
        let (model, work, order) = (model(CHAINS), Work::new(), Mutex::new(Vec::new()));
        let done = work.in_order(&model, |name, _| {
            let order = &order;
            async move {
                let milliseconds = if name == "slow" { 200 } else { 1 };
                tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
                order.lock().unwrap_or_else(PoisonError::into_inner).push(name);
                Ok(())
            }
        });
        assert_eq!(done.await.map(|done| done.len()).ok(), Some(4));
        assert_eq!(*order.lock().unwrap_or_else(PoisonError::into_inner), ["a", "b", "slow", "z"]);
    }

    #[tokio::test]
    async fn after_a_failure_nothing_is_begun_and_what_is_under_way_ends() {
        let (model, work, ended) = (model(CHAINS), Work::new(), AtomicUsize::new(0));
        let failed = || ApplyError::Record("the first".to_owned());
        let done = work.in_order(&model, |name, _| {
            let (ended, work) = (&ended, &work);
            async move {
                if name == "a" {
                    return Err(failed());
                }
                while !work.is_halted() {
                    tokio::task::yield_now().await;
                }
                ended.fetch_add(1, Ordering::Relaxed);
                Err::<(), _>(ApplyError::Record("it was halted".to_owned()))
            }
        });
        let error = done.await.map(drop).map_err(|error| work.first(error).to_string());
        assert!(error.is_err_and(|error| error.ends_with("the first")));
        assert_eq!(ended.load(Ordering::Relaxed), 1, "neither b nor z was begun");
    }
}
