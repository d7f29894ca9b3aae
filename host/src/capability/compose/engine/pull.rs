//! Pulls images, and tells of each layer on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::models::CreateImageInfo;
use bollard::query_parameters::{CreateImageOptions, TagImageOptions};
use futures::TryStreamExt;
use tokio::time::Instant;

use super::Up;
use crate::capability::ApplyError;

/// Nobody reads faster.
const PAUSE: Duration = Duration::from_millis(200);

impl Up<'_> {
    /// Pulls an image.
    ///
    /// # Errors
    /// When the registry does not give it.
    pub(super) async fn pull(&self, name: &str, platform: &str) -> Result<(), ApplyError> {
        let (from, tag) = reference(name);
        let options = CreateImageOptions {
            from_image: Some(from),
            tag,
            platform: platform.to_owned(),
            ..CreateImageOptions::default()
        };
        let credentials = self.variables.credentials(name).map_err(|reason| self.refused(reason))?;
        let mut pull = self.docker.create_image(Some(options), None, credentials);
        let (mut layers, mut told) = (Layers::default(), Instant::now());
        loop {
            let said = pull.try_next().await.map_err(self.failed(format!("pull image {name}")))?;
            let Some(said) = said else { return Ok(()) };
            layers.hear(said);
            if told.elapsed() >= PAUSE {
                told = Instant::now();
                self.machine.doing().tell(format!("pulling {name}: {layers}"));
            }
        }
    }

    /// Gives an image another name.
    pub(super) async fn tag(&self, image: &str, name: &str) -> Result<(), ApplyError> {
        let (repo, tag) = reference(name);
        let options = TagImageOptions { repo: Some(repo), tag };
        self.docker.tag_image(image, Some(options)).await.map_err(self.failed(format!("name image {name}")))
    }
}

/// How far the layers of an image have come: bytes that are here, and bytes in all.
#[derive(Default)]
struct Layers(BTreeMap<String, (i64, i64)>);

impl Layers {
    fn hear(&mut self, said: CreateImageInfo) {
        let Some(id) = said.id else { return };
        let detail = said.progress_detail.unwrap_or_default();
        match said.status.as_deref() {
            Some("Pulling fs layer" | "Waiting") => drop(self.0.entry(id).or_default()),
            Some("Downloading") => {
                let total = detail.total.unwrap_or_default();
                self.0.insert(id, (detail.current.unwrap_or_default(), total));
            }
            Some("Download complete" | "Already exists" | "Pull complete") => {
                let layer = self.0.entry(id).or_insert((1, 1));
                layer.1 = layer.1.max(1);
                layer.0 = layer.1;
            }
            _ => {}
        }
    }
}

impl std::fmt::Display for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let here = self.0.values().filter(|(here, all)| *all > 0 && here >= all).count();
        let sum = |of: fn(&(i64, i64)) -> i64| self.0.values().map(of).sum::<i64>() as f64 / 1e6;
        let (bytes, all) = (sum(|layer| layer.0), sum(|layer| layer.1));
        write!(f, "{here} of {} layers, {bytes:.1} of {all:.1} MB", self.0.len())
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
        let split = |name: &str| {
            let (from, tag) = reference(name);
            (from, tag.unwrap_or_default())
        };
        assert_eq!(split("nginx"), ("nginx".to_owned(), "latest".to_owned()));
        assert_eq!(split("localhost:5000/a/b"), ("localhost:5000/a/b".to_owned(), "latest".to_owned()));
        assert_eq!(split("localhost:5000/a:1"), ("localhost:5000/a".to_owned(), "1".to_owned()));
        assert_eq!(split("a@sha256:0"), ("a@sha256:0".to_owned(), String::new()));
    }

    #[test]
    fn tells_of_layers() {
        let mut layers = Layers::default();
        let said = |id: &str, status: &str, current: i64, total: i64| CreateImageInfo {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: Some(bollard::models::ProgressDetail { current: Some(current), total: Some(total) }),
            ..CreateImageInfo::default()
        };
        layers.hear(said("a", "Pulling fs layer", 0, 0));
        layers.hear(said("b", "Downloading", 1_000_000, 4_000_000));
        assert_eq!(layers.to_string(), "0 of 2 layers, 1.0 of 4.0 MB");
        layers.hear(said("a", "Already exists", 0, 0));
        layers.hear(said("b", "Pull complete", 0, 0));
        assert_eq!(layers.to_string(), "2 of 2 layers, 4.0 of 4.0 MB");
    }
}
