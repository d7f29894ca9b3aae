//! Why something could not be done in a machine.

use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("cannot run {program}: {source}")]
    Program { program: &'static str, source: std::io::Error },
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    /// It may answer later; its provider knows whether it still exists.
    #[error("cannot reach {machine}: {words}")]
    Unreachable { machine: String, words: String },
    /// Something else answers at its address: nothing was said to it.
    #[error("what answers for {machine} does not have the host key that this machine was given")]
    HostKey { machine: String },
    #[error("{machine} did not let us in within {after:?}: {words}")]
    NeverAnswered { machine: String, after: Duration, words: String },
    #[error("{machine} failed to {what}: {words}")]
    Refused { machine: String, what: &'static str, words: String },
    #[error("{what} of {machine} has more than {most} bytes")]
    TooLarge { machine: String, what: String, most: u64 },
    #[error("{path} has changed on its way, or while it was read")]
    Corrupt { path: String },
    #[error("{machine} has no file {path}")]
    NoFile { machine: String, path: String },
    #[error("{text:?} is no name of a command run: it takes a-z, 0-9 and hyphens, and at most 40 characters")]
    RunId { text: String },
    #[error("{name:?} is no name of a credential: it takes letters, digits and `-_.`, and at most 63 characters")]
    Credential { name: String },
    /// The machine restarted, or somebody cleaned up in it.
    #[error("the command {run} of {machine} is gone without a status")]
    Lost { machine: String, run: String },
    #[error("{machine} answered with something that is no answer: {words}")]
    NoAnswer { machine: String, words: String },
}
