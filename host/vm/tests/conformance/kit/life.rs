//! A machine's life: made once, listed as whose it is, gone without a trace.

use anyhow::{Result, ensure};
use stead_vm::machine::State;
use stead_vm::provider::Cause;

use crate::subject::{Subject, name, request};

pub(crate) async fn all(subject: &impl Subject) -> Result<()> {
    is_made_once(subject).await?;
    is_listed_by_its_owner_alone(subject).await?;
    is_gone_without_a_trace(subject).await?;
    is_not_made_from_nothing(subject).await
}

async fn is_made_once<S: Subject>(subject: &S) -> Result<()> {
    let request = request(subject, &name("once", 1))?;
    let (one, other) = (subject.provider("ours")?, subject.provider("ours")?);
    let (first, at_the_same_time) = if S::AT_ONCE {
        tokio::join!(one.create(&request), other.create(&request))
    } else {
        (one.create(&request).await, other.create(&request).await)
    };
    let (first, at_the_same_time) = (first?, at_the_same_time?);
    let later = subject.provider("ours")?.create(&request).await?;
    assert_eq!((first.created, &first.name), (later.created, &later.name));
    assert_eq!((&later.size, later.region), (&at_the_same_time.size, at_the_same_time.region));
    let listed = one.list().await?;
    assert_eq!(listed.iter().map(|vm| &vm.name).collect::<Vec<_>>(), [&request.name]);
    Ok(())
}

async fn is_listed_by_its_owner_alone(subject: &impl Subject) -> Result<()> {
    let provider = subject.provider("ours")?;
    let listed = provider.list().await?;
    assert_eq!(listed[0].owner().job, "once");
    let theirs = subject.provider("theirs")?;
    assert_eq!(theirs.list().await?, []);
    theirs.destroy(&listed[0].name).await?;
    assert_eq!(provider.list().await?, listed);
    Ok(())
}

async fn is_gone_without_a_trace(subject: &impl Subject) -> Result<()> {
    let (provider, other) = (subject.provider("ours")?, subject.provider("ours")?);
    let kept = name("kept", 1);
    provider.create(&request(subject, &kept)?).await?;
    let (one, two) = (name("once", 1), name("once", 1));
    let (first, at_the_same_time) = tokio::join!(provider.destroy(&one), other.destroy(&two));
    first.and(at_the_same_time)?;
    provider.destroy(&one).await?;
    provider.destroy(&name("never", 1)).await?;
    let listed = provider.list().await?;
    assert_eq!(listed.iter().map(|vm| (&vm.name, vm.state)).collect::<Vec<_>>(), [(&kept, State::Running)]);
    provider.destroy(&kept).await?;
    assert_eq!(subject.everything()?, Vec::<String>::new());
    Ok(())
}

async fn is_not_made_from_nothing(subject: &impl Subject) -> Result<()> {
    let provider = subject.provider("ours")?;
    let mut request = request(subject, &name("nothing", 1))?;
    for (image, causes) in [
        ("0".repeat(64), [Cause::NotFound, Cause::Invalid]),
        ("../../etc".to_owned(), [Cause::Invalid, Cause::NotFound]),
    ] {
        request.image = image;
        let cause = provider.create(&request).await.expect_err("there is no such image").cause;
        ensure!(causes.contains(&cause), "{cause:?}");
    }
    assert_eq!(subject.everything()?, Vec::<String>::new());
    Ok(())
}
