//! Contents of files for all servers of a queue: they lie in its database, and the folder of a server has copies of what it
//! made or needed. Where the queue is a file, the folder is all that there is.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use super::files::FileError;
use super::service::{ServiceError, Store};
use crate::digest::Digest;

/// How much is written at once, while others wait.
const PIECE: usize = 1 << 20;

impl Store {
    /// Lets all servers have a content that is in the folder. What names it is to be written down within the hour.
    ///
    /// # Errors
    /// When it cannot be read, or the queue fails.
    pub async fn share(&self, digest: &Digest) -> Result<(), ServiceError> {
        let place = digest.as_str();
        if !self.is_shared || self.queue.begin_content(place).await? {
            return Ok(());
        }
        let path = self.files.path_of(place);
        let unread = |source| FileError { path: path.clone(), source };
        let mut file = std::fs::File::open(&path).map_err(unread)?;
        let mut size = 0;
        for number in 0.. {
            let mut piece = Vec::with_capacity(PIECE);
            Read::by_ref(&mut file).take(PIECE as u64).read_to_end(&mut piece).map_err(unread)?;
            if piece.is_empty() {
                break;
            }
            size += piece.len() as u64;
            self.queue.put_piece(place, number, piece).await?;
        }
        Ok(self.queue.end_content(place, size).await?)
    }

    /// Says that somebody needs a content from now on, so that it is not cleaned away before it is named.
    ///
    /// # Errors
    /// When it is gone, or the queue fails.
    pub async fn renew(&self, digest: &Digest) -> Result<(), ServiceError> {
        self.files.renew(digest)?;
        self.share(digest).await
    }

    /// Where a content is in the folder; it is brought there first when another server has made it. `None`: nobody has it.
    ///
    /// # Errors
    /// When it cannot be written, or the queue fails.
    pub async fn fetch(&self, place: &str) -> Result<Option<PathBuf>, ServiceError> {
        let path = self.files.path_of(place);
        if path.exists() {
            return Ok(Some(path));
        }
        if !self.is_shared || self.queue.content_size(place).await?.is_none() {
            return Ok(None);
        }
        let room = self.files.room()?;
        let failed = |source| FileError { path: room.to_path_buf(), source };
        let mut file = std::fs::File::create(&room).map_err(failed)?;
        for number in 0.. {
            let Some(piece) = self.queue.piece(place, number).await? else { break };
            std::io::Write::write_all(&mut file, &piece).map_err(failed)?;
        }
        let mut file = std::fs::File::open(&room).map_err(failed)?;
        // Under the name that it really has: what is not whole is nobody's.
        let kept = self.files.keep(&mut file)?;
        Ok((kept.digest.as_str() == place).then_some(path))
    }

    /// Removes contents from the database that no job names, of those that nobody has needed for so long.
    ///
    /// # Errors
    /// When the queue fails.
    pub(super) async fn clean_shared(
        &self,
        age: Duration,
        is_attached: impl Fn(&str) -> bool,
    ) -> Result<(), ServiceError> {
        if !self.is_shared {
            return Ok(());
        }
        for place in self.queue.old_contents(age).await? {
            if !is_attached(&place) {
                self.queue.remove_content(&place, age).await?;
            }
        }
        Ok(())
    }
}
