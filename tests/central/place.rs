//! A fresh server and the example repo for it, as the README of the repo says to set it up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::container::{ADDRESS, Container};
use stead_tests::docker::debian_tar;
use stead_tests::host::Host;
use stead_tests::run::{Output, run};
use stead_tests::vm::image::Image;
use stead_tests::{policy, program};
use tempfile::TempDir;

use crate::way_out::WayOut;

/// All images are built in the first apply.
const LIMIT: Duration = Duration::from_secs(40 * 60);
/// What the repo's Dockerfiles begin with.
const BASE: &str = "debian:trixie-slim";
pub(crate) const DOMAIN: &str = "central.example";

/// The example repo, with its policies built.
pub(crate) struct Repo {
    folder: TempDir,
    stead: PathBuf,
}

/// A server that the repo is for.
pub(crate) struct Place {
    pub(crate) repo: Repo,
    _way: WayOut,
    pub(crate) server: Container,
}

impl Repo {
    pub(crate) fn new() -> Result<Self> {
        let repo = Self { folder: tempfile::tempdir()?, stead: program::stead()? };
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../modules/central");
        policy::copy(&example, repo.path())?;
        for (name, source) in [
            ("central", "modules/central/policies/central"),
            ("serve", "modules/serve"),
            ("backup", "modules/backup"),
            ("predict", "modules/predict"),
        ] {
            policy::copy(&policy::repo(name, source)?.join("policies"), &repo.file("policies"))?;
            policy::copy(&policy::repo(name, source)?.join(".stead"), &repo.file(".stead"))?;
        }
        Ok(repo)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Changes a file; what is replaced must be there.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) -> Result<()> {
        let text = fs::read_to_string(self.file(name))?;
        ensure!(text.contains(from), "{name} has no {from}");
        Ok(fs::write(self.file(name), text.replace(from, to))?)
    }

    /// What a plan for the tree `root` says.
    pub(crate) fn plan(&self) -> Result<Output> {
        let mut command = self.command(&self.stead);
        command.arg("--root").arg(self.file("root")).arg("--state").arg(self.file("state")).arg("plan");
        command.env_remove("SSH_CONNECTION").env_remove("DOCKER_HOST");
        run(&mut command, LIMIT)
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        let folder = self.stead.parent().unwrap_or(Path::new("/"));
        command.current_dir(self.path()).env("PATH", format!("{}:{path}", folder.display()));
        command.env("STEAD_IDENTITY", self.file("identity")).env_remove("CARGO_BUILD_TARGET");
        command
    }

    /// Keys and passwords, as the README says. Answers those that were printed: of `anna`, and of `admin` in the SSO provider.
    pub(crate) fn make_secrets(&self) -> Result<[String; 2]> {
        run(self.command(&self.stead).args(["secret", "keygen"]), LIMIT)?.ok()?;
        let made = run(self.command(Path::new("./make-secrets.sh")).args([DOMAIN, "anna", "ben"]), LIMIT)?;
        let passwords = made.stderr.clone();
        made.ok()?;
        let of = |name: &str| {
            let password = passwords.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            password.map(str::to_owned).with_context(|| format!("no password of {name}: {passwords}"))
        };
        Ok([of("anna")?, of("admin")?])
    }
}

impl Place {
    pub(crate) fn new() -> Result<Self> {
        let repo = Repo::new()?;
        let server = Container::start("central")?;
        repo.edit("stead.toml", "root@203.0.113.7", "root@central")?;
        repo.edit("stead.toml", "203.0.113.7:51820", &format!("{ADDRESS}:51820"))?;
        let way = WayOut::of(&server)?;
        server.provide_wireguard()?;
        provide_base(&server)?;
        Ok(Self { repo, _way: way, server })
    }

    /// Runs stead in the repo; it must end with this code.
    pub(crate) fn stead(&self, arguments: &[&str], code: i32) -> Result<String> {
        self.run(arguments)?.ended_with(code)
    }

    /// What stead prints, without what it says by the way.
    pub(crate) fn prints(&self, arguments: &[&str]) -> Result<String> {
        self.run(arguments)?.ok()
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.repo.command(&self.repo.stead);
        command.args(arguments).env("STEAD_SSH_CONFIG", self.server.ssh_config());
        run(&mut command, LIMIT)
    }

    /// What a shell command on the server prints; it must succeed.
    pub(crate) fn there(&self, line: &str) -> Result<String> {
        self.server.ssh_within(line, Duration::from_secs(300))?.ok()
    }
}

/// The stand-in for a registry: from its first start, Docker has what Dockerfiles begin with.
fn provide_base(server: &Container) -> Result<()> {
    server.copy_to(&debian_tar()?, "/srv/debian.tar")?;
    let folder = "/etc/systemd/system/docker.service.d";
    let import = format!("docker image inspect {BASE} >/dev/null 2>&1 || docker import /srv/debian.tar {BASE}");
    let drop_in = format!("[Service]\nExecStartPost=/bin/sh -c '{import}'\n");
    let write = format!("mkdir -p {folder} && cat > {folder}/base.conf && systemctl daemon-reload");
    server.ssh_with_input(&write, drop_in.as_bytes())?.ok().map(drop)
}

impl Place {
    /// The keys of the team.
    pub(crate) fn lets_in_by_sftp(&self) -> Result<()> {
        let key = fs::read_to_string(self.server.ssh_config().with_file_name("client_key.pub"))?;
        let file = self.repo.file("apps/files/authorized_keys");
        Ok(fs::write(&file, fs::read_to_string(&file)? + &key)?)
    }

    /// The program and the repo, for the service that works on jobs; and the image of its machines.
    pub(crate) fn bring_stead(&self) -> Result<()> {
        let image = Image::obtain()?;
        let kernel = image.kernel.context("the tests' own image has a kernel")?;
        self.there("mkdir -p /srv/stead/.stead /srv/image")?;
        self.server.copy_to(&self.repo.stead, "/usr/local/bin/stead")?;
        self.server.copy_to(&self.repo.file("policies"), "/srv/stead/")?;
        self.server.copy_to(&self.repo.file(".stead/build"), "/srv/stead/.stead/")?;
        let disk = self.repo.file("disk");
        let mut convert = Command::new("qemu-img");
        convert.args(["convert", "-f", "raw", "-O", "qcow2"]).args([&image.disk, &disk]);
        run(&mut convert, LIMIT)?.ok()?;
        for (file, name) in [(&kernel.vmlinux, "kernel"), (&kernel.initramfs, "initramfs"), (&disk, "disk")] {
            self.server.copy_to(file, &format!("/srv/image/{name}"))?;
        }
        fs::remove_file(disk)?;
        self.server.copy_to(&self.repo.file("stead.toml"), "/srv/stead/")?;
        self.there("DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends qemu-utils")?;
        let digest =
            self.there("stead --repo /srv/stead --state /var/lib/stead vm import /srv/image && rm -r /srv/image")?;
        self.repo.edit("stead.toml", &"0".repeat(64), digest.trim())?;
        self.server.copy_to(&self.repo.file("stead.toml"), "/srv/stead/")
    }
}
