//! The log of a job. Lines are numbered by who writes them, so that a batch that is sent again is not there twice.

use super::Tx;
use crate::sql::{Value, values};
use crate::{JobId, Lease, Line, Logged, QueueError, Stream};

/// How many lines one statement writes: each size is a statement that the database prepares once.
const CHUNKS: [usize; 3] = [64, 8, 1];

/// Appends lines, the first of which has this number, and answers the number of the next one. Those that are there
/// are passed over.
pub(crate) fn append_log(tx: &mut Tx<'_>, lease: Lease, first: u64, lines: &[Line]) -> Result<u64, QueueError> {
    let limits = tx.settings.limits;
    if let Some(size) = lines.iter().map(|line| line.text.len()).find(|size| *size > limits.line) {
        return Err(QueueError::TooLarge { what: "line of a log", size, limit: limits.line });
    }
    let stored = tx.held(lease)?;
    let next = stored.job.next_line;
    if first > next {
        return Err(QueueError::Gap { what: "line", expected: next, got: first });
    }
    let known = usize::try_from(next - first).unwrap_or(usize::MAX);
    let new = lines.get(known..).unwrap_or_default();
    let bytes = stored.log_bytes + new.iter().map(|line| line.text.len() as u64 + 1).sum::<u64>();
    if bytes > limits.log {
        return Err(QueueError::Full { job: lease.job, what: "bytes in its log", limit: limits.log });
    }
    if !new.is_empty() {
        insert(tx, lease.job, next, new)?;
        let end = next + new.len() as u64;
        tx.execute("update job set next_line = $2, log_bytes = $3 where id = $1", values![lease.job, end, bytes])?;
        tx.woke.changed = true;
    }
    Ok(next + new.len() as u64)
}

fn insert(tx: &mut Tx<'_>, job: JobId, first: u64, mut lines: &[Line]) -> Result<(), QueueError> {
    let mut number = first;
    for size in CHUNKS {
        let sql = statement(size);
        while let Some((chunk, rest)) = lines.split_at_checked(size) {
            let mut values = Vec::with_capacity(5 * size);
            for line in chunk {
                let row: &[Value] = values![job, number, tx.now, line.stream.word(), line.text.as_slice()];
                values.extend_from_slice(row);
                number += 1;
            }
            tx.execute(&sql, &values)?;
            lines = rest;
        }
    }
    Ok(())
}

fn statement(lines: usize) -> String {
    let row = |line: usize| {
        let value = |column| format!("${}", 5 * line + column);
        format!("({})", [1, 2, 3, 4, 5].map(value).join(", "))
    };
    let rows: Vec<_> = (0..lines).map(row).collect();
    format!("insert into line (job, number, at, stream, bytes) values {}", rows.join(", "))
}

/// Lines of a job in their order, from this one on.
pub(crate) fn log(tx: &mut Tx<'_>, job: JobId, from: u64, most: u32) -> Result<Vec<Logged>, QueueError> {
    tx.stored(job)?;
    let rows = tx.rows(
        "select number, at, stream, bytes from line where job = $1 and number >= $2 order by number limit $3",
        values![job, from, i64::from(most)],
    )?;
    let read = |row: &crate::sql::Row| {
        let line = Line { stream: row.word(2, Stream::from_word)?, text: row.bytes(3)? };
        Ok(Logged { number: row.unsigned(0)?, at: row.time(1)?, line })
    };
    rows.iter().map(read).collect()
}
