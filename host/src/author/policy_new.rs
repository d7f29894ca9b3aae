//! Begins a policy in a repo, in any of the languages.

use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, File, include_dir};

use super::{InitError, Language, World, sdk, write};
use crate::repo::Name;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/author/new");

/// A policy that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its files, from the repo.
    pub files: Vec<PathBuf>,
    /// What is to be added to `stead.toml`.
    pub tables: String,
}

/// Writes a small policy to `policies/NAME` of the repo.
///
/// # Errors
/// When one of the files is there already, or cannot be written.
pub fn new(repo: &Path, name: &Name, language: Language, world: World) -> Result<Begun, InitError> {
    let below = Path::new("policies").join(name.as_str());
    let mut files = Vec::new();
    for part in [language.name(), "wit"] {
        let folder = Path::new(world.name()).join(part);
        let base = if part == "wit" { Path::new(world.name()) } else { &folder };
        if let Some(folder) = TEMPLATES.get_dir(&folder) {
            collect(folder, base, &mut files);
        }
    }
    let package = package(name);
    let written: Vec<_> = files.iter().map(|(path, text)| (below.join(path), text.replace("NAME", &package))).collect();
    if let Some((path, _)) = written.iter().find(|(path, _)| repo.join(path).symlink_metadata().is_ok()) {
        return Err(InitError::Exists { path: repo.join(path) });
    }
    for (path, text) in &written {
        write(&repo.join(path), text.as_bytes())?;
    }
    sdk::write_to(repo)?;
    Ok(Begun { files: written.into_iter().map(|(path, _)| path).collect(), tables: tables(name, &below, world) })
}

/// The name as all package managers take it.
fn package(name: &Name) -> String {
    let plain: String =
        name.as_str().chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("policy-{plain}") } else { plain }
}

fn collect(folder: &'static Dir<'static>, base: &Path, files: &mut Vec<(PathBuf, &'static str)>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => collect(folder, base, files),
            DirEntry::File(file) => files.extend(named(file, base)),
        }
    }
}

/// A template with its name in a repo: `_Cargo.toml` and `_go.mod` would mean something where they lie here.
fn named(file: &'static File<'static>, base: &Path) -> Option<(PathBuf, &'static str)> {
    let path = file.path().strip_prefix(base).ok()?;
    let plain = path.file_name()?.to_str()?;
    Some((path.with_file_name(plain.trim_start_matches('_')), file.contents_utf8()?))
}

fn tables(name: &Name, folder: &Path, world: World) -> String {
    let folder = folder.display();
    let grant = match world {
        World::Bootstrap => format!(
            "\n[policy.{name}.config]\npackages = [\"htop\"]\n\n[policy.{name}.grant.package]\ninstall = [\"htop\"]\n"
        ),
        World::Job => format!("\n[policy.{name}.grant.vm]\nproviders = [\"qemu\"]\nimages = [\"sha256:…\"]\n"),
    };
    format!("[policy.{name}]\nsource = \"{folder}\"\n{grant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_begun_in_every_language_and_world_and_overwrites_nothing() -> anyhow::Result<()> {
        for (number, language) in Language::ALL.into_iter().enumerate() {
            for world in World::ALL {
                let repo = tempfile::tempdir()?;
                let name: Name = format!("{number}.web").parse()?;
                let begun = new(repo.path(), &name, language, world)?;
                let folder = repo.path().join("policies").join(name.as_str());
                assert_eq!(Language::of(&folder), [language], "{:?}", begun.files);
                assert_eq!(crate::author::declared::read(&folder)?.world, world);
                assert!(begun.files.len() >= 2 && begun.tables.contains(name.as_str()));
                assert!(matches!(new(repo.path(), &name, language, world), Err(InitError::Exists { .. })));
            }
        }
        Ok(())
    }
}
