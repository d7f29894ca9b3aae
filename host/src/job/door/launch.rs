//! Machines that are asked for: granted, paid for, made.

use std::sync::Arc;
use std::time::Duration;

use stead_queue::{Reserved, Spending};
use stead_vm::access::Credential;

use super::JobDoor;
use crate::capability::Denied;
use crate::job::grant::VM;
use crate::job::machines::Trouble;
use crate::job::price::Amount;
use crate::job::scope::Scope;
use crate::job::vault::told;
use crate::policy::job::{Failure, Request};
use crate::secret::Secret;

impl JobDoor {
    /// The grant `vm`.
    fn granted(&self) -> Result<Arc<Scope>, Failure> {
        // A policy that imports `vm` without a grant does not load.
        self.scope.clone().ok_or_else(|| Failure::Other("no machine is granted to this job".to_owned()))
    }

    /// Makes the first of these that can be had.
    pub(super) async fn launch(&mut self, machine: &str, requests: &[Request]) -> Result<usize, Trouble> {
        let scope = self.granted()?;
        let provider = match self.allow(machine, requests, &scope).await {
            Ok(provider) => provider,
            Err(trouble) => {
                self.machines.lock().await.skip();
                return Err(trouble);
            }
        };
        let made = self.machines.lock().await.launch(machine, &provider, requests).await;
        match made {
            Ok(served) => {
                // What was reserved is for the dearest of them.
                if let Some(request) = requests.get(served).filter(|_| requests.len() > 1) {
                    self.reserve(machine, &provider, std::slice::from_ref(request), &scope).await?;
                }
                Ok(served)
            }
            Err((failure, true)) => Err(failure.into()),
            Err((failure, false)) => {
                self.queue.settle(self.lease, machine, false).await?;
                Err(failure.into())
            }
        }
    }

    async fn allow(&self, machine: &str, requests: &[Request], scope: &Scope) -> Result<String, Trouble> {
        let provider = self.machines.lock().await.allow_all(machine, requests, scope, &self.policy)?;
        self.reserve(machine, &provider, requests, scope).await?;
        Ok(provider)
    }

    /// Reserves what the dearest of these costs if it lives as long as it may, where there is a ceiling.
    async fn reserve(&self, machine: &str, provider: &str, requests: &[Request], scope: &Scope) -> Result<(), Trouble> {
        let (per_job, per_day) = scope.ceilings();
        let Some(ceiling) = per_job.or(per_day) else { return Ok(()) };
        let mut dearest: Option<(u64, Amount)> = None;
        for request in requests {
            let (cost, hourly) = self.cost(provider, request).await?;
            for ceiling in per_job.iter().chain(per_day.iter()) {
                if ceiling.currency != hourly.currency {
                    let reason = format!("it costs {hourly} an hour, and the grant's ceiling is {ceiling}");
                    return Err(Failure::invalid("request", reason).into());
                }
            }
            if dearest.as_ref().is_none_or(|(most, _)| cost > *most) {
                dearest = Some((cost, hourly));
            }
        }
        let Some((micros, hourly)) = dearest else { return Ok(()) };
        let spending = Spending {
            machine: machine.to_owned(),
            currency: ceiling.currency.clone(),
            micros,
            micros_per_hour: hourly.micros,
            most_per_job: per_job.map(|amount| amount.micros),
            most_per_day: per_day.map(|amount| amount.micros),
        };
        let denied = |spent: u64, key, others: &str| {
            let amount = |micros| Amount { micros, currency: hourly.currency.clone() };
            let asked = format!("{} for a machine, beside {} for {others},", amount(micros), amount(spent));
            let value = format!("\"{}\"", amount(spent.saturating_add(micros)));
            Err(told(&Denied { capability: VM, asked, key, value }, &self.policy).into())
        };
        match self.queue.reserve(self.lease, spending).await? {
            Reserved::Yes => Ok(()),
            Reserved::OverJob { spent } => denied(spent, "price-per-job", "others of this job"),
            Reserved::OverDay { spent } => denied(spent, "price-per-day", "others of this day"),
        }
    }

    async fn cost(&self, provider: &str, request: &Request) -> Result<(u64, Amount), Failure> {
        let none = || Failure::invalid("provider", format!("stead.toml has no [provider.{provider}]"));
        let there = self.machines.lock().await.provider(provider).ok_or_else(none)?;
        let hourly = self.prices.hourly(provider, &*there, request).await?;
        Ok((hourly.for_time(Duration::from_secs(request.lifetime.into())), hourly))
    }

    /// Secrets for a command, each of them granted, and hidden from now on in what commands write.
    pub(super) async fn credentials(&self, names: &[String]) -> Result<Vec<Credential>, Failure> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let scope = self.granted()?;
        for name in names {
            scope.check_secret(name).map_err(|denied| told(&denied, &self.policy))?;
        }
        let values = self.mask(names).await?;
        let credential = |(name, value): (&String, Secret<String>)| {
            Credential::new(name, value.reveal().as_bytes()).map_err(|error| Failure::Other(error.to_string()))
        };
        names.iter().zip(values).map(credential).collect()
    }

    /// The values of secrets, hidden from now on in what commands write.
    pub(super) async fn mask(&self, names: &[String]) -> Result<Vec<Secret<String>>, Failure> {
        let values = self.vault.open(names).await?;
        values.iter().for_each(|value| self.commands.masks.add(value));
        Ok(values)
    }
}
