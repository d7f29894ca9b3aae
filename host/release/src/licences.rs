//! The licences of everything that is linked into the program: most of them ask that their text goes with it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::linked::Name;
use crate::{Linked, ReleaseError, at};

/// How files with such texts are called.
const NAMES: [&str; 6] = ["licen", "copying", "copyright", "notice", "unlicense", "patents"];
const RULE: &str = "--------------------------------------------------------------------------------";

/// The list of all crates with the licence that each declares, then every text once, under the crates that it came with.
///
/// # Errors
/// When a crate's folder cannot be read.
pub fn text(linked: &Linked) -> Result<String, ReleaseError> {
    let mut text = "This program is made of these crates. The texts of their licences follow.\n\n".to_owned();
    let mut by_text: BTreeMap<String, Vec<&Name>> = BTreeMap::new();
    for (name, known) in &linked.crates {
        let licence = known.licence.as_deref().unwrap_or("no licence is declared");
        let from = known.repository.as_deref().map(|from| format!(", {from}")).unwrap_or_default();
        let _ = writeln!(text, "{} {}: {licence}{from}", name.name, name.version);
        for found in texts(&known.folder)? {
            by_text.entry(found).or_default().push(name);
        }
    }
    let mut all: Vec<_> = by_text.into_iter().collect();
    all.sort_by(|(_, one), (_, other)| one.cmp(other));
    for (found, names) in all {
        let mut names: Vec<_> = names.iter().map(|name| format!("{} {}", name.name, name.version)).collect();
        names.dedup();
        let _ = write!(text, "\n{RULE}\n{}\n{RULE}\n\n{found}\n", names.join(", "));
    }
    Ok(text)
}

/// The texts in a crate's folder, in the order of their names.
fn texts(folder: &Path) -> Result<Vec<String>, ReleaseError> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_source = [".rs", ".toml", ".json"].iter().any(|ending| name.ends_with(ending));
        if path.is_file() && !is_source && NAMES.iter().any(|known| name.starts_with(known)) {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let bytes = std::fs::read(path).map_err(at(path))?;
        Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim().to_owned())
    };
    paths.iter().map(read).collect()
}
