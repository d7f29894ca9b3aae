//! A transaction, and what is put off to its end because many operations would do it again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::sql::{Row, Sql, Value, values};
use crate::wake::Woke;
use crate::{JobName, QueueError, Settings, State, Timestamp};

pub(crate) struct Tx<'a> {
    sql: &'a mut dyn Sql,
    pub(crate) now: Timestamp,
    pub(crate) settings: &'a Settings,
    pub(crate) woke: Woke,
    pub(super) is_tended: bool,
    /// Known while there is nothing to claim: how long until time may change that.
    pub(super) idle: Option<Option<Duration>>,
    /// Lanes whose head may have changed, and by how much the number of their running jobs did.
    lanes: BTreeMap<i64, i64>,
    tally: BTreeMap<(JobName, State), i64>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(sql: &'a mut dyn Sql, now: Timestamp, settings: &'a Settings) -> Self {
        let (lanes, tally) = (BTreeMap::new(), BTreeMap::new());
        Self { sql, now, settings, woke: Woke::default(), is_tended: false, idle: None, lanes, tally }
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, QueueError> {
        self.sql.execute(sql, values)
    }

    pub(super) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, QueueError> {
        self.sql.rows(sql, values)
    }

    pub(super) fn row(&mut self, sql: &str, values: &[Value]) -> Result<Option<Row>, QueueError> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }

    /// Notes that a job came, went, or changed its state.
    pub(super) fn moved(&mut self, name: &JobName, lane: i64, from: Option<State>, to: Option<State>) {
        let running = |state| i64::from(state == Some(State::Running));
        *self.lanes.entry(lane).or_default() += running(to) - running(from);
        for (state, change) in [(from, -1), (to, 1)] {
            if let Some(state) = state {
                *self.tally.entry((name.clone(), state)).or_default() += change;
            }
        }
        self.woke.changed = true;
    }

    /// Notes that a job of this lane may have become ready, or that there is room for one.
    pub(super) fn touched(&mut self, lane: i64) {
        self.lanes.entry(lane).or_default();
        self.woke.ready = true;
        self.idle = None;
    }

    /// Writes for each lane that was noted which of its jobs is next.
    pub(super) fn settle_lanes(&mut self) -> Result<(), QueueError> {
        for (lane, change) in std::mem::take(&mut self.lanes) {
            self.execute(
                "update lane set running = running + $2, (head_priority, head_job) =
                    (select priority, id from job where lane = $1 and ready = 1 order by priority desc, id limit 1)
                 where id = $1",
                values![lane, change],
            )?;
        }
        Ok(())
    }

    /// Writes all that was put off.
    pub(crate) fn settle(&mut self) -> Result<(), QueueError> {
        self.settle_lanes()?;
        for ((name, state), change) in std::mem::take(&mut self.tally) {
            if change != 0 {
                self.execute(
                    "insert into tally (name, state, jobs) values ($1, $2, $3)
                     on conflict (name, state) do update set jobs = tally.jobs + excluded.jobs",
                    values![name.as_str(), state.word(), change],
                )?;
            }
        }
        Ok(())
    }
}
