//! One machine comes of a create call, whatever the network and the service do.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use stead_vm::create::{Patience, create};
use stead_vm::machine::State;
use stead_vm::name::VmName;
use stead_vm::provider::{Cause, ProviderError};

use crate::faulty::{Fault, Faulty, LIMITED};
use crate::subject::{Subject, name, request};

const PATIENCE: Patience =
    Patience { calls: 4, pause: Duration::from_millis(5), longest_pause: Duration::from_millis(100) };

pub(crate) async fn all(subject: &impl Subject) -> Result<()> {
    is_one_when_the_answer_was_lost(subject).await?;
    is_made_when_the_call_was_lost(subject).await?;
    waits_as_long_as_the_provider_asks(subject).await?;
    takes_another_size_when_there_is_no_room(subject).await?;
    does_not_ask_again_what_cannot_be(subject).await?;
    gives_up_on_a_provider_that_does_not_answer(subject).await
}

async fn made(subject: &impl Subject, job: &str, faults: Vec<Fault>) -> Result<(u32, Result<VmName, ProviderError>)> {
    let provider = Faulty::new(subject.provider("ours")?, faults);
    let request = request(subject, &name(job, 1))?;
    let vm = create(&provider, &[request.clone(), request], PATIENCE).await;
    let calls = provider.calls();
    Ok((calls, vm.map(|vm| vm.name)))
}

async fn is_the_only_one(subject: &impl Subject, job: &str) -> Result<()> {
    let provider = subject.provider("ours")?;
    let listed = provider.list().await?;
    assert_eq!(
        listed.iter().map(|vm| (vm.owner().job.as_str(), vm.state)).collect::<Vec<_>>(),
        [(job, State::Running)]
    );
    provider.destroy(&name(job, 1)).await?;
    assert_eq!(subject.everything()?, Vec::<String>::new());
    Ok(())
}

async fn is_one_when_the_answer_was_lost(subject: &impl Subject) -> Result<()> {
    let (calls, vm) = made(subject, "answer", vec![Fault::TimesOutAfterwards, Fault::TimesOutAfterwards]).await?;
    assert_eq!((calls, vm?), (3, name("answer", 1)));
    is_the_only_one(subject, "answer").await
}

async fn is_made_when_the_call_was_lost(subject: &impl Subject) -> Result<()> {
    let (calls, vm) =
        made(subject, "call", vec![Fault::Fails(Cause::TimedOut), Fault::Fails(Cause::Unavailable)]).await?;
    assert_eq!((calls, vm?), (3, name("call", 1)));
    is_the_only_one(subject, "call").await
}

async fn waits_as_long_as_the_provider_asks(subject: &impl Subject) -> Result<()> {
    let began = Instant::now();
    let (calls, vm) = made(subject, "limited", vec![LIMITED, LIMITED]).await?;
    assert_eq!((calls, vm?), (3, name("limited", 1)));
    ensure!(began.elapsed() >= Duration::from_millis(40));
    is_the_only_one(subject, "limited").await
}

async fn takes_another_size_when_there_is_no_room(subject: &impl Subject) -> Result<()> {
    for (job, cause) in [("room", Cause::NoCapacity), ("quota", Cause::Quota), ("taken", Cause::Preempted)] {
        let (calls, vm) = made(subject, job, vec![Fault::Fails(cause)]).await?;
        assert_eq!((calls, vm?), (2, name(job, 1)));
        is_the_only_one(subject, job).await?;
        let (calls, vm) = made(subject, "full", vec![Fault::Fails(cause), Fault::Fails(cause)]).await?;
        assert_eq!((calls, vm.expect_err("no room at all").cause), (2, cause));
    }
    assert_eq!(subject.everything()?, Vec::<String>::new());
    Ok(())
}

async fn does_not_ask_again_what_cannot_be(subject: &impl Subject) -> Result<()> {
    for cause in [Cause::Unauthorized, Cause::Invalid, Cause::NotFound] {
        let (calls, vm) = made(subject, "never", vec![Fault::Fails(cause)]).await?;
        assert_eq!((calls, vm.expect_err("it cannot be").cause), (1, cause));
    }
    Ok(())
}

async fn gives_up_on_a_provider_that_does_not_answer(subject: &impl Subject) -> Result<()> {
    let (calls, vm) = made(subject, "silent", vec![Fault::TimesOutAfterwards; 9]).await?;
    assert_eq!((calls, vm.expect_err("no answer").cause), (4, Cause::TimedOut));
    // It exists all the same: that is what the reaper is for.
    is_the_only_one(subject, "silent").await
}
