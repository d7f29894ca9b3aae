//! A machine that was recorded, in the place of one that could be asked: what it has are facts, and files at most.

use std::path::Path;

use tempfile::TempDir;

use super::planning::{Packed, secrets};
use super::targets::Machine;
use super::{Context, compiled};
use crate::author::read_facts;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::machine::{Facts, without_packages};
use crate::remote::Target;
use crate::repo::{Bundle, Repo};
use crate::session::Place;

/// Where stead's record of a machine lies in its files.
const STATE: &str = "var/lib/stead";
/// The folder of compiled code, in a record.
const COMPILED: &str = "compiled";

/// A machine that was recorded.
#[derive(Debug)]
pub(super) struct Recorded {
    facts: Facts,
    place: Place,
    /// Its files where it has none, and its record: what a plan puts there is gone afterwards.
    _folder: TempDir,
}

impl Recorded {
    /// Reads its facts. Its files are read when it is planned for, and none of them is written.
    ///
    /// # Errors
    /// When a file cannot be read, or there is no such folder.
    pub(super) fn read(context: &Context, facts: &Path, tree: Option<&Path>) -> Result<Self, Failure> {
        let facts = read_facts(facts)?;
        let folder = TempDir::with_prefix("stead-recorded-").map_err(|error| failed(&std::env::temp_dir(), &error))?;
        let state = folder.path().join("state");
        let at = |error| failed(folder.path(), &error);
        std::fs::create_dir(&state).map_err(at)?;
        // A policy is compiled once on this machine, whatever it is compiled for.
        std::os::unix::fs::symlink(compiled::folder(context), state.join(COMPILED)).map_err(at)?;
        let root = match tree {
            Some(tree) => {
                let tree = std::fs::canonicalize(tree).map_err(|error| failed(tree, &error))?;
                remember(&tree.join(STATE), &state)?;
                tree
            }
            None => {
                let root = folder.path().join("root");
                without_packages(&root).map_err(at)?;
                root
            }
        };
        let place = Place { root, state, facts: Some(facts.clone()) };
        Ok(Self { facts, place, _folder: folder })
    }

    /// The bundle of the host that it is: the one that is named, else the one of its facts.
    ///
    /// # Errors
    /// When the repo has no such host, or cannot be used.
    pub(super) async fn pack(&self, context: &Context, words: &[String]) -> Result<Vec<Packed>, Failure> {
        let repo = Repo::open(&context.repo)?;
        let usage = |message: &str| Failure::new(Blame::Operator, Exit::Usage, &message);
        let name = match words {
            [] => &self.facts.host_name,
            [name] => name,
            _ => return Err(usage("--facts is one machine: name one host")),
        };
        let host = repo.host(name).ok_or_else(|| {
            usage(&format!("stead.toml has no [host.{name}]")).help("name one: stead plan HOST --facts FILE")
        })?;
        let bundle = Bundle::pack(&repo, host, &secrets(&repo, &[host])?).await?;
        let machine = Machine { label: name.clone(), address: None, target: Target::Local(self.place.clone()) };
        Ok(vec![(machine, bundle)])
    }
}

/// What stead knew of the machine: copied, because looking into it writes there. Code that was compiled there is not trusted.
fn remember(from: &Path, to: &Path) -> Result<(), Failure> {
    let entries = match std::fs::read_dir(from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| failed(from, &error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(from, &error))?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|error| failed(&path, &error))?;
        if kind.is_dir() && entry.file_name() != COMPILED {
            std::fs::create_dir_all(&copy).map_err(|error| failed(&copy, &error))?;
            remember(&path, &copy)?;
        } else if kind.is_file() {
            std::fs::copy(&path, &copy).map_err(|error| failed(&path, &error))?;
        }
    }
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Blame::Operator, Exit::Input, &format!("{}: {error}", path.display()))
}
