//! What an image is built from, as an archive that is never as a whole in memory: it is written while it is sent.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::capability::compose::files::Entry;

/// How much is sent at a time, and how many such pieces may wait.
const PIECE: usize = 64 << 10;
const PIECES: usize = 4;

/// A context, and where its files lie.
#[derive(Debug, Default)]
pub(super) struct Context {
    pub(super) root: PathBuf,
    /// Name in the archive, path below the root, and what it is.
    pub(super) files: Vec<(PathBuf, String, Entry)>,
    /// A file that lies nowhere.
    pub(super) inline: Option<(&'static str, String)>,
}

/// Pieces of an archive; the last one may be an error.
pub(super) type Pieces = Receiver<Result<Vec<u8>>>;

impl Context {
    /// Begins to write the archive.
    pub(super) fn archive(self) -> Pieces {
        let (sender, pieces) = channel(PIECES);
        tokio::task::spawn_blocking(move || {
            let mut archive = tar::Builder::new(Pipe { sender: sender.clone(), piece: Vec::with_capacity(PIECE) });
            let written = self.write(&mut archive).and_then(|()| archive.into_inner()?.flush());
            if let Err(error) = written {
                // Nobody listens any more when the engine has had enough.
                let _ = sender.blocking_send(Err(error));
            }
        });
        pieces
    }

    fn write(&self, archive: &mut tar::Builder<impl Write>) -> Result<()> {
        for (name, path, entry) in &self.files {
            let at = |error: Error| Error::new(error.kind(), format!("{}: {error}", name.display()));
            self.add(archive, name, path, entry).map_err(at)?;
        }
        if let Some((name, text)) = &self.inline {
            let mut header = plain(0o644, text.len() as u64);
            archive.append_data(&mut header, name, text.as_bytes())?;
        }
        Ok(())
    }

    fn add(&self, archive: &mut tar::Builder<impl Write>, name: &Path, path: &str, entry: &Entry) -> Result<()> {
        match entry {
            Entry::File { mode, .. } => {
                let file = File::open(self.root.join(path))?;
                let size = file.metadata()?.len();
                // One that grows meanwhile is not longer than its header says.
                let mut content = file.take(size);
                archive.append_data(&mut plain(*mode, size), name, &mut content)?;
                if content.limit() > 0 { Err(Error::from(ErrorKind::UnexpectedEof)) } else { Ok(()) }
            }
            Entry::Link { to } => {
                let mut header = plain(0o777, 0);
                header.set_entry_type(tar::EntryType::Symlink);
                archive.append_link(&mut header, name, to)
            }
        }
    }
}

fn plain(mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(size);
    header
}

/// From a thread that writes to one that sends.
struct Pipe {
    sender: Sender<Result<Vec<u8>>>,
    piece: Vec<u8>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        if piece.is_empty() {
            return Ok(());
        }
        self.sender.blocking_send(Ok(piece)).map_err(|_| ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Key;

    #[tokio::test]
    async fn an_archive_comes_in_pieces_and_is_whole() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("big"), vec![7; 3 << 20])?;
        let digest = Key::load_or_create(&folder.path().join("key"))?.digest(b"");
        let files = vec![
            (PathBuf::from("a/big"), "big".to_owned(), Entry::File { digest, mode: 0o640 }),
            (PathBuf::from("link"), "link".to_owned(), Entry::Link { to: "a/big".to_owned() }),
        ];
        let inline = Some(("Dockerfile", "FROM scratch\n".to_owned()));
        let mut pieces = Context { root: folder.path().to_owned(), files, inline }.archive();
        let mut whole = Vec::new();
        while let Some(piece) = pieces.recv().await {
            let piece = piece?;
            anyhow::ensure!(piece.len() <= 2 * PIECE, "{}", piece.len());
            whole.extend(piece);
        }
        let mut archive = tar::Archive::new(&whole[..]);
        let mut names = Vec::new();
        for entry in archive.entries()? {
            let entry = entry?;
            names.push(format!("{} {}", entry.path()?.display(), entry.size()));
        }
        assert_eq!(names, ["a/big 3145728", "link 0", "Dockerfile 13"]);
        Ok(())
    }

    #[tokio::test]
    async fn what_is_gone_is_named() {
        let files = vec![(PathBuf::from("x"), "x".to_owned(), Entry::Link { to: "y".repeat(9) })];
        let mut pieces = Context { files, ..Context::default() }.archive();
        assert!(pieces.recv().await.is_some_and(|piece| piece.is_ok()));
        let digest = serde_json::from_value("d".into());
        let Ok(digest) = digest else { return };
        let files = vec![(PathBuf::from("x"), "x".to_owned(), Entry::File { digest, mode: 0 })];
        let mut pieces = Context { root: "/nowhere".into(), files, inline: None }.archive();
        let said = pieces.recv().await.and_then(std::result::Result::err).map(|error| error.to_string());
        assert!(said.is_some_and(|said| said.starts_with("x: ")));
    }
}
