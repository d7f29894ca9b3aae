//! The interface `container`.

use super::container;
use crate::policy::job::call::{Answer, Call, Content, Ended, Failure, Outcome};
use crate::policy::job::container::{File, Options};
use crate::policy::job::guest::{JobGuest, mismatched};

impl JobGuest {
    async fn done(&mut self, call: Call) -> wasmtime::Result<Result<(), container::Failure>> {
        match self.pass(call).await? {
            Answer::Done => Ok(Ok(())),
            Answer::Failed(failure) => Ok(Err(failure.into())),
            other => Err(mismatched(&other)),
        }
    }

    async fn numbered(&mut self, call: Call) -> wasmtime::Result<Result<u32, container::Failure>> {
        match self.pass(call).await? {
            Answer::Number(number) => Ok(Ok(number)),
            Answer::Failed(failure) => Ok(Err(failure.into())),
            other => Err(mismatched(&other)),
        }
    }
}

impl container::Host for JobGuest {
    async fn start(
        &mut self,
        project: String,
        service: String,
        options: container::Options,
    ) -> wasmtime::Result<Result<u32, container::Failure>> {
        self.numbered(Call::StartContainer { project, service, options: options.into() }).await
    }

    async fn wait(&mut self, container: u32) -> wasmtime::Result<Result<container::Ended, container::Failure>> {
        match self.pass(Call::WaitContainer { container }).await? {
            Answer::Ended(ended) => Ok(Ok(ended.into())),
            Answer::Failed(failure) => Ok(Err(failure.into())),
            other => Err(mismatched(&other)),
        }
    }

    async fn wait_any(&mut self, containers: Vec<u32>) -> wasmtime::Result<Result<u32, container::Failure>> {
        self.numbered(Call::WaitAnyContainer { containers }).await
    }

    async fn download(
        &mut self,
        container: u32,
        path: String,
        artifact: String,
    ) -> wasmtime::Result<Result<(), container::Failure>> {
        self.done(Call::CopyOut { container, path, artifact }).await
    }

    async fn remove(&mut self, container: u32) -> wasmtime::Result<Result<(), container::Failure>> {
        self.done(Call::RemoveContainer { container }).await
    }
}

impl From<container::Options> for Options {
    fn from(asked: container::Options) -> Self {
        let content = |content| match content {
            container::Content::Bytes(bytes) => Content::Bytes(bytes),
            container::Content::Text(text) => Content::Bytes(text.into_bytes()),
            container::Content::Artifact(name) => Content::Artifact(name),
        };
        let file = |file: container::File| File { path: file.path, content: content(file.content) };
        Self {
            command: asked.command,
            entrypoint: asked.entrypoint,
            environment: asked.environment,
            secrets: asked.secrets,
            files: asked.files.into_iter().map(file).collect(),
            user: asked.user,
            working_dir: asked.working_dir,
            memory: asked.memory,
            millicpus: asked.millicpus,
            timeout: asked.timeout,
        }
    }
}

impl From<Ended> for container::Ended {
    fn from(ended: Ended) -> Self {
        let outcome = match ended.outcome {
            Outcome::Exited(status) => container::Outcome::Exited(status),
            Outcome::OutOfMemory => container::Outcome::OutOfMemory,
            Outcome::TimedOut => container::Outcome::TimedOut,
            Outcome::Killed(signal) => container::Outcome::Other(format!("killed by {signal}")),
        };
        Self { outcome, output: ended.output }
    }
}

impl From<Failure> for container::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(words) | Failure::Preempted(words) => Self::Lost(words),
            Failure::TooLarge(words) => Self::TooLarge(words),
            Failure::NoCapacity(words) | Failure::Unreachable(words) | Failure::Other(words) => Self::Other(words),
            refused @ (Failure::Denied { .. } | Failure::Invalid { .. }) => Self::Refused(refused.into_error()),
        }
    }
}
