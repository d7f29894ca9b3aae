//! Backups by the units of systemd, with the restic of the distribution.

mod afar;
mod timer;

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::host::Host;
use stead_tests::policy;
use stead_tests::run::run_with_input;

pub(crate) use afar::backups_lie_elsewhere;
pub(crate) use timer::a_timer_makes_backups;

use crate::server::Server;

const PASSWORD: &str = "correct-horse-battery-staple";
const TABLES: &str = r#"
[policy.backup]
component = "backup.wasm"

[policy.backup.grant.package]
install = ["restic"]

[policy.backup.grant.backup]
repositories = ["/srv/restic", "sftp:keeper@203.0.113.1:/**", "rest:http://203.0.113.2:8000/**", "s3:http://203.0.113.2:*/**"]
paths = ["/srv/data"]
secrets = ["pw", "rest-*", "s3-*"]
"#;

/// A server whose `/srv/data` is backed up as `[backup.nightly]` says.
struct Backed {
    server: Server,
}

impl Backed {
    fn new(host: impl Host + 'static) -> Result<Self> {
        let backed = Self { server: Server::new(host)? };
        fs::copy(policy::component("backup", "modules/backup")?, backed.server.path("backup.wasm"))?;
        fs::create_dir_all(backed.server.path("home"))?;
        backed.declare("")?;
        backed.stead("secret keygen", 0)?;
        backed.secret("pw", PASSWORD)?;
        Ok(backed)
    }

    /// The keys of `[backup.nightly]` besides those that are always the same; without any there is no backup.
    fn declare(&self, keys: &str) -> Result<()> {
        let name = self.server.host.name();
        let host = format!("[host.{name}]\naddress = \"root@{name}\"\npolicies = [\"backup\"]\n");
        let always = format!("[backup.nightly]\nhosts = [\"{name}\"]\npassword = \"pw\"\npaths = [\"/srv/data\"]\n");
        let backup = if keys.is_empty() { String::new() } else { always + keys };
        Ok(fs::write(self.server.path("stead.toml"), format!("{TABLES}{host}{backup}"))?)
    }

    fn secret(&self, name: &str, value: &str) -> Result<()> {
        let mut set = self.server.command(&["secret", "set", name]);
        set.env("HOME", self.server.path("home"));
        run_with_input(&mut set, value.as_bytes(), Duration::from_secs(60))?.ended_with(0).map(drop)
    }

    fn stead(&self, line: &str, code: i32) -> Result<String> {
        let words: Vec<_> = line.split_whitespace().collect();
        let mut command = self.server.command(&words);
        let said = Server::run(command.env("HOME", self.server.path("home")), &words)?.expect(code)?;
        ensure!(!said.contains(PASSWORD), "{said}");
        Ok(said)
    }

    fn there(&self, line: &str) -> Result<String> {
        self.server.there(line)
    }
}
