//! `stead restore`: bring back what a backup holds.

use std::time::Duration;

use clap::Args;

use super::Context;
use super::asking::{ask, unexpected};
use super::backup::time;
use super::progress::Progress;
use super::prompt;
use super::size::bytes;
use super::targets::anywhere;
use crate::backup::{Bringing, Restoration, Wish};
use crate::error::{Blame, Failure};
use crate::event::Event;
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::Request;

/// Bring back what a backup holds.
///
/// What it is going to overwrite is shown first. A volume or a path comes back whole beside the old one, then takes its place
/// while the containers that use it are stopped; when they do not come up with it, the old one is put back. A database is
/// read back by its `restore` command, after what it holds now is kept as a snapshot. On a new server `stead apply`, then
/// `stead restore TARGET --all` brings everything back.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The host.
    #[arg(value_name = "TARGET")]
    target: String,
    /// What: APP/VOLUME, APP/SERVICE of a database, or a path, as `stead backup ls` shows them.
    #[arg(required_unless_present = "all")]
    what: Vec<String>,
    /// Everything that the backups of the host hold.
    #[arg(long, conflicts_with_all = ["what", "snapshot"])]
    all: bool,
    /// The snapshot; the latest when it is not given.
    #[arg(long, value_name = "ID", default_value = "latest")]
    snapshot: String,
    /// The backup that it is taken from, where several hold it.
    #[arg(long, value_name = "NAME")]
    backup: Option<String>,
    /// Put it into this folder of the host, under its whole path, and touch nothing else.
    #[arg(long, value_name = "FOLDER", value_parser = absolute)]
    to: Option<String>,
    /// Do not keep what a database holds now, for instance because it is broken.
    #[arg(long)]
    discard: bool,
    /// How many seconds containers may take to be up again.
    #[arg(long, value_name = "SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait: u64,
    /// Do it without asking.
    #[arg(long, short)]
    yes: bool,
}

impl Restore {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, Some(&self.target))?;
        let Self { what, snapshot, backup, to, .. } = self;
        let wish = Wish { what, backup, snapshot: Some(snapshot), to };
        let progress = || Progress::new(context.terminal, None);
        let answer = ask(&machine, Request::Restorable { wish }, progress()).await?;
        let Event::Restorable { found, lacking } = answer else { return Err(unexpected()) };
        context.terminal.print(&text(&found, &lacking));
        match self.yes.then_some(true).or_else(|| prompt::yes("Restore it?")) {
            Some(true) => {}
            Some(false) => return Ok(Exit::Declined),
            None => {
                let nobody = Failure::new(Blame::Operator, Exit::Usage, &"there is no terminal to ask on");
                return Err(nobody.help("add --yes"));
            }
        }
        let how = Bringing { discard: self.discard, limit: Duration::from_secs(self.wait) };
        let answer = ask(&machine, Request::Restore { agreed: found, how }, progress()).await?;
        let Event::Restored { what } = answer else { return Err(unexpected()) };
        context.terminal.print(&format!("restored {}\n", printable(&what.join(", "))));
        Ok(Exit::Done)
    }
}

fn absolute(text: &str) -> Result<String, String> {
    let is_path = text.parse::<crate::machine::inode::Pathname>();
    is_path.map(String::from).map_err(|error| error.to_string())
}

fn text(found: &[Restoration], lacking: &[String]) -> String {
    let lacking = lacking.iter().map(|line| format!("{}\n", printable(line)));
    found.iter().map(one).chain(lacking).collect()
}

fn one(one: &Restoration) -> String {
    let Restoration { what, kind, snapshot, overwrites, stops, .. } = one;
    let size = snapshot.size.map(|size| format!(", {}", bytes(size))).unwrap_or_default();
    let (what, at) = (printable(what), time(&snapshot.time));
    let text = format!("{kind} {what}, from snapshot {} of {at}{size}\n", printable(&snapshot.short));
    let text = format!("{text}  overwrites {}\n", printable(overwrites));
    match stops.is_empty() {
        true => text,
        false => format!("{text}  stops {}\n", printable(&stops.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_overwritten() -> anyhow::Result<()> {
        let found: Vec<Restoration> = serde_json::from_value(serde_json::json!([{
            "backup": "nightly", "what": "files/data", "kind": "volume",
            "snapshot": { "id": "0123456789", "short_id": "01234567", "time": "2026-11-24T00:09:37Z", "size": 5000 },
            "overwrites": "all that is in the volume files_data", "stops": ["files-sftp-1", "files-webdav-1"], "to": null
        }]))?;
        insta::assert_snapshot!(text(&found, &["nightly has no snapshot of web/x".to_owned()]), @r"
        volume files/data, from snapshot 01234567 of 2026-11-24 00:09:37 UTC, 4.8 KiB
          overwrites all that is in the volume files_data
          stops files-sftp-1, files-webdav-1
        nightly has no snapshot of web/x
        ");
        Ok(())
    }
}
