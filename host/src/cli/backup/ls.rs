//! `stead backup ls`: the snapshots of hosts.

use clap::Args;

use crate::backup::Snapshot;
use crate::cli::Context;
use crate::cli::asking::{ask, unexpected};
use crate::cli::progress::Progress;
use crate::cli::size::bytes;
use crate::cli::status::{backup as state, json};
use crate::cli::table::table;
use crate::cli::targets::anywhere;
use crate::cli::when::when;
use crate::error::Failure;
use crate::event::{Event, Snapshots};
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::Request;

/// List the snapshots of a host, and how each backup went last.
///
/// A snapshot that is marked `incomplete` lacks files that could not be read; one marked `before-restore` is what a restore
/// has replaced. `stead restore` takes these only by their id.
#[derive(Debug, Args)]
pub(in crate::cli) struct Ls {
    /// The host.
    #[arg(value_name = "TARGET")]
    target: String,
    /// The backup; all of the host when there is none.
    name: Option<String>,
    /// Print for machines: one JSON document, the backups with their snapshots.
    #[arg(long)]
    json: bool,
}

impl Ls {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, Some(&self.target))?;
        let request = Request::Snapshots { name: self.name };
        let answer = ask(&machine, request, Progress::new(context.terminal, None)).await?;
        let Event::Snapshots { backups } = answer else { return Err(unexpected()) };
        let text = if self.json { json(&backups) } else { backups.iter().map(text).collect() };
        context.terminal.print(&text);
        Ok(Exit::Done)
    }
}

fn text(backup: &Snapshots) -> String {
    let head = format!("{}, to {}\n", state(&backup.state), printable(&backup.repository));
    if backup.snapshots.is_empty() {
        return head + "  no snapshot\n";
    }
    let heading = ["SNAPSHOT", "TIME", "WHAT", "SIZE", ""].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(heading).chain(backup.snapshots.iter().map(row)).collect();
    head + &table(&rows)
}

fn row(snapshot: &Snapshot) -> [String; 5] {
    [
        printable(&snapshot.short),
        time(&snapshot.time),
        printable(snapshot.what()),
        snapshot.size.map(bytes).unwrap_or_default(),
        snapshot.mark().to_owned(),
    ]
}

/// A time of restic's, as stead says times.
pub(in crate::cli) fn time(time: &str) -> String {
    time.parse::<jiff::Timestamp>().map_or_else(|_| printable(time), |time| when(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_snapshot() -> anyhow::Result<()> {
        let backup: Snapshots = serde_json::from_value(serde_json::json!({
            "name": "nightly", "made": 1_795_478_977_000_i64, "failed": [1_795_565_377_000_i64, "no\u{1b} room"],
            "repository": "/srv/restic", "snapshots": [
                { "id": "0123456789", "short_id": "01234567", "time": "2026-11-24T01:09:37.123456789+01:00",
                  "tags": ["nightly", "files/data"], "paths": ["/x"], "size": 2048 },
                { "id": "1123456789", "short_id": "11234567", "time": "2026-11-25T00:09:37Z",
                  "tags": ["nightly", "postgres/postgres", "before-restore"] } ]
        }))?;
        insta::assert_snapshot!(text(&backup), @r"
        nightly: failed 2026-11-25 00:09:37 UTC: no\u{1b} room; last made 2026-11-24 00:09:37 UTC, to /srv/restic
          SNAPSHOT  TIME                     WHAT               SIZE
          01234567  2026-11-24 00:09:37 UTC  files/data         2.0 KiB
          11234567  2026-11-25 00:09:37 UTC  postgres/postgres           before-restore
        ");
        Ok(())
    }
}
