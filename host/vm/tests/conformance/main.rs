//! What every provider must hold to, run against the real ones. Faults of a provider's network and service are injected by
//! a wrapper around the provider; what can really go wrong here (a process that is killed, a machine that is lost) does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod ec2;
mod faulty;
mod hetzner;
mod kit;
mod qemu;
mod subject;

use anyhow::Result;

use ec2::Moto;
use hetzner::Project;
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

#[tokio::test]
async fn ec2_makes_one_machine_a_name_and_takes_all_of_it_away() -> Result<()> {
    kit::life::all(&Moto::start()?).await
}

#[tokio::test]
async fn ec2_is_made_through_faults() -> Result<()> {
    kit::create::all(&Moto::start()?).await
}

#[tokio::test]
async fn ec2_is_reaped_through_faults() -> Result<()> {
    kit::reap::all(&Moto::start()?).await
}

#[tokio::test]
async fn ec2_machines_that_are_lost_are_told_and_not_made_again() -> Result<()> {
    kit::lost::a_lost_machine_is_told_and_not_made_again(&Moto::start()?).await
}

#[tokio::test]
async fn hetzner_makes_one_machine_a_name_and_takes_all_of_it_away() -> Result<()> {
    kit::life::all(&Project::start()?).await
}

#[tokio::test]
async fn hetzner_is_made_through_faults() -> Result<()> {
    kit::create::all(&Project::start()?).await
}

#[tokio::test]
async fn hetzner_is_reaped_through_faults() -> Result<()> {
    kit::reap::all(&Project::start()?).await
}

#[tokio::test]
async fn hetzner_machines_that_are_lost_are_told_and_not_made_again() -> Result<()> {
    kit::lost::a_lost_machine_is_told_and_not_made_again(&Project::start()?).await
}
