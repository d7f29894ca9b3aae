//! What Hetzner is asked for, and what its refusals become.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use stead_vm::machine::Price;
use stead_vm::provider::{Cause, Provider};
use stead_vm::request::{Market, Size};

use super::Project;
use crate::subject::{Subject, name, request};

#[tokio::test]
async fn hetzner_lists_all_pages_with_prices() -> Result<()> {
    let project = Project::start()?;
    let hetzner = project.hetzner("ours", "a token")?;
    for attempt in 1..=5 {
        hetzner.create(&request(&project, &name("pages", attempt))?).await?;
    }
    let listed = hetzner.list().await?;
    assert_eq!(listed.iter().map(|vm| vm.owner().attempt).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let price = Price { currency: "EUR".into(), micros_per_hour: 5950 };
    ensure!(listed.iter().all(|vm| vm.price.as_ref() == Some(&price) && vm.address.is_some()), "{listed:?}");
    let offers = hetzner.offers().await?;
    let sizes: Vec<_> = offers.iter().map(|offer| (offer.size.as_str(), offer.cpus, offer.memory_mib)).collect();
    assert_eq!(sizes, [("cx22", 2, 4096), ("cx32", 4, 8192), ("cx42", 8, 16384)]);
    Ok(())
}

#[tokio::test]
async fn hetzner_refusals_say_what_to_do() -> Result<()> {
    let project = Project::start()?;
    let hetzner = project.hetzner("ours", "a token")?;
    let mut request = request(&project, &name("refused", 1))?;
    for (fault, cause) in
        [("412,resource_unavailable", Cause::NoCapacity), ("403,resource_limit_exceeded", Cause::Quota)]
    {
        project.mock(&format!("fault?{fault}"))?;
        assert_eq!(hetzner.create(&request).await.expect_err("injected").cause, cause);
    }
    project.mock("fault?429,rate_limit_exceeded")?;
    let cause = hetzner.create(&request).await.expect_err("injected").cause;
    let Cause::RateLimited { retry_after: Some(after) } = cause else { bail!("{cause:?}") };
    ensure!(after <= Duration::from_secs(30) && after >= Duration::from_secs(20), "{after:?}");
    request.market = Market::Spot;
    assert_eq!(hetzner.create(&request).await.expect_err("there is none").cause, Cause::Invalid);
    request.market = Market::OnDemand;
    request.size = Size::Type("cx9000".into());
    assert_eq!(hetzner.create(&request).await.expect_err("there is none").cause, Cause::Invalid);
    let stranger = project.hetzner("ours", "another")?;
    let error = stranger.list().await.expect_err("a wrong token");
    assert_eq!(error.cause, Cause::Unauthorized);
    ensure!(!format!("{error:?} {stranger:?}").contains("another"));
    assert_eq!(project.everything()?, Vec::<String>::new());
    Ok(())
}
