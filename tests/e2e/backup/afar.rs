//! Repositories on another machine: by SFTP, by restic's own REST protocol, and in an object store.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::container::{Container, OUTSIDE};
use stead_tests::moto::Moto;
use stead_tests::netns::Netns;
use stead_tests::run::{Background, run};
use stead_tests::wait;

use super::Backed;

const REST_PASSWORD: &str = "of-the-rest-server";
const S3_KEY: &str = "key-of-the-object-store";

pub(crate) fn backups_lie_elsewhere(container: Container) -> Result<()> {
    let far = tempfile::tempdir()?;
    let rest = rest_server(container.outside(), far.path())?;
    let s3 = Moto::start_in(container.outside(), OUTSIDE)?;
    let backed = Backed::new(container)?;
    backed.secret("rest-password", REST_PASSWORD)?;
    backed.secret("rest-user", "keeper")?;
    backed.secret("s3-id", "an-id")?;
    backed.secret("s3-key", S3_KEY)?;

    by_sftp(&backed)?;
    by_rest(&backed, far.path())?;
    drop(rest);
    let bucket = format!("s3:{}/our-backups/nightly", s3.endpoint());
    let keys = "environment = { AWS_ACCESS_KEY_ID = \"s3-id\", AWS_SECRET_ACCESS_KEY = \"s3-key\" }\n";
    comes_back(&backed, &format!("repository = \"{bucket}\"\n{keys}"))?;
    let log = s3.log()?;
    ensure!(log.contains("PUT /our-backups/nightly/snapshots/"), "{log}");
    Ok(())
}

/// A repository there is made, filled by the unit of systemd, and emptied again by a restore.
fn comes_back(backed: &Backed, keys: &str) -> Result<()> {
    backed.declare(&format!("{keys}at = \"03:30\"\n"))?;
    backed.stead("apply --yes afar", 0)?;
    backed.there("rm -rf /srv/data; mkdir -p /srv/data && head -c 3000000 /dev/urandom > /srv/data/file")?;
    let before = backed.there("sha256sum /srv/data/file")?;
    backed.stead("backup init afar", 0)?;
    backed.there("systemctl start stead-backup-nightly.service")?;
    let said = backed.stead("backup ls afar", 0)?;
    ensure!(said.contains("nightly: last made 20") && said.contains("/srv/data"), "{said}");
    backed.stead("backup check afar --read-data", 0)?;
    backed.there("rm -r /srv/data")?;
    backed.stead("restore afar --all --yes", 0)?;
    ensure!(backed.there("sha256sum /srv/data/file")? == before, "not as it was");
    let told = backed.there("journalctl --output=cat; ps -eo args; cat /var/lib/stead/backup/*")?;
    ensure!(![REST_PASSWORD, S3_KEY].iter().any(|secret| told.contains(secret)), "{told}");
    Ok(())
}

fn by_sftp(backed: &Backed) -> Result<()> {
    backed.there(
        "useradd --create-home keeper && ssh-keygen -qt ed25519 -N '' -f /root/.ssh/id_ed25519 && \
         install -d -o keeper -m 700 /home/keeper/.ssh && \
         install -o keeper -m 600 /root/.ssh/id_ed25519.pub /home/keeper/.ssh/authorized_keys",
    )?;
    let keys = "repository = \"sftp:keeper@203.0.113.1:/home/keeper/restic\"\n";
    backed.declare(&format!("{keys}at = \"03:30\"\n"))?;
    backed.stead("apply --yes afar", 0)?;
    // Nobody is there to be asked whether that host is the right one.
    let said = backed.stead("backup init afar", 82)?;
    ensure!(said.contains("Host key verification failed"), "{said}");
    backed.there("ssh -o StrictHostKeyChecking=accept-new keeper@203.0.113.1 true")?;
    comes_back(backed, keys)?;
    ensure!(backed.there("stat -c %U /home/keeper/restic/config")? == "keeper\n");
    Ok(())
}

fn by_rest(backed: &Backed, far: &Path) -> Result<()> {
    let keys = |user: &str| {
        format!(
            "repository = \"rest:http://{OUTSIDE}:8000/box\"\n\
             environment = {{ RESTIC_REST_USERNAME = \"{user}\", RESTIC_REST_PASSWORD = \"rest-password\" }}\n"
        )
    };
    backed.declare(&format!("{}at = \"03:30\"\n", keys("rest-password")))?;
    backed.stead("apply --yes afar", 0)?;
    let said = backed.stead("backup init afar", 82)?;
    ensure!(said.contains("401"), "{said}");
    comes_back(backed, &keys("rest-user"))?;
    ensure!(fs::read_dir(far.join("box/snapshots"))?.count() == 1);
    Ok(())
}

/// What speaks restic's REST protocol.
fn rest_server(network: &Netns, folder: &Path) -> Result<Background> {
    let address = format!("{OUTSIDE}:8000");
    let mut server = network.command("setpriv");
    server.args(["--pdeathsig", "KILL", "rclone", "serve", "restic", "--addr", &address, "--user", "keeper"]);
    server.args(["--pass", REST_PASSWORD, "--config", ""]).arg(folder);
    let rest = Background::start(server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))?;
    let asked = format!("http://keeper:{REST_PASSWORD}@{address}/");
    wait::until("the REST server", Duration::from_secs(30), || {
        let said = run(network.command("curl").args(["-s", &asked]), Duration::from_secs(10))?;
        Ok(said.status.success().then_some(()))
    })?;
    Ok(rest)
}
