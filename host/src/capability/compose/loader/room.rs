//! Where the Compose plugin runs: a root of its own, in which there is the project's folder and nothing else to read.
//!
//! A compose file can name any file (`env_file`, `include`, `extends`, whatever the next version brings), and the
//! plugin reads it as root. No list of keys would be complete, so what no grant covers is simply not there: no file
//! of the host, no `/proc`, through which one would be reached, and no network.

use std::path::{Path, PathBuf};

use crate::machine::{Machine, Program, create_private_folder};

/// Its arguments come as arguments, nothing is spliced in: where the new root goes, the folder that is read, the
/// place at which it seems to lie, and the plugin with its own arguments. ldd(1) says what a plugin needs that is not
/// static. A file in which a few names stand for millions of values ends at the limits of memory and of processor time.
const ENTER: &str = r#"set -e
room=$1 folder=$2 place=$3 plugin=$4
shift 4
mount -t tmpfs -o mode=755 none "$room"
put() { mkdir -p "$room${2%/*}"; : > "$room$2"; mount --bind "$1" "$room$2"; }
for file in /dev/null $(ldd "$plugin" 2>/dev/null | grep -o '/[^ )]*'); do put "$file" "$file"; done
[ ! -e /etc/ld.so.cache ] || put /etc/ld.so.cache /etc/ld.so.cache
put "$plugin" /docker-compose
mkdir -p "$room$place"
mount --bind -o ro "$folder" "$room$place"
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
    pub(super) fn program(&self, plugin: &Path, folder: &Path, place: &Path) -> std::io::Result<Program> {
        create_private_folder(&self.0)?;
        let unshare = Program::new("unshare").args(["--mount", "--net", "--propagation", "private"]);
        let paths = [&self.0, folder, place, plugin].map(std::path::absolute).into_iter();
        Ok(unshare.args(["sh", "-c", ENTER, "sh"]).args(paths.collect::<std::io::Result<Vec<_>>>()?))
    }
}
