//! What runs: every container that is of a project, and every service that lacks one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bollard::models::{ContainerInspectResponse, ContainerState, ContainerSummary, HealthStatusEnum, PortSummary};
use bollard::query_parameters::ListContainersOptions;
use futures::future::join_all;
use serde::{Deserialize, Serialize};

use super::{AppError, Apps, refused};
use crate::capability::compose::docker::{DEPENDS_ON, NUMBER, ONE_OFF, PROJECT, SERVICE};
use crate::capability::compose::record;
use crate::capability::compose::swarm::NAMESPACE;

const SWARM_SERVICE: &str = "com.docker.swarm.service.name";
const SWARM_TASK: &str = "com.docker.swarm.task.name";

/// A project on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    pub name: String,
    /// Whether the last revision owns it.
    pub owned: bool,
    /// Sorted by service and number.
    pub instances: Vec<Instance>,
}

/// A container of a service; or a service that has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub service: String,
    /// Its name and its id; `None`: the service should run and has no container.
    pub container: Option<(String, String)>,
    pub number: u32,
    pub image: String,
    /// In Docker's words: `running`, `exited`; `missing` without a container.
    pub state: String,
    /// Of one that has ended.
    pub exit_code: Option<i64>,
    /// In Docker's words; `None`: it has no health check.
    pub health: Option<String>,
    pub ports: Vec<String>,
    /// When it came into its state, as RFC 3339.
    pub since: Option<String>,
    /// Whether no service of the project's file knows it.
    pub orphan: bool,
    /// Whether `docker compose run` made it.
    pub one_off: bool,
    /// Whether it is of a stack in a swarm.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stack: bool,
    /// The services that its own depends on, and whether it is to be restarted with them.
    #[serde(skip)]
    pub(super) depends_on: BTreeMap<String, Dependency>,
}

/// As the label of Compose says it: `db:service_healthy:true`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) restart: bool,
}

impl Instance {
    /// As docker compose calls it: the container's name without the project's.
    pub fn short(&self, app: &str) -> String {
        let name = self.container.as_ref().map_or("", |(name, _)| name);
        let own = name.strip_prefix(app).and_then(|rest| rest.strip_prefix(['-', '_']));
        own.filter(|own| !own.is_empty()).unwrap_or(name).to_owned()
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.container.as_ref().map(|(_, id)| id.as_str())
    }
}

impl Apps<'_> {
    /// All projects that have a container, or that are `owned`; sorted by name.
    ///
    /// # Errors
    /// When the engine does not say.
    pub async fn list(&self, owned: &BTreeSet<String>) -> Result<Vec<App>, AppError> {
        let (mut found, tasks) = tokio::try_join!(self.with(PROJECT, true), self.with(NAMESPACE, false))?;
        found.extend(tasks);
        let looked = join_all(found.into_iter().map(|summary| self.look(summary))).await;
        let mut projects: BTreeMap<String, Vec<Instance>> = owned.iter().map(|name| (name.clone(), vec![])).collect();
        for (project, instance) in looked.into_iter().flatten() {
            projects.entry(project).or_default().push(instance);
        }
        Ok(projects.into_iter().map(|(name, instances)| self.app(name, instances, owned)).collect())
    }

    /// The containers with a label. Of a stack those that run: the swarm keeps former ones, which nobody asks for.
    async fn with(&self, label: &str, all: bool) -> Result<Vec<ContainerSummary>, AppError> {
        let filters = Some(HashMap::from([("label".to_owned(), vec![label.to_owned()])]));
        let options = ListContainersOptions { all, filters, ..ListContainersOptions::default() };
        self.docker.list_containers(Some(options)).await.map_err(refused("list containers"))
    }

    /// The project of this name, with the containers of these services; of all when there is none.
    pub(super) async fn find(&self, name: &str, services: &[String]) -> Result<App, AppError> {
        let apps = self.list(&BTreeSet::new()).await?;
        let known = || apps.iter().map(|app| app.name.clone()).collect();
        let app = apps.iter().find(|app| app.name == name);
        let mut app = app.ok_or_else(|| AppError::NoApp { name: name.to_owned(), known: known() })?.clone();
        let there: BTreeSet<String> = app.instances.iter().map(|instance| instance.service.clone()).collect();
        if let Some(unknown) = services.iter().find(|service| !there.contains(*service)) {
            return Err(AppError::NoService { app: app.name, name: unknown.clone(), known: there });
        }
        app.instances.retain(|one| services.is_empty() || services.contains(&one.service));
        Ok(app)
    }

    fn app(&self, name: String, mut instances: Vec<Instance>, owned: &BTreeSet<String>) -> App {
        let owned = owned.contains(&name);
        let record = name.parse().ok().and_then(|project| record::get(self.machine, &project).ok()?);
        if let Some(record) = record {
            let services = &record.version.services;
            for instance in &mut instances {
                instance.orphan = !services.contains_key(&instance.service) && !instance.one_off;
            }
            let lacks = |name: &&String| instances.iter().all(|instance| instance.service != **name);
            let wanted = services.iter().filter(|(name, service)| service.replicas > 0 && lacks(name));
            let missing: Vec<_> = wanted.map(|(name, service)| missing(name, &service.image)).collect();
            instances.extend(missing);
        }
        instances.sort_by(|a, b| (&a.service, a.number, &a.container).cmp(&(&b.service, b.number, &b.container)));
        App { name, owned, instances }
    }

    /// A container that goes while it is looked at is not there.
    pub(super) async fn look(&self, summary: ContainerSummary) -> Option<(String, Instance)> {
        let id = summary.id?;
        let found = self.docker.inspect_container(&id, None).await.ok()?;
        let labels = summary.labels.unwrap_or_default();
        let (project, service, number) = place(&labels)?;
        let name = summary.names?.into_iter().next()?.trim_start_matches('/').to_owned();
        let state = state(&found);
        let status = state.status.map(|status| status.to_string()).unwrap_or_default();
        let is_up = state.running == Some(true);
        let since = if is_up { state.started_at } else { state.finished_at };
        let never = |at: &String| at.starts_with("0001-");
        let instance = Instance {
            service,
            container: Some((name, id)),
            number,
            // A name that means another image by now is given as the id.
            image: summary.image.unwrap_or_default(),
            exit_code: state.exit_code.filter(|_| status == "exited"),
            health: state.health.and_then(|health| health.status).and_then(health),
            state: status,
            ports: ports(summary.ports.unwrap_or_default()),
            since: since.filter(|at| !never(at)).or(found.created),
            orphan: false,
            one_off: labels.get(ONE_OFF).is_some_and(|one_off| one_off.eq_ignore_ascii_case("true")),
            stack: !labels.contains_key(PROJECT),
            depends_on: labels.get(DEPENDS_ON).map(|label| depends_on(label)).unwrap_or_default(),
        };
        Some((project, instance))
    }
}

/// The project, the service and the number of a container: of docker compose, or of a stack.
fn place(labels: &HashMap<String, String>) -> Option<(String, String, u32)> {
    let number = |number: Option<&str>| number.and_then(|number| number.parse().ok()).unwrap_or_default();
    if let Some(project) = labels.get(PROJECT) {
        let service = labels.get(SERVICE).cloned().unwrap_or_default();
        return Some((project.clone(), service, number(labels.get(NUMBER).map(String::as_str))));
    }
    let (project, full) = (labels.get(NAMESPACE)?, labels.get(SWARM_SERVICE)?);
    let service = full.strip_prefix(project.as_str()).and_then(|rest| rest.strip_prefix('_')).unwrap_or(full);
    // NAME.NUMBER.ID
    let task = labels.get(SWARM_TASK).and_then(|task| task.rsplit('.').nth(1));
    Some((project.clone(), service.to_owned(), number(task)))
}

fn state(found: &ContainerInspectResponse) -> ContainerState {
    found.state.clone().unwrap_or_default()
}

fn health(status: HealthStatusEnum) -> Option<String> {
    match status {
        HealthStatusEnum::NONE | HealthStatusEnum::EMPTY => None,
        status => Some(status.to_string()),
    }
}

fn missing(service: &str, image: &str) -> Instance {
    Instance {
        service: service.to_owned(),
        container: None,
        number: 0,
        image: image.to_owned(),
        state: "missing".to_owned(),
        exit_code: None,
        health: None,
        ports: Vec::new(),
        since: None,
        orphan: false,
        one_off: false,
        stack: false,
        depends_on: BTreeMap::new(),
    }
}

fn depends_on(label: &str) -> BTreeMap<String, Dependency> {
    let one = |said: &str| {
        let mut parts = said.split(':');
        let name = parts.next()?;
        let dependency = Dependency { restart: parts.nth(1) == Some("true") };
        (!name.is_empty()).then(|| (name.to_owned(), dependency))
    };
    label.split(',').filter_map(one).collect()
}

/// `8080->80/tcp`, as docker(1) writes it, without saying twice that it is the same on IPv6.
fn ports(ports: Vec<PortSummary>) -> Vec<String> {
    let one = |port: PortSummary| {
        let protocol = port.typ.map(|typ| typ.to_string()).filter(|typ| !typ.is_empty());
        let inside = format!("{}/{}", port.private_port, protocol.unwrap_or_else(|| "tcp".to_owned()));
        let Some(public) = port.public_port else { return inside };
        match port.ip.as_deref() {
            None | Some("0.0.0.0" | "::" | "") => format!("{public}->{inside}"),
            Some(ip) => format!("{ip}:{public}->{inside}"),
        }
    };
    ports.into_iter().map(one).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_label_of_compose() {
        let found = depends_on("db:service_healthy:true,migrate:service_completed_successfully:false");
        assert_eq!(found["db"], Dependency { restart: true });
        assert_eq!(found["migrate"], Dependency { restart: false });
        assert!(depends_on("").is_empty());
    }

    #[test]
    fn a_container_is_called_as_docker_compose_calls_it() {
        let named = |name: &str| {
            let container = Some((name.to_owned(), String::new()));
            Instance { container, ..missing("web", "x") }.short("shop")
        };
        assert_eq!(["shop-web-1", "own-name", "shop"].map(named), ["web-1", "own-name", "shop"]);
    }
}
