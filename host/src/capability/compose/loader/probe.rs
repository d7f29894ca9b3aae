//! What a plugin is: its version, and the libraries without which it does not run. Each plugin is asked once, because
//! only to start one takes longer than a run with nothing to do.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bare;
use crate::machine::{Program, ProgramError, create_private_folder, replace};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Probe {
    identity: String,
    /// As Compose writes it on what it makes.
    pub(super) version: String,
    /// Empty for one that is static.
    pub(super) libraries: Vec<PathBuf>,
}

impl Probe {
    /// Asks the plugin, unless what it said is kept at `kept`.
    ///
    /// # Errors
    /// When the plugin does not say its version.
    pub(super) async fn of(plugin: &Path, identity: &str, kept: &Path) -> Result<Self, ProgramError> {
        let earlier = std::fs::read(kept).ok().and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        if let Some(earlier) = earlier.filter(|earlier| earlier.identity == identity) {
            return Ok(earlier);
        }
        let (version, libraries) = tokio::join!(version(plugin), libraries(plugin));
        let probe = Self { identity: identity.to_owned(), version: version?, libraries };
        // That it cannot be written costs time at the next run, nothing else.
        if let (Ok(text), Some(folder)) = (serde_json::to_vec(&probe), kept.parent())
            && create_private_folder(folder).is_ok()
        {
            let _ = replace(kept, &text, 0o600);
        }
        Ok(probe)
    }
}

async fn version(plugin: &Path) -> Result<String, ProgramError> {
    let program = bare(Program::new(plugin.to_string_lossy()));
    let text = program.args(["version", "--short"]).run().await?.text();
    // A distribution's own number behind it is not part of the label that Compose writes.
    let number = text.trim().trim_start_matches('v').split(['-', '+', '~']).next();
    Ok(number.unwrap_or_default().to_owned())
}

/// As ldd(1) says, which fails on a static program.
async fn libraries(plugin: &Path) -> Vec<PathBuf> {
    let said = Program::new("ldd").arg(plugin).run().await.map(|output| output.text()).unwrap_or_default();
    said.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}
