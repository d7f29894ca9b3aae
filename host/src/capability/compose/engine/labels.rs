//! The labels by which docker compose knows its own.

use std::collections::{BTreeMap, HashMap};

use super::Up;
use crate::capability::compose::docker::{
    CONFIG_HASH, DEPENDS_ON, MOUNTED, NUMBER, ONE_OFF, PROJECT, SERVICE, SETTINGS,
};
use crate::capability::compose::model::{Condition, Dependency};
use crate::digest::Digest;

const VERSION: &str = "com.docker.compose.version";
const FILES: &[(&str, &str)] = &[
    ("compose.yaml", "compose.override.yaml"),
    ("compose.yml", "compose.override.yml"),
    ("docker-compose.yml", "docker-compose.override.yml"),
    ("docker-compose.yaml", "docker-compose.override.yaml"),
];

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

    /// The files that the plugin picks when it is given none.
    fn config_files(&self) -> String {
        let there = |name: &str| self.version.files.contains_key(name);
        let Some((file, over)) = FILES.iter().find(|(file, _)| there(file)) else { return String::new() };
        let found = [file, over].into_iter().filter(|name| there(name));
        found.map(|name| self.lasting.join(name).display().to_string()).collect::<Vec<_>>().join(",")
    }
}

fn dependency((name, dependency): (&String, &Dependency)) -> String {
    let condition = match dependency.condition {
        Condition::Started => "service_started",
        Condition::Healthy => "service_healthy",
        Condition::Completed => "service_completed_successfully",
    };
    format!("{name}:{condition}:{}", dependency.restart)
}
