//! Shows a new content to a program before it takes the place of the old one.

use crate::capability::ApplyError;
use crate::capability::file::{Content, File, Set};
use crate::machine::{Program, ProgramError, create_private_folder, replace};

impl File {
    /// Runs the validation on a copy that only root can read, under the name that the file is to have.
    pub(super) async fn validate(&self, set: &Set, content: &Content, bytes: &[u8]) -> Result<(), ApplyError> {
        let Some((program, arguments)) = set.validate.split_first() else { return Ok(()) };
        let folder = self.machine.state().join("check");
        let copy = folder.join(set.path.name());
        let failed = |source| ApplyError::File { path: copy.display().to_string(), source };
        create_private_folder(&folder).map_err(failed)?;
        replace(&copy, bytes, 0o600).map_err(failed)?;
        let argument = |argument: &String| match argument.as_str() {
            "{}" => copy.as_os_str().to_owned(),
            other => other.into(),
        };
        let said = Program::new(program).args(arguments.iter().map(argument)).run().await;
        std::fs::remove_file(&copy).map_err(failed)?;
        let (path, copy) = (set.path.to_string(), copy.display().to_string());
        let source = match said {
            Ok(_) => return Ok(()),
            Err(error) => redacted(error, content, |words| words.replace(&copy, &path)),
        };
        Err(ApplyError::Validation { path, source })
    }
}

/// Programs quote the line that they refuse, so what they say about a secret is not told.
fn redacted(error: ProgramError, content: &Content, told: impl Fn(&str) -> String) -> ProgramError {
    match error {
        ProgramError::Failed { program, status, words } => {
            let hidden = "what it said is not shown, because the content holds a secret";
            let words = if content.has_secret() { hidden.to_owned() } else { told(&words) };
            ProgramError::Failed { program, status, words }
        }
        other => other,
    }
}
