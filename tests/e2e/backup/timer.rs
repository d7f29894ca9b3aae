//! The timer of a backup, and what is left of one that is no longer declared.

use anyhow::{Result, ensure};
use stead_tests::host::Host;

use super::{Backed, PASSWORD};

const BACKUP: &str = "repository = \"/srv/restic\"\nat = \"03:30\"\nkeep = { last = 2 }\n";

pub(crate) fn a_timer_makes_backups(host: impl Host + 'static) -> Result<()> {
    let backed = Backed::new(host)?;
    backed.declare(&BACKUP.replace("03:30", "03:90"))?;
    ensure!(backed.stead("plan timed", 67)?.contains("backup nightly (policy backup)"));
    backed.declare(BACKUP)?;
    backed.stead("apply --yes timed", 0)?;
    ensure!(backed.stead("apply --yes timed", 0)?.contains("Nothing to do"));
    ensure!(backed.there("systemctl list-timers --all stead-backup-nightly.timer")?.contains("03:30:00"));
    backed.there("mkdir -p /srv/data/sub && echo one > /srv/data/sub/file && chown -R 33:33 /srv/data/sub")?;

    // Before its repository is made, and again when the disk that it is on is not there.
    backed.there("! systemctl start stead-backup-nightly.service")?;
    let said = backed.stead("status timed", 0)?;
    ensure!(said.contains("nightly: failed 20") && said.contains("there is no repository at /srv/restic"), "{said}");
    ensure!(backed.there("systemctl is-failed stead-backup-nightly.service")?.trim() == "failed");
    backed.stead("backup init timed", 0)?;
    backed.there("systemctl start stead-backup-nightly.service")?;
    let journal = backed.there("journalctl --unit=stead-backup-nightly.service --output=cat")?;
    ensure!(journal.contains("path /srv/data: snapshot ") && !journal.contains(PASSWORD), "{journal}");
    ensure!(backed.stead("status timed", 0)?.contains("nightly: last made 20"));

    backed.there("rm -r /srv/data")?;
    backed.stead("restore timed --all --yes", 0)?;
    ensure!(
        backed.there("stat -c '%u:%g %n' /srv/data/sub/file && cat /srv/data/sub/file")?
            == "33:33 /srv/data/sub/file\none\n"
    );
    backed.there("echo two > /srv/data/sub/file")?;
    backed.stead("restore timed /srv/data --yes", 0)?;
    ensure!(backed.there("cat /srv/data/sub/file && ! ls -A /srv | grep stead")? == "one\n");
    let by_hand = "set -a; . /etc/stead/backup/nightly.env; restic snapshots --tag nightly --host timed";
    ensure!(backed.there(by_hand)?.contains("1 snapshots"));

    backed.declare("")?;
    backed.stead("apply --yes timed", 0)?;
    ensure!(backed.there("ls /etc/stead")?.is_empty());
    backed.there(
        "! systemctl cat stead-backup-nightly.timer 2> /dev/null && ! systemctl is-active stead-backup-nightly.timer",
    )?;
    Ok(())
}
