//! `stead app restart`: restart the containers of an app.

use std::time::Duration;

use clap::Args;

use crate::cli::Context;
use crate::cli::asking::{ask, unexpected};
use crate::cli::progress::Progress;
use crate::cli::status::json;
use crate::cli::targets::anywhere;
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::Request;

/// Restart the containers of an app.
///
/// In the order in which its services depend on each other: each must be up, and healthy where it has a health check,
/// before those that depend on it are restarted. Services that depend on a named one with `restart: true` are
/// restarted as well. It is recorded: `stead log` shows it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Restart {
    /// The app.
    app: String,
    /// Its services; all when there is none.
    services: Vec<String>,
    /// The host; this machine when there is none.
    #[arg(long, short = 'H', value_name = "TARGET")]
    host: Option<String>,
    /// How many seconds each may take to be up again.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait: u64,
    /// Print for machines: one JSON document, the containers in the order in which they were restarted.
    #[arg(long)]
    json: bool,
}

impl Restart {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, self.host.as_deref())?;
        let Self { app, services, wait, .. } = self;
        let request = Request::RestartApp { app, services, limit: Duration::from_secs(wait) };
        let answer = ask(&machine, request, Progress::new(context.terminal, None)).await?;
        let Event::Restarted { containers } = answer else { return Err(unexpected()) };
        let lines = || containers.iter().map(|name| format!("restarted {}\n", printable(name))).collect();
        let text = if self.json { json(&containers) } else { lines() };
        context.terminal.print(&text);
        Ok(Exit::Done)
    }
}
