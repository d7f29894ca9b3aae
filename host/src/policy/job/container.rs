//! One-off containers as plain data.

use serde::{Deserialize, Serialize};

use super::call::Content;

/// What a container is to be, beyond its service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Options {
    pub command: Option<Vec<String>>,
    pub entrypoint: Option<Vec<String>>,
    pub environment: Vec<(String, String)>,
    pub secrets: Vec<String>,
    pub files: Vec<File>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    /// In MiB.
    pub memory: Option<u32>,
    /// In thousandths of a processor.
    pub millicpus: Option<u32>,
    /// In seconds.
    pub timeout: Option<u32>,
}

/// A file that is put into a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct File {
    pub path: String,
    pub content: Content,
}
