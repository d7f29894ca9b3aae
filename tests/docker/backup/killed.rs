//! A backup that is killed half-way, and a second one beside the first.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::{run, wait};

use super::place::Place;

const LIMIT: Duration = Duration::from_secs(60);

fn begun(place: &Place) -> Result<Child> {
    let mut command = place.repo.command();
    command.args(["backup", "run", "box"]).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.spawn()?)
}

#[test]
fn a_killed_dump_is_no_snapshot_and_the_next_one_goes_on() -> Result<()> {
    let place = Place::new("stead-backup-kill")?;
    let slow = "dump = [\"sh\", \"-c\", \"cat /store/db; touch /store/begun; sleep 1000\"]\nrestore = [\"cat\"]\n";
    let volume = "[[backup.nightly.volume]]\napp = \"stead-backup-kill\"\nname = \"data\"\nstop = true\n";
    place.declare(slow, &format!("{volume}[backup.nightly.keep]\nlast = 5\n"))?;
    place.stead("apply --yes", 0)?;
    let mut first = begun(&place)?;
    let dumping = || Ok(place.inside("db", "ls /store/begun").is_ok().then_some(()));
    wait::until("the dump", LIMIT, dumping)?;
    let said = place.stead("backup run box", 74)?;
    ensure!(said.contains("backup run has been begun by"), "{said}");
    let locked = || Ok((!place.restic("list locks --no-lock")?.trim().is_empty()).then_some(()));
    wait::until("restic's lock", LIMIT, locked)?;
    ensure!(!arguments()?.contains(super::place::PASSWORD), "a secret is in an argument");
    let working = working_on(&place.repo.path("restic"));
    ensure!(!working.is_empty(), "no process works on the repository");
    first.kill()?;
    first.wait()?;
    // For restic the lock of a process that nobody has waited for yet is one of a process that lives.
    let gone = || Ok((!working.iter().any(|process| process.exists())).then_some(()));
    wait::until("the end of restic", LIMIT, gone)?;
    ensure!(place.snapshots("/db")?.is_empty(), "half a dump is a snapshot");
    ensure!(!place.restic("list locks --no-lock")?.trim().is_empty(), "restic left no lock, so this shows nothing");

    place.declare(
        "dump = [\"cat\", \"/store/db\"]\nrestore = [\"cat\"]\n",
        &format!("{volume}[backup.nightly.keep]\nlast = 5\n"),
    )?;
    place.stead("apply --yes", 0)?;
    // Forgetting needs the repository for itself: what the dead one had locked is unlocked.
    place.stead("backup run box", 0)?;
    ensure!(place.snapshots("/db")?.len() == 1);
    Ok(())
}

#[test]
fn what_a_dead_one_had_stopped_is_started() -> Result<()> {
    let place = Place::new("stead-backup-dead")?;
    let id = place.repo.inspect("stead-backup-dead-web-1", "{{.Id}}")?;
    place.repo.engine.docker(["stop", "--time=0", "stead-backup-dead-web-1"])?.ok()?;
    let record = format!("{{\"stead-backup-dead\": [[\"stead-backup-dead-web-1\", \"{id}\"]]}}");
    let folder = place.repo.path("state/backup");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("stopped"), record)?;
    ensure!(place.stead("backup mend", 0)?.contains("started what a backup left stopped"));
    ensure!(place.started_at("web")?.starts_with("true"));
    ensure!(place.stead("backup mend", 0)?.is_empty());
    Ok(())
}

/// Of all processes.
fn arguments() -> Result<String> {
    run::run(&mut run::words("ps -eo args"), LIMIT)?.ok()
}

/// The folders in /proc of the processes that work on this repository.
fn working_on(repository: &Path) -> Vec<PathBuf> {
    let wanted = format!("RESTIC_REPOSITORY={}\0", repository.display());
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|process| process.path());
    let works = |process: &PathBuf| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&wanted)
    };
    processes.filter(works).collect()
}
