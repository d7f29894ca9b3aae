//! The programs of stead on a machine: each that came over ssh lies under its digest, beside the others.
//!
//! What a unit, a timer or a process still needs is never removed. The name for people, `/usr/local/bin/stead`, is the program
//! that applied last: to look at a server changes nothing that runs there.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::machine::remove;

/// Where they lie.
pub const FOLDER: &str = "/usr/local/lib/stead";
/// The name under which people find the one that applied last.
const LINK: &str = "/usr/local/bin/stead";
/// How many stay, whether or not they are needed.
const KEPT: usize = 2;
/// A copy that is as old as this is nobody's any more.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
/// Where units lie that may name one: those of administrators, and what was made for a while.
const UNITS: [&str; 3] = ["etc/systemd/system", "run/systemd/system", "run/systemd/transient"];

/// This program.
///
/// # Errors
/// When the kernel does not say.
pub fn own() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// What a program does when it has come: it takes the name for people when nothing has it, and removes what nobody needs.
///
/// # Errors
/// When the link cannot be set. What cannot be removed stays.
pub fn settle(root: &Path, own: &Path) -> io::Result<()> {
    if !link(root).exists() {
        take_name(root, own)?;
    }
    prune(root, own);
    Ok(())
}

/// Whether the name for people leads to `own`; one that lies elsewhere has a name already.
pub fn has_name(root: &Path, own: &Path) -> bool {
    !own.starts_with(FOLDER) || fs::read_link(link(root)).is_ok_and(|target| target == own)
}

/// Gives the name for people to `own`, which has applied. What goes by that name, as `stead follow` does, runs this one from then on.
///
/// # Errors
/// When the link cannot be set.
pub fn take_name(root: &Path, own: &Path) -> io::Result<()> {
    if has_name(root, own) {
        return Ok(());
    }
    let link = link(root);
    if let Some(folder) = link.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = link.with_file_name(".stead.stead-new");
    remove(&unfinished)?;
    std::os::unix::fs::symlink(own, &unfinished)?;
    fs::rename(&unfinished, &link)
}

fn link(root: &Path) -> PathBuf {
    root.join(LINK.trim_start_matches('/'))
}

/// The newest stay, and what is needed, and what is being copied.
fn prune(root: &Path, own: &Path) {
    let Ok(entries) = fs::read_dir(root.join(FOLDER.trim_start_matches('/'))) else { return };
    let mut programs = Vec::new();
    for entry in entries.flatten() {
        let Ok(since) = entry.metadata().and_then(|facts| facts.modified()) else { continue };
        let is_copy = entry.file_name().to_string_lossy().ends_with(".new");
        if !is_copy {
            programs.push((since, entry.path()));
        } else if SystemTime::now().duration_since(since).is_ok_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(entry.path());
        }
    }
    programs.sort();
    let old: Vec<PathBuf> = programs.into_iter().rev().skip(KEPT).map(|(_, path)| path).collect();
    if old.is_empty() {
        return;
    }
    let needed = needed(root);
    for path in old {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !needed.contains(&name) && own.file_name() != path.file_name() {
            let _ = fs::remove_file(path);
        }
    }
}

/// The names in [`FOLDER`] that units speak of, and that run.
fn needed(root: &Path) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    let mut folders: Vec<PathBuf> = UNITS.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            } else if let Ok(text) = fs::read(entry.path()) {
                needed.extend(named(&String::from_utf8_lossy(&text)));
            }
        }
    }
    for entry in fs::read_dir(root.join("proc")).into_iter().flatten().flatten() {
        if let Ok(program) = fs::read_link(entry.path().join("exe")) {
            needed.extend(named(&program.to_string_lossy()));
        }
    }
    needed
}

/// The programs that a text names.
fn named(text: &str) -> impl Iterator<Item = String> + '_ {
    let name = |rest: &str| {
        let name = rest.strip_prefix('/')?.split(|other: char| !other.is_ascii_alphanumeric()).next();
        name.map(str::to_owned)
    };
    text.split(FOLDER).skip(1).filter_map(name)
}

/// A unit file as it is on this machine: a command that is `stead`, without a path, is the program at `own`; and so is one that
/// an earlier revision named and that is not there any more.
///
/// systemd would look for it in its own path, and run what came last.
pub fn resolved(unit: &str, root: &Path, own: &str) -> String {
    let mut resolved = String::with_capacity(unit.len());
    for line in unit.split_inclusive('\n') {
        match command(line).filter(|command| is_ours(command, root)) {
            Some(command) => resolved.push_str(&line.replacen(command, own, 1)),
            None => resolved.push_str(line),
        }
    }
    resolved
}

/// The program of a line `ExecStart=`, `ExecReload=` and so on, systemd.service(5).
fn command(line: &str) -> Option<&str> {
    let (key, value) = line.split_once('=')?;
    let value = value.trim_start().trim_start_matches(['-', '@', ':', '+', '!', '|']);
    key.trim().starts_with("Exec").then(|| value.split_ascii_whitespace().next()).flatten()
}

fn is_ours(command: &str, root: &Path) -> bool {
    let is_gone = |path: &str| {
        let there = fs::symlink_metadata(root.join(path.trim_start_matches('/')));
        path.starts_with(FOLDER) && there.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    };
    command == "stead" || is_gone(command)
}

/// A path as one word of a command line in a unit, systemd.syntax(7); none when no unit can name it.
pub fn word(path: &Path) -> Option<String> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control))?;
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    Some(if text.contains([' ', '\'', '"', '\\', ';']) { format!("\"{text}\"") } else { text })
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, Result};

    use super::*;

    fn put(root: &Path, path: &str, text: &str) -> Result<PathBuf> {
        let path = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().context("no parent")?)?;
        fs::write(&path, text)?;
        Ok(path)
    }

    fn of_age(path: &Path, hours: u64) -> Result<()> {
        let then = SystemTime::now() - Duration::from_secs(hours * 60 * 60);
        Ok(fs::File::options().append(true).open(path)?.set_modified(then)?)
    }

    #[test]
    fn what_nobody_needs_goes() -> Result<()> {
        let root = tempfile::tempdir()?;
        let root = root.path();
        for (hours, name) in ["own", "last", "gone", "unit", "dropin", "guard", "runs", "older"].iter().enumerate() {
            of_age(&put(root, &format!("{FOLDER}/{name}"), "")?, hours as u64)?;
        }
        of_age(&put(root, &format!("{FOLDER}/left.new"), "")?, 48)?;
        put(root, &format!("{FOLDER}/copied.new"), "")?;
        put(root, "etc/systemd/system/stead.service", &format!("[Service]\nExecStart={FOLDER}/unit serve\n"))?;
        put(root, "etc/systemd/system/a.service.d/b.conf", &format!("[Service]\nExecStart={FOLDER}/dropin\n"))?;
        put(root, "run/systemd/transient/guard.service", &format!("ExecStart=\"{FOLDER}/guard\" \"guard\" \"7\"\n"))?;
        fs::create_dir_all(root.join("proc/7"))?;
        std::os::unix::fs::symlink(format!("{FOLDER}/runs"), root.join("proc/7/exe"))?;

        settle(root, Path::new(&format!("{FOLDER}/own")))?;
        let mut left = Vec::new();
        for entry in fs::read_dir(root.join(&FOLDER[1..]))? {
            left.push(entry?.file_name().to_string_lossy().into_owned());
        }
        left.sort();
        assert_eq!(left, ["copied.new", "dropin", "guard", "last", "own", "runs", "unit"]);
        Ok(())
    }

    #[test]
    fn the_name_is_of_what_applied_last() -> Result<()> {
        let root = tempfile::tempdir()?;
        let root = root.path();
        let (one, other) = (PathBuf::from(format!("{FOLDER}/one")), PathBuf::from(format!("{FOLDER}/other")));
        put(root, &format!("{FOLDER}/one"), "")?;
        settle(root, &one)?;
        assert!(has_name(root, &one));
        take_name(root, &other)?;
        assert!(has_name(root, &other) && !has_name(root, &one));
        // It leads nowhere here, so whatever comes takes it.
        settle(root, &one)?;
        assert_eq!(fs::read_link(link(root))?, one);
        fs::remove_file(link(root))?;
        put(root, LINK, "a program that was copied by hand")?;
        settle(root, &one)?;
        assert!(!has_name(root, &one));
        take_name(root, Path::new("/usr/bin/stead"))?;
        assert_eq!(fs::read(link(root))?, b"a program that was copied by hand");
        take_name(root, &one)?;
        assert!(has_name(root, &one));
        Ok(())
    }

    #[test]
    fn a_command_without_a_path_is_this_program() -> Result<()> {
        let root = tempfile::tempdir()?;
        put(root.path(), &format!("{FOLDER}/there"), "")?;
        let own = format!("{FOLDER}/own");
        for (line, expected) in [
            ("ExecStart=stead --repo /srv serve\n", format!("ExecStart={own} --repo /srv serve\n")),
            ("ExecStartPre = -+stead status", format!("ExecStartPre = -+{own} status")),
            ("ExecStart=/usr/local/lib/stead/gone serve", format!("ExecStart={own} serve")),
            ("ExecStart=/usr/local/lib/stead/there serve", "ExecStart=/usr/local/lib/stead/there serve".to_owned()),
            ("ExecStart=/usr/bin/stead serve", "ExecStart=/usr/bin/stead serve".to_owned()),
            ("ExecStart=steady stead", "ExecStart=steady stead".to_owned()),
            ("Description=stead serve", "Description=stead serve".to_owned()),
            ("# ExecStart=stead", "# ExecStart=stead".to_owned()),
        ] {
            assert_eq!(resolved(line, root.path(), &own), expected);
        }
        Ok(())
    }

    #[test]
    fn a_path_is_one_word() {
        for (path, expected) in
            [("/srv/repo", "/srv/repo"), ("/srv/my repo", "\"/srv/my repo\""), ("/srv/100%$x", "/srv/100%%$$x")]
        {
            assert_eq!(word(Path::new(path)).as_deref(), Some(expected));
        }
        assert_eq!(word(Path::new("/srv/a\nb")), None);
    }
}
