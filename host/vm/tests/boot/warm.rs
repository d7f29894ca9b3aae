//! Machines that are resumed from a template instead of booted.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use stead_vm::request::Size;

use super::place::{Place, prepare};
use super::{NO_LIMIT, Said};

/// Other than the size that is booted, so that there is no template for that one.
const WARM: Size = Size::Measured { cpus: 1, memory_mib: 640, disk_gib: 10 };

#[tokio::test]
async fn machines_of_one_template_differ_in_all_that_matters() -> Result<()> {
    let began = Instant::now();
    prepare(&WARM).await?;
    println!("prepared after {:?}", began.elapsed());
    let one = Warm::start("warma").await?;
    let two = Warm::start("warmb").await?;
    ensure!(one.boot == two.boot, "they were booted");
    ensure!(one.machine != two.machine, "they have one machine id");
    ensure!(one.random != two.random, "they have the same random numbers");
    for warm in [&one, &two] {
        warm.place.leaves_nothing().await?;
    }
    Ok(())
}

struct Warm {
    place: Place,
    boot: String,
    machine: String,
    random: String,
}

impl Warm {
    async fn start(job: &str) -> Result<Self> {
        let began = Instant::now();
        let place = Place::start(job, &WARM).await?;
        println!("resumed after {:?}", began.elapsed());
        place.ready().await?;
        println!("ready after {:?}", began.elapsed());
        let run = "facts".parse()?;
        let script = "cat /proc/sys/kernel/hostname /proc/sys/kernel/random/boot_id /etc/machine-id; date +%s
            head -c 16 /dev/urandom | sha256sum
            i=0; until systemctl -q is-active stead-lease.timer || [ $i = 100 ]; do sleep 0.2; i=$((i + 1)); done
            systemctl is-active stead-lease.timer stead-life.timer";
        // The timers are set beside the first command, and behind it.
        place.access.start(&run, script, &[]).await?;
        let mut said = Said::default();
        place.access.follow(&run, 0, NO_LIMIT, &mut said, async || place.runs().await).await?;
        println!("first output after {:?}", said.first.map(|first| first - began));
        let mut lines = said.text.lines().map(ToOwned::to_owned);
        let mut next = || lines.next().with_context(|| said.text.clone());
        assert_eq!(next()?, place.name.to_string());
        let (boot, machine) = (next()?, next()?);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let clock = Duration::from_secs(next()?.parse()?);
        ensure!(now.abs_diff(clock) < Duration::from_secs(20), "the clock is {:?} off", now.abs_diff(clock));
        let random = next()?;
        assert_eq!((next()?, next()?), ("active".to_owned(), "active".to_owned()));
        Ok(Self { place, boot, machine, random })
    }
}
