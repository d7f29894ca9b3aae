//! `stead job submit`: a job waits for a worker.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use stead_queue::{IdempotencyKey, JobName, Submission, Submitted};

use super::store;
use crate::cli::Context;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::job::{Input, Store};
use crate::repo::{Repo, nearest};

/// What a job is to do.
#[derive(Debug, Args)]
pub(super) struct What {
    /// The policy, as in `[policy.NAME]`.
    name: String,
    /// A file with the input, a JSON document; `-` is standard input; `{}` when there is none.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// A file that the job finds among its artifacts under this name.
    #[arg(long, value_name = "NAME=FILE", value_parser = attachment)]
    attach: Vec<(String, PathBuf)>,
    /// How long one attempt may take: `2 h`.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "2 h")]
    timeout: Duration,
    /// How often it is tried at most.
    #[arg(long, value_name = "COUNT", default_value = "3")]
    attempts: NonZeroU32,
    /// The higher goes first.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// Submitting it twice with the same key submits it once.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Submit a job to the queue.
///
/// A worker of `stead serve` takes it. Prints its number.
#[derive(Debug, Args)]
pub(in crate::cli) struct Submit {
    #[command(flatten)]
    what: What,
}

impl Submit {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let submitted = self.what.submit(&repo, &store(context)?).await?;
        context.terminal.print(&format!("{}\n", submitted.job));
        Ok(Exit::Done)
    }
}

impl What {
    /// Puts it into the queue.
    pub(super) async fn submit(self, repo: &Repo, store: &Store) -> Result<Submitted, Failure> {
        if !repo.policies().any(|policy| policy.name.as_str() == self.name) {
            let known: Vec<_> = repo.policies().map(|policy| policy.name.to_string()).collect();
            let help =
                nearest(&self.name, known.iter().map(String::as_str)).map(|meant| format!("did you mean `{meant}`?"));
            return Err(usage(format!("stead.toml has no [policy.{}]", self.name)).maybe_help(help));
        }
        let input = self.read_input()?;
        let mut attached = BTreeMap::new();
        for (name, path) in &self.attach {
            let digest = store.files.attach(path)?;
            store.share(&digest).await?;
            attached.insert(name.clone(), digest);
        }
        let input = serde_json::to_vec(&Input { input, attached }).unwrap_or_default();
        let submission = Submission {
            priority: self.priority,
            key: self.key.map(IdempotencyKey::new).transpose()?,
            timeout: Some(self.timeout),
            most_attempts: self.attempts,
            ..Submission::new(JobName::new(self.name)?, input)
        };
        Ok(store.queue.submit(submission).await?)
    }

    fn read_input(&self) -> Result<String, Failure> {
        let Some(path) = &self.input else { return Ok("{}".to_owned()) };
        let failed = |error: &dyn std::fmt::Display| usage(format!("{}: {error}", path.display()));
        let text = if path.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| failed(&error))?;
            text
        } else {
            std::fs::read_to_string(path).map_err(|error| failed(&error))?
        };
        serde_json::from_str::<serde_json::Value>(&text)
            .map_err(|error| failed(&error).help("the input is a JSON document"))?;
        Ok(text)
    }
}

fn usage(message: String) -> Failure {
    Failure::new(Blame::Operator, Exit::Usage, &message)
}

fn attachment(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("say NAME=FILE")?;
    crate::job::artifact_name(name)?;
    Ok((name.to_owned(), PathBuf::from(file)))
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}
