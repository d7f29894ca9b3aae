//! Copies files to and from a machine: streamed, limited, whole or not at all, and the same at both ends.

use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::{Access, AccessError, ssh};

const UPLOAD: &str = include_str!("copy/upload.sh");
const DOWNLOAD: &str = include_str!("copy/download.sh");
const PIECE: usize = 64 << 10;
/// What the far end answers with when there is no such file.
const NO_FILE: i32 = 66;
/// And when what came is not what was announced.
const CORRUPT: i32 = 65;

/// A file that was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub bytes: u64,
    /// SHA-256, in hex.
    pub digest: String,
}

impl Access {
    /// Copies a file to an absolute path in the machine, and makes the folders above it.
    ///
    /// # Errors
    /// When it has more than `most` bytes, changes meanwhile, or does not fit.
    pub async fn upload(&self, from: &Path, to: &str, most: u64) -> Result<Transfer, AccessError> {
        ssh::again(async || self.upload_once(from, to, most).await).await
    }

    async fn upload_once(&self, from: &Path, to: &str, most: u64) -> Result<Transfer, AccessError> {
        let at = |source| AccessError::File { path: from.to_owned(), source };
        let too_large = || AccessError::TooLarge { machine: self.machine(), what: to.to_owned(), most };
        let mut file = File::open(from).await.map_err(at)?;
        // The far end must know what to expect: for it, a broken connection is the end of a file.
        let read = pump(&mut file, &mut tokio::io::sink(), most).await.map_err(at)?;
        let expected = read.ok_or_else(too_large)?;
        file.rewind().await.map_err(at)?;
        let script = UPLOAD.replace("@PATH@", &quoted(to)).replace("@DIGEST@", &expected.digest);
        let mut child = self.command(&script).spawn().map_err(cannot)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let complaints = tokio::spawn(ssh::words(stderr));
        drop(stdout);
        if let Some(mut stdin) = stdin {
            // When the far end does not read, its exit status says why.
            let _ = pump(&mut file, &mut stdin, expected.bytes).await;
        }
        let status = child.wait().await.map_err(cannot)?;
        if status.code() == Some(CORRUPT) {
            return Err(AccessError::Corrupt { path: to.to_owned() });
        }
        self.check(status, "take a file", complaints.await.unwrap_or_default())?;
        Ok(expected)
    }

    /// Copies a file of the machine; `to` is replaced when all of it is there.
    ///
    /// # Errors
    /// When there is none, it has more than `most` bytes, or changes meanwhile.
    pub async fn download(&self, from: &str, to: &Path, most: u64) -> Result<Transfer, AccessError> {
        ssh::again(async || self.download_once(from, to, most).await).await
    }

    async fn download_once(&self, from: &str, to: &Path, most: u64) -> Result<Transfer, AccessError> {
        let script = DOWNLOAD.replace("@PATH@", &quoted(from));
        let mut child = self.command(&script).spawn().map_err(cannot)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let complaints = tokio::spawn(ssh::words(stderr));
        let mut received = None;
        if let Some(stdout) = stdout {
            received = self.receive(BufReader::new(stdout), from, to, most).await?;
        }
        let status = child.wait().await.map_err(cannot)?;
        if status.code() == Some(NO_FILE) {
            return Err(AccessError::NoFile { machine: self.machine(), path: from.to_owned() });
        }
        self.check(status, "give a file", complaints.await.unwrap_or_default())?;
        received.ok_or(AccessError::Corrupt { path: from.to_owned() })
    }

    /// None when what came is not what was announced.
    async fn receive(
        &self,
        mut from: impl AsyncBufReadExt + Unpin,
        path: &str,
        to: &Path,
        most: u64,
    ) -> Result<Option<Transfer>, AccessError> {
        let mut announced = String::new();
        (&mut from).take(1024).read_line(&mut announced).await.map_err(cannot)?;
        let Some((size, digest)) = announced.trim().split_once(' ') else { return Ok(None) };
        let Ok(size) = size.parse::<u64>() else { return Ok(None) };
        let too_large = || AccessError::TooLarge { machine: self.machine(), what: path.to_owned(), most };
        if size > most {
            return Err(too_large());
        }
        let at = |source| AccessError::File { path: to.to_owned(), source };
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let unfinished = tempfile::NamedTempFile::new_in(folder).map_err(at)?;
        let mut file = File::from_std(unfinished.reopen().map_err(at)?);
        let transfer = pump(&mut from, &mut file, size).await.map_err(at)?;
        file.sync_all().await.map_err(at)?;
        let Some(transfer) = transfer.filter(|transfer| transfer.bytes == size && transfer.digest == digest) else {
            return Ok(None);
        };
        unfinished.persist(to).map_err(|error| at(error.error))?;
        Ok(Some(transfer))
    }
}

/// None when there are more than `most` bytes.
async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    most: u64,
) -> std::io::Result<Option<Transfer>> {
    let (mut sha, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = from.read(&mut piece).await?;
        let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { break };
        bytes += read as u64;
        if bytes > most {
            return Ok(None);
        }
        sha.update(piece);
        to.write_all(piece).await?;
    }
    to.flush().await?;
    Ok(Some(Transfer { bytes, digest: hex::encode(sha.finalize()) }))
}

fn cannot(source: std::io::Error) -> AccessError {
    AccessError::Program { program: "ssh", source }
}

/// One word for sh(1), whatever is in it.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_the_shell() {
        for path in ["/a b", "/a'b", "/$(reboot)", "/a\nb", "/'; reboot; '", "/`x`\\"] {
            let mut command = std::process::Command::new("sh");
            let output = command.args(["-c", &format!("printf %s {}", quoted(path))]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), path);
        }
    }
}
