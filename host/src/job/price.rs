//! What machines cost by the hour: from `[provider.NAME.price]` in `stead.toml`, else from the provider itself.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use stead_queue::Spent;
use stead_vm::machine::{Offer, Price};
use stead_vm::provider::Provider;
use tokio::sync::Mutex;

use crate::policy::job::{Failure, Request};

/// The key of machines that are cut to measure.
const MEASURED: &str = "measured";
/// The table in the settings of a provider.
pub(super) const KEY: &str = "price";
/// How long a provider's prices are believed.
const FRESH: Duration = Duration::from_secs(60 * 60);
const MICROS: u64 = 1_000_000;

/// An amount of money: `"1.50 EUR"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Millionths of the unit.
    pub micros: u64,
    /// ISO 4217.
    pub currency: String,
}

/// The prices of all providers.
#[derive(Debug, Default)]
pub(super) struct Prices {
    /// By provider and instance type.
    said: BTreeMap<String, BTreeMap<String, Amount>>,
    offers: Mutex<BTreeMap<String, (Instant, Vec<Offer>)>>,
}

/// By currency, what machines have cost, and whether that may grow.
pub fn costs(spent: &[Spent]) -> BTreeMap<&str, (u64, bool)> {
    let mut costs = BTreeMap::new();
    for one in spent {
        let (micros, grows) = costs.entry(one.currency.as_str()).or_insert((0_u64, false));
        *micros = micros.saturating_add(one.micros);
        *grows |= !one.is_settled;
    }
    costs
}

impl Prices {
    /// Takes the table `price` of a provider.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn add(&mut self, provider: &str, table: &Value) -> Result<(), String> {
        let table = BTreeMap::deserialize(table).map_err(|error| format!("{KEY}: {error}"))?;
        self.said.insert(provider.to_owned(), table);
        Ok(())
    }

    /// What the machine costs in an hour; where that depends on the region and none is said, the most.
    ///
    /// # Errors
    /// When nobody says it.
    pub(super) async fn hourly(
        &self,
        name: &str,
        provider: &dyn Provider,
        request: &Request,
    ) -> Result<Amount, Failure> {
        let size = request.instance_type.as_deref().unwrap_or(MEASURED);
        if let Some(amount) = self.said.get(name).and_then(|table| table.get(size)) {
            return Ok(amount.clone());
        }
        let offers = self.offers(name, provider).await?;
        let of_region = |offer: &&Offer| match (&request.region, &offer.region) {
            (Some(asked), Some(offered)) => asked == offered || asked.starts_with(offered.as_str()),
            _ => true,
        };
        let fitting = offers.iter().filter(|offer| offer.size == size).filter(of_region);
        let dearest = fitting.filter_map(|offer| offer.price.as_ref()).max_by_key(|price| price.micros_per_hour);
        dearest.map(Amount::from).ok_or_else(|| {
            let key = toml::Value::String(size.to_owned());
            Failure::invalid(
                "request",
                format!(
                    "nobody says what {size} costs at {name}, and the grant has a ceiling; what would say it:\n\
                     [provider.{name}.price]\n{key} = \"0.10 EUR\""
                ),
            )
        })
    }

    async fn offers(&self, name: &str, provider: &dyn Provider) -> Result<Vec<Offer>, Failure> {
        let mut known = self.offers.lock().await;
        if let Some((since, offers)) = known.get(name)
            && since.elapsed() < FRESH
        {
            return Ok(offers.clone());
        }
        let offers = provider.offers().await;
        let offers = offers.map_err(|error| Failure::Other(format!("the prices of {name}: {error}")))?;
        known.insert(name.to_owned(), (Instant::now(), offers.clone()));
        Ok(offers)
    }
}

impl Amount {
    /// For so long; a started millionth is a whole one.
    pub(super) fn for_time(&self, time: Duration) -> u64 {
        let cost = (u128::from(self.micros) * time.as_millis()).div_ceil(3_600_000);
        u64::try_from(cost).unwrap_or(u64::MAX)
    }
}

impl From<&Price> for Amount {
    fn from(price: &Price) -> Self {
        Self { micros: price.micros_per_hour, currency: price.currency.clone() }
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not an amount such as \"1.50 EUR\": at most six decimals, and ISO 4217");
        let (number, currency) = text.split_once(' ').ok_or_else(wrong)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_currency = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_currency || !digits(whole) || !digits(part) || part.len() > 6 {
            return Err(wrong());
        }
        let micros = format!("{part:0<6}").parse::<u64>().ok();
        let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(MICROS));
        let micros = whole.zip(micros).and_then(|(whole, micros)| whole.checked_add(micros)).ok_or_else(wrong)?;
        Ok(Self { micros, currency: currency.to_owned() })
    }
}

impl fmt::Display for Amount {
    /// Cents at least, and no zeros after them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:06}", self.micros % MICROS);
        let (cents, rest) = part.split_at(2);
        write!(f, "{}.{cents}{} {}", self.micros / MICROS, rest.trim_end_matches('0'), self.currency)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_shown() {
        for (text, micros, shown) in [
            ("1.5 EUR", 1_500_000, "1.50 EUR"),
            ("2 USD", 2_000_000, "2.00 USD"),
            ("0.0723 USD", 72_300, "0.0723 USD"),
            ("0.000001 EUR", 1, "0.000001 EUR"),
        ] {
            let amount = text.parse::<Amount>().map(|amount| (amount.micros, amount.to_string()));
            assert_eq!(amount, Ok((micros, shown.to_owned())));
        }
        for wrong in ["", "1", "EUR", "1.5EUR", "1,5 EUR", "-1 EUR", ".5 EUR", "1. EUR", "1.0000001 EUR", "1 euro"] {
            assert!(wrong.parse::<Amount>().is_err(), "{wrong}");
        }
        assert!("99999999999999999999 EUR".parse::<Amount>().is_err());
    }

    #[test]
    fn a_started_millionth_is_paid() {
        let amount = Amount { micros: 100_000, currency: "EUR".to_owned() };
        assert_eq!(amount.for_time(Duration::from_secs(1800)), 50_000);
        assert_eq!(amount.for_time(Duration::from_millis(1)), 1);
    }
}
