//! Makes what is released of stead: for each processor a static program, its bill of materials and a Debian package, and
//! one list of checksums.
//!
//! - [`commit`]: which commit it is, and so its version and its time;
//! - [`target`]: the processors, and what has to be there to build for each;
//! - [`compile`]: cargo, with everything left out of the program that differs from machine to machine;
//! - [`linked`]: which crates are in it, with their licences; [`sbom`] and [`licences`] tell of them;
//! - [`debian`]: the package;
//! - [`sums`]: the checksums.
//!
//! It must never read the clock, nor write what depends on the machine that it runs on.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

pub mod commit;
pub mod compile;
pub mod debian;
pub mod licences;
pub mod linked;
pub mod sbom;
pub mod sums;
pub mod target;

pub use commit::Commit;
pub use linked::Linked;
pub use target::{ALL, Target};

/// It could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error("cannot run {program}: {source}")]
    Run { program: String, source: io::Error },
    #[error("{program} failed:\n{words}")]
    Failed { program: String, words: String },
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the work tree is no commit: commit it, or say --dirty\n{changed}")]
    Dirty { changed: String },
    #[error("cannot build for {target}; what is missing:\n{}", missing.join("\n"))]
    Missing { target: &'static str, missing: Vec<String> },
    #[error("cannot read what cargo says of the crates: {0}")]
    Metadata(#[from] serde_json::Error),
    #[error("the bill of materials is not what CycloneDX says: {0}")]
    Bill(String),
    #[error("{program} is not what was asked for: {reason}")]
    Program { program: PathBuf, reason: String },
}

/// What is released.
#[derive(Debug)]
pub struct Release {
    /// The workspace.
    pub source: PathBuf,
    pub commit: Commit,
}

impl Release {
    /// The commit that this workspace is at.
    ///
    /// # Errors
    /// When it is at none, unless `dirty`.
    pub fn of_this_commit(dirty: bool) -> Result<Self, ReleaseError> {
        let source = workspace();
        let commit = Commit::of(&source, dirty)?;
        Ok(Self { source, commit })
    }

    /// Builds all of it into `out`, and answers with the files.
    ///
    /// # Errors
    /// When something is missing, before anything is built; or when a step fails.
    pub fn make(&self, targets: &[Target], out: &Path) -> Result<Vec<PathBuf>, ReleaseError> {
        targets.iter().try_for_each(|target| target.is_ready())?;
        let out = fresh(out)?;
        let mut written = Vec::new();
        // Manual pages and completions are the same for all, and come out of a program that runs here.
        let native = compile::program(self, Target::here())?;
        for &target in targets {
            let program = if target == Target::here() { native.clone() } else { compile::program(self, target)? };
            written.extend(self.pack(target, &program, &native, debian::Pressed::Small, &out)?);
        }
        written.push(sums::write(&out, &written)?);
        Ok(written)
    }

    /// What there is for one processor: `program` for it, and `native`, the same for this machine.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn pack(
        &self,
        target: Target,
        program: &Path,
        native: &Path,
        pressed: debian::Pressed,
        out: &Path,
    ) -> Result<Vec<PathBuf>, ReleaseError> {
        let linked = Linked::read(&self.source, target)?;
        let own = out.join(format!("stead-{}", target.processor()));
        std::fs::copy(program, &own).map_err(at(&own))?;
        let bill = out.join(format!("stead-{}.cdx.json", target.processor()));
        std::fs::write(&bill, sbom::of(&linked, target, &self.commit, &sums::sha256(&own)?)?).map_err(at(&bill))?;
        let licences = out.join(format!("stead-{}.licences.txt", target.processor()));
        std::fs::write(&licences, licences::text(&linked)?).map_err(at(&licences))?;
        let parts = debian::Parts { program: &own, native, bill: &bill, licences: &licences, pressed };
        let package = debian::package(&self.commit, target, &parts, out)?;
        Ok(vec![own, bill, licences, package])
    }
}

/// The folder, empty.
fn fresh(out: &Path) -> Result<PathBuf, ReleaseError> {
    let out = std::path::absolute(out).map_err(at(out))?;
    match std::fs::read_dir(&out) {
        Ok(entries) => {
            // Only what a run left there: the folder may have been named by mistake.
            for entry in entries {
                let path = entry.map_err(at(&out))?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name.starts_with("stead") || name == sums::NAME {
                    std::fs::remove_file(&path).map_err(at(&path))?;
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(&out).map_err(at(&out))?;
        }
        Err(source) => return Err(ReleaseError::File { path: out, source }),
    }
    Ok(out)
}

/// The workspace that this program was built from.
pub fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_owned()
}

pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> ReleaseError {
    let path = path.to_owned();
    move |source| ReleaseError::File { path, source }
}

/// What a program prints; that of cargo goes where this one's goes, so that one sees how far it is.
pub(crate) fn output(command: &mut Command) -> Result<String, ReleaseError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let run = |source| ReleaseError::Run { program: program.clone(), source };
    let output = command.output().map_err(run)?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(ReleaseError::Failed { program, words });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
