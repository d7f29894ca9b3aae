//! An image that needs no registry.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cache;
use crate::run::run;

const BUSYBOX: &str = "/usr/bin/busybox";
const LINKS: [&str; 14] =
    ["cat", "date", "echo", "env", "false", "httpd", "ls", "nc", "ping", "sh", "sleep", "true", "wget", "touch"];

/// A tar for `docker import`: a static busybox in `/bin`, with links for the commands that tests use.
///
/// # Errors
/// When the build machine has no static busybox.
pub fn busybox_tar() -> Result<PathBuf> {
    let version = fs::metadata(BUSYBOX).context("install the package busybox-static")?.len().to_string();
    let key = cache::key(&[&version, &LINKS.join(" ")]);
    Ok(cache::entry("busybox", &key, build)?.join("image.tar"))
}

fn build(folder: &Path) -> Result<()> {
    let root = folder.join("root");
    for name in ["bin", "etc", "tmp"] {
        fs::create_dir_all(root.join(name))?;
    }
    fs::copy(BUSYBOX, root.join("bin/busybox"))?;
    for link in LINKS {
        symlink("busybox", root.join("bin").join(link))?;
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n")?;
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&root).args(["--owner=0", "--group=0", "-cf"]).arg(folder.join("image.tar")).arg(".");
    run(&mut tar, Duration::from_secs(30))?.ok().map(drop)
}
