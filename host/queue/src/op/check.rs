//! Whether what is kept for speed agrees with the jobs themselves.

use super::Tx;
use crate::QueueError;

/// What the tables must not hold, each as a query for it.
const WRONG: [(&str, &str); 4] = [
    (
        "the head of a lane is not its next job",
        "select 1 from lane where coalesce(head_job, 0) <> coalesce(
            (select id from job where lane = lane.id and ready = 1 order by priority desc, id limit 1), 0)",
    ),
    (
        "a lane counts its running jobs wrongly",
        "select 1 from lane where running <> (select count(*) from job where lane = lane.id and state = 'running')",
    ),
    (
        "the counts by name and state are wrong",
        "select 1 from (select name, state, count(*) as jobs from job group by name, state) as found
         full join (select * from tally where jobs <> 0) as kept on kept.name = found.name and kept.state = found.state
         where found.jobs is null or kept.jobs is null or found.jobs <> kept.jobs",
    ),
    (
        "a job is not as its state has it",
        "select 1 from job where (state = 'queued') <> (ready = 1 or paused_until is not null)
            or (ready = 1 and paused_until is not null) or (state = 'running') <> (lease_until is not null)
            or (ended is null) <> (state in ('queued', 'running'))
            or (select count(*) from attempt where job = id) <> attempt
            or (select count(*) from attempt where job = id and ended is null) <>
                (case when state = 'running' then 1 else 0 end)
            or (ended is null and (select count(*) from line where job = id) <> next_line)
            or (select count(*) from entry where entry.job = id and entry.run = job.run) <> next_entry",
    ),
];

/// What is wrong, in words.
pub(crate) fn check(tx: &mut Tx<'_>) -> Result<Vec<&'static str>, QueueError> {
    let mut wrong = Vec::new();
    for (what, sql) in WRONG {
        if tx.row(sql, &[])?.is_some() {
            wrong.push(what);
        }
    }
    Ok(wrong)
}
