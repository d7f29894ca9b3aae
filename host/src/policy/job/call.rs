//! The calls of a job policy as plain data: what is digested, recorded and answered.

use serde::{Deserialize, Serialize};

use super::{container, http};
use crate::policy::types;

/// One call that acts, or that answers differently at another time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    Launch { machine: String, request: Request },
    LaunchAny { machine: String, requests: Vec<Request> },
    WaitReady { machines: Vec<String> },
    Start { machine: String, command: Command },
    StartWithSecrets { machine: String, command: Command, secrets: Vec<String> },
    Wait { command: u32 },
    WaitAny { commands: Vec<u32> },
    Upload { machine: String, content: Content, path: String },
    Download { machine: String, path: String, artifact: String },
    Destroy { machine: String },
    Put { artifact: String, content: Vec<u8> },
    Get { artifact: String },
    Names,
    Now,
    Sleep { seconds: u32 },
    Send { request: http::Request },
    Fetch { request: http::Request, artifact: String },
    StartContainer { project: String, service: String, options: container::Options },
    WaitContainer { container: u32 },
    WaitAnyContainer { containers: Vec<u32> },
    CopyOut { container: u32, path: String, artifact: String },
    RemoveContainer { container: u32 },
}

/// What a call was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Done,
    Number(u32),
    Ended(Ended),
    Text(String),
    Names(Vec<String>),
    Bytes(#[serde(with = "crate::policy::job::call::base64")] Vec<u8>),
    Response(http::Response),
    Failed(Failure),
}

/// What a machine is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Request {
    pub provider: Option<String>,
    pub image: String,
    pub instance_type: Option<String>,
    pub cpus: Option<u16>,
    /// In MiB.
    pub memory: Option<u32>,
    /// In GiB.
    pub disk: Option<u32>,
    pub region: Option<String>,
    pub spot: bool,
    pub network: bool,
    /// In seconds.
    pub lifetime: u32,
}

/// A command for sh(1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Command {
    pub script: String,
    pub environment: Vec<(String, String)>,
    /// In seconds.
    pub timeout: Option<u32>,
}

/// What is put into a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    Bytes(#[serde(with = "crate::policy::job::call::base64")] Vec<u8>),
    Artifact(String),
}

/// A command that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ended {
    pub outcome: Outcome,
    pub output: String,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Exited(u8),
    Killed(String),
    OutOfMemory,
    TimedOut,
}

/// Why a call did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    Denied {
        capability: String,
        asked: String,
        grant: String,
    },
    Invalid {
        argument: String,
        reason: String,
    },
    NoCapacity(String),
    Lost(String),
    /// Lost, too, and the provider says that it took the machine back.
    Preempted(String),
    TooLarge(String),
    /// No answer from a server that was asked.
    Unreachable(String),
    Other(String),
}

impl Call {
    /// Its name in the contract, for records and people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Launch { .. } => "vm.launch",
            Self::LaunchAny { .. } => "vm.launch-any",
            Self::WaitReady { .. } => "vm.wait-ready",
            Self::Start { .. } => "vm.start",
            Self::StartWithSecrets { .. } => "vm.start-with-secrets",
            Self::Wait { .. } => "vm.wait",
            Self::WaitAny { .. } => "vm.wait-any",
            Self::Upload { .. } => "vm.upload",
            Self::Download { .. } => "vm.download",
            Self::Destroy { .. } => "vm.destroy",
            Self::Put { .. } => "artifact.put",
            Self::Get { .. } => "artifact.get",
            Self::Names => "artifact.names",
            Self::Now => "clock.now",
            Self::Sleep { .. } => "clock.sleep",
            Self::Send { .. } => "http.send",
            Self::Fetch { .. } => "http.download",
            Self::StartContainer { .. } => "container.start",
            Self::WaitContainer { .. } => "container.wait",
            Self::WaitAnyContainer { .. } => "container.wait-any",
            Self::CopyOut { .. } => "container.download",
            Self::RemoveContainer { .. } => "container.remove",
        }
    }
}

impl Failure {
    /// A wrong argument.
    pub fn invalid(argument: &str, reason: impl Into<String>) -> Self {
        Self::Invalid { argument: argument.to_owned(), reason: reason.into() }
    }

    /// As the error that every interface shares.
    pub(in crate::policy::job) fn into_error(self) -> types::Error {
        match self {
            Self::Denied { capability, asked, grant } => {
                types::Error::Denied(types::Denial { capability, asked, grant })
            }
            Self::Invalid { argument, reason } => types::Error::Invalid(types::InvalidArgument { argument, reason }),
            Self::NoCapacity(words)
            | Self::Lost(words)
            | Self::Preempted(words)
            | Self::TooLarge(words)
            | Self::Unreachable(words)
            | Self::Other(words) => types::Error::Other(words),
        }
    }
}

/// Bytes in a JSON document.
pub(super) mod base64 {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::policy::job) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(in crate::policy::job) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
