//! The images of a project: those that are missing are pulled.

use std::collections::{BTreeMap, BTreeSet};

use bollard::query_parameters::CreateImageOptions;
use futures::TryStreamExt;
use futures::future::try_join_all;

use super::Up;
use crate::capability::ApplyError;
use crate::capability::compose::docker::image_id;

impl Up<'_> {
    /// The image id of each service: the one that was planned, if it is still there, or what the name means now.
    pub(super) async fn images(&self) -> Result<BTreeMap<String, String>, ApplyError> {
        let names: BTreeSet<_> = self.model.services.values().filter_map(|service| service.image.as_deref()).collect();
        let found = try_join_all(names.into_iter().map(|name| self.image(name))).await?;
        let by_name: BTreeMap<_, _> = found.into_iter().collect();
        let mut images = BTreeMap::new();
        for (service, declared) in &self.model.services {
            let name = declared.image.as_deref().unwrap_or_default();
            let planned = self.version.services.get(service).and_then(|service| service.image_id.as_deref());
            let now = by_name.get(name).map(String::as_str).unwrap_or_default();
            let planned = match planned {
                Some(id) if id != now => image_id(self.docker, id).await.map_err(self.failed("look for an image"))?,
                _ => None,
            };
            images.insert(service.clone(), planned.unwrap_or_else(|| now.to_owned()));
        }
        Ok(images)
    }

    async fn image<'n>(&self, name: &'n str) -> Result<(&'n str, String), ApplyError> {
        let look =
            || async { image_id(self.docker, name).await.map_err(self.failed(format!("look for image {name}"))) };
        if let Some(id) = look().await? {
            return Ok((name, id));
        }
        let mut users = self.model.services.values().filter(|service| service.image.as_deref() == Some(name));
        if users.any(|service| service.pull_policy.as_deref() == Some("never")) {
            return Err(self.refused(format!("image {name} is not here, and its pull policy is `never`")));
        }
        let (from, tag) = reference(name);
        let options = CreateImageOptions { from_image: Some(from), tag, ..CreateImageOptions::default() };
        let pull = self.docker.create_image(Some(options), None, None);
        pull.try_for_each(|_| async { Ok(()) }).await.map_err(self.failed(format!("pull image {name}")))?;
        let id = look().await?.ok_or_else(|| self.refused(format!("image {name} is not there after it was pulled")))?;
        Ok((name, id))
    }
}

/// Repository and tag: without a tag Docker would pull all of them. A digest stays with the repository.
fn reference(name: &str) -> (String, Option<String>) {
    if name.contains('@') {
        return (name.to_owned(), None);
    }
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository.to_owned(), Some(tag.to_owned())),
        _ => (name.to_owned(), Some("latest".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_tag() {
        let split = |name| {
            let (from, tag) = reference(name);
            (from, tag.unwrap_or_default())
        };
        assert_eq!(split("nginx"), ("nginx".to_owned(), "latest".to_owned()));
        assert_eq!(split("localhost:5000/a/b"), ("localhost:5000/a/b".to_owned(), "latest".to_owned()));
        assert_eq!(split("localhost:5000/a:1"), ("localhost:5000/a".to_owned(), "1".to_owned()));
        assert_eq!(split("a@sha256:0"), ("a@sha256:0".to_owned(), String::new()));
    }
}
