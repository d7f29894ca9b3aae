//! `stead init`: begin a repo.

use std::path::PathBuf;

use clap::Args;

use super::Context;
use crate::author;
use crate::error::Failure;
use crate::exit::Exit;

/// Begin a repo: stead.toml, one policy in Rust, one compose app.
///
/// Overwrites nothing.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder, which is made when it is not there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Init {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let folder = self.folder;
        for path in author::init(&folder)? {
            context.terminal.print(&format!("{}\n", folder.join(path).display()));
        }
        let folder = folder.display();
        context.terminal.say(&format!("next: cd {folder}, stead build, stead plan user@server\n"));
        Ok(Exit::Done)
    }
}
