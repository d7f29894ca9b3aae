//! What a job is submitted with: its input, and the files that are handed to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// What lies in the queue as the input of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// A JSON document.
    pub input: String,
    /// Files by name; the contents are among [`super::Files`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attached: BTreeMap<String, Digest>,
}
