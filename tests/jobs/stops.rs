//! What ends a job before its time, and what is left then: nothing.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use stead_queue::State;
use tokio::time::sleep;

use crate::place::{Place, result, why};

#[tokio::test]
async fn a_policy_that_wants_too_much_is_stopped() -> Result<()> {
    let place = Place::new()?;
    let service = place.service()?;
    for (input, words) in [
        (json!({"loops": true}), "computed for more than 2s"),
        (json!({"result": 2 << 20}), "a result: "),
        (json!({"machines": 1, "image": "other"}), "[policy.works.grant.vm]\nimages = [\"other\"]"),
        (json!({"machines": 1, "lifetime": 4000}), "lifetime = \"4000 s\""),
        (json!({"machines": 1, "misnamed": true}), "name: \"not a name\" is not 1 to 20 letters"),
        (json!({"seconds": "one"}), "the input does not fit: invalid type"),
    ] {
        let job = place.submit(&service, input.clone(), &[]).await?;
        let ended = place.work(&service, job).await?;
        let why = why(&service, job).await?;
        ensure!(ended.state == State::Failed && why.contains(words.trim_start_matches("a ")), "{input}: {why}");
    }
    assert_eq!(place.containers.made(), 0);
    // The service goes on.
    let job = place.submit(&service, json!({}), &[]).await?;
    assert_eq!(place.work(&service, job).await?.state, State::Succeeded);
    assert_eq!(result(&service, job).await?["artifacts"], json!(["done"]));
    Ok(())
}

#[tokio::test]
async fn a_job_without_room_leaves_no_machine() -> Result<()> {
    let place = Place::new()?;
    let service = place.service()?;
    let job = place.submit(&service, json!({"machines": 10_000}), &[]).await?;
    assert_eq!(place.work(&service, job).await?.state, State::Failed);
    ensure!(why(&service, job).await?.contains("machines = 2"), "{}", why(&service, job).await?);
    assert_eq!(place.containers.made(), 1);
    ensure!(service.machines().await?.iter().all(|(_, left)| left.is_empty()), "a machine is left");
    Ok(())
}

#[tokio::test]
async fn a_cancelled_job_stops_and_takes_its_machine_along() -> Result<()> {
    let place = Place::new()?;
    let service = place.service()?;
    let job = place.submit(&service, json!({"machines": 1, "scripts": ["echo on; sleep 1000"]}), &[]).await?;
    let cancelling = async {
        while place.containers.inside("pgrep -x sleep").is_err() {
            sleep(Duration::from_millis(100)).await;
        }
        service.store.queue.cancel(job).await
    };
    let (ended, cancelled) = tokio::join!(place.work(&service, job), cancelling);
    cancelled?;
    assert_eq!(ended?.state, State::Cancelled);
    ensure!(service.machines().await?.iter().all(|(_, left)| left.is_empty()), "a machine is left");
    Ok(())
}

/// The second attempt has another machine.
#[tokio::test]
async fn a_job_whose_machine_was_lost_is_tried_again() -> Result<()> {
    let place = Place::new()?;
    let service = place.service()?;
    let script = "test -e /root/second || sleep 1000";
    let job = place.submit(&service, json!({"machines": 1, "scripts": [script]}), &[]).await?;
    let losing = async {
        while place.containers.inside("pgrep -x sleep").is_err() {
            sleep(Duration::from_millis(100)).await;
        }
        place.containers.lose();
        while place.containers.inside("touch /root/second").is_err() || place.containers.made() < 2 {
            let state = service.store.queue.job(job).await?.state;
            ensure!(!state.has_ended(), "it is {state}: {}", why(&service, job).await?);
            sleep(Duration::from_millis(50)).await;
        }
        Ok::<_, anyhow::Error>(())
    };
    let (ended, lost) = tokio::join!(place.work(&service, job), losing);
    lost?;
    assert_eq!(ended?.state, State::Succeeded);
    let attempts = service.store.queue.attempts(job).await?;
    let how: Vec<_> = attempts.iter().filter_map(|attempt| Some(attempt.ended.as_ref()?.how.word())).collect();
    assert_eq!(how, ["vm-lost", "succeeded"]);
    Ok(())
}
