//! A job as it comes in, and the files that were handed over for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::digest::Digest;
use crate::job::api::jobs::MOST_FILES;
use crate::job::api::number::integer;
use crate::repo::Name;

/// What is to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::job::api) struct NewJob {
    /// The policy, as in `[policy.NAME]`.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    pub(in crate::job::api) policy: Name,
    /// What it gets: any JSON.
    #[serde(default = "nothing")]
    pub(in crate::job::api) input: Value,
    /// The higher goes first; among equals, the older.
    #[serde(default, deserialize_with = "integer")]
    pub(in crate::job::api) priority: i32,
    /// How long one attempt may take.
    #[serde(default = "two_hours", deserialize_with = "integer")]
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub(in crate::job::api) timeout_seconds: u32,
    /// How often it is tried at most.
    #[serde(default = "three", deserialize_with = "integer")]
    #[schema(minimum = 1, maximum = 1000)]
    pub(in crate::job::api) attempts: u32,
    /// Files that it finds among its artifacts: by name, the `sha256` that `POST /v1/files` has answered for each.
    #[serde(default)]
    #[schema(schema_with = attached)]
    pub(in crate::job::api) files: BTreeMap<String, String>,
}

/// Digests by the names of artifacts.
fn attached() -> Object {
    let text = |pattern| ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    let all = ObjectBuilder::new().property_names(Some(text("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$")));
    all.additional_properties(Some(text("^[0-9a-f]{64}$"))).max_properties(Some(MOST_FILES)).build()
}

/// A file that was handed over.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct FileView {
    /// What it is called in `files` of a job.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// In bytes.
    size: u64,
}

impl FileView {
    pub(in crate::job::api) fn new(digest: &Digest, size: u64) -> Self {
        Self { sha256: digest.as_str().to_owned(), size }
    }
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

fn two_hours() -> u32 {
    7200
}

fn three() -> u32 {
    3
}
