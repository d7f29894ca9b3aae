//! Sees to it that nothing is left of jobs that have ended: their machines, and their containers.

use std::collections::BTreeMap;
use std::time::SystemTime;

use stead_queue::{JobId, QueueError, State};
use stead_vm::machine::Vm;
use stead_vm::name::Owner;
use stead_vm::provider::Provider;
use stead_vm::reaper::{LiveAttempts, Reaper, Round, Rules};

use super::{Service, ServiceError};
use crate::job::grant::CONTAINER;

/// What a round of the reaper did at one provider; the error says why it could not look.
pub type Reaped = Result<Round, ServiceError>;

impl Service {
    /// All machines at all providers that belong to this place, by provider.
    ///
    /// # Errors
    /// When a provider does not answer.
    pub async fn machines(&self) -> Result<Vec<(String, Vec<Vm>)>, ServiceError> {
        let mut all = Vec::new();
        for (name, provider) in self.providers.iter() {
            let listed = provider.list().await;
            all.push((name.clone(), listed.map_err(|source| ServiceError::Provider { name: name.clone(), source })?));
        }
        Ok(all)
    }

    /// Destroys the machines that no job owns any more, at all providers: one that does not answer holds up no other. The
    /// reapers remember what they could not.
    pub async fn reap(&self, reapers: &mut BTreeMap<String, Reaper>) -> Vec<Reaped> {
        let mut rounds = Vec::new();
        for (name, provider) in self.providers.iter() {
            let reaper = reapers.entry(name.clone()).or_insert_with(|| Reaper::new(Rules::default()));
            let round = self.reap_at(name, &**provider, reaper).await;
            match &round {
                Ok(round) => self.figures.reaped(name, round.destroyed.len(), round.failed.len()),
                Err(_) => self.figures.not_listed(name),
            }
            rounds.push(round);
        }
        rounds
    }

    /// Nothing is destroyed when the provider or the queue does not answer.
    async fn reap_at(&self, name: &str, provider: &dyn Provider, reaper: &mut Reaper) -> Reaped {
        let failed = |source| ServiceError::Provider { name: name.to_owned(), source };
        // Before the queue is asked, as the reaper wants it.
        let listed = provider.list().await.map_err(failed)?;
        self.seen.put(name, listed.clone());
        let live = self.live(listed.iter().map(|vm| vm.owner().clone()).collect()).await?;
        Ok(reaper.destroy_all(provider, &listed, &live, SystemTime::now()).await)
    }

    /// Removes the containers on this server that no job owns any more, also those of a policy that is in the repo no more;
    /// answers how many.
    ///
    /// # Errors
    /// When the engine, where containers are granted, or the queue does not answer: then nothing more is removed.
    pub async fn reap_containers(&self) -> Result<usize, ServiceError> {
        // Before the queue is asked: what is made afterwards is not on the list.
        let found = match self.containers.owners().await {
            Err(_) if !self.repo().policies().any(|policy| policy.grants.has(CONTAINER)) => return Ok(0),
            found => found.map_err(ServiceError::Containers)?,
        };
        let live = self.live(found.iter().map(|(_, owner)| owner.clone()).collect()).await?;
        let mut removed = 0;
        for (id, _) in found.iter().filter(|(_, owner)| !live.contains(owner)) {
            self.containers.remove(id).await.map_err(ServiceError::Containers)?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Those of them whose run goes on, or waits for somebody to go on with it.
    async fn live(&self, owners: LiveAttempts) -> Result<LiveAttempts, QueueError> {
        let mut live = LiveAttempts::new();
        for owner in owners {
            let Ok(number) = owner.job.parse() else { continue };
            match self.store.queue.job(JobId::from_number(number)).await {
                Ok(job) if matches!(job.state, State::Running | State::Queued) && is_run(&owner, job.run.number()) => {
                    live.insert(owner);
                }
                Ok(_) | Err(QueueError::NoSuchJob(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(live)
    }
}

fn is_run(owner: &Owner, run: u64) -> bool {
    u64::from(owner.attempt) == run
}
