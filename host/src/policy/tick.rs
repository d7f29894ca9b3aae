//! The clock that interrupts running policies.
//!
//! An endless loop in a guest never gives the thread back by itself, so another thread advances the engine's epoch,
//! and the guest looks at it on every turn of a loop. The thread sleeps while no policy runs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// The time between two looks at what a policy has used.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// The thread that advances the epoch of an engine.
#[derive(Debug)]
pub(super) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    ended: bool,
}

/// Keeps the clock ticking as long as it lives.
#[derive(Debug)]
pub(super) struct Ticking {
    shared: Arc<Shared>,
}

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (engine, theirs) = (engine.clone(), Arc::clone(&shared));
        thread::Builder::new().name("policy-ticks".to_owned()).spawn(move || theirs.tick(&engine))?;
        Ok(Self { shared })
    }

    pub(super) fn running(&self) -> Ticking {
        self.shared.lock().running += 1;
        self.shared.changed.notify_one();
        Ticking { shared: Arc::clone(&self.shared) }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self, engine: &Engine) {
        let idle = |state: &mut State| state.running == 0 && !state.ended;
        loop {
            let state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
            if state.ended {
                return;
            }
            drop(state);
            thread::sleep(TICK);
            engine.increment_epoch();
        }
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.shared.lock().running -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_one();
    }
}
