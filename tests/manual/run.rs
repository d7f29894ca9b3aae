//! Every command of the manual, in the order of its pages, on a fresh server.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use stead_tests::container::Container;
use stead_tests::host::Host;
use stead_tests::{policy, program};
use tempfile::TempDir;

use crate::page::{self, Block, Page, workspace};
use crate::shell;

/// The server of the manual: an entry of `stead.toml`, and its address.
const HOST: &str = "web1";
const ADDRESS: &str = "203.0.113.7";
/// Images that no registry is asked for: a small web server stands in for each.
const IMAGES: [&str; 2] = ["nginx:1.29-alpine", "busybox:1"];
const SERVE: &str = "httpd -f -p 80 -h /usr/share/nginx/html";

#[test]
fn every_command_of_the_manual_is_true() -> Result<()> {
    let server = Container::start(HOST)?;
    server.provide_wireguard()?;
    for image in IMAGES {
        server.provide_image(image, SERVE)?;
    }
    let programs = programs(&server)?;
    // STEAD_MANUAL=docs/install.md runs a page alone.
    let asked = std::env::var("STEAD_MANUAL").ok();
    for page in page::all()? {
        if asked.as_ref().is_none_or(|asked| page.path == Path::new(asked)) {
            let began = Instant::now();
            work_through(&page, programs.path())?;
            eprintln!("{}: {:.1} s", page.path.display(), began.elapsed().as_secs_f32());
        }
    }
    Ok(())
}

/// As a reader does, who begins each page in a repo with the shipped policy, and with a server that the last one left.
fn work_through(page: &Page, programs: &Path) -> Result<()> {
    let blocks = page.blocks();
    if !blocks.iter().any(|block| matches!(block, Block::Commands(_))) {
        return Ok(());
    }
    let repo = repo()?;
    let name = page.path.display().to_string();
    let mut commands = Vec::new();
    let mut files = Vec::new();
    for block in &blocks {
        match block {
            Block::File { name, text } => files.push((repo.path().join(name), text)),
            Block::Commands(typed) => commands.push((std::mem::take(&mut files), typed)),
        }
    }
    let mut folder = repo.path().to_owned();
    for (files, typed) in commands {
        for (path, text) in files {
            fs::create_dir_all(path.parent().context("a file has a folder")?)?;
            fs::write(path, text)?;
        }
        folder = shell::type_all(typed, &name, &folder, programs)?;
    }
    Ok(())
}

fn repo() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    policy::copy(&policy::repo("baseline", "modules/baseline")?, folder.path())?;
    fs::write(folder.path().join("stead.toml"), include_str!("stead.toml"))?;
    policy::copy(&workspace().join("tests/manual/apps"), &folder.path().join("apps"))?;
    Ok(folder)
}

/// What a reader has in `PATH`: stead, and an ssh that knows the way to the server.
fn programs(server: &Container) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("ssh_config");
    let ways = fs::read_to_string(server.ssh_config())?;
    fs::write(&config, ways.replace(&format!("Host {HOST}\n"), &format!("Host {HOST} {ADDRESS}\n")))?;
    let config = config.display();
    let script = |name: &str, line: &str| -> Result<()> {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{line}\n"))?;
        Ok(fs::set_permissions(path, PermissionsExt::from_mode(0o755))?)
    };
    let stead: PathBuf = program::stead()?;
    let state = folder.path().join("state");
    script("ssh", &format!("exec /usr/bin/ssh -F {config} \"$@\""))?;
    script("stead", &format!("STEAD_SSH_CONFIG={config} exec {} --state {} \"$@\"", stead.display(), state.display()))?;
    for tool in [".cargo", ".rustup"] {
        // The shell has a home of its own, and policies are compiled by the reader's Rust.
        if let Some(home) = std::env::home_dir() {
            symlink(home.join(tool), folder.path().join(tool))?;
        }
    }
    Ok(folder)
}
