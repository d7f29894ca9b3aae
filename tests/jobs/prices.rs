//! What a provider itself says that its machines cost, and what the operator lets them: against the mock of Hetzner's API,
//! which is held to that API's document elsewhere.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use stead::job::{Providers, Service, Store, Worker};
use stead::repo::Repo;
use stead_queue::State;
use stead_tests::run::{run, words};
use stead_tests::wait;
use stead_vm::provider::hetzner::{Hetzner, Settings};
use tokio::time::{sleep, timeout};

use crate::place::{HTTP, Place, settings, why};

/// There, `cx22` costs 0.00595 EUR an hour with taxes.
const STEAD: &str = r#"
[policy.works]
component = "works.wasm"

[policy.works.grant.http]
@HTTP@
[policy.works.grant.vm]
providers = ["hetzner"]
images = ["debian-13"]
instance-types = ["*"]
machines = 1
lifetime = "60 min"
price-per-job = "0.004 EUR"
price-per-day = "0.005 EUR"
"#;
const LIMIT: Duration = Duration::from_secs(60);

struct Mock {
    server: Child,
    endpoint: String,
}

impl Mock {
    fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/vm/tests/conformance/hetzner/mock.py");
        // It ends with this process, however that ends.
        let mut command = words("setpriv --pdeathsig KILL python3");
        let server = command.arg(program).arg(&port).stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mock = Self { server, endpoint: format!("http://127.0.0.1:{port}") };
        wait::until("the mock", LIMIT, || mock.servers().map(Some))?;
        Ok(mock)
    }

    /// The names of all servers.
    fn servers(&self) -> Result<Vec<String>> {
        let listed = run(words("curl -sf").arg(format!("{}/mock/servers", self.endpoint)), LIMIT)?.ok()?;
        Ok(serde_json::from_str(&listed)?)
    }

    fn service(&self, place: &Place) -> Result<Arc<Service>> {
        let state = place.folder.path().join("state");
        let settings_of =
            Settings { token: "a token".into(), endpoint: Some(self.endpoint.clone()), firewalls: vec![] };
        let hetzner = Hetzner::new("prices".parse()?, settings_of)?;
        let providers: Providers = BTreeMap::from([("hetzner".to_owned(), Arc::new(hetzner) as _)]);
        let store = Store::open_with(&state, None, settings())?;
        Ok(Arc::new(Service::with(Repo::open(place.folder.path())?, &state, store, providers)?))
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test]
async fn the_prices_of_a_provider_count_against_the_ceilings() -> Result<()> {
    let mock = Mock::start()?;
    let place = Place::with("works", "tests/jobs/policy", &STEAD.replace("@HTTP@", HTTP))?;
    let service = mock.service(&place)?;
    let worker = Worker::new(service.clone(), "one")?;
    tokio::select! {
        worked = worker.run(2) => worked?,
        played = timeout(LIMIT, play(&mock, &place, &service)) => played??,
    }
    Ok(())
}

async fn play(mock: &Mock, place: &Place, service: &Service) -> Result<()> {
    let queue = &service.store.queue;
    let dear = place.submit(service, input(3600), &[]).await?;
    ensure!(queue.ended(dear).await?.state == State::Failed, "it costs too much");
    let reason = why(service, dear).await?;
    ensure!(reason.contains("price-per-job = \"0.00595 EUR\""), "{reason}");
    assert_eq!(mock.servers()?, Vec::<String>::new());

    let first = place.submit(service, input(1800), &[]).await?;
    while mock.servers()?.is_empty() {
        sleep(Duration::from_millis(100)).await;
    }
    let reserved = queue.spent(first).await?;
    ensure!(reserved.len() == 1 && reserved[0].micros == 2975 && reserved[0].currency == "EUR", "{reserved:?}");
    // While that one may still cost so much, there is no room for another one of this day.
    let second = place.submit(service, input(1800), &[]).await?;
    ensure!(queue.ended(second).await?.state == State::Failed, "there is no room for it");
    let reason = why(service, second).await?;
    ensure!(reason.contains("price-per-day = \"0.00595 EUR\""), "{reason}");
    assert_eq!(mock.servers()?.len(), 1);

    queue.cancel(first).await?;
    assert_eq!(queue.ended(first).await?.state, State::Cancelled);
    assert_eq!(mock.servers()?, Vec::<String>::new());
    let spent = queue.spent(first).await?;
    ensure!(spent[0].is_settled && (1..=100).contains(&spent[0].micros), "{spent:?}");
    Ok(())
}

fn input(lifetime: u32) -> Value {
    json!({"machines": 1, "image": "debian-13", "types": ["cx22"], "lifetime": lifetime})
}
