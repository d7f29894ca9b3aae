//! The service to the outside: HTTP with JSON, bearer tokens, server-sent events for logs, and metrics.
//!
//! A request comes in (`server`), is routed (`route`) and let in (`token`), and one of the endpoints answers it (`jobs`, `files`, `log`,
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
mod token;
mod view;

pub use server::{Bound, Serving};
pub use token::KnownToken;

/// What answers requests.
#[derive(Debug)]
pub struct Api {
    service: Arc<Service>,
    tokens: RwLock<Vec<Arc<KnownToken>>>,
    /// True once it is to end.
    stopping: watch::Sender<bool>,
    streams: tokio::sync::Semaphore,
    /// Files that are handed over now.
    uploads: tokio::sync::Semaphore,
    /// Who has logged in to the page.
    sessions: page::Sessions,
    /// Where `stead follow` keeps what it sees, for the page.
    followed: PathBuf,
}

/// How many logs may be followed at once: each takes one of the connections for as long as its job.
const STREAMS: usize = 256;

impl Api {
    /// An API to this service for whoever has one of these tokens. `followed` is the folder of `stead follow`, which may
    /// not be there.
    pub fn new(service: Arc<Service>, tokens: Vec<KnownToken>, followed: PathBuf) -> Self {
        let tokens = RwLock::new(tokens.into_iter().map(Arc::new).collect());
        let [streams, uploads] = [STREAMS, files::UPLOADS].map(tokio::sync::Semaphore::new);
        let sessions = page::Sessions::default();
        Self { service, tokens, stopping: watch::Sender::new(false), streams, uploads, sessions, followed }
    }

    fn set_tokens(&self, tokens: Vec<KnownToken>) {
        let tokens = tokens.into_iter().map(Arc::new).collect();
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
    }
}
