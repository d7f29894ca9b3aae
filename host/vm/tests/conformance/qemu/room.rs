//! Memory is promised once, and processes of others are left alone.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use stead_vm::provider::{Cause, Provider};

use super::{Local, provider};
use crate::subject::{Subject, name, request};

#[tokio::test]
async fn memory_is_not_promised_twice() -> Result<()> {
    let local = Local::new()?;
    let provider = provider(local.folder(), Some(70))?;
    for job in ["a", "b"] {
        provider.create(&request(&local, &name(job, 1))?).await?;
    }
    let third = request(&local, &name("c", 1))?;
    assert_eq!(provider.create(&third).await.expect_err("70 MiB have no room for three").cause, Cause::NoCapacity);
    // One that has ended needs none, even before it is destroyed.
    local.lose(&name("a", 1))?;
    provider.create(&third).await?;
    Ok(())
}

#[tokio::test]
async fn a_number_that_belongs_to_another_process_is_not_killed() -> Result<()> {
    let local = Local::new()?;
    let provider = provider(local.folder(), None)?;
    let name = name("a", 1);
    provider.create(&request(&local, &name)?).await?;
    local.lose(&name)?;
    let machine = local.folder().join("state/machines").join(name.as_str());
    let mut stranger = Command::new("sleep").arg("60").spawn()?;
    let console = machine.join("console.log");
    fs::write(&console, "x")?;
    let mut reader = Command::new("tail").arg("-f").arg(&console).stdout(Stdio::piped()).spawn()?;
    // It has opened the file before that is gone.
    reader.stdout.as_mut().context("a pipe")?.read_exact(&mut [0])?;
    fs::write(machine.join("qemu.pid"), format!("{}\n", stranger.id()))?;
    provider.destroy(&name).await?;
    assert!(stranger.try_wait()?.is_none() && reader.try_wait()?.is_none());
    for process in [&mut stranger, &mut reader] {
        process.kill()?;
        process.wait()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_console_does_not_fill_the_disk() -> Result<()> {
    let local = Local::new()?;
    let provider = provider(local.folder(), None)?;
    let name = name("talks", 1);
    provider.create(&request(&local, &name)?).await?;
    let console = local.folder().join("state/machines").join(name.as_str()).join("console.log");
    fs::OpenOptions::new().write(true).open(&console)?.set_len(5 << 20)?;
    provider.list().await?;
    assert_eq!(fs::metadata(&console)?.len(), 0);
    provider.destroy(&name).await?;
    Ok(())
}
