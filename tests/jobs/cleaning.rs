//! What is taken away of jobs that have ended, and what is not.

use std::fs;
use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use serde_json::json;
use stead::job::Keep;
use stead_queue::{Queue, State};

use crate::place::Place;

/// All but the last one go; the one that waits keeps what it was given, and what only the deleted had is gone.
#[tokio::test]
async fn old_jobs_go_and_what_others_need_stays() -> Result<()> {
    let place = Place::new()?;
    let service = place.service()?;
    let store = &service.store;
    let first = place.submit(&service, json!({}), &[("own", b"of the first".as_slice()), ("both", b"of all")]).await?;
    assert_eq!(place.work(&service, first).await?.state, State::Succeeded);
    let second = place.submit(&service, json!({}), &[]).await?;
    assert_eq!(place.work(&service, second).await?.state, State::Succeeded);
    let waiting = place.submit(&service, json!({}), &[("both", b"of all".as_slice())]).await?;
    let folder = place.folder.path().join("state/jobs/files");
    fs::write(folder.join(".tmp-broken-off"), "half of it")?;
    let contents = || -> Result<Vec<String>> {
        let all = fs::read_dir(&folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(all.filter(|name| name != "lock").collect())
    };
    // The artifact `done` is one content, whoever has left it.
    ensure!(contents()?.len() == 4, "{:?}", contents()?);

    let soon = SystemTime::now() + Duration::from_secs(1);
    let all = store.clean_before(Keep::default(), soon).await?;
    assert_eq!((all.jobs, all.files, all.bytes), (0, 1, 10), "what was broken off");
    let one = Keep { count: Some(1), age: None };
    let young = store.clean_before(one, SystemTime::now() - Duration::from_secs(60)).await?;
    assert_eq!((young.jobs, young.files), (1, 0), "a file that is this young is kept");
    let old = store.clean_before(one, soon).await?;
    assert_eq!((old.jobs, old.files, old.bytes), (0, 1, 12), "what only the first had");
    ensure!(gone(&store.queue, first).await && !gone(&store.queue, second).await);

    assert_eq!(place.work(&service, waiting).await?.state, State::Succeeded);
    let everything = Keep { age: Some(Duration::ZERO), count: None };
    assert_eq!(store.clean_before(everything, soon + Duration::from_secs(60)).await?.jobs, 2);
    ensure!(contents()?.is_empty(), "{:?}", contents()?);
    ensure!(store.queue.check().await?.is_empty());
    Ok(())
}

async fn gone(queue: &Queue, job: stead_queue::JobId) -> bool {
    queue.job(job).await.is_err()
}
