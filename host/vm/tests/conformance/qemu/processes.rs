//! The processes that a test has started, found without the code under test; they end with the test, however that ends.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use stead_tests::run::{run, words};
use stead_tests::wait;

/// Kills whatever names the folder and deletes it, when the pipe to the test ends.
const WATCH: &str = r#"read -r _
for process in /proc/[0-9]*; do
    [ "${process#/proc/}" = $$ ] || ! grep -qs "$0" "$process/cmdline" || kill -9 "${process#/proc/}"
done
sleep 0.1
rm -rf "$0""#;

pub(crate) struct Processes {
    folder: PathBuf,
    watch: Child,
}

impl Processes {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("stead-qemu-").tempdir()?.keep();
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH]).arg(&folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let watch = watch.process_group(0).spawn()?;
        Ok(Self { folder, watch })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The machines of ours with `part` in an argument.
    pub(crate) fn list(&self, part: &str) -> Result<Vec<String>> {
        let mut list = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            let is_machine = line.starts_with("qemu-system");
            if is_machine && line.contains(&format!("{}{part}", self.folder.join("state").display())) {
                list.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(list)
    }

    pub(crate) fn kill(&self, part: &str) -> Result<()> {
        for process in self.list(part)? {
            run(words("kill -9").arg(process), Duration::from_secs(5))?.ok()?;
        }
        wait::until("the end of a machine", Duration::from_secs(10), || Ok(self.list(part)?.is_empty().then_some(())))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}
