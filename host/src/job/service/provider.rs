//! The providers of machines, by their tables in `stead.toml`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use stead_vm::name::Installation;
use stead_vm::provider::qemu::Qemu;
use stead_vm::provider::{self, Cause, ProviderError};
use stead_vm::request::Size;

use super::ServiceError;
use super::store::installation;
use crate::job::machines::Providers;
use crate::job::price::{self, Prices};
use crate::repo::Repo;

/// The provider that is there without a table.
const EMBEDDED: &str = "qemu";

/// `[provider.NAME]` of each provider, with the values of the secrets that it names.
pub type ProviderTables = BTreeMap<String, Map<String, Value>>;

pub(super) fn providers(
    mut tables: ProviderTables,
    state: &Path,
    installation: &Installation,
) -> Result<Providers, ServiceError> {
    let embedded = embedded(tables.remove(EMBEDDED).unwrap_or_default(), state);
    tables.insert(EMBEDDED.to_owned(), embedded);
    tables.values_mut().for_each(|table| drop(table.remove(price::KEY)));
    let open =
        |(name, table): (String, Map<String, Value>)| match provider::open(&name, installation.clone(), table.into()) {
            Ok(provider) => Ok((name, Arc::from(provider))),
            Err(source) => Err(ServiceError::Provider { name, source }),
        };
    tables.into_iter().map(open).collect()
}

/// What `[provider.NAME.price]` says.
pub(super) fn prices(repo: &Repo) -> Result<Prices, ServiceError> {
    let mut prices = Prices::default();
    for (name, table) in repo.providers() {
        let wrong = |reason| ServiceError::Price { name: name.to_string(), reason };
        table.get(price::KEY).map(|table| prices.add(name.as_str(), table)).transpose().map_err(wrong)?;
    }
    Ok(prices)
}

/// The settings of the embedded provider, which needs no table.
fn embedded(mut table: Map<String, Value>, state: &Path) -> Map<String, Value> {
    table.remove(price::KEY);
    table.entry("folder").or_insert_with(|| json!(state.join("jobs/machines")));
    table
}

/// The same where nothing else of the repo is needed.
fn embedded_of(repo: &Repo, state: &Path) -> Value {
    let table = repo.providers().find(|(name, _)| name.as_str() == EMBEDDED).map(|(_, table)| table.clone());
    embedded(table.unwrap_or_default(), state).into()
}

/// Keeps an image for the embedded provider, and answers what machines ask for it by.
///
/// # Errors
/// When it is none, or cannot be kept.
pub fn import_image(repo: &Repo, state: &Path, from: &Path) -> Result<String, ServiceError> {
    let failed = |source| ServiceError::Provider { name: EMBEDDED.to_owned(), source };
    let settings = serde_json::from_value(embedded_of(repo, state))
        .map_err(|error| failed(ProviderError::because(Cause::Invalid, "its settings", error)))?;
    let qemu = Qemu::new(installation(&state.join("jobs"))?, settings).map_err(failed)?;
    Ok(qemu.images().import(from, None).map_err(ServiceError::Image)?.to_string())
}

/// Boots a machine of the embedded provider once, and keeps it as a template: machines of this image and size resume it.
///
/// # Errors
/// When there is no such image, or it does not boot.
pub async fn warm_image(repo: &Repo, state: &Path, image: &str, size: &Size) -> Result<(), ServiceError> {
    let failed = |source| ServiceError::Provider { name: EMBEDDED.to_owned(), source };
    let settings = serde_json::from_value(embedded_of(repo, state))
        .map_err(|error| failed(ProviderError::because(Cause::Invalid, "its settings", error)))?;
    let qemu = Qemu::new(installation(&state.join("jobs"))?, settings).map_err(failed)?;
    qemu.prepare(image, size).await.map_err(failed)
}
