//! What the operator lets machines cost, and which ones are taken when there is no room for others.

use anyhow::{Result, ensure};
use serde_json::json;
use stead_queue::State;

use crate::place::{Place, result, why};

/// A second costs 0.0001 EUR.
const PRICES: &str = "instance-types = [\"*\"]

[provider.containers.price]
small = \"0.36 EUR\"
full = \"3.60 EUR\"
foreign = \"0.36 USD\"
";

#[tokio::test]
async fn the_next_instance_type_is_taken_when_one_has_no_room() -> Result<()> {
    let place = Place::granting(&format!("price-per-job = \"3 EUR\"\n{PRICES}"))?;
    let service = place.service()?;
    let input = json!({"machines": 1, "types": ["full", "small"], "lifetime": 1000});
    let job = place.submit(&service, input, &[]).await?;
    let ended = place.work(&service, job).await?;
    ensure!(ended.state == State::Succeeded, "{}", why(&service, job).await?);
    assert_eq!(result(&service, job).await?["served"], json!([1]));
    // The small one, and for as long as it lived.
    let spent = service.store.queue.spent(job).await?;
    ensure!(spent.len() == 1 && (100..=60_000).contains(&spent[0].micros) && spent[0].is_settled, "{spent:?}");

    let job = place.submit(&service, json!({"machines": 1, "types": ["full"], "lifetime": 600}), &[]).await?;
    let cancelling = async {
        while service.store.queue.attempts(job).await?.first().is_none_or(|first| first.ended.is_none()) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        service.store.queue.cancel(job).await
    };
    let (ended, cancelled) = tokio::join!(place.work(&service, job), cancelling);
    cancelled?;
    assert_eq!(ended?.state, State::Cancelled);
    let first = service.store.queue.attempts(job).await?.remove(0);
    assert_eq!(first.ended.map(|ended| ended.how.word()), Some("no-capacity"));
    // A second attempt may have been cancelled at its provider's answer, and then stands for the most it may have cost.
    let spent = service.store.queue.spent(job).await?;
    let spent: Vec<_> = spent.iter().filter(|spent| spent.run == first.run).collect();
    ensure!(!spent.is_empty() && spent.iter().all(|spent| spent.micros == 0), "nothing was made: {spent:?}");
    Ok(())
}

#[tokio::test]
async fn no_machine_is_made_that_may_cost_too_much() -> Result<()> {
    let ceilings = "price-per-job = \"0.10 EUR\"\nprice-per-day = \"0.15 EUR\"\n";
    let place = Place::granting(&format!("{ceilings}{PRICES}").replace("machines = 1", "machines = 3"))?;
    let service = place.service()?;
    for (machines, size, lifetime, words) in [
        (1, "small", 1001, "price-per-job = \"0.1001 EUR\""),
        (1, "full", 101, "0.101 EUR for a machine, beside 0.00 EUR for others of this job, is not granted"),
        (1, "foreign", 10, "it costs 0.36 USD an hour, and the grant's ceiling is 0.10 EUR"),
        (1, "unheard", 10, "[provider.containers.price]\n\"unheard\" = \"0.10 EUR\""),
    ] {
        let input = json!({"machines": machines, "types": [size], "lifetime": lifetime});
        let job = place.submit(&service, input, &[]).await?;
        let ended = place.work(&service, job).await?;
        let why = why(&service, job).await?;
        ensure!(ended.state == State::Failed && why.contains(words), "{size}: {why}");
    }
    assert_eq!(place.containers.made(), 0);
    Ok(())
}
