//! What is known of the files that a job leaves behind.

use super::Tx;
use super::row::told;
use crate::sql::{Row, values};
use crate::{Artifact, ArtifactName, JobId, Lease, QueueError, Run};

/// Records an artifact; one of the same name and run is replaced.
pub(crate) fn record_artifact(tx: &mut Tx<'_>, lease: Lease, artifact: &Artifact) -> Result<(), QueueError> {
    let run = tx.held(lease)?.job.run;
    let limit = tx.settings.limits.artifacts;
    let others = tx.row(
        "select count(*) from artifact where job = $1 and run = $2 and name <> $3",
        values![lease.job, run.0, artifact.name.as_str()],
    )?;
    if others.map(|row| row.unsigned(0)).transpose()?.unwrap_or_default() >= limit {
        return Err(QueueError::Full { job: lease.job, what: "artifacts", limit });
    }
    tx.execute(
        "insert into artifact (job, run, name, size, digest, place) values ($1, $2, $3, $4, $5, $6)
         on conflict (job, run, name) do update
         set size = excluded.size, digest = excluded.digest, place = excluded.place",
        &[
            lease.job.into(),
            run.0.into(),
            artifact.name.as_str().into(),
            artifact.size.into(),
            artifact.digest.as_slice().into(),
            told(&artifact.place),
        ],
    )?;
    tx.woke.changed = true;
    Ok(())
}

/// The artifacts of a job, by run and name.
pub(crate) fn artifacts(tx: &mut Tx<'_>, job: JobId) -> Result<Vec<(Run, Artifact)>, QueueError> {
    tx.stored(job)?;
    let rows =
        tx.rows("select run, name, size, digest, place from artifact where job = $1 order by run, name", values![job])?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<(Run, Artifact), QueueError> {
    let digest = row.bytes(3)?.try_into().map_err(|_| QueueError::Stored("not a digest"))?;
    let name = ArtifactName::stored(row.text(1)?);
    Ok((Run(row.integer(0)?), Artifact { name, size: row.unsigned(2)?, digest, place: row.text(4)? }))
}
