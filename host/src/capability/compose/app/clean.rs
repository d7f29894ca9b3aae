//! Images and build cache that nothing needs any more: found, shown, and removed when that was agreed to.
//!
//! Only what stead itself brought here goes, and of it nothing that a container, a service of a swarm, another name or
//! one of the kept revisions needs: a rollback to one of these finds its images without a network. Nothing is forced.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::ImageSummary;
use bollard::query_parameters::{
    ListContainersOptions, ListImagesOptions, ListServicesOptions, PruneBuildOptions, RemoveImageOptions,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AppError, Apps, refused};
use crate::capability::compose::docker::{self, BUILD, unless_gone};
use crate::capability::compose::engine::said;
use crate::capability::compose::{Fact, record};

mod usage;

/// Names and ids of images.
pub type Images = BTreeSet<String>;

/// What stead knows of images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// All that it ever brought here.
    pub known: Images,
    /// What must stay.
    pub kept: Images,
}

/// What would go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waste {
    pub images: Vec<Unused>,
    pub cache: Cache,
}

/// An image that nothing needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    pub id: String,
    /// Empty: it has lost its name to another one.
    pub names: Vec<String>,
    /// In bytes, with what it shares with others.
    pub size: u64,
}

/// Build cache that was not used for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    pub entries: u64,
    /// In bytes.
    pub size: u64,
}

/// What has gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleaned {
    pub images: u64,
    /// Bytes of build cache.
    pub cache: u64,
    /// What Docker did not let go, and why.
    pub left: Vec<String>,
}

/// The images that a fact speaks of: wanted, recorded, or run by a container.
pub fn mentioned(fact: &Value) -> Images {
    let fact: Option<Fact> = serde_json::from_value(fact.clone()).ok();
    let mut images = Images::new();
    for found in fact.iter().flat_map(|fact| fact.projects.values()) {
        let versions =
            [found.wanted.as_ref().map(|wanted| &wanted.version), found.record.as_ref().map(|known| &known.version)];
        for service in versions.into_iter().flatten().flat_map(|version| version.services.values()) {
            images.insert(service.image.clone());
            images.extend(service.image_id.clone());
            images.extend(service.image_digest.clone());
        }
        images.extend(found.containers.iter().map(|container| container.image_id.clone()));
    }
    images
}

/// The images that the files of a fact want.
pub fn wanted(fact: &Value) -> Images {
    let fact: Option<Fact> = serde_json::from_value(fact.clone()).ok();
    let wanted = fact.iter().flat_map(|fact| fact.projects.values()).filter_map(|found| found.wanted.as_ref());
    let services = wanted.flat_map(|wanted| wanted.version.services.values());
    services.flat_map(|service| [Some(service.image.clone()), service.image_id.clone()]).flatten().collect()
}

impl Apps<'_> {
    /// What would go: see the top of this file.
    ///
    /// # Errors
    /// When the engine does not say what is there.
    pub async fn waste(&self, needs: &Needs, unused_for: Duration) -> Result<Waste, AppError> {
        let options = ListImagesOptions { digests: true, ..ListImagesOptions::default() };
        let images = self.docker.list_images(Some(options)).await.map_err(refused("list images"))?;
        let mut kept = needs.kept.clone();
        kept.extend(self.used().await?);
        kept.extend(self.recorded());
        let goes = |image: &ImageSummary| is_known(image, &needs.known) && !is_named(image, &kept);
        let images = images.into_iter().filter(goes).map(|image| Unused {
            size: u64::try_from(image.size).unwrap_or_default(),
            names: names(&image).map(str::to_owned).collect(),
            id: image.id,
        });
        Ok(Waste { images: images.collect(), cache: self.cache(unused_for).await? })
    }

    /// Removes what was agreed to, as far as nothing needs it by now.
    ///
    /// # Errors
    /// When the engine does not say what is there.
    pub async fn clean(&self, needs: &Needs, unused_for: Duration, agreed: &Waste) -> Result<Cleaned, AppError> {
        let waste = self.waste(needs, unused_for).await?;
        let mut cleaned = Cleaned::default();
        for image in waste.images.iter().filter(|image| agreed.images.contains(image)) {
            match self.remove(image).await {
                Ok(()) => cleaned.images += 1,
                Err(error) => cleaned.left.push(format!("{}: {}", shown(image), said(error))),
            }
        }
        if agreed.cache.entries > 0 {
            let filters = BTreeMap::from([("until".to_owned(), vec![format!("{}s", unused_for.as_secs())])]);
            let options = PruneBuildOptions {
                all: Some(true),
                filters: Some(filters.into_iter().collect()),
                ..PruneBuildOptions::default()
            };
            let pruned = self.docker.prune_build(Some(options)).await.map_err(refused("prune the build cache"))?;
            cleaned.cache = u64::try_from(pruned.space_reclaimed.unwrap_or_default()).unwrap_or_default();
        }
        Ok(cleaned)
    }

    async fn remove(&self, image: &Unused) -> Result<(), Error> {
        let of_it = if image.names.is_empty() { std::slice::from_ref(&image.id) } else { &image.names[..] };
        for name in of_it {
            let removed = self.docker.remove_image(name, None::<RemoveImageOptions>, None).await;
            unless_gone(removed.map(drop))?;
        }
        Ok(())
    }

    /// What containers, running or not, and services of a swarm are made of.
    async fn used(&self) -> Result<Images, AppError> {
        let options = ListContainersOptions { all: true, ..ListContainersOptions::default() };
        let containers = self.docker.list_containers(Some(options)).await.map_err(refused("list containers"))?;
        let mut used: Images = containers.into_iter().filter_map(|container| container.image_id).collect();
        // Where there is no swarm there is no service.
        let services = self.docker.list_services(None::<ListServicesOptions>).await.unwrap_or_default();
        let image = |service: bollard::models::Service| service.spec?.task_template?.container_spec?.image;
        used.extend(services.into_iter().filter_map(image));
        Ok(used)
    }

    /// What was last brought up.
    fn recorded(&self) -> Images {
        let records = record::all(self.machine);
        let services = records.iter().flat_map(|record| record.version.services.values());
        services
            .flat_map(|one| [Some(one.image.clone()), one.image_id.clone(), one.image_digest.clone()])
            .flatten()
            .collect()
    }

    async fn cache(&self, unused_for: Duration) -> Result<Cache, AppError> {
        let Some(socket) = docker::socket(self.machine) else { return Ok(Cache::default()) };
        let pieces = usage::pieces(&socket).await.map_err(|error| AppError::Refused {
            what: "ask for the build cache".to_owned(),
            words: error.to_string(),
        })?;
        let oldest = Timestamp::now().checked_sub(unused_for).unwrap_or(Timestamp::MIN);
        let mut cache = Cache::default();
        for piece in pieces.into_iter().filter(|piece| !piece.in_use) {
            let used = piece.last_used_at.or(piece.created_at).and_then(|at| at.parse::<Timestamp>().ok());
            if used.is_none_or(|used| used < oldest) {
                cache.entries += 1;
                cache.size += piece.size;
            }
        }
        Ok(cache)
    }
}

/// Docker's word for the name of an image that has none.
fn names(image: &ImageSummary) -> impl Iterator<Item = &str> {
    image.repo_tags.iter().map(String::as_str).filter(|name| !name.starts_with("<none>"))
}

/// Whether stead brought it, under each of its names.
fn is_known(image: &ImageSummary, known: &Images) -> bool {
    let all_known = names(image).all(|name| known.contains(name) || known.contains(name.trim_end_matches(":latest")));
    let built = image.labels.contains_key(BUILD);
    all_known && (built || known.contains(&image.id) || names(image).next().is_some())
}

fn is_named(image: &ImageSummary, among: &Images) -> bool {
    let digests = image.repo_digests.iter().map(String::as_str);
    let names: Vec<&str> = names(image).flat_map(|name| [name, name.trim_end_matches(":latest")]).collect();
    let pinned = |name: &&str| among.iter().any(|one| one.split_once('@').is_some_and(|(tag, _)| tag == *name));
    among.contains(&image.id)
        || digests.chain(names.iter().copied()).any(|name| among.contains(name))
        || names.iter().any(pinned)
}

/// What an image is called in a message.
pub fn shown(image: &Unused) -> String {
    match image.names.is_empty() {
        true => image.id.trim_start_matches("sha256:").chars().take(12).collect(),
        false => image.names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(names: &[&str]) -> ImageSummary {
        let repo_tags = names.iter().map(|name| (*name).to_owned()).collect();
        ImageSummary { id: "sha256:1".to_owned(), repo_tags, ..ImageSummary::default() }
    }

    fn images(names: &[&str]) -> Images {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn one_name_that_is_not_ours_keeps_an_image() {
        let known = images(&["app:1", "web"]);
        assert!(is_known(&image(&["app:1"]), &known) && is_known(&image(&["web:latest"]), &known));
        assert!(!is_known(&image(&["app:1", "theirs:1"]), &known) && !is_known(&image(&["theirs:1"]), &known));
        assert!(!is_known(&image(&[]), &known), "nobody knows where it comes from");
        assert!(is_known(&image(&[]), &images(&["sha256:1"])));
    }

    #[test]
    fn a_need_is_met_by_name_id_or_digest() {
        assert!(is_named(&image(&["app:1"]), &images(&["sha256:1"])));
        assert!(is_named(&image(&["web:latest"]), &images(&["web"])));
        assert!(is_named(&image(&["app:1"]), &images(&["app:1@sha256:0f"])), "as a swarm says it");
        assert!(!is_named(&image(&["app:1"]), &images(&["app:2"])));
    }
}
