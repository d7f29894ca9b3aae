//! What fails is said, and loses nothing.

use anyhow::{Result, ensure};

use super::place::{PASSWORD, Place};
use crate::apps::repo::in_order;

#[test]
fn a_dump_that_fails_half_way_is_no_snapshot() -> Result<()> {
    let place = Place::new("stead-backup-half")?;
    let half = "dump = [\"sh\", \"-c\", \"cat /store/db; echo no room >&2; exit 3\"]\nrestore = [\"cat\"]\n";
    place.declare(half, "")?;
    place.stead("apply --yes", 0)?;
    let said = place.stead("backup run box", 82)?;
    in_order(&said, &["/data: snapshot", "the dump failed with exit code 3", "no room"])?;
    ensure!(place.snapshots("/db")?.is_empty() && place.snapshots("/data")?.len() == 1);
    in_order(&place.stead("status box", 0)?, &["backup    nightly: failed 20", "no room", "never made"])?;
    ensure!(place.restic("list locks --no-lock")?.trim().is_empty(), "a lock is left");
    // The unit's own way.
    ensure!(place.stead("backup now nightly", 82)?.contains("exit code 3"));
    Ok(())
}

#[test]
fn what_keeps_from_the_repository_is_said() -> Result<()> {
    let place = Place::new("stead-backup-away")?;
    place.secret("pw", "another-password")?;
    ensure!(place.stead("plan", 2)?.contains("its secrets, its commands or its units change"));
    place.stead("apply --yes", 0)?;
    let said = place.stead("backup run box", 82)?;
    in_order(&said, &["the password is not that of the repository", "stead secret set"])?;
    ensure!(!said.contains("another-password") && !said.contains(PASSWORD), "{said}");

    let command = "dump = [\"cat\"]\nrestore = [\"cat\"]\n";
    let nowhere = place.repo.path("nowhere").to_string_lossy().into_owned();
    for (repository, words) in [
        (nowhere.as_str(), ["there is no repository at", "stead backup init"]),
        ("sftp:nobody@127.0.0.1:/srv/restic", ["restic unlock failed", "sftp"]),
    ] {
        place.declare_at(repository, command, "")?;
        place.stead("apply --yes", 0)?;
        in_order(&place.stead("backup run box", 82)?, &words)?;
    }
    place.declare_at("/srv/elsewhere", command, "")?;
    let said = place.stead("apply --yes", 66)?;
    in_order(&said, &["was denied backup: back up to /srv/elsewhere", "repositories = [\"/srv/elsewhere\"]"])?;
    place.declare_at(&nowhere, command, "[backup.nightly.keep]\ndaily = 1\n[backup.other]\nhosts = [\"box\"]\n")?;
    ensure!(place.stead("plan", 65)?.contains("the key `repository` is missing"));
    Ok(())
}

#[test]
fn what_does_not_come_up_is_replaced_by_what_was_there() -> Result<()> {
    let place = Place::new("stead-backup-back")?;
    place.inside("web", "echo > /data/broken")?;
    place.stead("backup run box", 0)?;
    place.inside("web", "busybox rm /data/broken; echo good > /data/file")?;
    let before = place.fingerprint("data")?;
    let said = place.stead("restore box stead-backup-back/data --yes", 82)?;
    in_order(&said, &["stead-backup-back-web-1 ended with exit code 1", "what was there before is back"])?;
    ensure!(place.fingerprint("data")? == before && place.started_at("web")?.starts_with("true"));

    let broken = "dump = [\"cat\", \"/store/db\"]\nrestore = [\"sh\", \"-c\", \"cat > /store/db; echo no such role >&2; exit 4\"]\n";
    place.declare(broken, "")?;
    place.stead("apply --yes", 0)?;
    place.inside("db", "echo later > /store/db")?;
    let said = place.stead("restore box stead-backup-back/db --yes", 82)?;
    in_order(
        &said,
        &["its restore command failed with exit code 4", "no such role", "what it held before is snapshot"],
    )?;
    let said = place.stead("restore box stead-backup-back/dbb --yes", 64)?;
    ensure!(said.contains("no backup of this host holds `stead-backup-back/dbb`"), "{said}");
    Ok(())
}
