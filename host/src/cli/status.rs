//! `stead status`: what a host is at.

use clap::Args;
use serde::Serialize;

use super::Context;
use super::asking::{ask, unexpected};
use super::progress::Progress;
use super::targets::anywhere;
use super::when::when;
use crate::error::Failure;
use crate::event::{Event, Status as Answer};
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::Request;

/// Show what a host is at.
///
/// The revision that it is at, a run that was left open, and who is at work on it.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// The host; this machine when there is none.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Print for machines: one JSON document.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, self.target.as_deref())?;
        let answer = ask(&machine, Request::Status, Progress::new(context.terminal, None)).await?;
        let Event::Status { status } = answer else { return Err(unexpected()) };
        context.terminal.print(&if self.json { json(&status) } else { text(&status) });
        Ok(Exit::Done)
    }
}

/// One line of JSON.
pub(super) fn json(answer: &impl Serialize) -> String {
    // Answers are plain data with string keys, which always have a JSON form.
    format!("{}\n", serde_json::to_string(answer).unwrap_or_default())
}

fn text(status: &Answer) -> String {
    let mut text = format!("host      {}\nstead     {}\n", printable(&status.host), status.version);
    match &status.revision {
        Some(revision) => {
            let commit = revision.commit.as_deref().unwrap_or("no commit");
            let policies: Vec<_> = revision.policies.keys().map(String::as_str).collect();
            text.push_str(&format!("revision  {}, {}, {commit}\n", revision.id, when(revision.at)));
            text.push_str(&format!("policies  {}\n", policies.join(", ")));
        }
        None => text.push_str("revision  none yet\n"),
    }
    match (&status.holder, &status.open_run) {
        (Some(holder), _) => {
            text.push_str(&format!("at work   {} by {}\n", holder.what, printable(&holder.operator)));
        }
        (None, Some(run)) => text.push_str(&format!(
            "open      run {} by {}: `stead recover` takes it back, and so does the next apply\n",
            run.id,
            printable(&run.operator)
        )),
        (None, None) => {}
    }
    text
}
