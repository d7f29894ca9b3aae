//! `stead completions`: what a shell completes a command line by.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Context};
use crate::exit::Exit;

/// Print what a shell completes command lines by.
///
/// `stead completions bash > /etc/bash_completion.d/stead`, and likewise for zsh and fish.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, context: &Context) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "stead", &mut script);
        context.terminal.print(&String::from_utf8_lossy(&script));
        Exit::Done
    }
}
