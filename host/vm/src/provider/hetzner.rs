//! Hetzner Cloud. A server's name is unique in a project, so the service itself sees to it that none is made twice.

use async_trait::async_trait;
use serde_json::json;

use super::{Cause, Provider, ProviderError};
use crate::machine::{Offer, Vm};
use crate::name::{INSTALLATION, Installation, VmName};
use crate::request::{Market, Network, Request, Size};

mod api;
mod fault;
mod server;

use api::Api;
use server::Server;

pub(super) const NAME: &str = "hetzner";
/// Documented for `user_data`.
const LONGEST_USER_DATA: usize = 32 << 10;

/// The table `[provider.hetzner]`.
#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// A token of the project with the right to read and write.
    pub token: String,
    /// Instead of Hetzner's own.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// By id, for every machine; they must let SSH in.
    #[serde(default)]
    pub firewalls: Vec<u64>,
}

/// The machines of one installation in one project.
#[derive(Debug)]
pub struct Hetzner {
    installation: Installation,
    firewalls: Vec<u64>,
    api: Api,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Settings").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

pub(super) fn open(
    installation: Installation,
    settings: serde_json::Value,
) -> Result<Box<dyn Provider>, ProviderError> {
    Ok(Box::new(Hetzner::new(installation, super::settings::read(NAME, settings)?)?))
}

impl Hetzner {
    /// # Errors
    /// When this machine's certificates cannot be read.
    pub fn new(installation: Installation, settings: Settings) -> Result<Self, ProviderError> {
        let firewalls = settings.firewalls.clone();
        Ok(Self { installation, firewalls, api: Api::new(settings)? })
    }

    /// The server of this name, whosever it is.
    async fn server(&self, name: &VmName) -> Result<Option<Server>, ProviderError> {
        let mut found = server::list(&self.api, &format!("name={name}")).await?;
        found.retain(|server| server.name == name.as_str());
        Ok(found.pop())
    }

    fn own(&self, server: &Server) -> bool {
        server.labels.get(INSTALLATION).is_some_and(|label| label == self.installation.as_str())
    }

    async fn known(&self, name: &VmName) -> Result<Option<Vm>, ProviderError> {
        match self.server(name).await? {
            Some(server) if !self.own(&server) => {
                let words = format!("{name} is a server of another installation");
                Err(ProviderError::new(Cause::Invalid, words))
            }
            None => Ok(None),
            Some(server) => Ok(server.vm(self.api.currency().await?)),
        }
    }

    fn body(&self, request: &Request, size: &str) -> serde_json::Value {
        let firewalls: Vec<_> = self.firewalls.iter().map(|id| json!({ "firewall": id })).collect();
        let mut body = json!({
            "name": request.name.as_str(),
            "server_type": size,
            "image": request.image,
            "labels": request.name.labels(&self.installation),
            "user_data": request.user_data.reveal(),
            "firewalls": firewalls,
        });
        if let (Some(region), Some(body)) = (&request.region, body.as_object_mut()) {
            body.insert("location".into(), json!(region));
        }
        body
    }
}

fn check(request: &Request) -> Result<&str, ProviderError> {
    let refuse = |words: &str| Err(ProviderError::new(Cause::Invalid, words));
    match &request.size {
        Size::Measured { .. } => refuse("Hetzner has server types: name one instead of cpus and memory"),
        Size::Type(_) if request.network == Network::Closed => {
            refuse("Hetzner closes a network by firewalls: name one in the settings, and ask for an open network")
        }
        Size::Type(_) if request.market == Market::Spot => refuse("Hetzner has no spot market"),
        Size::Type(_) if request.user_data.reveal().len() > LONGEST_USER_DATA => refuse("the user-data is too long"),
        Size::Type(size) => Ok(size),
    }
}

#[async_trait]
impl Provider for Hetzner {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn offers(&self) -> Result<Vec<Offer>, ProviderError> {
        server::offers(&self.api).await
    }

    async fn create(&self, request: &Request) -> Result<Vm, ProviderError> {
        let size = check(request)?;
        if let Some(known) = self.known(&request.name).await? {
            return Ok(known);
        }
        match self.api.post("/servers", &self.body(request, size)).await {
            Ok(answer) => server::made(answer, self.api.currency().await?),
            // Another process was faster, or an earlier call whose answer was lost.
            Err(error) if error.is_taken => {
                let gone =
                    || ProviderError::new(Cause::Unavailable, format!("{} was destroyed meanwhile", request.name));
                self.known(&request.name).await?.ok_or_else(gone)
            }
            Err(error) => Err(error.error),
        }
    }

    async fn list(&self) -> Result<Vec<Vm>, ProviderError> {
        let selector = format!("label_selector={INSTALLATION}%3D%3D{}", self.installation.as_str());
        let servers = server::list(&self.api, &selector).await?;
        let currency = self.api.currency().await?;
        let mut all: Vec<_> = servers.iter().filter_map(|server| server.vm(currency)).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// The addresses that a server was made with are deleted with it.
    async fn destroy(&self, name: &VmName) -> Result<(), ProviderError> {
        match self.server(name).await? {
            Some(server) if self.own(&server) => self.api.delete(&format!("/servers/{}", server.id)).await,
            _ => Ok(()),
        }
    }

    async fn console(&self, _name: &VmName) -> Result<Option<String>, ProviderError> {
        Ok(None)
    }
}
