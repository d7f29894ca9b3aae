//! `stead facts`: what policies may know of a host.

use clap::Args;

use super::Context;
use super::asking::{ask, unexpected};
use super::progress::Progress;
use super::targets::of_repo;
use crate::author::facts_text;
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::repo::Repo;
use crate::session::Request;

/// Print what policies may know of a host.
///
/// It is TOML, as `stead plan --facts` and a case of `stead policy test` have it.
#[derive(Debug, Args)]
pub(super) struct Facts {
    /// The host; this machine when there is none.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
}

impl Facts {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let words: Vec<String> = self.target.into_iter().collect();
        for (machine, host) in of_repo(context, &repo, &words)? {
            let answer = ask(&machine, Request::Facts { host }, Progress::new(context.terminal, None)).await?;
            let Event::Facts { facts } = answer else { return Err(unexpected()) };
            context.terminal.print(&facts_text(facts));
        }
        Ok(Exit::Done)
    }
}
