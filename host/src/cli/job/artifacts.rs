//! `stead job artifacts`: the files that a job has left.

use std::path::PathBuf;

use clap::Args;
use stead_queue::JobId;

use super::{number, store};
use crate::cli::Context;
use crate::cli::table::table;
use crate::error::{Blame, Failure};
use crate::exit::Exit;

/// List the files that a job has left, or copy them.
#[derive(Debug, Args)]
pub(in crate::cli) struct Artifacts {
    /// The number of the job.
    #[arg(value_parser = number)]
    job: JobId,
    /// Copy them into this folder, which is made; files in it are replaced.
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

impl Artifacts {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let store = store(context)?;
        let run = store.queue.job(self.job).await?.run;
        let artifacts: Vec<_> =
            store.queue.artifacts(self.job).await?.into_iter().filter(|(of, _)| *of == run).collect();
        if let Some(folder) = &self.to {
            let failed = |error: std::io::Error| {
                Failure::new(Blame::Operator, Exit::Usage, &format!("{}: {error}", folder.display()))
            };
            std::fs::create_dir_all(folder).map_err(failed)?;
            for (_, artifact) in &artifacts {
                let gone = || failed(std::io::Error::other("its content is on no server that can be reached"));
                let from = store.fetch(&artifact.place).await?.ok_or_else(gone)?;
                std::fs::copy(from, folder.join(artifact.name.as_str())).map_err(failed)?;
            }
        }
        let row = |artifact: &stead_queue::Artifact| {
            [artifact.name.as_str().to_owned(), format!("{} bytes", artifact.size), hex::encode(artifact.digest)]
        };
        context.terminal.print(&table(&artifacts.iter().map(|(_, artifact)| row(artifact)).collect::<Vec<_>>()));
        Ok(Exit::Done)
    }
}
