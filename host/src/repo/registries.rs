//! `[registry."HOST"]`: how a registry is reached, and by whom what it gives must be signed.

use serde::Deserialize;

use super::Name;
use crate::registry::PublicKey;

/// `[registry."HOST"]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegistryTable {
    /// The name of a secret in the form of Docker's config.json; none: what `docker login` left to the operator.
    pub credentials: Option<Name>,
    /// Whether by HTTP without TLS; none: only on this machine itself.
    pub plain_http: Option<bool>,
    /// One of these keys has signed every component that is pulled from it; none: signatures are not looked at.
    pub signed_by: Option<Keys>,
}

/// At least one key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<PublicKey>")]
pub struct Keys(pub Vec<PublicKey>);

impl TryFrom<Vec<PublicKey>> for Keys {
    type Error = &'static str;

    fn try_from(keys: Vec<PublicKey>) -> Result<Self, Self::Error> {
        if keys.is_empty() { Err("signed-by lists no key: nothing would be accepted") } else { Ok(Self(keys)) }
    }
}
