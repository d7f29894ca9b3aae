//! An app, and a repo that backs it up into a folder.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use stead_tests::docker::Engine;
use stead_tests::policy;
use stead_tests::run::run;

use crate::apps::repo::Repo;

pub(super) const PASSWORD: &str = "correct-horse-battery-staple";
/// A shell would do something to it.
pub(super) const KEY: &str = "k$HOME`id`\"'\\ey";
const LIMIT: Duration = Duration::from_secs(60);

const COMPOSE: &str = "
services:
  web:
    image: {image}
    command: [sh, -c, 'test ! -e /data/broken && sleep 1000']
    stop_grace_period: 0s
    volumes: ['data:/data']
  db:
    image: {image}
    command: [sleep, '1000']
    stop_grace_period: 0s
    volumes: ['store:/store']
volumes: { data: {}, store: {} }
";

const GRANTS: &str = r#"
[host.box]
policies = ["backup"]

[policy.backup]
component = "backup.wasm"

[policy.backup.grant.package]
install = ["restic"]

[policy.backup.grant.backup]
repositories = ["FOLDER/**", "sftp:*@127.0.0.1:/**"]
apps = ["stead-backup-*"]
paths = ["/srv/**"]
secrets = ["pw", "key"]
"#;

/// The database of the tests: a file.
const DATABASE: &str = r#"
dump = ["cat", "/store/db"]
restore = ["sh", "-c", "cat > /store/db.new && busybox mv /store/db.new /store/db"]
"#;

pub(super) struct Place {
    pub(super) repo: Repo,
}

impl Place {
    pub(super) fn new(app: &str) -> Result<Self> {
        let place = Self::with(app, COMPOSE)?;
        place.up()?;
        place.inside("db", "echo one > /store/db")?;
        place.inside("web", "echo one > /data/file")?;
        place.declare(DATABASE, "")?;
        place.stead("apply --yes", 0)?;
        place.stead("backup init box", 0)?;
        Ok(place)
    }

    pub(super) fn with(app: &str, compose: &str) -> Result<Self> {
        let repo = Repo::on(Engine::start()?, app, compose)?;
        fs::copy(policy::component("backup", "modules/backup")?, repo.path("backup.wasm"))?;
        let place = Self { repo };
        place.fresh_root()?;
        place.stead("secret keygen", 0)?;
        place.secret("pw", PASSWORD)?;
        place.secret("key", KEY)?;
        Ok(place)
    }

    /// What a server has on which nothing was applied yet, but for the package.
    pub(super) fn fresh_root(&self) -> Result<()> {
        let dpkg = self.repo.path("root/var/lib/dpkg");
        fs::create_dir_all(&dpkg)?;
        let status = "Package: restic\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.14.0-1\n\n";
        Ok(fs::write(dpkg.join("status"), status)?)
    }

    pub(super) fn secret(&self, name: &str, value: &str) -> Result<()> {
        self.repo.words(&["secret", "set", name], value, 0).map(drop)
    }

    pub(super) fn up(&self) -> Result<()> {
        let file = self.repo.path("apps").join(&self.repo.app).join("compose.yaml");
        self.repo.compose(&self.repo.app, &file, &["up", "--detach", "--quiet-pull"]).map(drop)
    }

    /// One backup, `nightly`, of the app's volume and database.
    pub(super) fn declare(&self, database: &str, more: &str) -> Result<()> {
        self.declare_at(&self.repo.path("restic").to_string_lossy(), database, more)
    }

    pub(super) fn declare_at(&self, repository: &str, database: &str, more: &str) -> Result<()> {
        let app = &self.repo.app;
        let volume = if more.contains("[[backup.nightly.volume]]") {
            String::new()
        } else {
            format!("[[backup.nightly.volume]]\napp = \"{app}\"\nname = \"data\"\n")
        };
        let database = format!("[[backup.nightly.database]]\napp = \"{app}\"\nservice = \"db\"\n{database}");
        let grants = GRANTS.replace("FOLDER", self.repo.path("").to_string_lossy().trim_end_matches('/'));
        let table = format!(
            "[backup.nightly]\nhosts = [\"box\"]\nrepository = \"{repository}\"\npassword = \"pw\"\n\
             environment = {{ AWS_SECRET_ACCESS_KEY = \"key\" }}\nat = \"03:30\"\n"
        );
        Ok(fs::write(self.repo.path("stead.toml"), format!("{grants}{table}{volume}{database}{more}"))?)
    }

    pub(super) fn stead(&self, line: &str, code: i32) -> Result<String> {
        self.repo.stead(line, code)
    }

    /// Runs a script in a container of the app.
    pub(super) fn inside(&self, service: &str, script: &str) -> Result<String> {
        let container = format!("{}-{service}-1", self.repo.app);
        self.repo.engine.docker(["exec", &container, "sh", "-c", script])?.ok()
    }

    /// The folder of a volume.
    pub(super) fn folder(&self, volume: &str) -> Result<PathBuf> {
        let name = format!("{}_{volume}", self.repo.app);
        let said = self.repo.engine.docker(["volume", "inspect", "--format", "{{.Mountpoint}}", &name])?.ok()?;
        Ok(PathBuf::from(said.trim()))
    }

    /// A digest of all that is in a volume: names, bytes, owners, modes, times.
    pub(super) fn fingerprint(&self, volume: &str) -> Result<String> {
        let mut tar = Command::new("tar");
        tar.args(["--sort=name", "--numeric-owner", "--create", "--directory"]).arg(self.folder(volume)?).arg(".");
        let mut sum = Command::new("sh");
        let line = tar.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
        sum.args(["-c", &format!("set -o pipefail; tar {line} | sha256sum")]);
        let mut bash = Command::new("bash");
        bash.args(sum.get_args());
        run(&mut bash, LIMIT)?.ok()
    }

    /// The snapshots of `nightly`, of this part.
    pub(super) fn snapshots(&self, part: &str) -> Result<Vec<Value>> {
        let all: Option<Vec<Value>> = serde_json::from_str(&self.restic("snapshots --json --tag nightly")?)?;
        let of = |one: &Value| one["tags"][1].as_str().is_some_and(|tag| tag.ends_with(part));
        Ok(all.unwrap_or_default().into_iter().filter(of).collect())
    }

    pub(super) fn started_at(&self, service: &str) -> Result<String> {
        self.repo.inspect(&format!("{}-{service}-1", self.repo.app), "{{.State.Running}} {{.State.StartedAt}}")
    }

    /// Runs restic by hand, as the comment in the file of its environment says.
    pub(super) fn restic(&self, words: &str) -> Result<String> {
        let folder = self.repo.path("root/etc/stead/backup");
        let (env, password) = (folder.join("nightly.env"), folder.join("nightly.password"));
        let script = format!(
            "set -a; . {}; test \"$AWS_SECRET_ACCESS_KEY\" = \"$EXPECTED\" || exit 9; \
             RESTIC_PASSWORD_FILE={}; RESTIC_CACHE_DIR={}; restic {words}",
            env.display(),
            password.display(),
            self.repo.path("root/var/cache/restic").display()
        );
        run(Command::new("sh").args(["-c", &script]).env("EXPECTED", KEY), LIMIT)?.ok()
    }
}
