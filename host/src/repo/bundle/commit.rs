//! Which git commit the repo is at, by asking git(1).

use std::path::Path;

use crate::machine::{Program, ProgramError};

/// The repo is under git, but git cannot say where it is.
#[derive(Debug, thiserror::Error)]
#[error("cannot ask git for the commit of the repo: {0}")]
pub struct CommitError(#[from] ProgramError);

/// `SHA`, or `SHA+dirty` when there are changes or some are still to be `saved`; `None` when the repo is not under git, or has no commit yet.
pub(super) async fn of(folder: &Path, saved: bool) -> Result<Option<String>, CommitError> {
    if !folder.ancestors().any(|folder| folder.join(".git").exists()) {
        return Ok(None);
    }
    let Ok(commit) = git(folder, &["rev-parse", "--verify", "HEAD"]).await else { return no_commit(folder).await };
    let changes = git(folder, &["status", "--porcelain", "--", "."]).await?;
    Ok(Some(if saved && changes.is_empty() { commit } else { format!("{commit}+dirty") }))
}

async fn no_commit(folder: &Path) -> Result<Option<String>, CommitError> {
    // A repo without a commit can tell its branch; one that git refuses to read cannot.
    git(folder, &["symbolic-ref", "HEAD"]).await?;
    Ok(None)
}

async fn git(folder: &Path, arguments: &[&str]) -> Result<String, ProgramError> {
    let git = Program::new("git").arg("-C").arg(folder).args(arguments.iter().copied());
    // `status` would write the index otherwise.
    let output = git.env("GIT_OPTIONAL_LOCKS", "0").run().await?;
    Ok(output.text().trim().to_owned())
}
