//! Servers and server types, as Hetzner describes them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::api::Api;
use super::{Cause, ProviderError};
use crate::machine::{Offer, Price, State, Vm};

/// The most that one page can have.
const PAGE: u32 = 50;
const SSH: u16 = 22;

#[derive(Debug, Deserialize)]
pub(super) struct Server {
    pub(super) id: u64,
    pub(super) name: String,
    status: String,
    created: String,
    pub(super) labels: BTreeMap<String, String>,
    public_net: PublicNet,
    server_type: ServerType,
    location: Named,
}

#[derive(Debug, Deserialize)]
struct PublicNet {
    ipv4: Option<Ipv4>,
}

#[derive(Debug, Deserialize)]
struct Ipv4 {
    ip: IpAddr,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct ServerType {
    name: String,
    cores: u16,
    /// In GB.
    memory: f64,
    #[serde(default)]
    prices: Vec<LocationPrice>,
}

#[derive(Debug, Deserialize)]
struct LocationPrice {
    location: String,
    price_hourly: Amount,
}

#[derive(Debug, Deserialize)]
struct Amount {
    gross: String,
}

#[derive(Deserialize)]
struct Servers {
    servers: Vec<Server>,
    meta: Meta,
}

#[derive(Deserialize)]
struct ServerTypes {
    server_types: Vec<ServerType>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    pagination: Pagination,
}

#[derive(Deserialize)]
struct Pagination {
    next_page: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct Made {
    server: Server,
}

pub(super) async fn list(api: &Api, filter: &str) -> Result<Vec<Server>, ProviderError> {
    let (mut all, mut next) = (Vec::new(), Some(1));
    while let Some(page) = next {
        let answer: Servers = api.get(&format!("/servers?{filter}&page={page}&per_page={PAGE}")).await?;
        all.extend(answer.servers);
        next = answer.meta.pagination.next_page;
    }
    Ok(all)
}

pub(super) fn made(made: Made, currency: &str) -> Result<Vm, ProviderError> {
    let unreadable = || ProviderError::new(Cause::TimedOut, "Hetzner made a server and did not describe it");
    made.server.vm(currency).ok_or_else(unreadable)
}

pub(super) async fn offers(api: &Api) -> Result<Vec<Offer>, ProviderError> {
    let (mut all, mut next) = (Vec::new(), Some(1));
    while let Some(page) = next {
        let answer: ServerTypes = api.get(&format!("/server_types?page={page}&per_page={PAGE}")).await?;
        let currency = api.currency().await?;
        all.extend(answer.server_types.iter().flat_map(|size| size.offers(currency)));
        next = answer.meta.pagination.next_page;
    }
    Ok(all)
}

impl Server {
    /// None for what has no name of ours, and for what is being deleted.
    pub(super) fn vm(&self, currency: &str) -> Option<Vm> {
        Some(Vm {
            name: self.name.parse().ok()?,
            state: self.state()?,
            created: time(&self.created)?,
            address: self.public_net.ipv4.as_ref().map(|ipv4| SocketAddr::new(ipv4.ip, SSH)),
            size: self.server_type.name.clone(),
            region: Some(self.location.name.clone()),
            price: self.server_type.price(&self.location.name, currency),
        })
    }

    fn state(&self) -> Option<State> {
        match self.status.as_str() {
            "deleting" => None,
            "initializing" | "starting" => Some(State::Starting),
            // It costs as much as one that runs.
            "off" | "stopping" => Some(State::Ended),
            _ => Some(State::Running),
        }
    }
}

impl ServerType {
    fn offers(&self, currency: &str) -> Vec<Offer> {
        let offer = |price: &LocationPrice| Offer {
            size: self.name.clone(),
            region: Some(price.location.clone()),
            cpus: self.cores,
            memory_mib: (self.memory * 1024.0) as u32,
            price: price.price_hourly.price(currency),
        };
        self.prices.iter().map(offer).collect()
    }

    fn price(&self, location: &str, currency: &str) -> Option<Price> {
        self.prices.iter().find(|price| price.location == location)?.price_hourly.price(currency)
    }
}

impl Amount {
    fn price(&self, currency: &str) -> Option<Price> {
        Some(Price { currency: currency.to_owned(), micros_per_hour: micros(&self.gross)? })
    }
}

/// A decimal number, without floating point.
fn micros(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(digits.parse().ok()?)
}

/// RFC 3339 in UTC, which is what Hetzner writes.
fn time(text: &str) -> Option<SystemTime> {
    super::super::time::read(text).map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        for (text, expected) in
            [("1.1900", Some(1_190_000)), ("0.0000001", Some(0)), ("7", Some(7_000_000)), ("x", None)]
        {
            assert_eq!(micros(text), expected, "{text}");
        }
    }
}
