//! The service to the outside: HTTP with JSON, bearer tokens, server-sent events for logs, and metrics.
//!
//! A request comes in (`server`), is routed (`route`) and let in (`token`, and for people `sso`), and one of the endpoints answers it (`jobs`, `files`, `log`,
//! `artifacts`, `machines`, `metrics`), or the [`page`](mod@page), for people, which shows the same; what can go wrong is a [`problem`](mod@problem). `document` describes all of it.
//!
//! It must never show a token, nor a job that the token may not touch, and no client may hold up workers: it runs in a thread
//! of its own, and whatever a client sends or does not take has a limit.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use super::Service;

mod artifacts;
mod body;
mod call;
mod caller;
mod document;
mod files;
mod jobs;
mod log;
mod machines;
mod metrics;
mod number;
mod page;
mod problem;
mod range;
mod route;
mod server;
mod sso;
mod token;
mod view;

pub use server::{Bound, Serving};
pub use sso::Sso;
pub use token::KnownToken;

/// Who is let in.
#[derive(Debug, Default)]
pub struct Admitted {
    pub tokens: Vec<KnownToken>,
    /// The provider that knows people, for the page alone.
    pub sso: Option<Arc<Sso>>,
}

/// What answers requests.
#[derive(Debug)]
pub struct Api {
    service: Arc<Service>,
    admitted: RwLock<Admitted>,
    /// True once it is to end.
    stopping: watch::Sender<bool>,
    streams: tokio::sync::Semaphore,
    /// Files that are handed over now.
    uploads: tokio::sync::Semaphore,
    /// Who has logged in to the page.
    sessions: page::Sessions,
    /// By which a login that comes back from the provider is known again.
    logins: sso::Logins,
    /// Where `stead follow` keeps what it sees, for the page.
    followed: PathBuf,
}

/// How many logs may be followed at once: each takes one of the connections for as long as its job.
const STREAMS: usize = 256;

impl Api {
    /// An API to this service for whoever is let in. `followed` is the folder of `stead follow`, which may not be there.
    ///
    /// # Errors
    /// When the kernel has no random bytes.
    pub fn new(service: Arc<Service>, admitted: Admitted, followed: PathBuf) -> std::io::Result<Self> {
        let [streams, uploads] = [STREAMS, files::UPLOADS].map(tokio::sync::Semaphore::new);
        Ok(Self {
            service,
            admitted: RwLock::new(admitted),
            stopping: watch::Sender::new(false),
            streams,
            uploads,
            sessions: page::Sessions::default(),
            logins: sso::Logins::new()?,
            followed,
        })
    }

    fn admit(&self, admitted: Admitted) {
        *self.admitted.write().unwrap_or_else(PoisonError::into_inner) = admitted;
    }

    /// The provider that knows people, if there is one.
    fn sso(&self) -> Option<Arc<Sso>> {
        self.admitted.read().unwrap_or_else(PoisonError::into_inner).sso.clone()
    }
}
