//! `stead settle`: what a program does when it has come over ssh.

use std::path::Path;

use clap::Args;

use super::Context;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::installed;

/// Take the name `stead` when nothing has it, and remove programs of other versions that nothing needs.
#[derive(Debug, Args)]
pub(super) struct Settle {}

impl Settle {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let root: &Path = &context.place.root;
        let settled = installed::own().and_then(|own| installed::settle(root, &own));
        settled.map(|()| Exit::Done).map_err(|error| Failure::new(Blame::Host, Exit::Unavailable, &error))
    }
}
