//! The process that makes a machine is killed at any moment.

use std::env;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use stead_vm::machine::State;
use stead_vm::provider::Provider;

use super::{Local, provider};
use crate::subject::{Subject, name, request};

const FOLDER: &str = "STEAD_TEST_FOLDER";
const REQUEST: &str = "STEAD_TEST_REQUEST";

#[tokio::test]
async fn a_create_that_is_killed_leaves_one_machine_or_none() -> Result<()> {
    let local = Local::new()?;
    let took = whole_run(&local).await?;
    let mut cut_off = 0;
    for step in 0..16_u32 {
        let name = name("killed", step + 1);
        let mut child = maker(&local, &name)?.spawn()?;
        sleep(took * step / 14);
        child.kill()?;
        child.wait()?;
        let other = provider(local.folder(), None)?;
        let listed = other.list().await?;
        ensure!(listed.len() <= 1, "{listed:?}");
        cut_off += listed.iter().filter(|vm| vm.state == State::Starting).count();
        if step % 2 == 0 {
            let vm = other.create(&request(&local, &name)?).await?;
            assert_eq!(vm.state, State::Running, "step {step}");
            assert_eq!(local.processes.list("/machines/")?.len(), 1, "step {step}");
        }
        other.destroy(&name).await?;
        let left = local.everything()?;
        // A folder that was not finished is swept when it is old.
        ensure!(left.iter().all(|left| left.starts_with(".new-")), "step {step}: {left:?}");
        assert_eq!(local.processes.list("/machines/")?.len(), 0, "step {step}");
    }
    ensure!(cut_off > 0, "the moments were all too early or too late");
    Ok(())
}

/// Gives how long an undisturbed one takes, and sees that the machine outlives its maker.
async fn whole_run(local: &Local) -> Result<Duration> {
    let (name, began) = (name("whole", 1), Instant::now());
    ensure!(maker(local, &name)?.status()?.success());
    let took = began.elapsed();
    sleep(Duration::from_millis(300));
    let provider = provider(local.folder(), None)?;
    let listed = provider.list().await?;
    assert_eq!(listed.iter().map(|vm| (&vm.name, vm.state)).collect::<Vec<_>>(), [(&name, State::Running)]);
    ensure!(listed[0].address.is_some());
    provider.destroy(&name).await?;
    Ok(took)
}

/// This very program, told to make one machine.
fn maker(local: &Local, name: &stead_vm::name::VmName) -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--ignored", "--exact", "qemu::crash::makes_a_machine_for_another_test"]);
    command.env(FOLDER, local.folder()).env(REQUEST, serde_json::to_string(&request(local, name)?)?);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

#[tokio::test]
#[ignore = "the process that another test kills"]
async fn makes_a_machine_for_another_test() -> Result<()> {
    let (Ok(folder), Ok(request)) = (env::var(FOLDER), env::var(REQUEST)) else { return Ok(()) };
    provider(folder.as_ref(), None)?.create(&serde_json::from_str(&request)?).await?;
    Ok(())
}
