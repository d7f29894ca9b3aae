//! A PostgreSQL server of the tests' own, in a temporary folder and behind a Unix socket, as a user without rights.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::run::run;
use crate::wait;

const LIMIT: Duration = Duration::from_secs(120);
/// `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

/// A server that runs until it is dropped, or until the thread that started it ends.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    child: Child,
    databases: AtomicU32,
}

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    On,
    Off,
}

/// A way in over TLS, for the host `localhost`.
#[derive(Debug)]
pub struct Tls {
    pub port: u16,
    /// Signed by itself.
    pub certificate: PathBuf,
}

impl Postgres {
    /// # Errors
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub fn start(sync: Sync) -> Result<Self> {
        let (folder, programs) = (folder()?, programs()?);
        Self::run(folder, programs, sync, &["-h", ""])
    }

    /// One that can also be reached over TLS.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn start_with_tls() -> Result<(Self, Tls)> {
        let (folder, programs) = (folder()?, programs()?);
        let mut openssl = unprivileged(folder.path(), Path::new("openssl"))?;
        openssl.args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ]);
        openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        openssl.args([
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            "key.pem",
            "-out",
            "certificate.pem",
        ]);
        run(&mut openssl, LIMIT)?.ok()?;
        let [key, certificate] = ["key.pem", "certificate.pem"].map(|name| folder.path().join(name));
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let settings = [format!("ssl_key_file={}", key.display()), format!("ssl_cert_file={}", certificate.display())];
        let arguments =
            ["-h", "localhost", "-c", "ssl=on", "-c", &settings[0], "-c", &settings[1], "-p", &port.to_string()];
        Ok((Self::run(folder, programs, Sync::Off, &arguments)?, Tls { port, certificate }))
    }

    fn run(folder: TempDir, programs: PathBuf, sync: Sync, arguments: &[&str]) -> Result<Self> {
        let data = folder.path().join("data");
        let mut init = unprivileged(folder.path(), &programs.join("initdb"))?;
        init.args(["--auth=trust", "--username=stead", "--encoding=UTF8", "--no-sync", "--pgdata"]).arg(&data);
        run(&mut init, LIMIT)?.ok()?;
        let mut server = unprivileged(folder.path(), &programs.join("postgres"))?;
        server.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(arguments);
        server.arg("-c").arg(format!("fsync={}", if sync == Sync::On { "on" } else { "off" }));
        let log = fs::File::create(folder.path().join("log"))?;
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let port = arguments.iter().skip_while(|word| **word != "-p").nth(1).unwrap_or(&"5432").parse()?;
        let child = server.spawn()?;
        let mut started = Self { folder, programs, port, child, databases: AtomicU32::new(0) };
        started.is_up()?;
        Ok(started)
    }

    fn is_up(&mut self) -> Result<()> {
        let said = self.folder.path().join("log");
        wait::until("PostgreSQL", LIMIT, || Ok(self.psql("select 1").is_ok().then_some(())))
            .with_context(|| fs::read_to_string(said).unwrap_or_default())
    }

    /// What a statement answers, in the database `postgres`.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn psql(&self, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-U", "stead", "-d", "postgres", "-c", sql]);
        psql.arg("-p").arg(self.port.to_string()).arg("-h").arg(self.folder.path());
        run(&mut psql, LIMIT)?.ok()
    }

    /// The address of a database that is new and empty.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn database(&self) -> Result<String> {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.psql(&format!("create database {name}"))?;
        let host = self.folder.path().to_string_lossy().replace('/', "%2F");
        Ok(format!("postgres://stead@{host}:{}/{name}?sslmode=disable", self.port))
    }

    /// Cuts all connections to the databases that this server made.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn cut_connections(&self) -> Result<()> {
        self.psql("select pg_terminate_backend(pid) from pg_stat_activity where datname like 'd%'").map(drop)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Sent to the server itself: immediate shutdown, which leaves nothing running.
        let quit = Command::new("kill").args(["-s", "QUIT", &self.child.id().to_string()]).status();
        if quit.is_ok_and(|status| status.success()) {
            drop(self.child.wait());
        }
    }
}

/// Where the programs of the newest version lie: Debian keeps them off the path.
fn programs() -> Result<PathBuf> {
    let mut found: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .and_then(|entries| entries.map(|entry| Ok(entry?.path().join("bin"))).collect())
        .context("PostgreSQL is not installed: sh tests/setup.sh installs it")?;
    found.retain(|folder| folder.join("postgres").is_file());
    found.sort();
    found.pop().context("there is no PostgreSQL under /usr/lib/postgresql: sh tests/setup.sh installs it")
}

/// A program that dies with this thread.
fn unprivileged(folder: &Path, program: &Path) -> Result<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]).current_dir(folder);
    if is_root()? {
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]);
    }
    command.arg("--").arg(program);
    Ok(command)
}

fn is_root() -> Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

fn folder() -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("pg").tempdir()?;
    if is_root()? {
        chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
    }
    Ok(folder)
}
