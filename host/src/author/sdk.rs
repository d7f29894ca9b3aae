//! The guest SDK and the contract, written where a policy's `Cargo.toml` finds them.

use std::path::Path;

use include_dir::{Dir, include_dir};

use super::{FileError, contract, write};
use crate::digest::Digest;

static SOURCES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/rust/src");
const MANIFEST: &str = include_str!("../../../guest-sdk/rust/Cargo.toml");
const README: &str = include_str!("../../../guest-sdk/rust/README.md");

/// What a repo's own `.gitignore` leaves out of git; `.stead` says it too, for repos without one.
const IGNORE: &str = "# Written by stead, and again when it is missing.\n*\n";

/// `.stead/sdk/rust` and `.stead/wit` of the repo are those of this binary.
pub(super) fn write_to(repo: &Path) -> Result<(), FileError> {
    let stead = repo.join(".stead");
    write(&stead.join(".gitignore"), IGNORE.as_bytes())?;
    for (name, text) in contract::files() {
        write(&stead.join("wit").join(name), text.as_bytes())?;
    }
    let sdk = stead.join("sdk/rust");
    write(&sdk.join("Cargo.toml"), MANIFEST.as_bytes())?;
    write(&sdk.join("README.md"), README.as_bytes())?;
    SOURCES.files().try_for_each(|file| write(&sdk.join("src").join(file.path()), file.contents()))
}

/// Changes when what a policy is compiled with does.
pub(super) fn digest() -> Digest {
    let sources = SOURCES.files().map(|file| (file.path().to_string_lossy().into_owned(), file.contents()));
    let contract = contract::files().map(|(name, text)| (name.to_owned(), text.as_bytes()));
    let all: Vec<_> = sources.chain(contract).map(|(name, content)| (name, Digest::public(content))).collect();
    Digest::public(&serde_json::to_vec(&(MANIFEST, all)).unwrap_or_default())
}
