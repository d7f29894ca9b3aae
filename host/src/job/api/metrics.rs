//! `/metrics` for Prometheus, and `/healthz` for whatever stands in front.

use std::time::UNIX_EPOCH;

use hyper::StatusCode;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use stead_queue::Timestamp;

use super::body::{Answer, text};
use super::call::Call;
use super::machines::word;
use super::problem::Problem;
use crate::job::Service;
use crate::job::figures::Labels;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the service works: its queue answers.
#[utoipa::path(get, path = "/healthz", tag = "service",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain"), super::document::Problems),
    security(()))]
pub(super) async fn health(call: Call) -> Result<Answer, Problem> {
    call.api.service.store.queue.counts().await?;
    Ok(text(StatusCode::OK, "text/plain", "ok\n"))
}

/// What Prometheus scrapes.
#[utoipa::path(get, path = "/metrics", tag = "service",
    responses(
        (status = 200, description = "All figures", body = String, content_type = "application/openmetrics-text"),
        super::document::Problems),
    security(("token" = ["metrics"])))]
pub(super) async fn show(call: Call) -> Result<Answer, Problem> {
    let service = &call.api.service;
    let mut registry = Registry::default();
    service.figures.register(&mut registry);
    let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("stead_build", "This stead", version);
    queue(service, &mut registry).await?;
    machines(service, &mut registry);
    let mut said = String::new();
    encode(&mut said, &registry).map_err(|_| Problem::unavailable("the figures cannot be written"))?;
    Ok(text(StatusCode::OK, OPEN_METRICS, said))
}

/// What the queue says now.
async fn queue(service: &Service, registry: &mut Registry) -> Result<(), Problem> {
    let jobs = Family::<Labels<2>, Gauge>::default();
    for count in service.store.queue.counts().await? {
        let labels = [("policy", count.name.to_string()), ("state", count.state.to_string())];
        jobs.get_or_create(&labels).set(i64::try_from(count.jobs).unwrap_or(i64::MAX));
    }
    registry.register("stead_jobs", "Jobs in the queue, by policy and state", jobs);
    let oldest = Family::<Labels<1>, Gauge>::default();
    for (name, submitted) in service.store.queue.oldest_queued().await? {
        let age = submitted.until(Timestamp::now()).as_secs();
        oldest.get_or_create(&[("policy", name.to_string())]).set(i64::try_from(age).unwrap_or(i64::MAX));
    }
    registry.register("stead_jobs_oldest_queued_age_seconds", "Since the oldest queued job was submitted", oldest);
    Ok(())
}

/// What the reaper saw last.
fn machines(service: &Service, registry: &mut Registry) {
    let (count, seen) = (Family::<Labels<2>, Gauge>::default(), Family::<Labels<1>, Gauge>::default());
    for (provider, listed) in service.seen.all() {
        let at = listed.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        seen.get_or_create(&[("provider", provider.clone())]).set(i64::try_from(at).unwrap_or(i64::MAX));
        for vm in &listed.machines {
            count.get_or_create(&[("provider", provider.clone()), ("state", word(vm.state).to_owned())]).inc();
        }
    }
    registry.register("stead_machines", "Machines of jobs, by provider and state", count);
    registry.register("stead_machines_seen_timestamp_seconds", "When the provider last listed them", seen);
}
