//! The table `[provider.qemu]`.

use std::path::PathBuf;

use serde::Deserialize;

use super::Accel;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Holds images and machines.
    pub folder: PathBuf,
    /// Found out by booting a kernel when it is not said.
    #[serde(default)]
    pub accelerator: Option<Accel>,
    /// How much memory all machines together may have; four fifths of the machine's when it is not said.
    #[serde(default)]
    pub memory_mib: Option<u64>,
    /// Whose rights QEMU keeps once it has opened its files; `nobody` when it is not said.
    #[serde(default)]
    pub user: Option<String>,
}

impl Settings {
    /// Who is not root has no rights to give up.
    pub(super) fn user(&self) -> Option<&str> {
        rustix::process::geteuid().is_root().then(|| self.user.as_deref().unwrap_or("nobody"))
    }
}
