//! The only way in which secrets are ever serialised: as a part of a bundle, on its way to the host through ssh(1).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serializer};

use crate::secret::Secret;

type Secrets = BTreeMap<String, Secret<String>>;

pub(super) fn serialize<S: Serializer>(secrets: &Secrets, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(secrets.iter().map(|(name, secret)| (name, secret.reveal())))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secrets, D::Error> {
    let values = BTreeMap::<String, String>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
}
