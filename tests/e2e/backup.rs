//! Backups by the units of systemd, with the restic of the distribution.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::host::Host;
use stead_tests::policy;
use stead_tests::run::run_with_input;

use crate::server::Server;

const PASSWORD: &str = "correct-horse-battery-staple";
const TABLES: &str = r#"
[policy.backup]
component = "backup.wasm"

[policy.backup.grant.package]
install = ["restic"]

[policy.backup.grant.backup]
repositories = ["/srv/restic"]
paths = ["/srv/data"]
secrets = ["pw"]

[host.timed]
address = "root@timed"
policies = ["backup"]
"#;
const BACKUP: &str = r#"
[backup.nightly]
hosts = ["timed"]
repository = "/srv/restic"
password = "pw"
at = "03:30"
keep = { last = 2 }
paths = ["/srv/data"]
"#;

pub(crate) fn a_timer_makes_backups(host: impl Host + 'static) -> Result<()> {
    let server = Server::new(host)?;
    fs::copy(policy::component("backup", "modules/backup")?, server.path("backup.wasm"))?;
    let declare = |backup: &str| fs::write(server.path("stead.toml"), format!("{TABLES}{backup}"));
    let stead = |line: &str, code: i32| {
        let words: Vec<_> = line.split_whitespace().collect();
        let mut command = server.command(&words);
        Server::run(command.env("HOME", server.path("home")), &words)?.expect(code)
    };
    fs::create_dir_all(server.path("home"))?;
    declare(BACKUP)?;
    stead("secret keygen", 0)?;
    let mut set = server.command(&["secret", "set", "pw"]);
    run_with_input(set.env("HOME", server.path("home")), PASSWORD.as_bytes(), Duration::from_secs(60))?
        .ended_with(0)?;

    declare(&BACKUP.replace("03:30", "03:90"))?;
    ensure!(stead("plan timed", 67)?.contains("backup nightly (policy backup)"));
    declare(BACKUP)?;
    stead("apply --yes timed", 0)?;
    ensure!(stead("apply --yes timed", 0)?.contains("Nothing to do"));
    ensure!(server.there("systemctl list-timers --all stead-backup-nightly.timer")?.contains("03:30:00"));
    server.there("mkdir -p /srv/data/sub && echo one > /srv/data/sub/file && chown -R 33:33 /srv/data/sub")?;

    // Before its repository is made, and again when the disk that it is on is not there.
    server.there("! systemctl start stead-backup-nightly.service")?;
    let said = stead("status timed", 0)?;
    ensure!(said.contains("nightly: failed 20") && said.contains("there is no repository at /srv/restic"), "{said}");
    ensure!(server.there("systemctl is-failed stead-backup-nightly.service")?.trim() == "failed");
    stead("backup init timed", 0)?;
    server.there("systemctl start stead-backup-nightly.service")?;
    let journal = server.there("journalctl --unit=stead-backup-nightly.service --output=cat")?;
    ensure!(journal.contains("path /srv/data: snapshot ") && !journal.contains(PASSWORD), "{journal}");
    ensure!(stead("status timed", 0)?.contains("nightly: last made 20"));

    server.there("rm -r /srv/data")?;
    stead("restore timed --all --yes", 0)?;
    ensure!(
        server.there("stat -c '%u:%g %n' /srv/data/sub/file && cat /srv/data/sub/file")?
            == "33:33 /srv/data/sub/file\none\n"
    );
    server.there("echo two > /srv/data/sub/file")?;
    stead("restore timed /srv/data --yes", 0)?;
    ensure!(server.there("cat /srv/data/sub/file && ! ls -A /srv | grep stead")? == "one\n");
    let by_hand = "set -a; . /etc/stead/backup/nightly.env; restic snapshots --tag nightly --host timed";
    ensure!(server.there(by_hand)?.contains("1 snapshots"));

    declare("")?;
    stead("apply --yes timed", 0)?;
    ensure!(server.there("ls /etc/stead")?.is_empty());
    server.there(
        "! systemctl cat stead-backup-nightly.timer 2> /dev/null && ! systemctl is-active stead-backup-nightly.timer",
    )?;
    Ok(())
}
