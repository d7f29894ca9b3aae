//! The remote's branch on this machine, by git(1): fetched, verified, checked out.
//!
//! Nothing is checked out before it is verified. No hook runs, no submodule is followed, and no key of this machine
//! but those that are named counts.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::machine::{Program, ProgramError, create_private_folder, replace};
use crate::repo::{Branch, Remote, SignedBy};

/// How long the remote may take.
const FETCH: Duration = Duration::from_secs(300);
/// What git may be told by whoever started this.
const KNOWN: &[&str] = &["HOME", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "https_proxy", "no_proxy", "XDG_CONFIG_HOME"];
/// Signatures of other kinds would be held against whatever keys this machine has.
const ONLY_SSH: &[&str] =
    &["gpg.program=false", "gpg.openpgp.program=false", "gpg.x509.program=false", "gpg.minTrustLevel=undefined"];

/// The id of a commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commit(String);

/// Not the whole id of a commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the whole id of a commit")]
pub struct NotACommit(String);

/// A branch of a remote, in a folder of stead's own.
#[derive(Debug)]
pub struct Mirror {
    folder: PathBuf,
}

/// What could not be done with the remote's branch.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error("cannot use {path}: {source}", path = path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("cannot fetch {remote}: {source}")]
    Fetch { remote: String, source: ProgramError },
    #[error(transparent)]
    NotACommit(#[from] NotACommit),
    #[error("commit {commit} is not signed by a key of [follow] signed-by: {words}")]
    Unsigned { commit: Commit, words: String },
    #[error("commit {commit} does not come after {trusted}, which was followed before: was history rewritten?")]
    NotAfter { commit: Commit, trusted: Commit },
    #[error("git: {0}")]
    Git(#[from] ProgramError),
}

impl TryFrom<String> for Commit {
    type Error = NotACommit;

    fn try_from(text: String) -> Result<Self, NotACommit> {
        let is_id = [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id { Ok(Self(text)) } else { Err(NotACommit(text)) }
    }
}

impl From<Commit> for String {
    fn from(commit: Commit) -> Self {
        commit.0
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(..12).unwrap_or(&self.0))
    }
}

impl Commit {
    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Mirror {
    /// In `folder`, which may hold one already.
    ///
    /// # Errors
    /// When the folder or git(1) cannot be used.
    pub async fn open(folder: PathBuf) -> Result<Self, MirrorError> {
        create_private_folder(&folder).map_err(|source| MirrorError::Folder { path: folder.clone(), source })?;
        let mirror = Self { folder };
        if !mirror.objects().join("HEAD").exists() {
            git().args(["init", "--quiet", "--bare"]).arg(mirror.objects()).run().await?;
        }
        Ok(mirror)
    }

    /// Fetches the branch; answers the commit that it is at.
    ///
    /// # Errors
    /// When the remote does not answer, or has no such branch.
    pub async fn fetch(&self, remote: &Remote, branch: &Branch) -> Result<Commit, MirrorError> {
        let fetch = self.git().args(["-c", "transfer.fsckObjects=true", "fetch", "--quiet", "--no-tags", "--force"]);
        // No submodule: what it names was signed by nobody.
        let fetch = fetch.args(["--no-recurse-submodules", "--no-write-fetch-head", "--", remote.as_str()]);
        let fetch = fetch.arg(format!("refs/heads/{}:refs/stead/tip", branch.as_str())).timeout(FETCH);
        let failed = |source| MirrorError::Fetch { remote: remote.as_str().to_owned(), source };
        fetch.run().await.map_err(failed)?;
        let tip =
            self.git().args(["rev-parse", "--verify", "--end-of-options", "refs/stead/tip^{commit}"]).run().await?;
        Ok(Commit::try_from(tip.text().trim().to_owned())?)
    }

    /// Makes sure that a commit is signed by one of the keys, and comes after the one that was trusted before.
    ///
    /// # Errors
    /// When it is not: nothing of it may be used.
    pub async fn verify(&self, commit: &Commit, keys: &SignedBy, trusted: Option<&Commit>) -> Result<(), MirrorError> {
        let path = self.folder.join("allowed-signers");
        // In the form of ssh-keygen(1), where a key may have any name.
        let allowed: String = keys.keys().iter().map(|key| format!("* namespaces=\"git\" {key}\n")).collect();
        replace(&path, allowed.as_bytes(), 0o600)
            .map_err(|source| MirrorError::Folder { path: path.clone(), source })?;
        let verify = ONLY_SSH.iter().fold(self.git(), |git, setting| git.args(["-c", setting]));
        let verify = verify.arg("-c").arg(format!("gpg.ssh.allowedSignersFile={}", path.display()));
        match verify.args(["verify-commit", commit.as_str()]).run().await {
            Ok(_) => {}
            Err(ProgramError::Failed { words, .. }) => {
                let words = if words.is_empty() { "it has no signature".to_owned() } else { words };
                return Err(MirrorError::Unsigned { commit: commit.clone(), words });
            }
            Err(error) => return Err(error.into()),
        }
        let Some(trusted) = trusted else { return Ok(()) };
        let after = self.git().args(["merge-base", "--is-ancestor", trusted.as_str(), commit.as_str()]).run().await;
        after.map(drop).map_err(|_| MirrorError::NotAfter { commit: commit.clone(), trusted: trusted.clone() })
    }

    /// The files of a commit, which was verified. Those of the one before go.
    ///
    /// # Errors
    /// When they cannot be written.
    pub async fn check_out(&self, commit: &Commit) -> Result<PathBuf, MirrorError> {
        let tree = self.tree();
        if !tree.join(".git").exists() {
            self.git().args(["worktree", "prune"]).run().await?;
            let add = self.git().args(["worktree", "add", "--quiet", "--detach", "--force", "--"]);
            add.arg(&tree).arg(commit.as_str()).run().await?;
        }
        let within = || git().arg("-C").arg(&tree);
        within().args(["checkout", "--quiet", "--force", "--detach", commit.as_str()]).run().await?;
        within().args(["clean", "--quiet", "-ffd"]).run().await?;
        Ok(tree)
    }

    /// Where the files of the last commit are that was checked out.
    pub fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    fn objects(&self) -> PathBuf {
        self.folder.join("objects.git")
    }

    fn git(&self) -> Program {
        git().arg("--git-dir").arg(self.objects())
    }
}

/// Asks nobody anything, and runs nothing of what it fetched.
fn git() -> Program {
    let known = KNOWN.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let git = known.fold(Program::new("git").bare(), |git, (name, value)| git.env(name, value));
    let git = git.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
    let git = match std::env::var_os("GIT_SSH_COMMAND") {
        Some(_) => git,
        None => git.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
    };
    git.args(["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.fsmonitor=false"])
}

#[cfg(test)]
mod tests;
