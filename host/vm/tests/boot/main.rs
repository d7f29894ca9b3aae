//! A machine that really boots: image, cloud-init, keys, lease, command, end. One boot for all checks.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod place;
mod warm;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use stead_vm::access::{Access, AccessError, Keys, Outcome, Output, RunId};
use stead_vm::machine::State;
use stead_vm::request::Size;

use place::Place;

const NO_LIMIT: u64 = u64::MAX;

#[tokio::test]
async fn a_booted_machine_works_and_ends_itself_when_nobody_renews_its_lease() -> Result<()> {
    let began = Instant::now();
    let size = Size::Measured { cpus: 1, memory_mib: 512, disk_gib: 10 };
    let place = Place::start("boot", &size).await?;
    place.ready().await?;
    println!("ready after {:?}", began.elapsed());
    is_what_was_asked_for(&place).await?;
    reaches_nothing(&place).await?;
    trusts_no_other_key(&place).await?;
    ends_while_a_command_is_followed(&place).await?;
    place.leaves_nothing().await
}

async fn is_what_was_asked_for(place: &Place) -> Result<()> {
    let (run, began) = ("facts".parse()?, Instant::now());
    let script = "hostname; systemctl is-active stead-lease.timer stead-life.timer; nproc; exit 3";
    place.access.start(&run, script, &[]).await?;
    let mut said = Said::default();
    let ended = place.access.follow(&run, 0, NO_LIMIT, &mut said, async || place.runs().await).await?;
    println!("first output of a command after {:?}", said.first.map(|first| first - began));
    assert_eq!(said.text, format!("{}\nactive\nactive\n1\n", place.name));
    assert_eq!(ended.outcome, Outcome::Exited(3));
    Ok(place.access.renew().await?)
}

/// The network is closed: neither this machine's own services nor the world is reached.
async fn reaches_nothing(place: &Place) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let run = "network".parse()?;
    let script = format!("timeout 5 bash -c 'exec 3<> /dev/tcp/10.0.2.2/{}'", listener.local_addr()?.port());
    place.access.start(&run, &script, &[]).await?;
    let mut said = Said::default();
    let ended = place.access.follow(&run, 0, NO_LIMIT, &mut said, async || place.runs().await).await?;
    ensure!(ended.outcome != Outcome::Exited(0) && listener.accept().is_err(), "{ended:?} {}", said.text);
    Ok(())
}

async fn trusts_no_other_key(place: &Place) -> Result<()> {
    let other = place.folder().join("other");
    Keys::obtain(&other, &place.name)?;
    let access = Access::new(place.name.clone(), place.address, &other);
    let waited = access.ready::<AccessError>(Duration::from_secs(60), async || Ok(())).await;
    ensure!(matches!(waited, Err(AccessError::HostKey { .. })), "{waited:?}");
    Ok(())
}

async fn ends_while_a_command_is_followed(place: &Place) -> Result<()> {
    let run: RunId = "long".parse()?;
    let script = "timer=/run/systemd/system/stead-lease.timer
        sed -i s/OnActiveSec=.*/OnActiveSec=3/ $timer; systemctl daemon-reload; systemctl restart stead-lease.timer
        echo waiting; sleep 1000";
    place.access.start(&run, script, &[]).await?;
    let (mut said, began) = (Said::default(), Instant::now());
    let followed = place.access.follow(&run, 0, NO_LIMIT, &mut said, async || place.runs().await).await;
    assert_eq!(followed.expect_err("the machine ends itself").to_string(), "the machine is Ended");
    println!("ended after {:?}", began.elapsed());
    assert_eq!(said.text, "waiting\n");
    assert_eq!(place.state().await?, Some(State::Ended));
    Ok(())
}

#[derive(Default)]
struct Said {
    text: String,
    first: Option<Instant>,
}

impl Output for Said {
    type Error = anyhow::Error;

    async fn take(&mut self, bytes: &[u8], _end: u64) -> Result<()> {
        self.first.get_or_insert_with(Instant::now);
        self.text.push_str(std::str::from_utf8(bytes).map_err(|error| anyhow!(error))?);
        Ok(())
    }
}
