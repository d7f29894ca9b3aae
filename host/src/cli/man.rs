//! `stead man`: the manual pages, made from what `--help` says.

use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};

use super::Cli;
use crate::error::{Blame, Failure};
use crate::exit::Exit;

/// Write the manual pages, one a command.
///
/// `stead man /usr/local/share/man/man1`, then `man stead-apply`.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Where the pages go.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let mut stead = Cli::command();
        // Global options and names of subcommands get to their places.
        stead.build();
        std::fs::create_dir_all(&self.folder).and_then(|()| write(&self.folder, &stead, "stead")).map_err(|error| {
            let message = format!("cannot write to {}: {error}", self.folder.display());
            Failure::new(Blame::Operator, Exit::Input, &message)
        })?;
        Ok(Exit::Done)
    }
}

/// A command and those below it, under their names with dashes.
fn write(folder: &Path, command: &Command, name: &str) -> std::io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name.to_uppercase()).render(&mut page)?;
    std::fs::write(folder.join(format!("{name}.1")), page)?;
    let below = command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    for command in below {
        write(folder, command, &format!("{name}-{}", command.get_name()))?;
    }
    Ok(())
}
