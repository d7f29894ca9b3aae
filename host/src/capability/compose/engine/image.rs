//! The images of a project: what is missing is pulled or built before any container is touched.

use std::collections::BTreeMap;

use bollard::query_parameters::CreateImageOptions;
use futures::TryStreamExt;
use futures::future::try_join_all;

use super::Up;
use crate::capability::ApplyError;
use crate::capability::compose::docker::{self, Image};
use crate::capability::compose::model::Service;
use crate::capability::compose::state;

impl Up<'_> {
    /// The image of each service: the one that was planned, if it is still to be had, or what the name means now.
    pub(super) async fn images(&self) -> Result<BTreeMap<String, Image>, ApplyError> {
        let found = self.model.services.iter().map(|(name, service)| async move {
            let planned = self.version.services.get(name);
            Ok::<_, ApplyError>((name.clone(), self.image(name, service, planned).await?))
        });
        Ok(try_join_all(found).await?.into_iter().collect())
    }

    async fn image(
        &self,
        name: &str,
        service: &Service,
        planned: Option<&state::Service>,
    ) -> Result<Image, ApplyError> {
        if let Some(id) = planned.and_then(|planned| planned.image_id.as_deref())
            && let Some(image) = self.look(id).await?
        {
            return Ok(image);
        }
        let named = service.image_name(self.project, name);
        if let Some(build) = &service.build {
            self.build(name, &named, build, planned).await?;
            return self.there(&named, "built").await;
        }
        if let Some(digest) = planned.and_then(|planned| planned.image_digest.as_deref()) {
            self.pull(digest, service).await?;
            return self.there(digest, "pulled").await;
        }
        let here = self.look(&named).await?;
        let policy = service.pull_policy.as_deref().unwrap_or("missing");
        match (here, policy) {
            (Some(image), "missing" | "if_not_present" | "never" | "build") => return Ok(image),
            (None, "never") => {
                return Err(self.refused(format!("image {named} is not here, and its pull policy is `never`")));
            }
            _ => self.pull(&named, service).await?,
        }
        self.there(&named, "pulled").await
    }

    async fn look(&self, name: &str) -> Result<Option<Image>, ApplyError> {
        docker::image(self.docker, name).await.map_err(self.failed(format!("look for image {name}")))
    }

    async fn there(&self, name: &str, after: &str) -> Result<Image, ApplyError> {
        let image = self.look(name).await?;
        image.ok_or_else(|| self.refused(format!("image {name} is not there after it was {after}")))
    }

    async fn pull(&self, name: &str, service: &Service) -> Result<(), ApplyError> {
        let (from, tag) = reference(name);
        let options = CreateImageOptions {
            from_image: Some(from),
            tag,
            platform: service.platform.clone().unwrap_or_default(),
            ..CreateImageOptions::default()
        };
        let credentials = self.variables.credentials(name).map_err(|reason| self.refused(reason))?;
        let pull = self.docker.create_image(Some(options), None, credentials);
        pull.try_for_each(|_| async { Ok(()) }).await.map_err(self.failed(format!("pull image {name}")))
    }
}

/// Repository and tag: without a tag Docker would pull all of them. A digest stays with the repository.
pub(super) fn reference(name: &str) -> (String, Option<String>) {
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
        let split = |name: &str| {
            let (from, tag) = reference(name);
            (from, tag.unwrap_or_default())
        };
        assert_eq!(split("nginx"), ("nginx".to_owned(), "latest".to_owned()));
        assert_eq!(split("localhost:5000/a/b"), ("localhost:5000/a/b".to_owned(), "latest".to_owned()));
        assert_eq!(split("localhost:5000/a:1"), ("localhost:5000/a".to_owned(), "1".to_owned()));
        assert_eq!(split("a@sha256:0"), ("a@sha256:0".to_owned(), String::new()));
    }
}
