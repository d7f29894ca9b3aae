//! The guest SDKs and the contract, written where a policy finds them: a folder of `.stead/sdk` for each language.

use std::path::Path;

use include_dir::{Dir, DirEntry, include_dir};

use super::{BuildError, FileError, Language, bindings, contract, write};
use crate::digest::Digest;

static RUST: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/rust/src");
static PYTHON: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/python/src");
static JAVASCRIPT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/javascript/src");
static GO: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/go/src");
static C: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/c/src");
const RUST_MANIFEST: &str = include_str!("../../../guest-sdk/rust/Cargo.toml");

/// What a repo's own `.gitignore` leaves out of git; `.stead` says it too, for repos without one.
const IGNORE: &str = "# Written by stead, and again when it is missing.\n*\n";

/// `.stead/sdk` and `.stead/wit` of the repo are those of this binary.
pub(super) fn write_to(repo: &Path) -> Result<(), BuildError> {
    let stead = repo.join(".stead");
    keep_out_of_git(repo)?;
    for (name, text) in contract::files() {
        write(&stead.join("wit").join(name), text.as_bytes())?;
    }
    for language in Language::ALL {
        let folder = stead.join("sdk").join(language.name());
        files(language).iter().try_for_each(|(name, content)| write(&folder.join(name), content))?;
        let made = made(language).map_err(|reason| BuildError::Sdk { reason })?;
        made.iter().try_for_each(|(name, text)| write(&folder.join(name), text.as_bytes()))?;
    }
    Ok(())
}

/// What lies in `.stead` of the repo is of this machine.
///
/// # Errors
/// When it cannot be written.
pub fn keep_out_of_git(repo: &Path) -> Result<(), FileError> {
    write(&repo.join(".stead/.gitignore"), IGNORE.as_bytes())
}

/// Changes when what a policy in these languages is compiled with does.
pub(super) fn digest(languages: &[Language]) -> Digest {
    let sdks = languages.iter().flat_map(|language| {
        files(*language).into_iter().map(move |(name, content)| (format!("{}/{name}", language.name()), content))
    });
    let contract = contract::files().map(|(name, text)| (name.to_owned(), text.as_bytes()));
    let all: Vec<_> = sdks.chain(contract).map(|(name, content)| (name, Digest::public(content))).collect();
    Digest::public(&serde_json::to_vec(&all).unwrap_or_default())
}

/// The files of an SDK that somebody wrote.
fn files(language: Language) -> Vec<(String, &'static [u8])> {
    let readme = readme(language).as_bytes();
    let mut files = vec![("README.md".to_owned(), readme)];
    let below = match language {
        Language::Rust => {
            files.push(("Cargo.toml".to_owned(), RUST_MANIFEST.as_bytes()));
            "src/"
        }
        _ => "",
    };
    let tree = match language {
        Language::Rust => &RUST,
        Language::Python => &PYTHON,
        Language::JavaScript => &JAVASCRIPT,
        Language::Go => &GO,
        Language::C => &C,
    };
    collect(tree, below, &mut files);
    files
}

fn readme(language: Language) -> &'static str {
    match language {
        Language::Rust => include_str!("../../../guest-sdk/rust/README.md"),
        Language::Python => include_str!("../../../guest-sdk/python/README.md"),
        Language::JavaScript => include_str!("../../../guest-sdk/javascript/README.md"),
        Language::Go => include_str!("../../../guest-sdk/go/README.md"),
        Language::C => include_str!("../../../guest-sdk/c/README.md"),
    }
}

fn collect(folder: &'static Dir<'static>, below: &str, files: &mut Vec<(String, &'static [u8])>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => collect(folder, below, files),
            // What an interpreter leaves beside its modules is not of the SDK.
            DirEntry::File(file) if file.path().extension().is_some_and(|kind| kind == "pyc") => {}
            DirEntry::File(file) => files.push((format!("{below}{}", file.path().display()), file.contents())),
        }
    }
}

/// The files of an SDK that are made of the contract. The other languages' tools make theirs themselves.
fn made(language: Language) -> Result<Vec<(String, String)>, String> {
    match language {
        Language::Go => bindings::go(),
        Language::C => bindings::c(),
        _ => Ok(Vec::new()),
    }
}
