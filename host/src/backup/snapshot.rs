//! What restic says of a snapshot.

use serde::{Deserialize, Serialize};

/// The tag of a snapshot of which some files could not be read.
pub(super) const INCOMPLETE: &str = "incomplete";
/// The tag of a snapshot of what a restore was about to replace.
pub(super) const BEFORE_RESTORE: &str = "before-restore";

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub id: String,
    #[serde(rename = "short_id")]
    pub short: String,
    /// As RFC 3339.
    pub time: String,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub paths: Vec<String>,
    /// How many bytes it is when it is restored.
    #[serde(default)]
    pub size: Option<u64>,
    #[serde(default, skip_serializing)]
    summary: Option<Summary>,
}

/// What restic 0.17 and later keep of how a snapshot was made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Summary {
    total_bytes_processed: u64,
}

impl Snapshot {
    /// Those of a list of restic's, with the sizes that it holds.
    pub(super) fn parse(json: &[u8]) -> serde_json::Result<Vec<Self>> {
        let all: Vec<Self> = serde_json::from_slice::<Option<_>>(json)?.unwrap_or_default();
        let sized = |mut snapshot: Self| {
            snapshot.size = snapshot.size.or(snapshot.summary.take().map(|summary| summary.total_bytes_processed));
            snapshot
        };
        Ok(all.into_iter().map(sized).collect())
    }

    /// What it is of: `files/data`.
    pub fn what(&self) -> &str {
        // The name of the backup comes first.
        self.tags.get(1).map(String::as_str).unwrap_or_default()
    }

    /// Whether a restore takes it when none is named.
    pub fn is_whole(&self) -> bool {
        !self.tags.iter().any(|tag| tag == INCOMPLETE || tag == BEFORE_RESTORE)
    }

    /// What is special about it.
    pub fn mark(&self) -> &str {
        let special = |tag: &&String| *tag == INCOMPLETE || *tag == BEFORE_RESTORE;
        self.tags.iter().find(special).map(String::as_str).unwrap_or_default()
    }
}
