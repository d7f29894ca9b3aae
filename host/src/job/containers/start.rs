//! The calls of the interface `container`.

use std::collections::BTreeMap;
use std::path::Path;

use stead_queue::Timestamp;

use super::{Container, Containers, INSTALLATION, JOB, RUN, Scope};
use crate::capability::compose::{Called, Project};
use crate::job::commands::Followed;
use crate::job::machines::Trouble;
use crate::job::vault::told;
use crate::policy::job::Failure;
use crate::policy::job::container::Options;
use crate::secret::Secret;

/// Where Compose puts secrets.
const SECRETS: &str = "/run/secrets";

/// What goes into a container beside what its compose file says.
pub(in crate::job) struct Filling {
    /// By absolute path.
    pub(in crate::job) files: Vec<(String, Vec<u8>)>,
    pub(in crate::job) secrets: Vec<Secret<String>>,
}

/// What a container is started with.
#[derive(Clone, Copy)]
pub(in crate::job) struct Asked<'a> {
    pub(in crate::job) project: &'a str,
    pub(in crate::job) service: &'a str,
    pub(in crate::job) options: &'a Options,
}

impl Containers {
    /// Whether the call may be made.
    ///
    /// # Errors
    /// What the policy is told.
    pub(in crate::job) fn allow(&self, asked: Asked<'_>, scope: &Scope, policy: &str) -> Result<(), Failure> {
        let project = project(asked.project)?;
        let allowed = scope.check(&project, asked.service, asked.options, self.commands.running());
        allowed.map(drop).map_err(|refused| refused.map_or_else(|failure| failure, |denied| told(&denied, policy)))
    }

    /// Makes a container and starts it, or finds the one that an earlier attempt has started; answers its number.
    ///
    /// # Errors
    /// What the policy is told.
    pub(in crate::job) async fn start(
        &mut self,
        asked: Asked<'_>,
        filling: Filling,
        (scope, policy): (&Scope, &str),
    ) -> Result<u32, Trouble> {
        let Asked { service, options, .. } = asked;
        let project = project(asked.project)?;
        let wish = scope.check(&project, service, options, self.commands.running());
        let wish = wish.map_err(|refused| refused.map_or_else(|failure| failure, |denied| told(&denied, policy)))?;
        let engine = self.place.engine().await?;
        self.hide_secrets(&project).await?;
        let planned = engine.plan(&project, &wish).await?;
        scope.check_file(planned.spec(), planned.claims()).map_err(|denied| told(&denied, policy))?;
        let called =
            Called { name: self.next(&project, service), labels: self.labels(), files: files(options, filling)? };
        if engine.find(&called.name).await?.is_none()
            && let Err(error) = engine.start(&planned, &called).await
            // A worker that has lost the job may have made it at the same time.
            && engine.find(&called.name).await?.is_none()
        {
            return Err(error.into());
        }
        let number = self.add(asked, called.name.clone(), scope, Timestamp::now());
        self.commands.follow(number, Ok(Box::new(Container { engine, name: called.name }) as Box<dyn Followed>));
        Ok(number)
    }

    /// The same for a call that an earlier attempt made: nothing is done.
    pub(in crate::job) async fn replay_start(&mut self, asked: Asked<'_>, scope: &Scope, at: Timestamp) {
        let Ok(project) = project(asked.project) else { return };
        let name = self.next(&project, asked.service);
        let number = self.add(asked, name, scope, at);
        // What it writes must not be seen before they can be hidden in it.
        if let Err(failure) = self.hide_secrets(&project).await {
            self.commands.ended(number, Err(failure));
        }
    }

    /// Hides the secrets that the app was applied with: its compose file gives them to its containers.
    async fn hide_secrets(&self, project: &Project) -> Result<(), Failure> {
        let secrets = self.place.engine().await?.secrets(project)?;
        secrets.iter().for_each(|secret| self.commands.masks.add(secret));
        Ok(())
    }

    fn add(&mut self, asked: Asked<'_>, name: String, scope: &Scope, at: Timestamp) -> u32 {
        self.all.push((name, false));
        let place = format!("{}-{}", asked.project, asked.service);
        self.commands.add(&place, at, Some(scope.timeout(asked.options)))
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let (job, run) = (self.owner.job.clone(), self.owner.attempt.to_string());
        let labels = [(INSTALLATION, self.place.installation.clone()), (JOB, job), (RUN, run)];
        labels.into_iter().map(|(label, value)| (label.to_owned(), value)).collect()
    }

    /// Copies a file out of one.
    ///
    /// # Errors
    /// What the policy is told.
    pub(in crate::job) async fn copy_out(&self, number: u32, path: &str, to: &Path, most: u64) -> Result<(), Failure> {
        let name = self.name(number)?;
        Ok(self.place.engine().await?.copy_out(&name, path, to, most).await?)
    }

    /// Removes one.
    ///
    /// # Errors
    /// What the policy is told.
    pub(in crate::job) async fn remove(&mut self, number: u32) -> Result<(), Failure> {
        let name = self.name(number)?;
        self.place.engine().await?.remove(&name).await?;
        self.replay_remove(number);
        Ok(())
    }

    /// The same for a call that an earlier attempt made.
    pub(in crate::job) fn replay_remove(&mut self, number: u32) {
        let index = usize::try_from(number).unwrap_or(usize::MAX).wrapping_sub(1);
        if let Some((_, is_gone)) = self.all.get_mut(index) {
            *is_gone = true;
        }
        self.commands.gone(number, Failure::Lost(format!("container {number} was removed")));
    }
}

fn project(name: &str) -> Result<Project, Failure> {
    name.parse().map_err(|error: crate::policy::Invalid| Failure::invalid("project", error.reason))
}

fn files(options: &Options, filling: Filling) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let secrets = options.secrets.iter().zip(&filling.secrets);
    let secrets = secrets.map(|(name, value)| (format!("{SECRETS}/{name}"), value.reveal().as_bytes().to_vec()));
    let mut files: Vec<_> = filling.files;
    for (path, _) in &files {
        let steps = || path.split('/').skip(1);
        if !path.starts_with('/') || path.contains('\0') || steps().any(|step| ["", ".", ".."].contains(&step)) {
            return Err(Failure::invalid("path", format!("{path:?} is not the absolute path of a file")));
        }
    }
    files.extend(secrets);
    Ok(files)
}
