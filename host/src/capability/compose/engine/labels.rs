//! The labels by which docker compose knows its own.

use std::collections::{BTreeMap, HashMap};

use super::Up;
use crate::capability::compose::docker::{
    CONFIG_HASH, DEPENDS_ON, MOUNTED, NUMBER, ONE_OFF, PROJECT, SERVICE, SETTINGS,
};
use crate::capability::compose::model::{Condition, Dependency};
use crate::capability::compose::written::{FILES, OVERRIDES};
use crate::digest::Digest;

const VERSION: &str = "com.docker.compose.version";

impl Up<'_> {
    /// What every object of the project carries.
    pub(super) fn labels(&self, own: &BTreeMap<String, String>) -> HashMap<String, String> {
        let mut labels: HashMap<_, _> = own.clone().into_iter().collect();
        labels.insert(PROJECT.to_owned(), self.project.to_string());
        labels.insert(VERSION.to_owned(), self.resolved.version.clone());
        labels
    }

    pub(super) fn network_labels(
        &self,
        key: &str,
        own: &BTreeMap<String, String>,
        settings: &Digest,
    ) -> HashMap<String, String> {
        let mut labels = self.labels(own);
        labels.insert("com.docker.compose.network".to_owned(), key.to_owned());
        labels.insert(SETTINGS.to_owned(), settings.to_string());
        labels
    }

    pub(super) fn container_labels(&self, name: &str, number: u32, image_id: &str) -> HashMap<String, String> {
        let none = BTreeMap::new();
        let declared = self.model.services.get(name);
        let mut labels = self.labels(declared.map_or(&none, |service| &service.labels));
        let mut add = |label: &str, value: String| drop(labels.insert(label.to_owned(), value));
        add(SERVICE, name.to_owned());
        add(NUMBER, number.to_string());
        add(ONE_OFF, "False".to_owned());
        add(CONFIG_HASH, self.resolved.hashes.get(name).cloned().unwrap_or_default());
        add("com.docker.compose.image", image_id.to_owned());
        add("com.docker.compose.project.working_dir", self.lasting.display().to_string());
        add("com.docker.compose.project.config_files", self.config_files());
        let depends_on = declared.iter().flat_map(|service| &service.depends_on).map(dependency);
        add(DEPENDS_ON, depends_on.collect::<Vec<_>>().join(","));
        if let Some(mounted) = self.version.services.get(name).and_then(|service| service.mounted.as_ref()) {
            add(MOUNTED, mounted.to_string());
        }
        labels
    }

    fn config_files(&self) -> String {
        let variables = std::fs::read_to_string(self.lasting.join(".env")).unwrap_or_default();
        let there = |name: &str| self.version.files.contains_key(name);
        let found = named_by(&variables).unwrap_or_else(|| picked(there));
        found.iter().map(|name| self.lasting.join(name).display().to_string()).collect::<Vec<_>>().join(",")
    }
}

/// The files that the plugin picks when it is given none.
fn picked(there: impl Fn(&str) -> bool) -> Vec<String> {
    let first = |names: &[&str]| names.iter().find(|name| there(name)).map(|name| (*name).to_owned());
    first(FILES).into_iter().flat_map(|file| [Some(file), first(OVERRIDES)]).flatten().collect()
}

/// The files that a project's `.env` gives the plugin.
fn named_by(variables: &str) -> Option<Vec<String>> {
    let value = |name: &str| {
        let lines = variables.lines().rev().filter_map(|line| line.trim().split_once('='));
        let plain = |value: &str| value.trim().trim_matches(['"', '\'']).to_owned();
        lines.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| plain(value))
    };
    let files = value("COMPOSE_FILE").filter(|files| !files.is_empty())?;
    let separator = value("COMPOSE_PATH_SEPARATOR").unwrap_or_else(|| ":".to_owned());
    Some(files.split(&separator).map(str::to_owned).collect())
}

fn dependency((name, dependency): (&String, &Dependency)) -> String {
    let condition = match dependency.condition {
        Condition::Started => "service_started",
        Condition::Healthy => "service_healthy",
        Condition::Completed => "service_completed_successfully",
    };
    format!("{name}:{condition}:{}", dependency.restart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_files_that_the_plugin_reads() {
        let picked = |there: &[&str]| picked(|name| there.contains(&name));
        assert_eq!(
            picked(&["docker-compose.yml", "compose.override.yaml"]),
            ["docker-compose.yml", "compose.override.yaml"]
        );
        assert_eq!(picked(&["compose.yaml", "compose.yml"]), ["compose.yaml"]);
        assert_eq!(
            named_by("A=1\nCOMPOSE_FILE=\"a.yaml:b.yaml\"\n"),
            Some(vec!["a.yaml".to_owned(), "b.yaml".to_owned()])
        );
        assert_eq!(named_by("COMPOSE_FILE=\n"), None);
    }
}
