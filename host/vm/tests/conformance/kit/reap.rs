//! Nothing is left, and nothing in use is touched.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use stead_vm::name::VmName;
use stead_vm::provider::{Cause, ProviderError};
use stead_vm::reaper::{LiveAttempts, Reaper, Round, Rules};

use crate::faulty::{Fault, Faulty, LIMITED};
use crate::subject::{Subject, name, request};

const GRACE: Duration = Duration::from_secs(60);

pub(crate) async fn all(subject: &impl Subject) -> Result<()> {
    orphans_go_and_machines_in_use_stay(subject).await?;
    one_that_cannot_be_destroyed_is_tried_again(subject).await?;
    a_stale_list_does_no_harm(subject).await?;
    without_a_list_or_a_queue_nothing_is_destroyed(subject).await
}

struct Reaping {
    reaper: Reaper,
    now: SystemTime,
}

impl Reaping {
    fn after_the_grace() -> Self {
        let reaper = Reaper::new(Rules { grace: GRACE });
        Self { reaper, now: SystemTime::now() + GRACE + Duration::from_secs(1) }
    }

    async fn round(&mut self, provider: &Faulty, live: &[&VmName]) -> Result<Round, ProviderError> {
        let live: LiveAttempts = live.iter().map(|name| name.owner().clone()).collect();
        self.reaper.round(provider, async || Ok::<_, ProviderError>(live), self.now).await
    }
}

async fn made(subject: &impl Subject, job: &str, attempt: u32) -> Result<VmName> {
    let name = name(job, attempt);
    subject.provider("ours")?.create(&request(subject, &name)?).await?;
    Ok(name)
}

fn names(round: &Round) -> Vec<&VmName> {
    round.destroyed.iter().map(|doomed| &doomed.name).collect()
}

async fn orphans_go_and_machines_in_use_stay(subject: &impl Subject) -> Result<()> {
    let provider = Faulty::new(subject.provider("ours")?, []);
    let (before, now) = (made(subject, "job", 1).await?, made(subject, "job", 2).await?);
    let mut reaping = Reaping::after_the_grace();
    reaping.now = SystemTime::now();
    assert!(names(&reaping.round(&provider, &[]).await?).is_empty(), "they were just made");
    let mut reaping = Reaping::after_the_grace();
    assert_eq!(names(&reaping.round(&provider, &[&now]).await?), [&before]);
    assert!(names(&reaping.round(&provider, &[&now]).await?).is_empty());
    assert_eq!(names(&reaping.round(&provider, &[]).await?), [&now]);
    assert_eq!(subject.everything()?, Vec::<String>::new());
    Ok(())
}

async fn one_that_cannot_be_destroyed_is_tried_again(subject: &impl Subject) -> Result<()> {
    let (one, two) = (made(subject, "a", 1).await?, made(subject, "b", 1).await?);
    let fails = || Fault::Fails(Cause::Unavailable);
    let mut reaping = Reaping::after_the_grace();
    // List, destroy a; list, destroy a; list, destroy a.
    let listed = subject.provider("ours")?.list().await?;
    let list = || Fault::IsStale(listed.clone());
    let provider = Faulty::new(subject.provider("ours")?, [list(), fails()]);
    let round = reaping.round(&provider, &[]).await?;
    assert_eq!((names(&round), round.failed[0].times), (vec![&two], 1), "one that fails holds up no other");
    let round = reaping.round(&Faulty::new(subject.provider("ours")?, []), &[]).await?;
    assert_eq!((names(&round).len(), round.failed.len(), round.waiting), (0, 0, 1), "not at once again");
    for times in 2..=3 {
        reaping.now += Duration::from_secs(600);
        let only = Fault::IsStale(listed[..1].to_vec());
        let round = reaping.round(&Faulty::new(subject.provider("ours")?, [only, fails()]), &[]).await?;
        assert_eq!((&round.failed[0].doomed.name, round.failed[0].times), (&one, times));
    }
    reaping.now += Duration::from_secs(600);
    assert_eq!(names(&reaping.round(&Faulty::new(subject.provider("ours")?, []), &[]).await?), [&one]);
    assert_eq!(subject.everything()?, Vec::<String>::new());
    Ok(())
}

async fn a_stale_list_does_no_harm(subject: &impl Subject) -> Result<()> {
    let gone = made(subject, "gone", 1).await?;
    let stale = subject.provider("ours")?.list().await?;
    subject.provider("ours")?.destroy(&gone).await?;
    let next = made(subject, "gone", 2).await?;
    let mut reaping = Reaping::after_the_grace();
    let provider = Faulty::new(subject.provider("ours")?, [Fault::IsStale(stale), Fault::TimesOutAfterwards]);
    let round = reaping.round(&provider, &[&next]).await?;
    assert_eq!((names(&round).len(), round.failed.len()), (0, 1), "the answer to the destroy call was lost");
    assert!(names(&reaping.round(&provider, &[&next]).await?).is_empty());
    // Not on the list yet: found in the next round.
    let provider = Faulty::new(subject.provider("ours")?, [Fault::IsStale(Vec::new())]);
    assert!(names(&reaping.round(&provider, &[]).await?).is_empty());
    assert_eq!(names(&reaping.round(&provider, &[]).await?), [&next]);
    assert_eq!(subject.everything()?, Vec::<String>::new());
    Ok(())
}

async fn without_a_list_or_a_queue_nothing_is_destroyed(subject: &impl Subject) -> Result<()> {
    let name = made(subject, "quiet", 1).await?;
    let mut reaping = Reaping::after_the_grace();
    let provider = Faulty::new(subject.provider("ours")?, [Fault::Fails(Cause::Unavailable)]);
    assert!(reaping.round(&provider, &[]).await.is_err());
    let unknown = async || Err(ProviderError::new(Cause::Unavailable, "the queue does not answer"));
    assert!(reaping.reaper.round(&provider, unknown, reaping.now).await.is_err());
    assert_eq!(subject.provider("ours")?.list().await?.len(), 1);
    // When the provider wants fewer calls, the round ends.
    let listed = subject.provider("ours")?.list().await?;
    let provider = Faulty::new(subject.provider("ours")?, [Fault::IsStale(listed), LIMITED]);
    assert_eq!(reaping.round(&provider, &[]).await?.failed.len(), 1);
    reaping.now += Duration::from_secs(600);
    assert_eq!(names(&reaping.round(&provider, &[]).await?), [&name]);
    Ok(())
}
