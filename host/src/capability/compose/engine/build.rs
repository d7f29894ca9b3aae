//! Builds the image of a service: by BuildKit in the engine, from the files of the project's folder.
//!
//! The context goes over the API as an archive of what the repo has there, so what containers left in the folder is
//! never part of an image. No program is needed for it: neither `docker` nor its plugin buildx.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use self::context::Context;
use super::Up;
use crate::capability::ApplyError;
use crate::capability::compose::docker::{self, BUILD};
use crate::capability::compose::files::{Entry, Files};
use crate::capability::compose::ignore::Ignore;
use crate::capability::compose::model::Build;
use crate::capability::compose::state;
use crate::policy::printable;

mod context;
mod request;
mod trace;

/// Where the text of `dockerfile_inline` goes in a context.
const INLINE: &str = ".dockerfile-inline";

impl Up<'_> {
    /// Builds an image and gives it its names.
    pub(super) async fn build(
        &self,
        service: &str,
        named: &str,
        build: &Build,
        planned: Option<&state::Service>,
    ) -> Result<(), ApplyError> {
        let wrong = |reason: String| self.refused(format!("service {service}, key build: {reason}"));
        let context = if build.is_remote() { None } else { Some(self.context(build).map_err(wrong)?) };
        let socket = docker::socket(self.machine)
            .ok_or_else(|| self.refused("an image can be built only by an engine of this machine, over its socket"))?;
        let query = request::query(self.build_query(service, named, build, planned));
        self.machine.doing().tell(format!("building {named}"));
        let tell = |step: &str| {
            self.machine.doing().tell(format!("building {named}: {}", self.variables.hide(&printable(step))));
        };
        let archive = context.map(Context::archive);
        let built = request::build(&socket, self.docker.client_version(), &query, archive, tell).await;
        let why = |why: String| {
            let hint = super::hint::hint(&why).map(|hint| format!("; {hint}")).unwrap_or_default();
            self.refused(format!("cannot build image {named}: {}{hint}", self.variables.hide(&why)))
        };
        built.map_err(why)?;
        for tag in &build.tags {
            self.tag(named, tag).await?;
        }
        Ok(())
    }

    fn build_query(
        &self,
        service: &str,
        named: &str,
        build: &Build,
        planned: Option<&state::Service>,
    ) -> Vec<(&'static str, String)> {
        let mut labels = self.labels(&build.labels);
        labels.insert(docker::SERVICE.to_owned(), service.to_owned());
        labels.extend(planned.and_then(|planned| Some((BUILD.to_owned(), planned.build.as_ref()?.to_string()))));
        let words = |words: &BTreeMap<String, String>| serde_json::to_string(words).unwrap_or_default();
        let arguments = build.args.iter().map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()));
        let mut query = vec![
            ("version", "2".to_owned()),
            ("t", named.to_owned()),
            ("dockerfile", build.dockerfile_name().to_owned()),
            ("buildargs", words(&arguments.collect())),
            ("labels", words(&labels.into_iter().collect())),
            ("rm", "1".to_owned()),
        ];
        query.extend(build.is_remote().then(|| ("remote", build.context.clone())));
        query.extend(build.target.clone().map(|target| ("target", target)));
        query.extend(build.network.clone().map(|network| ("networkmode", network)));
        query.extend(build.extra_hosts.iter().map(|host| ("extrahosts", host.replacen('=', ":", 1))));
        query.extend(build.no_cache.then(|| ("nocache", "1".to_owned())));
        query.extend(build.pull.then(|| ("pull", "1".to_owned())));
        query.extend(build.shm_size.map(|size| ("shmsize", size.to_string())));
        query.extend(build.platforms.first().map(|platform| ("platform", platform.clone())));
        if !build.cache_from.is_empty() {
            query.push(("cachefrom", serde_json::to_string(&build.cache_from).unwrap_or_default()));
        }
        query
    }

    fn context(&self, build: &Build) -> Result<Context, String> {
        let files = build.files(self.lasting, self.lasting, &self.version.files)?;
        let files = files.into_iter().map(|(name, path, entry)| (name, path.to_owned(), entry.clone())).collect();
        let inline = build.dockerfile_inline.clone().map(|text| (INLINE, text));
        Ok(Context { root: self.lasting.to_owned(), files, inline })
    }
}

impl Build {
    /// Whether the context is fetched by the engine: a repository or an archive by its address.
    pub(crate) fn is_remote(&self) -> bool {
        self.context.contains("://") || self.context.starts_with("git@") || self.context.starts_with("github.com/")
    }

    fn dockerfile_name(&self) -> &str {
        match &self.dockerfile_inline {
            Some(_) => INLINE,
            None => self.dockerfile.as_deref().unwrap_or("Dockerfile"),
        }
    }

    /// The files of the context: their names in it, their paths in the project's folder, and what they are. They lie in
    /// `folder` as yet, and the context is named as if they lay in `lasting`.
    ///
    /// # Errors
    /// When the context or its Dockerfile lies outside of the project's folder, or is not there.
    pub(crate) fn files<'a>(
        &self,
        folder: &Path,
        lasting: &Path,
        files: &'a Files,
    ) -> Result<Vec<(PathBuf, &'a str, &'a Entry)>, String> {
        let context = &self.context;
        let root = plain(Path::new(context));
        let outside = || format!("the context {context} is not in the project's folder, and only that is shipped");
        let below = root.strip_prefix(lasting).map_err(|_| outside())?.to_owned();
        let within = |(path, entry): (&'a String, &'a Entry)| {
            Some((Path::new(path).strip_prefix(&below).ok()?.to_owned(), path.as_str(), entry))
        };
        let mut found: Vec<_> = files.iter().filter_map(within).collect();
        let dockerfile = self.dockerfile_name().to_owned();
        let is_there = |name: &str| found.iter().any(|(path, ..)| path == Path::new(name));
        if self.dockerfile_inline.is_none() && !is_there(&dockerfile) {
            return Err(format!("there is no {dockerfile} in the context {context}"));
        }
        let ignore = [format!("{dockerfile}.dockerignore"), ".dockerignore".to_owned()];
        let ignore = ignore.iter().find_map(|name| found.iter().find(|(path, ..)| path == Path::new(name)));
        if let Some((_, path, _)) = ignore {
            let text = std::fs::read_to_string(folder.join(path)).map_err(|error| format!("{path}: {error}"))?;
            let ignore = Ignore::parse(&text).map_err(|error| format!("{path}: {error}"))?;
            found.retain(|(path, ..)| path == Path::new(&dockerfile) || !ignore.matches(path));
        }
        Ok(found)
    }
}

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            component => plain.push(component),
        }
        plain
    })
}
