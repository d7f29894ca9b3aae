//! The dead man's switch, in a machine that ends when it is powered off.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, ensure};
use stead_vm::lease::Lease;

use super::place::Place;

const RENEWAL: Duration = Duration::from_secs(5);

pub(crate) async fn is_renewed_and_then_ends_the_machine(place: &Place) -> Result<()> {
    let lease = Lease { renewal: RENEWAL, lifetime: Duration::from_secs(3600), created: SystemTime::now() };
    let arm = |lease: &Lease| place.container.inside(&lease.arming_script());
    arm(&lease)?.ok()?;
    arm(&lease)?.ok()?;
    let began = Instant::now();
    while began.elapsed() < 2 * RENEWAL {
        place.access.renew().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tokio::time::sleep(RENEWAL + Duration::from_secs(4)).await;
    ensure!(place.container.inside("true").is_err(), "nobody renewed the lease, and the machine is still there");
    Ok(())
}
