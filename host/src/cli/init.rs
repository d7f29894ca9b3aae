//! `stead init`: begin a repo.

use std::path::PathBuf;

use clap::Args;

use super::Context;
use crate::author;
use crate::error::Failure;
use crate::exit::Exit;

/// Begin a repo: stead.toml, a policy in Rust, a compose app.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder, made when it is not there. What is in it stays.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Init {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut text = String::new();
        for file in author::init(&self.folder)? {
            text.push_str(&format!("{}\n", self.folder.join(file).display()));
        }
        text.push_str("\nSet the address of your server in stead.toml, then: stead build, stead plan, stead apply\n");
        context.terminal.print(&text);
        Ok(Exit::Done)
    }
}
