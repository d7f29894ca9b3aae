//! stead's own files under `/etc/sudoers.d`, one a user; see sudoers(5).

use super::{Name, Sudo, User};
use crate::capability::ApplyError;
use crate::machine::inode::{Attributes, Mode, Pathname};
use crate::machine::{Program, ProgramError, create_private_folder, replace};

const HEADER: &str = "# Written by stead, which replaces it as a whole.\n";

/// Where the rule of a user is. sudo(8) ignores names with a dot or a `~`, which [`Name`] has not.
pub(super) fn path(name: &Name) -> Option<Pathname> {
    format!("/etc/sudoers.d/stead-{name}").parse().ok()
}

/// The content of the file.
pub(super) fn text(name: &Name, sudo: Sudo) -> String {
    let rule = match sudo {
        Sudo::All => "ALL",
        Sudo::AllNopasswd => "NOPASSWD: ALL",
    };
    format!("{HEADER}{name} ALL=(ALL:ALL) {rule}\n")
}

/// What people need to see of the content.
pub(super) fn rule(text: &str) -> String {
    text.strip_prefix(HEADER).unwrap_or(text).trim_end().to_owned()
}

/// As sudo(8) wants its rules.
pub(super) fn attributes() -> Attributes {
    Attributes::of_root(Mode::new(0o440).unwrap_or(Mode::PRIVATE_FILE))
}

/// As Debian's package makes the directory, which then takes this one over.
pub(super) fn directory() -> Attributes {
    Attributes::of_root(Mode::new(0o750).unwrap_or(Mode::PUBLIC_DIRECTORY))
}

impl User {
    /// Shows the content to visudo(8), where there is one: one wrong file would make sudo refuse everybody.
    pub(super) async fn validate_sudoers(&self, path: &Pathname, text: &str) -> Result<(), ApplyError> {
        let folder = self.machine.state().join("check");
        let copy = folder.join(path.name());
        let at = |source| ApplyError::File { path: path.to_string(), source };
        create_private_folder(&folder).map_err(at)?;
        replace(&copy, text.as_bytes(), 0o440).map_err(at)?;
        let said = Program::new("visudo").args(["-c", "-q", "-f"]).arg(&copy).run().await;
        std::fs::remove_file(&copy).map_err(at)?;
        match said {
            Ok(_) | Err(ProgramError::Missing { .. }) => Ok(()),
            Err(source) => Err(ApplyError::Validation { path: path.to_string(), source }),
        }
    }
}
