//! What a job has left.

use serde::Serialize;
use stead_queue::Artifact;
use utoipa::ToSchema;

/// The files that a job has left.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct Artifacts {
    pub(in crate::job::api) artifacts: Vec<ArtifactView>,
}

/// A file that a job has left.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct ArtifactView {
    pub(in crate::job::api) name: String,
    pub(in crate::job::api) size: u64,
    /// Of its content, in hexadecimal.
    pub(in crate::job::api) sha256: String,
}

impl From<&Artifact> for ArtifactView {
    fn from(artifact: &Artifact) -> Self {
        Self { name: artifact.name.to_string(), size: artifact.size, sha256: hex::encode(artifact.digest) }
    }
}
