//! `stead build`: compile the policies of the repo.

use std::path::{Path, PathBuf};

use clap::Args;
use owo_colors::Style;

use super::Context;
use super::compiled::Compiler;
use crate::author::{self, Built, Source};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::policy::{ByteSize, printable};
use crate::repo::{Origin, Policy, Repo, nearest};

/// Compile the policies of the repo to components.
///
/// Those that stead.toml gives by `source`; a component lies in .stead/build/POLICY.wasm. Nothing of them is run, but their
/// code is made ready for this machine: the first plan, test or job here does not wait for that.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// The policies; all when there is none.
    #[arg(value_name = "POLICY")]
    policies: Vec<String>,
    /// Do not compile them for this machine.
    #[arg(long)]
    no_compile: bool,
}

impl Build {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let named = self.policies.iter().map(|name| source(&repo, name)).collect::<Result<Vec<_>, _>>()?;
        let all = repo.policies().filter_map(|policy| match &policy.origin {
            Origin::Source(folder) => Some((policy, folder)),
            _ => None,
        });
        let chosen = if named.is_empty() { all.collect() } else { named };
        let compiler = Compiler::open(context, self.no_compile)?;
        for (policy, folder) in chosen {
            let built = build(context, &repo, policy, folder)?;
            compiler.compile(policy, &built.component).await?;
            let size = size(built.component.len());
            context.terminal.print(&format!("{}  {size}  {}\n", policy.name, built.digest.short()));
        }
        Ok(Exit::Done)
    }
}

/// Builds one, and says what its compiler says.
pub(super) fn build(context: &Context, repo: &Repo, policy: &Policy, folder: &Path) -> Result<Built, Failure> {
    let folder = repo.folder().join(folder);
    let source = Source { repo: repo.folder(), name: policy.name.as_str(), folder: &folder };
    let mut say = |line: &str| {
        let line = context.terminal.side.paint(&printable(line), Style::new().dimmed());
        context.terminal.say(&format!("{line}\n"));
    };
    Ok(author::build(&source, &mut say)?)
}

/// The policy of this name, which stead.toml gives by its source.
fn source<'a>(repo: &'a Repo, name: &str) -> Result<(&'a Policy, &'a PathBuf), Failure> {
    let wrong = |message: String| Failure::new(Blame::Operator, Exit::Usage, &message);
    let policy = policy(repo, name)?;
    match &policy.origin {
        Origin::Source(folder) => Ok((policy, folder)),
        Origin::Component(_) => Err(wrong(format!("policy {name} is a component already: there is nothing to build"))),
        Origin::Registry(_) => Err(wrong(format!("policy {name} comes from a registry: there is nothing to build"))
            .help(format!("stead policy pull {name}"))),
    }
}

/// The policy of this name.
pub(super) fn policy<'a>(repo: &'a Repo, name: &str) -> Result<&'a Policy, Failure> {
    let unknown = || {
        let meant = nearest(name, repo.policies().map(|policy| policy.name.as_str()));
        let help = meant.map(|meant| format!("did you mean `{meant}`?"));
        Failure::new(Blame::Operator, Exit::Usage, &format!("no policy is called `{name}`")).maybe_help(help)
    };
    repo.policies().find(|policy| policy.name.as_str() == name).ok_or_else(unknown)
}

/// Rounded up to KiB.
pub(super) fn size(bytes: usize) -> ByteSize {
    ByteSize((bytes as u64).next_multiple_of(1 << 10))
}
