//! One-off containers that are asked for.

use std::sync::Arc;

use super::{FILE, JobDoor, absolute, name, unkept};
use crate::job::containers::{Asked, Filling, Scope};
use crate::job::files::FileError;
use crate::job::machines::Trouble;
use crate::policy::job::container::Options;
use crate::policy::job::{Answer, Content, Failure};

/// The most that is put into a container.
const PUT: u64 = 64 << 20;

impl JobDoor {
    /// The grant `container`.
    fn contained(&self) -> Result<Arc<Scope>, Failure> {
        // A policy that imports `container` without a grant does not load.
        let none = || Failure::Other("no container is granted to this job".to_owned());
        self.contained.clone().ok_or_else(none)
    }

    pub(super) async fn start_container(
        &mut self,
        project: &str,
        service: &str,
        options: &Options,
    ) -> Result<Answer, Trouble> {
        let (scope, asked) = (self.contained()?, Asked { project, service, options });
        self.containers.allow(asked, &scope, &self.policy)?;
        let secrets = self.mask(&options.secrets).await?;
        let filling = Filling { files: self.filling(options).await?, secrets };
        Ok(Answer::Number(self.containers.start(asked, filling, (&scope, &self.policy)).await?))
    }

    pub(super) async fn copy_out(&mut self, number: u32, path: &str, artifact: &str) -> Result<Answer, Trouble> {
        absolute(path)?;
        name(artifact)?;
        let room = self.files.room().map_err(unkept)?;
        self.containers.copy_out(number, path, &room, FILE).await?;
        let kept = self.keep_file(&room).map_err(unkept)?;
        self.keep(artifact, kept).await
    }

    async fn filling(&self, options: &Options) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let (mut files, mut left) = (Vec::new(), PUT);
        for file in &options.files {
            let content = match &file.content {
                Content::Bytes(bytes) => bytes.clone(),
                Content::Artifact(name) => {
                    let path = self.artifact(name).await?;
                    let unread = |source| Failure::Other(FileError { path: path.clone(), source }.to_string());
                    if path.metadata().map_err(unread)?.len() > left {
                        return Err(too_much());
                    }
                    std::fs::read(&path).map_err(unread)?
                }
            };
            left = left.checked_sub(content.len() as u64).ok_or_else(too_much)?;
            files.push((file.path.clone(), content));
        }
        Ok(files)
    }
}

fn too_much() -> Failure {
    Failure::TooLarge(format!("the files have more than {PUT} bytes"))
}
