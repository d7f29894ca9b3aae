//! What every provider must hold to, run against the real ones. Faults of a provider's network and service are injected by
//! a wrapper around the provider; what can really go wrong here (a process that is killed, a machine that is lost) does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod faulty;
mod kit;
mod qemu;
mod subject;

use anyhow::Result;

use qemu::Local;

#[tokio::test]
async fn qemu_makes_one_machine_a_name_and_takes_all_of_it_away() -> Result<()> {
    kit::life::all(&Local::new()?).await
}

#[tokio::test]
async fn qemu_is_made_through_faults() -> Result<()> {
    kit::create::all(&Local::new()?).await
}

#[tokio::test]
async fn qemu_is_reaped_through_faults() -> Result<()> {
    kit::reap::all(&Local::new()?).await
}

#[tokio::test]
async fn qemu_machines_that_are_lost_or_never_answer_are_told_apart() -> Result<()> {
    kit::lost::all(&Local::new()?).await
}
