//! Machines that are asked for: whether they may be made, and how they are made or found.

use std::time::{Duration, SystemTime};

use stead_vm::access::Keys;
use stead_vm::create::{Patience, create};
use stead_vm::lease::Lease;
use stead_vm::machine::Vm;
use stead_vm::name::VmName;
use stead_vm::provider::Cause;
use stead_vm::request::{self, Market, Network, Size};
use stead_vm::user_data::{Identity, user_data};

use super::{Machine, Machines, refused};
use crate::job::scope::Scope;
use crate::job::vault::told;
use crate::policy::job::{Failure, Request};

/// A machine that nobody has renewed for so long ends itself.
const RENEWAL: Duration = Duration::from_secs(10 * 60);
const LONGEST_NAME: usize = 20;

impl Machines {
    /// Whether the call may be made; answers the name of the provider.
    ///
    /// # Errors
    /// What the policy is told.
    pub(in crate::job) fn allow(
        &self,
        name: &str,
        request: &Request,
        scope: &Scope,
        policy: &str,
    ) -> Result<String, Failure> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(fits) {
            return Err(Failure::invalid(
                "name",
                format!("{name:?} is not 1 to {LONGEST_NAME} letters a-z and digits"),
            ));
        }
        if self.all.contains_key(name) {
            return Err(Failure::invalid("name", format!("this job has had a machine {name} already")));
        }
        if request.instance_type.is_some() && (request.cpus, request.memory, request.disk) != (None, None, None) {
            return Err(Failure::invalid("instance-type", "it says cpus, memory and disk: leave these out"));
        }
        let provider =
            request.provider.as_deref().or_else(|| scope.only_provider()).ok_or_else(|| {
                Failure::invalid("provider", "several providers are granted: name the one that is meant")
            })?;
        let running = self.all.values().filter(|machine| !machine.is_gone).count();
        scope.check(provider, request, running).map_err(|denied| told(&denied, policy))?;
        if !self.providers.contains_key(provider) {
            let reason = format!("stead.toml has no [provider.{provider}]");
            return Err(Failure::invalid("provider", reason));
        }
        Ok(provider.to_owned())
    }

    /// The same for several requests that would all do.
    ///
    /// # Errors
    /// What the policy is told.
    pub(in crate::job) fn allow_all(
        &self,
        name: &str,
        requests: &[Request],
        scope: &Scope,
        policy: &str,
    ) -> Result<String, Failure> {
        let mut one = None;
        for request in requests {
            let provider = self.allow(name, request, scope, policy)?;
            if one.as_ref().is_some_and(|one| *one != provider) {
                return Err(Failure::invalid("requests", "they are for several providers"));
            }
            one = Some(provider);
        }
        one.ok_or_else(|| Failure::invalid("requests", "there is none"))
    }

    /// Makes the first of these machines that can be had, or finds it, and answers which one it is. All are allowed.
    ///
    /// # Errors
    /// What the provider said, and whether the machine may be there all the same.
    pub(in crate::job) async fn launch(
        &mut self,
        name: &str,
        provider: &str,
        requests: &[Request],
    ) -> Result<usize, (Failure, bool)> {
        let machine = self.known(provider).map_err(|failure| (failure, false))?;
        let made = self.make(&machine, requests).await;
        // Also one that may be there although the call failed: it is destroyed with the others.
        self.all.insert(name.to_owned(), machine);
        made
    }

    async fn make(&self, machine: &Machine, requests: &[Request]) -> Result<usize, (Failure, bool)> {
        let never = |failure| (failure, false);
        let keys = self.keys_of(machine).await.map_err(never)?;
        let asked: Vec<_> = requests.iter().map(|request| asked(machine, request, &keys)).collect();
        for (index, one) in asked.iter().enumerate() {
            match create(&*machine.provider, std::slice::from_ref(one), Patience::default()).await {
                Ok(vm) => return Ok(served(requests, index, &vm)),
                Err(error) if is_elsewhere(error.cause) && index + 1 < asked.len() => {}
                Err(error) => {
                    let unknown = error.cause == Cause::TimedOut;
                    return Err((refused(error), unknown));
                }
            }
        }
        Err(never(Failure::invalid("requests", "there is none")))
    }

    async fn keys_of(&self, machine: &Machine) -> Result<Keys, Failure> {
        let keys = self.keys.join(machine.name.as_str());
        let (vm, folder) = (machine.name.clone(), keys.clone());
        let obtained = tokio::task::spawn_blocking(move || Keys::obtain(&folder, &vm)).await;
        let keys = obtained.map_err(|error| Failure::Other(error.to_string()))?;
        keys.map_err(|error| Failure::Other(error.to_string()))
    }

    /// The same for a call that an earlier attempt made: nothing is done.
    pub(in crate::job) fn replay_launch(&mut self, name: &str, provider: &str) {
        if let Ok(machine) = self.known(provider) {
            self.all.insert(name.to_owned(), machine);
        }
    }

    /// Counts a call that made no machine.
    pub(in crate::job) fn skip(&mut self) {
        self.asked += 1;
    }

    fn known(&mut self, provider: &str) -> Result<Machine, Failure> {
        self.asked += 1;
        let name = VmName::new(&self.owner, self.asked).map_err(|error| Failure::Other(error.to_string()))?;
        let unknown = || Failure::invalid("provider", format!("stead.toml has no [provider.{provider}]"));
        let provider = self.providers.get(provider).ok_or_else(unknown)?.clone();
        Ok(Machine { name, provider, access: None, is_gone: false })
    }
}

/// A request as the provider gets it.
fn asked(machine: &Machine, request: &Request, keys: &Keys) -> request::Request {
    let lifetime = Duration::from_secs(request.lifetime.into());
    let lease = Lease { renewal: RENEWAL, lifetime, created: SystemTime::now() };
    let identity = Identity { client: &keys.client, host: &keys.host, host_private: keys.host_private() };
    request::Request {
        name: machine.name.clone(),
        image: request.image.clone(),
        size: size(request),
        region: request.region.clone(),
        network: if request.network { Network::Open } else { Network::Closed },
        market: if request.spot { Market::Spot } else { Market::OnDemand },
        user_data: user_data(&identity, &lease),
        lifetime,
    }
}

/// Which request a machine is of: an earlier attempt may have been served another one than this.
fn served(requests: &[Request], index: usize, vm: &Vm) -> usize {
    let fits = |request: &Request| {
        let region = request.region.as_deref().zip(vm.region.as_deref());
        request.instance_type.as_ref().is_none_or(|size| *size == vm.size)
            && region.is_none_or(|(asked, there)| there.starts_with(asked) || asked.starts_with(there))
    };
    match requests.get(index) {
        Some(request) if !fits(request) => requests.iter().position(fits).unwrap_or(index),
        _ => index,
    }
}

/// Whether another request may be served.
fn is_elsewhere(cause: Cause) -> bool {
    matches!(cause, Cause::NoCapacity | Cause::Quota | Cause::Preempted)
}

/// Where machines are cut to measure: small, unless something else is said.
fn size(request: &Request) -> Size {
    match &request.instance_type {
        Some(name) => Size::Type(name.clone()),
        None => Size::Measured {
            cpus: request.cpus.unwrap_or(1),
            memory_mib: request.memory.unwrap_or(1024),
            disk_gib: request.disk.unwrap_or(10),
        },
    }
}
