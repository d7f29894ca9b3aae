//! The units of systemd that run `stead serve` and `stead follow`, for this program, this repo and this state folder.

use std::path::Path;

use super::Context;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::repo::Repo;

/// That of the policy `serve`.
const SERVE: &str = include_str!("../../../modules/serve/src/stead.service");
const FOLLOW: &str = include_str!("follow/stead-follow.service");

/// For `stead serve`.
pub(super) fn serve(context: &Context, repo: &Repo) -> Result<String, Failure> {
    filled(SERVE, context, repo)
}

/// For `stead follow`.
pub(super) fn follow(context: &Context, repo: &Repo) -> Result<String, Failure> {
    filled(FOLLOW, context, repo)
}

fn filled(template: &str, context: &Context, repo: &Repo) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::new(Blame::Host, Exit::Unavailable, &error);
    let program = std::env::current_exe().map_err(failed)?;
    let state = std::path::absolute(&context.place.state).map_err(failed)?;
    let unit = template.replace("{program}", &word(&program)?);
    Ok(unit.replace("{repo}", &word(repo.folder())?).replace("{state}", &word(&state)?))
}

/// A path as one word of a command line in a unit, systemd.syntax(7).
fn word(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control));
    let wrong = || Failure::new(Blame::Operator, Exit::Usage, &format!("{path:?} cannot be written in a unit"));
    let text = text.ok_or_else(wrong)?.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    Ok(if text.contains([' ', '\'', '"', '\\', ';']) { format!("\"{text}\"") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word() -> anyhow::Result<()> {
        for (path, expected) in
            [("/srv/repo", "/srv/repo"), ("/srv/my repo", "\"/srv/my repo\""), ("/srv/100%$x", "/srv/100%%$$x")]
        {
            assert_eq!(word(Path::new(path))?, expected);
        }
        assert!(word(Path::new("/srv/a\nb")).is_err());
        Ok(())
    }
}
