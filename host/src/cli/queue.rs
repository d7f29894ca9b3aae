//! Which queue a command means: that of the repo, or the file in the state folder.

use stead_queue::Server;

use super::Context;
use super::secrets::Revealed;
use crate::error::Failure;
use crate::job::Store;
use crate::repo::{Repo, RepoError};

/// The database of the repo's queue, with its password; `None`: the queue is a file.
pub(super) fn server(repo: &Repo) -> Result<Option<Server>, Failure> {
    server_with(repo, &mut Revealed::default())
}

/// The same with secrets that may be open already.
pub(super) fn server_with(repo: &Repo, revealed: &mut Revealed) -> Result<Option<Server>, Failure> {
    let Some(queue) = repo.queue() else { return Ok(None) };
    let server = queue.server().clone();
    Ok(Some(match &queue.password {
        Some(secret) => server.with_password(revealed.value(repo, secret.as_str())?.reveal()),
        None => server,
    }))
}

/// What jobs leave. Where there is no repo, it is what lies on this machine.
pub(super) fn store(context: &Context) -> Result<Store, Failure> {
    let server = match Repo::open(&context.repo) {
        Ok(repo) => server(&repo)?,
        Err(RepoError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Store::open(&context.place.state, server)?)
}
