//! Where the Compose plugin runs: a root of its own, in which there is the project's folder and nothing else to read.
//!
//! A compose file can name any file (`env_file`, `include`, `extends`, whatever the next version brings), and the
//! plugin reads it as root. No list of keys would be complete, so what no grant covers is simply not there: no file
//! of the host, no `/proc`, through which one would be reached, and no network.

use std::collections::BTreeSet;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use crate::machine::{Machine, Program, create_private_folder};

/// Where the plugin lies in it.
const PLUGIN: &str = "/docker-compose";
const CACHE: &str = "/etc/ld.so.cache";

/// Its arguments come as arguments, nothing is spliced in: where the new root goes, the folders and files to mount on,
/// one a line, the table of mounts as in fstab(5), and the plugin's own arguments. All is mounted by one program,
/// because each one that is started takes milliseconds. A file in which a few names stand for millions of values ends
/// at the limits of memory and of processor time.
const ENTER: &str = r#"set -ef
room=$1 folders=$2 files=$3 table=$4
shift 4
mount -t tmpfs -o mode=755 none "$room"
cd "$room"
IFS='
'
mkdir -p -- $folders
for file in $files; do : > "$file"; done
printf '%s' "$table" > .table
mount --all --fstab "$room/.table"
: > .table
ulimit -v 4194304
ulimit -t 15
exec chroot "$room" /docker-compose "$@""#;

/// The place in which it is made, in a mount namespace of its own each time.
#[derive(Debug)]
pub(super) struct Room(PathBuf);

impl Room {
    pub(super) fn of(machine: &Machine) -> Self {
        Self(machine.state().join("room"))
    }

    /// The plugin in it, with what lies in `folder` at the absolute path `place`.
    ///
    /// # Errors
    /// When there is no place for it.
    pub(super) fn program(&self, plugin: &Path, libraries: &[PathBuf], folder: &Path, place: &Path) -> Result<Program> {
        create_private_folder(&self.0)?;
        let room = std::path::absolute(&self.0)?;
        let [folder, place, plugin] = [folder, place, plugin].map(std::path::absolute);
        let (folder, place, plugin) = (folder?, place?, plugin?);
        let there = [Path::new("/dev/null"), Path::new(CACHE)].into_iter().filter(|path| path.exists());
        let files: Vec<(&Path, &Path)> = there
            .chain(libraries.iter().map(PathBuf::as_path))
            .map(|path| (path, path))
            .chain([(plugin.as_path(), Path::new(PLUGIN))])
            .collect();
        let mut table = line(&folder, &room, &place, "bind,ro")?;
        for (from, to) in &files {
            table.push_str(&line(from, &room, to, "bind")?);
        }
        let parents = files.iter().filter_map(|(_, to)| to.parent());
        let folders: BTreeSet<String> = parents.chain([place.as_path()]).map(below).collect();
        let targets: Vec<String> = files.iter().map(|(_, to)| below(to)).collect();
        let unshare = Program::new("unshare").args(["--mount", "--net", "--propagation", "private"]);
        let program = unshare.args(["sh", "-c", ENTER, "sh"]).arg(&room);
        Ok(program.args([Vec::from_iter(folders).join("\n"), targets.join("\n"), table]))
    }
}

/// A path of the room, from its root.
fn below(path: &Path) -> String {
    format!("./{}", path.to_string_lossy().trim_start_matches('/'))
}

/// A line of fstab(5).
fn line(from: &Path, room: &Path, to: &Path, options: &str) -> Result<String> {
    let target = room.join(below(to).trim_start_matches("./"));
    Ok(format!("{} {} none {options} 0 0\n", word(from)?, word(&target)?))
}

fn word(path: &Path) -> Result<String> {
    let text = path.to_str().filter(|text| !text.contains('\n'));
    let text = text.ok_or_else(|| Error::other(format!("{} is not a path that can be mounted", path.display())))?;
    Ok(text.replace('\\', r"\134").replace(' ', r"\040").replace('\t', r"\011").replace('#', r"\043"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_the_table() -> Result<()> {
        let line = line(Path::new("/my apps/#1"), Path::new("/room"), Path::new("/a\\b"), "bind")?;
        assert_eq!(line, "/my\\040apps/\\0431 /room/a\\134b none bind 0 0\n");
        assert!(word(Path::new("/a\nb")).is_err());
        Ok(())
    }
}
