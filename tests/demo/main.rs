//! The main job, shown on a disposable virtual machine: begin a repo, build its policy, bootstrap a fresh server.
//!
//! Every command that it prints is run as printed, with the real program. Nothing outside of the machine that it boots
//! and of a temporary folder is changed.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use stead_tests::host::Host;
use stead_tests::program;
use stead_tests::run::{run, words};
use stead_tests::vm::{Protocol, Vm};

const IMAGE: &str = "nginx:1.29-alpine";
const SERVE: &str = "httpd -f -p 80 -h /usr/share/nginx/html";

fn main() -> Result<()> {
    let began = Instant::now();
    say("Booting a fresh Debian server in a virtual machine (the first time, its image is built: some minutes)…");
    let mut vm = Vm::start("server")?;
    say("No registry of images is needed: an image of busybox stands in for nginx.");
    vm.provide_image(IMAGE, SERVE)?;
    let folder = tempfile::tempdir()?;
    let demo = Demo { vm: &vm, folder: folder.path(), stead: program::stead()? };
    demo.stead(&["init", "infra"], 0)?;
    // What you edit with a server of your own.
    let file = folder.path().join("infra/stead.toml");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, text.replace("root@203.0.113.7", "root@server"))?;
    let repo = Demo { folder: &folder.path().join("infra"), ..demo };
    repo.stead(&["build"], 0)?;
    repo.stead(&["plan", "web1"], 2)?;
    repo.stead(&["apply", "web1", "--yes"], 0)?;
    say("The second time there is nothing to do:");
    repo.stead(&["apply", "web1", "--yes"], 0)?;
    repo.stead(&["status", "web1"], 0)?;
    say("And this is what the server answers:");
    let port = vm.forward(Protocol::Tcp, 8080)?;
    let page = run(
        &mut words(&format!("curl -s --max-time 20 http://127.0.0.1:{port}/")),
        std::time::Duration::from_secs(30),
    )?;
    println!("{}", page.ok()?);
    say(&format!("All of it took {:.0} s. The virtual machine is gone now.", began.elapsed().as_secs_f32()));
    Ok(())
}

#[derive(Clone)]
struct Demo<'a> {
    vm: &'a Vm,
    folder: &'a Path,
    stead: std::path::PathBuf,
}

impl Demo<'_> {
    /// Runs `stead` as a person would, and makes sure of its exit code.
    fn stead(&self, arguments: &[&str], code: i32) -> Result<()> {
        say(&format!("$ stead {}", arguments.join(" ")));
        let status = Command::new(&self.stead)
            // What is compiled ahead, and whatever else there is to know of this machine, goes with the folder.
            .arg("--state")
            .arg(self.folder.join(".stead/state"))
            .args(arguments)
            .current_dir(self.folder)
            .env("STEAD_SSH_CONFIG", self.vm.ssh_config())
            .env_remove("CARGO_BUILD_TARGET")
            .status()
            .context("running stead")?;
        ensure!(status.code() == Some(code), "stead {} ended with {status}", arguments.join(" "));
        Ok(())
    }
}

fn say(words: &str) {
    println!("\n\x1b[1m{words}\x1b[0m");
}
