//! `stead app ls`: what runs, on all hosts.

use std::collections::BTreeMap;

use clap::Args;

use crate::capability::compose::{App, Instance};
use crate::cli::Context;
use crate::cli::asking::{Asked, ask_all, first_failure, unexpected};
use crate::cli::status::json;
use crate::cli::table::table;
use crate::cli::targets::{Machine, of_all};
use crate::cli::when::ago;
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::Request;

/// List the compose apps and how they do.
///
/// Every container of every project, whoever started it, and every service that should run and has no container. An
/// orphan is a container that no service of the project's file knows; a project that the last revision does not own
/// is marked as not stead's.
#[derive(Debug, Args)]
pub(in crate::cli) struct Ls {
    /// The hosts; all hosts of the repo when there is none, or this machine without a repo.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Print for machines: one JSON document, by host.
    #[arg(long)]
    json: bool,
}

impl Ls {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machines = of_all(context, &self.targets)?;
        let requests = machines.iter().map(|machine| (machine.clone(), Request::Apps)).collect();
        let apps = |answer: Asked<Event>| match answer? {
            Event::Apps { apps } => Ok(apps),
            _ => Err(unexpected()),
        };
        let answers: Vec<Asked<Vec<App>>> = ask_all(context, requests).await.into_iter().map(apps).collect();
        let said: BTreeMap<&str, &Vec<App>> = machines
            .iter()
            .zip(&answers)
            .filter_map(|(machine, answer)| Some((machine.label.as_str(), answer.as_ref().ok()?)))
            .collect();
        let now = jiff::Timestamp::now();
        let text =
            if self.json { json(&said) } else { said.iter().map(|(label, apps)| host(label, apps, now)).collect() };
        context.terminal.print(&text);
        let machines: Vec<&Machine> = machines.iter().collect();
        Ok(first_failure(context, &machines, &answers).unwrap_or(Exit::Done))
    }
}

fn host(label: &str, apps: &[App], now: jiff::Timestamp) -> String {
    if apps.is_empty() {
        return format!("{label}: no app\n");
    }
    apps.iter().map(|one| app(label, one, now)).collect()
}

fn app(label: &str, app: &App, now: jiff::Timestamp) -> String {
    let owned = if app.owned { "" } else { ", not stead's" };
    let text = format!("{label}: {}{owned}\n", printable(&app.name));
    if app.instances.is_empty() {
        return text + "  no container\n";
    }
    let heading = ["SERVICE", "CONTAINER", "IMAGE", "STATE", "PORTS", "SINCE", ""].map(str::to_owned);
    let rows: Vec<_> = app.instances.iter().map(|instance| row(instance, now)).collect();
    text + &table(&[vec![heading], rows].concat())
}

fn row(instance: &Instance, now: jiff::Timestamp) -> [String; 7] {
    let name = instance.container.as_ref().map_or("-", |(name, _)| name);
    let since = instance.since.as_ref().and_then(|since| since.parse::<jiff::Timestamp>().ok());
    let seconds = since.map(|since| now.duration_since(since).as_secs());
    let mark = match (instance.orphan, instance.one_off) {
        (true, _) => "orphan",
        (_, true) => "one-off",
        _ => "",
    };
    [
        printable(&instance.service),
        printable(name),
        printable(&instance.image),
        state(instance),
        instance.ports.join(", "),
        seconds.map(|seconds| ago(u64::try_from(seconds).unwrap_or_default())).unwrap_or_default(),
        mark.to_owned(),
    ]
}

/// `running, healthy`; `exited with 1`.
fn state(instance: &Instance) -> String {
    match (instance.exit_code, &instance.health) {
        (Some(code), _) => format!("{} with {code}", instance.state),
        (None, Some(health)) => format!("{}, {health}", instance.state),
        (None, None) => instance.state.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_for_each_app() -> anyhow::Result<()> {
        let apps: Vec<App> = serde_json::from_value(serde_json::json!([
            { "name": "shop", "owned": true, "instances": [
                { "service": "db", "container": null, "number": 0, "image": "postgres:17", "state": "missing",
                  "exit_code": null, "health": null, "ports": [], "since": null, "orphan": false, "one_off": false },
                { "service": "old", "container": ["shop-old-1", "b"], "number": 1, "image": "old:1", "state": "exited",
                  "exit_code": 137, "health": null, "ports": [], "since": "2026-11-26T09:00:00Z", "orphan": true,
                  "one_off": false },
                { "service": "web", "container": ["shop-web-1", "a"], "number": 1, "image": "web:1", "state": "running",
                  "exit_code": null, "health": "healthy", "ports": ["80->8080/tcp"], "since": "2026-11-26T11:59:18Z",
                  "orphan": false, "one_off": false } ] },
            { "name": "by\u{1b}hand", "owned": false, "instances": [] }
        ]))?;
        insta::assert_snapshot!(host("web1", &apps, "2026-11-26T12:00:00Z".parse()?), @r"
        web1: shop
          SERVICE  CONTAINER   IMAGE        STATE             PORTS         SINCE
          db       -           postgres:17  missing
          old      shop-old-1  old:1        exited with 137                 3 h ago   orphan
          web      shop-web-1  web:1        running, healthy  80->8080/tcp  42 s ago
        web1: by\u{1b}hand, not stead's
          no container
        ");
        Ok(())
    }
}
