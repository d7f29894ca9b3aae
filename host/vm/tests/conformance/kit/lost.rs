//! A machine that is lost, and one that never lets us in.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use stead_vm::access::{Access, AccessError};
use stead_vm::machine::State;
use stead_vm::name::VmName;
use stead_vm::provider::Provider;

use crate::subject::{Subject, name, request};

pub(crate) async fn all(subject: &impl Subject) -> Result<()> {
    a_boot_that_never_finishes_ends_in_time(subject).await?;
    nobody_waits_for_a_machine_that_is_gone(subject).await?;
    a_lost_machine_is_told_and_not_made_again(subject).await
}

async fn a_boot_that_never_finishes_ends_in_time(subject: &impl Subject) -> Result<()> {
    let name = name("hangs", 1);
    let began = Instant::now();
    let waited = access(subject, &name).await?.ready::<AccessError>(Duration::from_secs(3), async || Ok(())).await;
    assert!(matches!(waited, Err(AccessError::NeverAnswered { .. })), "{waited:?}");
    ensure!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    Ok(subject.provider("ours")?.destroy(&name).await?)
}

async fn nobody_waits_for_a_machine_that_is_gone(subject: &impl Subject) -> Result<()> {
    let name = name("dies", 1);
    let (access, provider) = (access(subject, &name).await?, subject.provider("ours")?);
    subject.lose(&name)?;
    let waited = access.ready::<anyhow::Error>(Duration::from_secs(60), async || runs(&*provider, &name).await).await;
    assert_eq!(waited.expect_err("it is gone").to_string(), "the machine is lost");
    Ok(provider.destroy(&name).await?)
}

pub(crate) async fn a_lost_machine_is_told_and_not_made_again(subject: &impl Subject) -> Result<()> {
    let (name, provider) = (name("lost", 1), subject.provider("ours")?);
    let request = request(subject, &name)?;
    provider.create(&request).await?;
    subject.lose(&name)?;
    // A provider may have forgotten it, but not that it had one of this name.
    let listed = provider.list().await?;
    ensure!(listed.iter().all(|vm| matches!(vm.state, State::Ended | State::Preempted)), "{listed:?}");
    let again = subject.provider("ours")?.create(&request).await?;
    ensure!(matches!(again.state, State::Ended | State::Preempted), "what ran in it is lost: {again:?}");
    provider.destroy(&name).await?;
    assert_eq!(subject.everything()?, Vec::<String>::new());
    Ok(())
}

async fn access(subject: &impl Subject, name: &VmName) -> Result<Access> {
    let vm = subject.provider("ours")?.create(&request(subject, name)?).await?;
    Ok(Access::new(name.clone(), vm.address.expect("an address"), &subject.folder().join(name.as_str())))
}

async fn runs(provider: &dyn Provider, name: &VmName) -> Result<()> {
    let listed = provider.list().await?;
    let is_running = listed.iter().any(|vm| vm.name == *name && vm.state == State::Running);
    is_running.then_some(()).ok_or_else(|| anyhow!("the machine is lost"))
}
