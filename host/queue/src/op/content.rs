//! Contents of files for all servers that share the queue, in pieces. One is found by its place, which says what is in it: so
//! the same content comes to the same pieces, whoever writes them.

use super::Tx;
use crate::sql::values;
use crate::{QueueError, Timestamp};

/// Says that somebody needs this content from now on, and answers whether all of it is here.
pub(crate) fn begin_content(tx: &mut Tx<'_>, place: &str) -> Result<bool, QueueError> {
    tx.execute(
        "insert into content (place, at) values ($1, $2) on conflict (place) do update set at = excluded.at",
        values![place, tx.now],
    )?;
    let row = tx.row("select size from content where place = $1", values![place])?;
    Ok(row.map(|row| row.maybe_integer(0)).transpose()?.flatten().is_some())
}

pub(crate) fn put_piece(tx: &mut Tx<'_>, place: &str, number: u64, bytes: &[u8]) -> Result<(), QueueError> {
    tx.execute(
        "insert into piece (place, number, bytes) values ($1, $2, $3) on conflict (place, number) do nothing",
        values![place, number, bytes],
    )
    .map(drop)
}

/// Says that all pieces are here.
pub(crate) fn end_content(tx: &mut Tx<'_>, place: &str, size: u64) -> Result<(), QueueError> {
    tx.execute("update content set size = $2 where place = $1", values![place, size]).map(drop)
}

/// A piece of a content that is here as a whole; `None`: there is no such piece.
pub(crate) fn piece(tx: &mut Tx<'_>, place: &str, number: u64) -> Result<Option<Vec<u8>>, QueueError> {
    let row = tx.row(
        "select bytes from piece join content on content.place = piece.place
         where piece.place = $1 and number = $2 and size is not null",
        values![place, number],
    )?;
    row.map(|row| row.bytes(0)).transpose()
}

/// The size of a content that is here as a whole.
pub(crate) fn content_size(tx: &mut Tx<'_>, place: &str) -> Result<Option<u64>, QueueError> {
    let row = tx.row("select size from content where place = $1 and size is not null", values![place])?;
    row.map(|row| row.unsigned(0)).transpose()
}

/// Contents that nobody has needed anew since this moment, and that no artifact is.
pub(crate) fn old_contents(tx: &mut Tx<'_>, before: Timestamp) -> Result<Vec<String>, QueueError> {
    let rows = tx.rows(
        "select place from content where at < $1
            and not exists (select 1 from artifact where artifact.place = content.place) order by at limit 1000",
        values![before],
    )?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Removes one of them, unless somebody needs it anew.
pub(crate) fn remove_content(tx: &mut Tx<'_>, place: &str, before: Timestamp) -> Result<(), QueueError> {
    let gone = tx.execute(
        "delete from content where place = $1 and at < $2
            and not exists (select 1 from artifact where artifact.place = content.place)",
        values![place, before],
    )?;
    if gone > 0 {
        tx.execute("delete from piece where place = $1", values![place])?;
    }
    Ok(())
}

/// The name of all servers that share this queue: the one that is proposed, when there is none yet.
pub(crate) fn installation(tx: &mut Tx<'_>, proposed: &str) -> Result<String, QueueError> {
    if let Some(row) = tx.row("select name from installation", &[])? {
        return row.text(0);
    }
    tx.execute("insert into installation (name) values ($1)", values![proposed])?;
    Ok(proposed.to_owned())
}
