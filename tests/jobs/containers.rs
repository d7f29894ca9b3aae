//! One-off containers: run, taken up by another worker, held to their limits, and never left.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use stead::job::Worker;
use stead_queue::{JobId, State};
use stead_tests::docker::Engine;
use tokio::time::sleep;

use crate::dies::reaches;
use crate::place::{Place, result, said, why};
use crate::secrets::{VALUE, holding, set};

const STEAD: &str = r#"
[policy.packs]
component = "packs.wasm"

[policy.packs.grant.container]
services = ["tool", "needs-web", "host", "own"]
containers = 2
memory = "64 MiB"
cpus = 0.5
time = "1 min"
secrets = ["key-*"]

[policy.packs.grant.container.compose]
projects = ["@APP@"]
images = ["@APP@:1"]
"#;

const APP: &str = r#"
services:
  web: { image: "@APP@:1", command: [sleep, "1000"], ports: ["8080:80"] }
  tool:
    image: "@APP@:1"
    profiles: [tools]
    environment: { GREETING: hello }
    volumes: ["data:/data"]
    restart: always
  needs-web: { image: "@APP@:1", depends_on: [web] }
  host: { image: "@APP@:1", network_mode: host, volumes: ["/etc:/host"] }
  own: { image: "@APP@:1", volumes: ["./page:/page:ro"] }
volumes: { data: {} }
"#;

/// A repo with an app, on an engine.
struct Shop {
    place: Place,
    engine: Engine,
    app: String,
}

impl Shop {
    fn new(app: &str) -> Result<Self> {
        let app = format!("{app}-{}", std::process::id());
        let mut place = Place::with("packs", "tests/jobs/packs", &STEAD.replace("@APP@", &app))?;
        let (engine, root) = (Engine::start()?, place.folder.path().join("root"));
        engine.put_in(&root)?;
        place.root = Some(root);
        engine.import_busybox(&format!("{app}:1"))?;
        let folder = place.folder.path().join("apps").join(&app);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("compose.yaml"), APP.replace("@APP@", &app))?;
        fs::write(folder.join("page"), "a page\n")?;
        Ok(Self { place, engine, app })
    }

    fn input(&self, mut input: Value) -> Value {
        input["project"] = json!(self.app);
        input
    }

    /// How it ended, and its result or why there is none.
    async fn run(&self, input: Value) -> Result<Result<Value, String>> {
        let service = self.place.service()?;
        let job = self.place.submit(&service, self.input(input), &[("tile", b"a tile\n".as_slice())]).await?;
        Ok(match self.place.work(&service, job).await?.state {
            State::Succeeded => Ok(result(&service, job).await?),
            _ => Err(why(&service, job).await?),
        })
    }

    /// Its one-off containers, running or not.
    fn left(&self) -> Result<Vec<String>> {
        let label = format!("label=com.docker.compose.project={}", self.app);
        let listed = self.engine.docker(["ps", "--all", "--quiet", "--filter", &label])?.ok()?;
        Ok(listed.lines().map(str::to_owned).collect())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let volume = format!("{}_data", self.app);
        for id in self.left().unwrap_or_default() {
            let _ = self.engine.docker(["rm", "--force", "--volumes", &id]);
        }
        let _ = self.engine.docker(["volume", "rm", &volume]);
        let _ = self.engine.docker(["network", "rm", &format!("{}_default", self.app)]);
        let _ = self.engine.docker(["image", "rm", &format!("{}:1", self.app)]);
    }
}

#[tokio::test]
async fn a_container_does_its_work_and_is_gone() -> Result<()> {
    let shop = Shop::new("does")?;
    let script = "echo $GREETING $WHOM; cat /in/tile; tr a-z A-Z < /in/tile > /tmp/out; echo kept > /data/kept; exit 3";
    let input = json!({"scripts": [script], "files": ["tile"], "environment": [["WHOM", "world"]], "keep": "/tmp/out"});
    let done = shop.run(input).await?.map_err(anyhow::Error::msg)?;
    assert_eq!(done["outputs"], json!(["hello world\na tile\n"]));
    assert_eq!(done["outcomes"], json!(["Outcome::Exited(3)"]));
    assert_eq!(done["artifacts"], json!(["1", "tile"]));
    ensure!(shop.left()?.is_empty(), "{:?}", shop.left()?);
    // Its volume is the app's, and stays.
    let input = json!({"scripts": ["cat /data/kept"], "leave": true});
    let done = shop.run(input).await?.map_err(anyhow::Error::msg)?;
    assert_eq!(done["outputs"], json!(["kept\n"]));
    ensure!(shop.left()?.is_empty(), "what is left to the host is removed: {:?}", shop.left()?);
    Ok(())
}

#[tokio::test]
async fn what_is_not_granted_is_not_run() -> Result<()> {
    let shop = Shop::new("denies")?;
    let other = json!({"scripts": ["true"], "project": "other"});
    let service = shop.place.service()?;
    let job = shop.place.submit(&service, other, &[]).await?;
    ensure!(shop.place.work(&service, job).await?.state == State::Failed);
    let reason = why(&service, job).await?;
    ensure!(reason.contains("[policy.packs.grant.container.compose]\nprojects = [\"other\"]"), "{reason}");
    for (input, words) in [
        (json!({"service": "web"}), "[policy.packs.grant.container]\nservices = [\"web\"]"),
        (json!({"service": "host"}), "[policy.packs.grant.container.compose]\n"),
        (json!({"service": "needs-web"}), "it depends on service web, which does not run here"),
        (json!({"service": "own"}), "page, which it mounts, is not on this server as it is in apps/"),
        (json!({"memory": 65}), "memory = \"65 MiB\""),
        (json!({"millicpus": 501}), "cpus = 0.501"),
        (json!({"timeout": 61}), "time = \"61 s\""),
        (json!({"secrets": ["other"]}), "secrets = [\"other\"]"),
        (json!({"scripts": ["sleep 9", "sleep 9", "sleep 9"]}), "containers = 3"),
        (json!({"files": ["none"]}), "there is no artifact \"none\""),
    ] {
        let mut asked = json!({"scripts": ["true"]});
        let both = asked.as_object_mut().zip(input.as_object());
        both.into_iter().for_each(|(asked, input)| asked.extend(input.clone()));
        let reason = shop.run(asked).await?.expect_err("denied");
        ensure!(reason.contains(words), "{input}: {reason}");
    }
    ensure!(shop.left()?.is_empty(), "{:?}", shop.left()?);
    Ok(())
}

#[tokio::test]
async fn a_container_is_held_to_its_limits() -> Result<()> {
    let shop = Shop::new("limits")?;
    let script = "echo on; trap 'exit 0' TERM; sleep 1000 & wait";
    let (service, input) = (shop.place.service()?, shop.input(json!({"scripts": [script], "timeout": 2})));
    let job = shop.place.submit(&service, input, &[("tile", b"a tile\n".as_slice())]).await?;
    shop.place.work(&service, job).await?;
    let done = result(&service, job).await?;
    assert_eq!((&done["outputs"], &done["outcomes"]), (&json!(["on\n"]), &json!(["Outcome::TimedOut"])));
    // It is followed once more to its end, and said nothing new.
    let said = said(&service, job).await?;
    assert_eq!(said.values().flatten().filter(|line| *line == "on").count(), 1, "{said:?}");
    let script = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max 2> /dev/null || \
        cat /sys/fs/cgroup/memory/memory.limit_in_bytes; exec tail /dev/zero";
    let done = shop.run(json!({"scripts": [script], "memory": 32})).await?.map_err(anyhow::Error::msg)?;
    ensure!(done["outputs"][0].as_str().is_some_and(|said| said.starts_with("33554432\n")), "{done}");
    assert_eq!(done["outcomes"], json!(["Outcome::OutOfMemory"]));
    let reason = shop.run(json!({"scripts": ["yes $(seq 5000 | tr '\\n' .) | head -c 70000000"]})).await?;
    let reason = reason.expect_err("too much");
    ensure!(reason.contains("bytes"), "{reason}");
    ensure!(shop.left()?.is_empty(), "{:?}", shop.left()?);
    Ok(())
}

const LINES: usize = 300;

/// The container runs on while no worker is there, and whoever comes next hears what it wrote meanwhile.
#[tokio::test]
async fn a_container_is_taken_up_wherever_its_workers_die() -> Result<()> {
    let shop = Shop::new("dies")?;
    let script =
        format!("echo ran >> /data/ran; for i in $(seq {LINES}); do echo line $i; sleep 0.02; done; wc -l < /data/ran");
    let service = shop.place.service()?;
    let input = json!({"scripts": [script, "echo short"], "keep": "/data/ran"});
    let job = shop.place.submit(&service, shop.input(input), &[]).await?;
    let mut deaths = 0;
    for entries in 1.. {
        let service = shop.place.service()?;
        let worker = Worker::new(service.clone(), &format!("worker-{entries}"))?;
        tokio::select! {
            worked = worker.run(1) => worked?,
            () = reaches(&service.store.queue, job, entries) => deaths += 1,
        }
        if service.store.queue.job(job).await?.state.has_ended() {
            break;
        }
    }
    ensure!(deaths > 6, "workers died {deaths} times only; {}", why(&service, job).await?);
    ensure!(service.store.queue.job(job).await?.state == State::Succeeded, "{}", why(&service, job).await?);
    let said = said(&service, job).await?;
    let lines: Vec<_> = (1..=LINES).map(|line| format!("line {line}")).chain(["1".to_owned()]).collect();
    assert_eq!(said[&format!("{}-tool/1", shop.app)], lines);
    assert_eq!(said[&format!("{}-tool/2", shop.app)], ["short"]);
    assert_eq!(said["policy"], ["it begins", "it ends"]);
    ensure!(shop.left()?.is_empty(), "{:?}", shop.left()?);
    Ok(())
}

#[tokio::test]
async fn no_container_outlives_its_job() -> Result<()> {
    let shop = Shop::new("reaps")?;
    let service = shop.place.service()?;
    let input = shop.input(json!({"scripts": ["echo on; exec sleep 1000"]}));
    let job = shop.place.submit(&service, input.clone(), &[]).await?;
    let (ended, cancelled) = tokio::join!(shop.place.work(&service, job), cancel_when_on(&shop, &service, job));
    cancelled?;
    assert_eq!(ended?.state, State::Cancelled);
    ensure!(shop.left()?.is_empty(), "{:?}", shop.left()?);

    // Nobody is left who could remove it but the reaper.
    let job = shop.place.submit(&service, input, &[]).await?;
    let worker = Worker::new(service.clone(), "dies")?;
    tokio::select! {
        worked = worker.run(1) => worked?,
        () = on(&shop) => {}
    }
    assert_eq!(service.reap_containers().await?, 0, "its job waits for another worker");
    ensure!(shop.left()?.len() == 1);
    service.store.queue.cancel(job).await?;
    while !service.store.queue.job(job).await?.state.has_ended() {
        // Its lease ends.
        service.store.queue.tend().await?;
        sleep(Duration::from_millis(100)).await;
    }
    // Also when the policy is in the repo no more.
    fs::write(shop.place.folder.path().join("stead.toml"), "")?;
    assert_eq!(shop.place.service()?.reap_containers().await?, 1);
    ensure!(shop.left()?.is_empty(), "{:?}", shop.left()?);
    Ok(())
}

async fn cancel_when_on(shop: &Shop, service: &stead::job::Service, job: JobId) -> Result<()> {
    on(shop).await;
    service.store.queue.cancel(job).await?;
    Ok(())
}

async fn on(shop: &Shop) {
    while shop.left().unwrap_or_default().is_empty() {
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_millis(500)).await;
}

#[tokio::test]
async fn a_secret_is_seen_by_its_container_alone() -> Result<()> {
    let shop = Shop::new("hides")?;
    set(&shop.place, "key-one")?;
    let script = "wc -c < /run/secrets/key-one; cat /run/secrets/key-one";
    let done = shop.run(json!({"scripts": [script], "secrets": ["key-one"]})).await?.map_err(anyhow::Error::msg)?;
    let hidden = "*".repeat(VALUE.len());
    assert_eq!(done["outputs"], json!([format!("{}\n{hidden}", VALUE.len())]));
    let kept = holding(&shop.place.folder.path().join("state"))?;
    ensure!(kept.is_empty(), "the secret is in {kept:?}");
    Ok(())
}
