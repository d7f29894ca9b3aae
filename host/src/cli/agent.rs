//! `stead agent`: the far end of ssh(1).

use clap::Args;

use super::Context;
use crate::error::{Blame, Failure};
use crate::exit::Exit;

/// Serve one request on standard input.
///
/// Reads one request from standard input and answers with events, one JSON line each.
#[derive(Debug, Args)]
pub(super) struct Agent {}

impl Agent {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let served = crate::remote::agent(&context.place).await;
        served.map(|()| Exit::Done).map_err(|error| Failure::new(Blame::Remote, Exit::Unreachable, &error))
    }
}
