//! `stead build`: compile the policies of the repo.

use clap::Args;
use owo_colors::Style;

use super::Context;
use crate::author::{self, Source};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::policy::{ByteSize, printable};
use crate::repo::{Origin, Policy, Repo, nearest};

/// Compile the policies of the repo to components.
///
/// Those that stead.toml gives by `source`; a component lies in .stead/build/POLICY.wasm. Nothing of them is run.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// The policies; all when there is none.
    #[arg(value_name = "POLICY")]
    policies: Vec<String>,
}

impl Build {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let named = self.policies.iter().map(|name| policy(&repo, name)).collect::<Result<Vec<_>, _>>()?;
        let chosen = if named.is_empty() { repo.policies().collect() } else { named };
        let sources = chosen.into_iter().filter_map(|policy| match &policy.origin {
            Origin::Source(folder) => Some((policy, folder)),
            Origin::Component(_) => None,
        });
        for (policy, folder) in sources {
            let folder = repo.folder().join(folder);
            let source = Source { repo: repo.folder(), name: policy.name.as_str(), folder: &folder };
            let mut say = |line: &str| {
                let line = context.terminal.side.paint(&printable(line), Style::new().dimmed());
                context.terminal.say(&format!("{line}\n"));
            };
            let built = author::build(&source, &mut say)?;
            let size = size(built.component.len());
            context.terminal.print(&format!("{}  {size}  {}\n", policy.name, built.digest.short()));
        }
        Ok(Exit::Done)
    }
}

/// The policy of this name, which stead.toml gives by its source.
fn policy<'a>(repo: &'a Repo, name: &str) -> Result<&'a Policy, Failure> {
    let wrong = |message: String| Failure::new(Blame::Operator, Exit::Usage, &message);
    match repo.policies().find(|policy| policy.name.as_str() == name) {
        Some(policy) if matches!(policy.origin, Origin::Source(_)) => Ok(policy),
        Some(_) => Err(wrong(format!("policy {name} is a component already: there is nothing to build"))),
        None => {
            let meant = nearest(name, repo.policies().map(|policy| policy.name.as_str()));
            let help = meant.map(|meant| format!("did you mean `{meant}`?"));
            Err(wrong(format!("no policy is called `{name}`")).maybe_help(help))
        }
    }
}

/// Rounded up to KiB.
fn size(bytes: usize) -> ByteSize {
    ByteSize((bytes as u64).next_multiple_of(1 << 10))
}
