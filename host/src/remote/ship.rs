//! Puts this very program on another machine, under a path named by its digest.

use std::path::PathBuf;

use super::ssh::run_to_end;
use super::{RemoteError, Ssh};
use crate::digest::Digest;

/// Where programs are kept, and the name under which people find the newest.
const FOLDER: &str = "/usr/local/lib/stead";
const LINK: &str = "/usr/local/bin/stead";

/// This program.
#[derive(Debug)]
pub(super) struct Program {
    content: Vec<u8>,
    digest: Digest,
}

impl Program {
    pub(super) fn current() -> Result<Self, RemoteError> {
        let at = |path: PathBuf| move |source| RemoteError::Program { path, source };
        let path = std::env::current_exe().map_err(at(PathBuf::from("/proc/self/exe")))?;
        let content = std::fs::read(&path).map_err(at(path))?;
        Ok(Self { digest: Digest::public(&content), content })
    }

    /// A command line for sh(1) that runs it as root, and ends with 127 when it is not there.
    pub(super) fn command(&self, arguments: &str) -> String {
        let path = self.path();
        format!(
            "[ -x {path} ] || exit 127; \
             if [ \"$(id -u)\" = 0 ]; then exec {path} {arguments}; else \
             exec sudo -n SSH_CONNECTION=\"$SSH_CONNECTION\" {path} {arguments}; fi"
        )
    }

    /// Copies it, whole or not at all.
    pub(super) async fn ship(&self, ssh: &Ssh) -> Result<(), RemoteError> {
        let address = ssh.address.clone();
        let said = run_to_end(ssh.command(&self.copy_line()), &self.content).await.map_err(RemoteError::Ssh)?;
        match said.status.code() {
            Some(0) => Ok(()),
            Some(OTHER_ARCHITECTURE) => {
                Err(RemoteError::Architecture { address, there: said.stdout, here: std::env::consts::ARCH })
            }
            _ => Err(RemoteError::Ship { address, words: said.stderr }),
        }
    }

    /// Written to a temporary name and renamed. The two newest programs stay: a timer may still name the older one.
    fn copy_line(&self) -> String {
        let (path, arch) = (self.path(), std::env::consts::ARCH);
        format!(
            "[ \"$(uname -m)\" = {arch} ] || {{ uname -m; exit {OTHER_ARCHITECTURE}; }}; \
             umask 022; if [ \"$(id -u)\" = 0 ]; then s=; else s='sudo -n'; fi; \
             $s mkdir -p {FOLDER} && $s sh -c 'cat > {path}.new && chmod 755 {path}.new && mv {path}.new {path} && \
             mkdir -p /usr/local/bin && ln -sfn {path} {LINK} && \
             ls -t {FOLDER} | tail -n +3 | while read -r old; do rm -f {FOLDER}/\"$old\"; done'"
        )
    }

    /// A command line for sh(1) that says by its exit code whether it is there.
    pub(super) fn is_there(&self) -> String {
        format!("[ -x {} ]", self.path())
    }

    fn path(&self) -> String {
        format!("{FOLDER}/{}", self.digest.as_str())
    }
}

/// What the far end answers with when this program cannot run there.
const OTHER_ARCHITECTURE: i32 = 96;
