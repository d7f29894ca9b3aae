//! What a one-off container writes, from its beginning to its end, and what is copied out of it.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use bollard::models::{ContainerState, ContainerStateStatusEnum};
use bollard::query_parameters::{DownloadFromContainerOptions, LogsOptions};
use futures::StreamExt;
use tokio::time::sleep;

use super::{Ended, OneOffError, OneOffs, is_gone, refused};
use crate::capability::compose::docker;

/// Between two looks at a container whose log has ended although it runs.
const PAUSE: Duration = Duration::from_millis(100);
/// What tar(5) adds to a file: headers, and blocks to the end.
const AROUND: u64 = 64 << 10;

impl OneOffs {
    /// Gives all that a container writes, both streams in the order in which Docker got them, from the first byte; until it
    /// has ended and all is given. The same bytes in the same order each time.
    ///
    /// # Errors
    /// When it is gone, or Docker does not answer for half a minute; and those of `take`.
    pub async fn follow<E: From<OneOffError>>(
        &self,
        id: &str,
        mut take: impl AsyncFnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Ended, E> {
        let mut seen = 0;
        loop {
            self.heard(id, true, &mut seen, &mut take).await?;
            if let Some(ended) = self.ended(id).await? {
                // The end of a log that is followed can be cut off.
                self.heard(id, false, &mut seen, &mut take).await?;
                return Ok(ended);
            }
            sleep(PAUSE).await;
        }
    }

    /// Gives what comes after so many bytes.
    async fn heard<E: From<OneOffError>>(
        &self,
        id: &str,
        follow: bool,
        seen: &mut u64,
        take: &mut impl AsyncFnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let options = LogsOptions { follow, stdout: true, stderr: true, ..LogsOptions::default() };
        let mut log = self.docker.logs(id, Some(options));
        let mut at = 0_u64;
        while let Some(said) = log.next().await {
            let bytes = match said {
                Ok(said) => said.into_bytes(),
                Err(error) if is_gone(&error) => return Err(OneOffError::Gone.into()),
                // The engine may be on its way up again: whether it is, is seen next.
                Err(_) => return Ok(()),
            };
            let skipped = usize::try_from(seen.saturating_sub(at)).unwrap_or(usize::MAX).min(bytes.len());
            at += bytes.len() as u64;
            if let Some(new) = bytes.get(skipped..).filter(|new| !new.is_empty()) {
                take(new).await?;
                *seen = at;
            }
        }
        Ok(())
    }

    /// How it ended; `None`: it runs.
    async fn ended(&self, id: &str) -> Result<Option<Ended>, OneOffError> {
        let found = match self.docker.inspect_container(id, None).await {
            Ok(found) => found,
            Err(error @ bollard::errors::Error::DockerResponseServerError { .. }) => return Err(refused(error)),
            // It does not answer now.
            Err(_) => {
                let docker = docker::reach(&self.compose.machine).await.map_err(OneOffError::Engine)?;
                docker.inspect_container(id, None).await.map_err(refused)?
            }
        };
        let state = found.state.unwrap_or_default();
        match state.status {
            Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD) => Ok(Some(end_of(&state))),
            Some(ContainerStateStatusEnum::REMOVING) => Err(OneOffError::Gone),
            _ => Ok(None),
        }
    }

    /// Copies one file out of a container.
    ///
    /// # Errors
    /// When there is no such file, or it has more than `most` bytes.
    pub async fn copy_out(&self, id: &str, path: &str, to: &Path, most: u64) -> Result<(), OneOffError> {
        let failed = |error: std::io::Error| OneOffError::Refused(format!("cannot keep {path}: {error}"));
        let options = DownloadFromContainerOptions { path: path.to_owned() };
        let mut stream = self.docker.download_from_container(id, Some(options));
        let mut archive = tempfile::tempfile_in(to.parent().unwrap_or(to)).map_err(failed)?;
        let mut size = 0_u64;
        while let Some(piece) = stream.next().await {
            let piece = match piece {
                Err(error) if is_gone(&error) => {
                    // A container that is not there is 404 as well as a file.
                    self.ended(id).await?;
                    return Err(OneOffError::NoFile { path: path.to_owned() });
                }
                piece => piece.map_err(refused)?,
            };
            size += piece.len() as u64;
            if size > most.saturating_add(AROUND) {
                return Err(OneOffError::TooLarge { most });
            }
            archive.write_all(&piece).map_err(failed)?;
        }
        std::io::Seek::rewind(&mut archive).map_err(failed)?;
        match only_file(archive, to, most).map_err(failed)? {
            Some(size) if size <= most => Ok(()),
            Some(_) => Err(OneOffError::TooLarge { most }),
            None => Err(OneOffError::NoFile { path: path.to_owned() }),
        }
    }
}

/// Unpacks the file of an archive that has one, up to `most`, and answers its size; `None`: it is something else.
fn only_file(archive: std::fs::File, to: &Path, most: u64) -> std::io::Result<Option<u64>> {
    let mut archive = tar::Archive::new(archive);
    let Some(entry) = archive.entries()?.next() else { return Ok(None) };
    let entry = entry?;
    if !entry.header().entry_type().is_file() {
        return Ok(None);
    }
    let (size, mut file) = (entry.size(), std::fs::File::create(to)?);
    std::io::copy(&mut entry.take(most), &mut file)?;
    Ok(Some(size))
}

fn end_of(state: &ContainerState) -> Ended {
    Ended { code: state.exit_code.unwrap_or_default(), out_of_memory: state.oom_killed.unwrap_or_default() }
}
