//! The images of a project: what is missing is pulled or built before any container is touched.

use std::collections::{BTreeMap, BTreeSet};

use super::Up;
use crate::capability::ApplyError;
use crate::capability::compose::docker::{self, Image};
use crate::capability::compose::model::{PullPolicy, Service};

/// The image of a service.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) image: Image,
    /// The name is what people know; where it means another image by now, it is the id.
    pub(super) called: String,
}

/// Where an image comes from that is to be had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// It is here, by this name or id.
    Here(String),
    /// By name, or by digest for a name.
    Pulled { from: String, name: String, platform: String, is_renewed: bool },
    /// For this service.
    Built(String),
}

impl Up<'_> {
    /// The image of each service: the one that was planned, if it is still to be had, or what the name means now.
    pub(super) async fn images(&self) -> Result<BTreeMap<String, Chosen>, ApplyError> {
        let planned = self.version.services.values().filter_map(|planned| planned.image_id.clone());
        let named = self.model.services.iter().map(|(name, service)| service.image_name(self.project, name));
        let asked: BTreeSet<String> = planned.chain(named).collect();
        let here = self.look(&asked).await?;
        let sources: BTreeMap<&str, Source> = self
            .model
            .services
            .iter()
            .map(|(name, service)| Ok((name.as_str(), self.source(name, service, &here)?)))
            .collect::<Result<_, ApplyError>>()?;
        let fetched: BTreeSet<&Source> = sources.values().filter(|source| !matches!(source, Source::Here(_))).collect();
        let here = match fetched.is_empty() {
            true => here,
            false => {
                self.work.all(fetched.into_iter().map(|source| self.fetch(source, &here))).await?;
                let digests = sources.values().filter_map(|source| match source {
                    Source::Pulled { from, .. } => Some(from.clone()),
                    Source::Here(_) | Source::Built(_) => None,
                });
                self.look(&asked.into_iter().chain(digests).collect()).await?
            }
        };
        let chosen = |(name, source): (&str, Source)| Ok((name.to_owned(), self.chosen(name, &source, &here)?));
        let mut images: BTreeMap<_, _> = sources.into_iter().map(chosen).collect::<Result<_, ApplyError>>()?;
        // A build that was taken back has left its image under the name, where the next container would find it.
        self.name_images(&mut images, |service| service.build.is_some()).await?;
        Ok(images)
    }

    /// Gives the images of some services their names back, where those mean others by now.
    pub(super) async fn name_images(
        &self,
        images: &mut BTreeMap<String, Chosen>,
        which: impl Fn(&Service) -> bool,
    ) -> Result<(), ApplyError> {
        for (name, service) in self.model.services.iter().filter(|(_, service)| which(service)) {
            let named = service.image_name(self.project, name);
            if named.contains('@') {
                continue;
            }
            if let Some(chosen) = images.get_mut(name).filter(|chosen| chosen.called != named) {
                self.tag(&chosen.image.id, &named).await?;
                chosen.called = named;
            }
        }
        Ok(())
    }

    async fn look(&self, names: &BTreeSet<String>) -> Result<BTreeMap<String, Image>, ApplyError> {
        let found = docker::images(self.docker, names.iter().map(String::as_str)).await;
        found.map_err(self.failed("look for images"))
    }

    fn source(&self, name: &str, service: &Service, here: &BTreeMap<String, Image>) -> Result<Source, ApplyError> {
        let planned = self.version.services.get(name);
        if let Some(id) = planned.and_then(|planned| planned.image_id.as_ref()).filter(|id| here.contains_key(*id)) {
            return Ok(Source::Here(id.clone()));
        }
        let named = service.image_name(self.project, name);
        if service.build.is_some() {
            // What several services share is built once, for the first of them.
            let is_same = |(other, service_of): &(&String, &Service)| {
                service_of.build == service.build && service_of.image_name(self.project, other) == named
            };
            let first = self.model.services.iter().find(is_same).map_or(name, |(first, _)| first);
            return Ok(Source::Built(first.to_owned()));
        }
        let platform = service.platform.clone().unwrap_or_default();
        let policy = PullPolicy::of(service.pull_policy.as_deref()).unwrap_or(PullPolicy::Missing);
        let is_renewed = matches!(policy, PullPolicy::Every(_));
        if policy == PullPolicy::Never && !here.contains_key(&named) {
            return Err(self.refused(format!(
                "image {named} is not here, and its pull policy is `never`: bring it with `docker load`, or set another \
                 policy"
            )));
        }
        if let Some(digest) = planned.and_then(|planned| planned.image_digest.clone()) {
            return Ok(Source::Pulled { from: digest, name: named, platform, is_renewed });
        }
        match here.contains_key(&named) && !is_renewed {
            true => Ok(Source::Here(named)),
            false => Ok(Source::Pulled { from: named.clone(), name: named, platform, is_renewed }),
        }
    }

    async fn fetch(&self, source: &Source, here: &BTreeMap<String, Image>) -> Result<(), ApplyError> {
        match source {
            Source::Here(_) => Ok(()),
            Source::Pulled { from, name, platform, is_renewed } => {
                self.pull(from, platform).await?;
                // By its digest alone nobody would find it under the name.
                if from != name && !name.contains('@') && (*is_renewed || !here.contains_key(name)) {
                    self.tag(from, name).await
                } else {
                    Ok(())
                }
            }
            Source::Built(name) => {
                let Some(service) = self.model.services.get(name) else { return Ok(()) };
                let Some(build) = &service.build else { return Ok(()) };
                let named = service.image_name(self.project, name);
                self.build(name, &named, build, self.version.services.get(name)).await
            }
        }
    }

    fn chosen(&self, name: &str, source: &Source, here: &BTreeMap<String, Image>) -> Result<Chosen, ApplyError> {
        let named = self.model.services.get(name).map(|service| service.image_name(self.project, name));
        let named = named.unwrap_or_default();
        let (by, how) = match source {
            Source::Here(name) => (name, "found"),
            Source::Pulled { from, .. } => (from, "pulled"),
            Source::Built(_) => (&named, "built"),
        };
        let image = here.get(by).cloned();
        let image = image.ok_or_else(|| self.refused(format!("image {by} is not there after it was {how}")))?;
        let means_it = here.get(&named).is_some_and(|current| current.id == image.id);
        let called = if means_it { named } else { image.id.clone() };
        Ok(Chosen { image, called })
    }
}
