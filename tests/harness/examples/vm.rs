//! Test machines by hand: `up NAME [SCRIPT]` starts one that stays, prepared by a shell script, `down FOLDER` ends it.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use stead_tests::host::Host;
use stead_tests::run::{run, words};
use stead_tests::vm::{Shape, Vm};

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["up", name] => up(name, Vm::start),
        ["up", name, script] => up(name, |name| Vm::start_prepared(name, script)),
        ["boot", name] => up(name, |name| Vm::boot(name, Shape::default())),
        ["down", folder] => down(Path::new(folder)),
        _ => bail!("usage: vm up NAME [SCRIPT] | boot NAME | down FOLDER"),
    }
}

fn up(name: &str, start: impl FnOnce(&str) -> Result<Vm>) -> Result<()> {
    let began = Instant::now();
    let vm = start(name)?;
    let config = vm.ssh_config();
    println!("up in {:.1} s; reach it and end it with", began.elapsed().as_secs_f32());
    println!("  ssh -F {} {name}", config.display());
    println!("  cargo run -p stead-tests --example vm -- down {}", vm.detach()?.display());
    Ok(())
}

fn down(folder: &Path) -> Result<()> {
    let pid = fs::read_to_string(folder.join("qemu.pid")).context("no machine runs in this folder")?;
    run(words("kill").arg(pid.trim()), Duration::from_secs(5))?.ok()?;
    fs::remove_dir_all(folder).context("removing the machine's folder")
}
