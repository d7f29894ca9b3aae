//! What was lost comes back as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::place::{KEY, PASSWORD, Place};
use crate::apps::repo::in_order;

const TREE: &str = "
    cd /data; busybox mkdir -p sub/empty; busybox dd if=/dev/urandom of=sub/bytes bs=1k count=300 2> /dev/null
    echo quiet > sub/private; busybox chown 1234:5678 sub/private sub; busybox chmod 0640 sub/private
    busybox chmod 2750 sub; busybox ln -s ../file sub/link; busybox chown 33:33 /data; busybox chmod 0711 /data
    busybox touch -d '2001-02-03 04:05:06' sub/bytes";

#[test]
fn what_was_lost_comes_back() -> Result<()> {
    let place = Place::new("stead-backup-round")?;
    place.inside("web", TREE)?;
    let before = place.fingerprint("data")?;
    let mut said = place.stead("backup run box", 0)?;
    in_order(
        &said,
        &["nightly: made", "volume stead-backup-round/data: snapshot ", "database stead-backup-round/db: snapshot "],
    )?;
    said += &place.stead("backup ls box", 0)?;
    in_order(&said, &["nightly: last made 20", "stead-backup-round/data", "KiB", "stead-backup-round/db", "4 B"])?;
    said += &place.stead("backup check box --read-data", 0)?;
    ensure!(place.restic("snapshots --tag nightly")?.contains("2 snapshots"), "restic by hand");

    place.inside("web", "busybox rm -r /data/sub; echo two > /data/file; echo x > /data/later")?;
    place.inside("db", "echo two > /store/db")?;
    let running = place.started_at("web")?;
    let refused = place.repo.alone("restore box --all", 64)?;
    in_order(&refused, &["overwrites all that is in the volume", "stops stead-backup-round-web-1", "add --yes"])?;
    ensure!(place.started_at("web")? == running, "it asks before it does anything");
    said += &place.stead("restore box --all --yes", 0)?;
    ensure!(place.fingerprint("data")? == before, "not as it was");
    ensure!(place.inside("db", "cat /store/db")? == "one\n");
    ensure!(place.started_at("web")? > running, "{running}");
    let beside: Vec<_> = fs::read_dir(place.folder("data")?.parent().unwrap())?.collect();
    ensure!(beside.len() == 1, "{beside:?}");
    // What the database held before is a snapshot, and the next restore does not take it for the latest.
    let id = place.snapshots("/db")?.pop().unwrap()["short_id"].as_str().unwrap().to_owned();
    said += &place.stead(&format!("restore box stead-backup-round/db --yes --snapshot {id}"), 0)?;
    ensure!(place.inside("db", "cat /store/db")? == "two\n");
    let out = place.repo.path("out").display().to_string();
    said += &place.stead(&format!("restore box stead-backup-round/db --yes --to {out}"), 0)?;
    ensure!(fs::read(place.repo.path("out/stead-backup-round.db.dump"))? == b"one\n");
    said += &place.stead("log", 0)?;
    for operation in ["backup init", "backup run", "restore"] {
        ensure!(said.lines().any(|line| line.contains(operation) && line.contains("done")), "{operation}:\n{said}");
    }
    nothing_secret(&place, &said)?;
    a_fresh_server(&place, &before)
}

/// Nothing is left but the repo, its secrets and the repository.
fn a_fresh_server(place: &Place, before: &str) -> Result<()> {
    place.repo.engine.exec(
        "docker rm -fv stead-backup-round-web-1 stead-backup-round-db-1; \
         docker volume rm stead-backup-round_data stead-backup-round_store",
    )?;
    for folder in ["state", "root/etc/stead", "root/etc/systemd", "root/var/cache"] {
        fs::remove_dir_all(place.repo.path(folder))?;
    }
    place.up()?;
    place.stead("apply --yes", 0)?;
    let said = place.stead("restore box --all --yes", 0);
    // Of an empty database nothing can be kept: `cat` finds no file.
    ensure!(said.is_err(), "{said:?}");
    place.stead("restore box --all --yes --discard", 0)?;
    ensure!(place.fingerprint("data")? == before, "not as it was");
    ensure!(place.inside("db", "cat /store/db")? == "one\n");
    Ok(())
}

fn nothing_secret(place: &Place, said: &str) -> Result<()> {
    let own = place.repo.path("root/etc/stead/backup");
    for (secret, file) in [(PASSWORD, "nightly.password"), ("k\\$HOME\\`id\\`", "nightly.env")] {
        ensure!(!said.contains(secret) && !said.contains(KEY), "{said}");
        let holding = holding(&place.repo.path("."), secret.as_bytes())?;
        ensure!(holding.iter().all(|path| path.ends_with(file)) && holding.len() == 1, "{holding:?}");
        ensure!(fs::metadata(own.join(file))?.permissions().mode() & 0o777 == 0o600);
    }
    ensure!(fs::metadata(&own)?.permissions().mode() & 0o777 == 0o700);
    Ok(())
}

fn holding(folder: &Path, secret: &[u8]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        if kind.is_dir() {
            found.extend(holding(&path, secret)?);
        } else if kind.is_file() && fs::read(&path)?.windows(secret.len()).any(|window| window == secret) {
            found.push(path);
        }
    }
    Ok(found)
}

#[test]
fn old_snapshots_go_and_containers_stop_where_it_is_asked_for() -> Result<()> {
    let place = Place::new("stead-backup-keep")?;
    let volume = "[[backup.nightly.volume]]\napp = \"stead-backup-keep\"\nname = \"data\"\nstop = true\n";
    place.declare(
        "dump = [\"cat\", \"/store/db\"]\nrestore = [\"cat\"]\n",
        &format!("{volume}[backup.nightly.keep]\nlast = 2\n"),
    )?;
    place.stead("apply --yes", 0)?;
    let (web, db) = (place.started_at("web")?, place.started_at("db")?);
    for _ in 0..3 {
        place.stead("backup run box nightly", 0)?;
    }
    ensure!(place.snapshots("/db")?.len() == 2 && place.snapshots("/data")?.len() == 2);
    ensure!(place.started_at("web")? > web && place.started_at("db")? == db);
    place.stead("drift", 0)?;
    // No longer declared: no file of it is left, and no snapshot is gone.
    place.declare("", "")?;
    let text = fs::read_to_string(place.repo.path("stead.toml"))?;
    let without = text.split("[backup.nightly]").next().unwrap_or_default();
    fs::write(place.repo.path("stead.toml"), without)?;
    place.stead("apply --yes", 0)?;
    ensure!(!place.repo.path("root/etc/stead/backup").exists() && place.repo.path("restic/config").exists());
    ensure!(place.stead("backup ls box", 64)?.contains("no backup is set up"));
    Ok(())
}
