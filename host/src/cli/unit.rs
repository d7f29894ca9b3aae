//! The units of systemd that run `stead serve` and `stead follow`, for this program, this repo and this state folder.

use std::path::Path;

use super::Context;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::installed;
use crate::repo::Repo;

/// Those of the policy `serve`.
const SERVE: &str = include_str!("../../../modules/serve/src/stead.service");
const FOLLOW: &str = include_str!("../../../modules/serve/src/stead-follow.service");

/// For `stead serve`.
pub(super) fn serve(context: &Context, repo: &Repo) -> Result<String, Failure> {
    filled(SERVE, context, repo)
}

/// For `stead follow`.
pub(super) fn follow(context: &Context, repo: &Repo) -> Result<String, Failure> {
    filled(FOLLOW, context, repo)
}

/// Tells systemd that this service works, sd_notify(3): until then a start or a restart is not done, and an apply that made it fails
/// when this never comes.
pub(super) fn ready() {
    // Nobody waits where it cannot be told.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}

fn filled(template: &str, context: &Context, repo: &Repo) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::new(Blame::Host, Exit::Unavailable, &error);
    let program = installed::own().map_err(failed)?;
    let state = std::path::absolute(&context.place.state).map_err(failed)?;
    let unit = template.replace("{program}", &word(&program)?);
    Ok(unit.replace("{repo}", &word(repo.folder())?).replace("{state}", &word(&state)?))
}

fn word(path: &Path) -> Result<String, Failure> {
    let wrong = || Failure::new(Blame::Operator, Exit::Usage, &format!("{path:?} cannot be written in a unit"));
    installed::word(path).ok_or_else(wrong)
}
