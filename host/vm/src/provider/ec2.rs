//! Amazon EC2, and what speaks its API.
//!
//! A machine is found by its tags. EC2's list lags behind, so a call that makes one also carries a token which EC2 itself
//! knows again: a machine is not made twice, not even when the list does not show it yet.

use async_trait::async_trait;

use super::{Cause, Provider, ProviderError};
use crate::machine::{Offer, State, Vm};
use crate::name::{Installation, VmName};
use crate::request::{Request, Size};

mod answer;
mod api;
mod fault;
mod instance;
mod make;
mod settings;

pub use settings::{Credentials, Settings};

use api::Api;
use instance::{Filter, Instance};

pub(super) const NAME: &str = "ec2";

/// The machines of one installation in some regions of one account.
#[derive(Debug)]
pub struct Ec2 {
    installation: Installation,
    settings: Settings,
    api: Api,
}

pub(super) fn open(
    installation: Installation,
    settings: serde_json::Value,
) -> Result<Box<dyn Provider>, ProviderError> {
    Ok(Box::new(Ec2::new(installation, super::settings::read(NAME, settings)?)?))
}

impl Ec2 {
    /// # Errors
    /// When this machine's certificates cannot be read, or no region is named.
    pub fn new(installation: Installation, settings: Settings) -> Result<Self, ProviderError> {
        if settings.regions.is_empty() {
            return Err(ProviderError::new(Cause::Invalid, "the provider ec2 needs at least one region"));
        }
        Ok(Self { installation, api: Api::new(&settings)?, settings })
    }

    /// The instances of a name: one that lives before those that have ended.
    async fn instances_of(&self, name: &VmName) -> Result<Vec<Instance>, ProviderError> {
        let mut all = self.instances(&[Filter::installation(&self.installation), Filter::name(name)]).await?;
        all.sort_by_key(Instance::has_ended);
        Ok(all)
    }

    async fn instances(&self, filters: &[Filter]) -> Result<Vec<Instance>, ProviderError> {
        let mut all = Vec::new();
        for region in &self.settings.regions {
            all.extend(instance::describe(&self.api, region, filters).await?);
        }
        for machine in &mut all {
            machine.vm = self.reached(machine.clone());
        }
        Ok(all)
    }

    /// The machine, with the address by which the settings say that it is reached.
    fn reached(&self, machine: Instance) -> Vm {
        let private = machine.private_address.map(|ip| (ip, 22).into());
        Vm { address: if self.settings.private { private } else { machine.vm.address }, ..machine.vm }
    }

    async fn volumes(&self, filters: &[Filter]) -> Result<Vec<instance::Volume>, ProviderError> {
        let mut all = Vec::new();
        for region in &self.settings.regions {
            all.extend(instance::volumes(&self.api, region, filters).await?);
        }
        Ok(all)
    }
}

#[async_trait]
impl Provider for Ec2 {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn offers(&self) -> Result<Vec<Offer>, ProviderError> {
        let mut all = Vec::new();
        for region in &self.settings.regions {
            all.extend(instance::offers(&self.api, region).await?);
        }
        Ok(all)
    }

    async fn create(&self, request: &Request) -> Result<Vm, ProviderError> {
        let Size::Type(size) = &request.size else {
            return Err(ProviderError::new(
                Cause::Invalid,
                "EC2 has instance types: name one instead of cpus and memory",
            ));
        };
        if let Some(known) = self.instances_of(&request.name).await?.into_iter().next() {
            return Ok(known.vm);
        }
        let region = request.region.as_deref().unwrap_or(&self.settings.regions[0]);
        if !self.settings.regions.iter().any(|known| known == region) {
            let words = format!("the region {region} is not in the settings: a machine there would not be listed");
            return Err(ProviderError::new(Cause::Invalid, words));
        }
        make::make(self, request, size, region).await
    }

    async fn list(&self) -> Result<Vec<Vm>, ProviderError> {
        let filters = [Filter::installation(&self.installation)];
        // What has ended costs nothing, and nobody can take it away: EC2 forgets it within the hour.
        let machines = self.instances(&filters).await?.into_iter();
        let mut all: Vec<_> = machines.filter(|machine| !machine.has_ended()).map(|machine| machine.vm).collect();
        for volume in self.volumes(&filters).await? {
            if !all.iter().any(|vm| vm.name == volume.vm.name) {
                all.push(volume.vm);
            }
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    async fn destroy(&self, name: &VmName) -> Result<(), ProviderError> {
        for machine in self.instances_of(name).await? {
            if !machine.has_ended() {
                let parameters = [("InstanceId.1", machine.id.as_str())];
                self.api.ask(&machine.region, "TerminateInstances", &parameters).await?;
            }
        }
        let filters = [Filter::installation(&self.installation), Filter::name(name)];
        for volume in self.volumes(&filters).await?.into_iter().filter(|volume| volume.vm.state == State::Remains) {
            self.api.ask(&volume.region, "DeleteVolume", &[("VolumeId", volume.id.as_str())]).await?;
        }
        Ok(())
    }

    async fn console(&self, name: &VmName) -> Result<Option<String>, ProviderError> {
        match self.instances_of(name).await?.into_iter().next() {
            None => Ok(None),
            Some(machine) => instance::console(&self.api, &machine).await,
        }
    }
}
