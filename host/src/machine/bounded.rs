//! Reads what others write, and never more of it than there is room for.
//!
//! A program or a far end that writes without end must cost a clear error, not the memory of the machine.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, Result};

const CHUNK: usize = 64 << 10;

/// All of it; `None` when it is more than `most` bytes.
///
/// # Errors
/// When it cannot be read.
pub async fn all(from: impl AsyncRead + Unpin, most: usize) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(most as u64 + 1).read_to_end(&mut bytes).await?;
    Ok((bytes.len() <= most).then_some(bytes))
}

/// The last `most` bytes. It is read to its end, so that who writes it never waits.
///
/// # Errors
/// When it cannot be read.
pub async fn tail(mut from: impl AsyncRead + Unpin, most: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await?;
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if read == 0 || bytes.len() > most + CHUNK {
            bytes.drain(..bytes.len().saturating_sub(most));
        }
        if read == 0 {
            return Ok(bytes);
        }
    }
}

/// The next line, without its end; `None` at the end of the input.
///
/// # Errors
/// When it cannot be read, or is longer than `most` bytes ([`std::io::ErrorKind::FileTooLarge`]).
pub async fn line(from: &mut (impl AsyncBufRead + Unpin), most: usize) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if from.take(most as u64 + 1).read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    let ended = bytes.pop_if(|last| *last == b'\n').is_some();
    if !ended && bytes.len() > most {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_is_kept_than_there_is_room_for() -> Result<()> {
        assert_eq!(all(&b"12345"[..], 5).await?.as_deref(), Some(&b"12345"[..]));
        assert_eq!(all(&b"123456"[..], 5).await?, None);
        assert_eq!(tail(&b"123456"[..], 5).await?, b"23456");
        let long: Vec<u8> = (0..CHUNK * 5).map(|at| (at % 251) as u8).collect();
        assert_eq!(tail(&long[..], 1000).await?, &long[long.len() - 1000..]);
        Ok(())
    }

    #[tokio::test]
    async fn lines_come_one_by_one_until_one_is_too_long() -> Result<()> {
        let mut from = &b"12345\n\n12\n123456\n"[..];
        assert_eq!(line(&mut from, 5).await?.as_deref(), Some(&b"12345"[..]));
        assert_eq!(line(&mut from, 5).await?.as_deref(), Some(&b""[..]));
        assert_eq!(line(&mut from, 5).await?.as_deref(), Some(&b"12"[..]));
        assert!(line(&mut from, 5).await.is_err_and(|error| error.kind() == std::io::ErrorKind::FileTooLarge));
        let mut cut = &b"12"[..];
        assert_eq!(line(&mut cut, 5).await?.as_deref(), Some(&b"12"[..]));
        assert_eq!(line(&mut cut, 5).await?, None);
        Ok(())
    }
}
