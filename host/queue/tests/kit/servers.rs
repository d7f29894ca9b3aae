//! Two servers that share a queue: which of them goes on with a run.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_queue::{CallName, Claimed, Entry, JobName, Outcome, Phase, Place, Queue, Settings, Submission, WorkerName};
use stead_tests::postgres::{Postgres, Sync};

use crate::clock::TestClock;
use crate::place::settings;

const TAKEOVER: Duration = Duration::from_secs(600);
const LEASE: Duration = Duration::from_secs(31);

struct Servers {
    clock: Arc<TestClock>,
    one: Queue,
    other: Queue,
}

impl Servers {
    fn open(place: &Place) -> Result<Self> {
        let clock = TestClock::new();
        let open = |name: &str| {
            let settings = Settings { server: Some(name.to_owned()), takeover: TAKEOVER, ..settings(&clock) };
            Queue::open(place, settings)
        };
        Ok(Self { one: open("one")?, other: open("other")?, clock: clock.clone() })
    }

    async fn begin(&self, is_bound: bool) -> Result<Claimed> {
        let most_attempts = 20.try_into()?;
        self.one.submit(Submission { most_attempts, ..Submission::new(JobName::new("job")?, "{}") }).await?;
        let claimed = claim(&self.one).await?.context("nothing to claim")?;
        if is_bound {
            self.one.bind(claimed.lease).await?;
        }
        let call = CallName::new("vm.launch")?;
        let entry = Entry { sequence: 0, phase: Phase::Answered, call, request: [0; 32], answer: Vec::new() };
        self.one.append_entry(claimed.lease, entry).await?;
        Ok(claimed)
    }

    async fn check(&self) -> Result<()> {
        let wrong = self.one.check().await?;
        ensure!(wrong.is_empty(), "{wrong:?}");
        Ok(())
    }
}

async fn claim(queue: &Queue) -> Result<Option<Claimed>> {
    Ok(queue.claim(&WorkerName::new("worker")?, 1).await?.jobs.into_iter().next())
}

async fn a_run_goes_on_where_it_can(place: &Place) -> Result<()> {
    let servers = Servers::open(place)?;
    // Nothing was made: anybody goes on.
    let free = servers.begin(false).await?;
    servers.clock.advance(LEASE);
    let taken = claim(&servers.other).await?.context("nobody goes on")?;
    ensure!((taken.run, taken.entries) == (free.run, 1), "{taken:?}");
    servers.other.finish(taken.lease, Outcome::Cancelled).await?;
    // Its own server goes on at once, whether its worker was lost or has handed it back.
    let bound = servers.begin(true).await?;
    servers.clock.advance(LEASE);
    ensure!(claim(&servers.other).await?.is_none(), "another one took it");
    servers.check().await?;
    let again = claim(&servers.one).await?.context("it waits")?;
    ensure!((again.run, again.entries) == (bound.run, 1), "{again:?}");
    servers.one.finish(again.lease, Outcome::Released).await?;
    ensure!(claim(&servers.other).await?.is_none(), "another one took it");
    let again = claim(&servers.one).await?.context("it waits")?;
    // Another one begins anew when what was made has ended.
    servers.clock.advance(LEASE);
    ensure!(claim(&servers.other).await?.is_none(), "another one took it");
    servers.clock.advance(TAKEOVER + Duration::from_secs(1));
    let anew = claim(&servers.other).await?.context("it waits")?;
    ensure!((anew.run.number(), anew.entries) == (again.run.number() + 1, 0), "{anew:?}");
    ensure!(servers.one.finish(again.lease, Outcome::Cancelled).await.is_err(), "two have it");
    servers.check().await?;
    // The new run is bound to nobody.
    servers.clock.advance(LEASE);
    let back = claim(&servers.one).await?.context("it waits")?;
    ensure!(back.run == anew.run, "{back:?}");
    servers.check().await
}

async fn a_content_is_everybodys(place: &Place) -> Result<()> {
    let servers = Servers::open(place)?;
    let hour = Duration::from_secs(3600);
    ensure!(!servers.one.begin_content("abc").await?);
    servers.one.put_piece("abc", 0, b"one".to_vec()).await?;
    servers.one.put_piece("abc", 1, b"two".to_vec()).await?;
    ensure!(servers.other.piece("abc", 0).await?.is_none(), "it is not whole");
    servers.one.end_content("abc", 6).await?;
    ensure!(servers.other.content_size("abc").await? == Some(6));
    ensure!(
        servers.other.piece("abc", 1).await?.as_deref() == Some(b"two")
            && servers.other.piece("abc", 2).await?.is_none()
    );
    servers.clock.advance(hour + Duration::from_secs(1));
    ensure!(servers.one.old_contents(hour).await? == ["abc"]);
    // Somebody needs it anew.
    ensure!(servers.other.begin_content("abc").await?);
    servers.one.remove_content("abc", hour).await?;
    ensure!(servers.one.content_size("abc").await? == Some(6));
    servers.clock.advance(hour + Duration::from_secs(1));
    servers.one.remove_content("abc", hour).await?;
    ensure!(servers.one.content_size("abc").await?.is_none() && servers.one.piece("abc", 0).await?.is_none());
    ensure!(
        servers.one.installation("first").await? == "first" && servers.other.installation("second").await? == "first"
    );
    Ok(())
}

#[tokio::test]
async fn two_servers_share_a_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    a_run_goes_on_where_it_can(&Place::File(folder.path().join("runs.sqlite"))).await?;
    a_content_is_everybodys(&Place::File(folder.path().join("contents.sqlite"))).await
}

#[tokio::test]
async fn two_servers_share_a_database() -> Result<()> {
    let postgres = Postgres::start(Sync::Off)?;
    a_run_goes_on_where_it_can(&postgres.database()?.parse()?).await?;
    a_content_is_everybodys(&postgres.database()?.parse()?).await
}
