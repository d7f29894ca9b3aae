//! `stead build`: compile the policies.

use clap::Args;

use super::Context;
use crate::author::{self, Source};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::policy::ByteSize;
use crate::repo::{Origin, Repo};

/// Compile the policies of the repo to components.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// The policies; all that have a source when there is none.
    #[arg(value_name = "POLICY")]
    policies: Vec<String>,
}

impl Build {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        self.all_known(&repo)?;
        for policy in repo.policies() {
            let name = policy.name.as_str();
            let wanted = self.policies.is_empty() || self.policies.iter().any(|wanted| wanted == name);
            let Origin::Source(folder) = &policy.origin else { continue };
            if wanted {
                let folder = repo.folder().join(folder);
                let source = Source { repo: repo.folder(), name, folder: &folder };
                let built = author::build(&source, &mut |line| context.terminal.say(&format!("{line}\n")))?;
                let size = ByteSize(built.component.len() as u64).rounded();
                context.terminal.print(&format!(
                    "{name}: {}, {size}, {}\n",
                    built.path.display(),
                    built.digest.short()
                ));
            }
        }
        Ok(Exit::Done)
    }

    fn all_known(&self, repo: &Repo) -> Result<(), Failure> {
        let known: Vec<_> = repo.policies().map(|policy| policy.name.to_string()).collect();
        let Some(name) = self.policies.iter().find(|name| !known.contains(name)) else { return Ok(()) };
        let error = format!("no policy is called `{name}`");
        let failure = Failure::new(Blame::Operator, Exit::Usage, &error);
        Err(failure.help(format!("the policies in stead.toml are {}", known.join(", "))))
    }
}
