//! Puts a program of this version on another machine, under a path named by its digest.

use std::path::{Path, PathBuf};

use super::ssh::run_to_end;
use super::{RemoteError, Ssh};
use crate::digest::Digest;
use crate::installed::{self, FOLDER};

/// What the far end answers with when the program is not there yet.
pub(super) const NOT_THERE: i32 = 127;
/// What it answers with when a program for another processor is needed, whose name is then the last word that it says.
pub(super) const OTHER_PROCESSOR: i32 = 96;

/// As `uname -m` says.
#[cfg(target_arch = "x86_64")]
macro_rules! processor {
    () => {
        "x86_64"
    };
}
/// As `uname -m` says.
#[cfg(target_arch = "aarch64")]
macro_rules! processor {
    () => {
        "aarch64"
    };
}

/// What is in every program, whatever its processor: by it, one of another version is told apart.
static MARK: &str = concat!("stead-program ", env!("CARGO_PKG_VERSION"), " for ", processor!(), ";");

/// A program that can be put on a machine.
#[derive(Debug)]
pub(super) struct Program {
    content: Vec<u8>,
    digest: Digest,
    /// As `uname -m` says.
    processor: String,
}

impl Program {
    /// This one.
    pub(super) fn current() -> Result<Self, RemoteError> {
        let path = own()?;
        // So that it is not left out of the program.
        let mark = std::hint::black_box(MARK);
        let processor = mark.trim_end_matches(';').rsplit(' ').next().unwrap_or_default();
        Ok(Self::new(read(&path)?, processor))
    }

    /// The same version for a machine with another processor: `stead-PROCESSOR`, beside this program or in `PATH`.
    pub(super) fn for_processor(processor: &str, address: &str) -> Result<Self, RemoteError> {
        let own = own()?;
        let beside = own.parent().map(Path::to_owned);
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self::in_folders(beside.into_iter().chain(std::env::split_paths(&path)), processor, address)
    }

    fn in_folders(folders: impl Iterator<Item = PathBuf>, processor: &str, address: &str) -> Result<Self, RemoteError> {
        let absent = || RemoteError::Processor {
            address: address.to_owned(),
            there: processor.to_owned(),
            here: std::env::consts::ARCH,
        };
        // A word of the far end becomes a part of a path.
        if processor.is_empty() || !processor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(absent());
        }
        let mut all = folders.map(|folder| folder.join(format!("stead-{processor}")));
        let path = all.find(|path| path.is_file()).ok_or_else(absent)?;
        let content = read(&path)?;
        let version = env!("CARGO_PKG_VERSION");
        let mark = format!("stead-program {version} for {processor};");
        match memchr::memmem::find(&content, mark.as_bytes()) {
            Some(_) => Ok(Self::new(content, processor)),
            None => Err(RemoteError::Version { path, version, processor: processor.to_owned() }),
        }
    }

    fn new(content: Vec<u8>, processor: &str) -> Self {
        Self { digest: Digest::public(&content), content, processor: processor.to_owned() }
    }

    /// A command line for sh(1) that runs it as root, and ends with [`NOT_THERE`] or [`OTHER_PROCESSOR`] when it is not there.
    pub(super) fn command(&self, arguments: &str) -> String {
        let path = self.path();
        format!(
            "{} if [ \"$(id -u)\" = 0 ]; then exec {path} {arguments}; else \
             exec sudo -n SSH_CONNECTION=\"$SSH_CONNECTION\" {path} {arguments}; fi",
            self.is_there()
        )
    }

    /// A command line for sh(1) that ends so when it is not there, and else goes on.
    pub(super) fn is_there(&self) -> String {
        format!(
            "[ -x {} ] || {{ [ \"$(uname -m)\" = {} ] && exit {NOT_THERE}; uname -m >&2; exit {OTHER_PROCESSOR}; }};",
            self.path(),
            self.processor
        )
    }

    /// Copies it, whole or not at all.
    pub(super) async fn ship(&self, ssh: &Ssh) -> Result<(), RemoteError> {
        let said = run_to_end(ssh.command(&self.copy_line()), &self.content).await.map_err(RemoteError::Ssh)?;
        match said.status.code() {
            Some(0) => Ok(()),
            _ => Err(RemoteError::Ship { address: ssh.address.clone(), words: said.stderr }),
        }
    }

    /// Written to a name of its own and renamed when it is whole: when the connection breaks, cat(1) only sees an end.
    fn copy_line(&self) -> String {
        let (path, digest) = (self.path(), self.digest.as_str());
        format!(
            "umask 022; if [ \"$(id -u)\" = 0 ]; then s=; else s='sudo -n'; fi; \
             $s mkdir -p {FOLDER} && $s sh -c 'new={path}.$$.new; cat > $new && \
             if ! echo \"{digest}  $new\" | sha256sum --check --status; then rm -f $new; \
             echo the copy is not whole >&2; exit 1; fi; \
             chmod 755 $new && mv $new {path} && exec {path} settle'"
        )
    }

    fn path(&self) -> String {
        format!("{FOLDER}/{}", self.digest.as_str())
    }
}

fn own() -> Result<PathBuf, RemoteError> {
    let at = |source| RemoteError::Program { path: PathBuf::from("/proc/self/exe"), source };
    installed::own().map_err(at)
}

fn read(path: &Path) -> Result<Vec<u8>, RemoteError> {
    std::fs::read(path).map_err(|source| RemoteError::Program { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use anyhow::{Result, ensure};

    use super::*;

    fn find(folder: &Path, processor: &str) -> Result<String, String> {
        let folders = [folder.join("none"), folder.to_owned()].into_iter();
        let found = Program::in_folders(folders, processor, "web1").map_err(|error| error.to_string())?;
        Ok(found.processor)
    }

    #[test]
    fn another_processor_takes_its_own_program_of_this_version() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let folder = folder.path();
        let absent = format!("web1 is a riscv64 machine, and this stead is built for {}", std::env::consts::ARCH);
        assert_eq!(find(folder, "riscv64"), Err(absent));
        ensure!(find(folder, "../../etc/passwd").is_err());
        std::fs::write(folder.join("stead-riscv64"), b"\x7fELF stead-program 0.0.1 for riscv64;\0")?;
        ensure!(find(folder, "riscv64").is_err_and(|words| words.contains("is not stead")), "another version");
        let mark = format!("\x7fELF stead-program {} for riscv64;\0", env!("CARGO_PKG_VERSION"));
        std::fs::write(folder.join("stead-riscv64"), mark)?;
        assert_eq!(find(folder, "riscv64").as_deref(), Ok("riscv64"));
        Ok(())
    }

    #[test]
    fn it_says_what_it_is() -> Result<()> {
        assert_eq!(Program::current()?.processor, std::env::consts::ARCH);
        Ok(())
    }
}
