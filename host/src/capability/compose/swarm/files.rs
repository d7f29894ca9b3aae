//! Configs and secrets of a stack. A swarm never changes one, so each content has a name of its own.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::models::{ConfigSpec, Driver, SecretSpec};
use bollard::query_parameters::{ListConfigsOptions, ListSecretsOptions};

use super::{Stack, look, of};
use crate::capability::ApplyError;
use crate::capability::compose::docker::unless_gone;
use crate::capability::compose::model::FileSource;

/// The name and id of each config and secret, by its section and its name in the file.
pub(super) type Ids = BTreeMap<(&'static str, String), (String, String)>;

/// What is there of a section: ids by name, and of them those of the stack.
type There = BTreeMap<String, String>;

impl Stack<'_> {
    /// Makes those that are missing.
    pub(super) async fn files(&self) -> Result<Ids, ApplyError> {
        let mut ids = Ids::new();
        let model = self.up.model;
        for (section, sources) in [("configs", &model.configs), ("secrets", &model.secrets)] {
            let there = self.there(section, false).await?;
            for (key, source) in sources.iter().filter(|(key, _)| self.is_used(section, key)) {
                let (name, content) = if source.external {
                    (source.name.clone(), None)
                } else {
                    let content = self.content(section, key, source)?;
                    let digest = self.up.machine.key().digest(&content);
                    (format!("{}-{}", source.name, digest.short()), Some(content))
                };
                let id = match (there.get(&name), content) {
                    (Some(id), _) => id.clone(),
                    (None, Some(content)) => self.make(section, &name, source, &content).await?,
                    (None, None) => {
                        return Err(self.up.refused(format!("{section} {key}: the swarm has none called {name}")));
                    }
                };
                ids.insert((section, key.clone()), (name, id));
            }
        }
        Ok(ids)
    }

    /// Removes those of the stack that no service uses any more.
    pub(super) async fn prune_files(&self, used: &Ids) -> Result<(), ApplyError> {
        for section in ["configs", "secrets"] {
            for (name, id) in self.there(section, true).await? {
                if used.values().all(|(known, _)| *known != name) {
                    let removed = match section {
                        "configs" => self.up.docker.delete_config(&id).await,
                        _ => self.up.docker.delete_secret(&id).await,
                    };
                    unless_gone(removed).map_err(self.up.failed(format!("remove {section} {name}")))?;
                }
            }
        }
        Ok(())
    }

    async fn there(&self, section: &str, own: bool) -> Result<There, ApplyError> {
        let filters = if own { of(self.up.project) } else { None };
        let failed = self.up.failed(format!("list {section}"));
        Ok(match section {
            "configs" => {
                let found = self.up.docker.list_configs(Some(ListConfigsOptions { filters })).await.map_err(failed)?;
                found.into_iter().filter_map(|one| Some((one.spec?.name?, one.id?))).collect()
            }
            _ => {
                let found = self.up.docker.list_secrets(Some(ListSecretsOptions { filters })).await.map_err(failed)?;
                found.into_iter().filter_map(|one| Some((one.spec?.name?, one.id?))).collect()
            }
        })
    }

    fn is_used(&self, section: &str, key: &str) -> bool {
        let files = |service| self.up.model.files_of(service);
        self.up.model.services.values().flat_map(files).any(|(of, file, _)| of == section && file.source == key)
    }

    fn content(&self, section: &str, key: &str, source: &FileSource) -> Result<Vec<u8>, ApplyError> {
        if let Some(path) = &source.file {
            return std::fs::read(path).map_err(|source| ApplyError::File { path: path.clone(), source });
        }
        let content = self.up.content(source).map(|content| content.as_bytes().to_vec());
        content.ok_or_else(|| self.up.refused(format!("{section} {key}: its variable is not set")))
    }

    async fn make(&self, section: &str, name: &str, source: &FileSource, content: &[u8]) -> Result<String, ApplyError> {
        let (name, labels) = (Some(name.to_owned()), Some(look::labels(self.up.project, &source.labels)));
        let data = Some(STANDARD.encode(content));
        let failed = self.up.failed(format!("make {section} {}", source.name));
        let templating =
            source.template_driver.as_ref().map(|driver| Driver { name: driver.clone(), ..Driver::default() });
        let made = match section {
            "configs" => self.up.docker.create_config(ConfigSpec { name, labels, data, templating }).await,
            _ => self.up.docker.create_secret(SecretSpec { name, labels, data, templating, driver: None }).await,
        };
        Ok(made.map_err(failed)?.id)
    }
}
