//! `stead policy test`: what a policy asks for on given facts, with given grants and config.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Context;
use crate::author::{Case, Outcome};
use crate::cli::compiled;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::policy::{Runtime, printable_lines};
use crate::repo::{self, Origin, Repo};

/// Where the cases of a policy lie, in the folder of its source.
const CASES: &str = "cases";

/// Run the cases of the repo's policies, without any server.
///
/// A case is a file cases/*.toml in the folder of a policy's source: [facts], [config] and [grant] say what the policy is
/// given, [expect] what it asks for. It runs the component of the last `stead build`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Test {
    /// The policies; all that have cases when there is none.
    #[arg(value_name = "POLICY")]
    policies: Vec<String>,
    /// Write what the policy asks for now into [expect] of each case that differs.
    #[arg(long)]
    accept: bool,
}

impl Test {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let runtime = Runtime::open(&compiled::folder(context))?;
        let mut bad = 0;
        let mut all = 0;
        for policy in repo.policies().filter(|policy| self.wants(policy)) {
            let cases = cases(&repo, policy)?;
            let Some(component) = component(&repo, policy, &cases)? else { continue };
            for path in cases {
                all += 1;
                let case = Case::read(&path)?;
                let outcome = case.run(&runtime, policy, &component).await?;
                bad += usize::from(!self.judge(context, policy, &path, &case, &outcome)?);
            }
        }
        context.terminal.print(&format!("{all} cases, {bad} differ\n"));
        Ok(if bad == 0 { Exit::Done } else { Exit::Policy })
    }

    fn wants(&self, policy: &repo::Policy) -> bool {
        self.policies.is_empty() || self.policies.iter().any(|name| name == policy.name.as_str())
    }

    /// Whether it is what the case expects, or is from now on.
    fn judge(
        &self,
        context: &Context,
        policy: &repo::Policy,
        path: &Path,
        case: &Case,
        outcome: &Outcome,
    ) -> Result<bool, Failure> {
        let name = path.file_stem().unwrap_or_default().display();
        if outcome.is(&case.expect) {
            return Ok(true);
        }
        let differs = similar::TextDiff::from_lines(case.expect.text(), outcome.text())
            .unified_diff()
            .header("expected", "now")
            .to_string();
        context.terminal.print(&format!("{} {name}\n{}\n", policy.name, printable_lines(&differs)));
        if self.accept {
            accept(path, outcome)?;
        }
        Ok(self.accept)
    }
}

/// Writes the outcome over what is expected, which stands at the end of a case.
fn accept(path: &Path, outcome: &Outcome) -> Result<(), Failure> {
    let failed = |error: std::io::Error| unreadable(path, &error);
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let given = text.split_once("[expect]").map_or(text.as_str(), |(given, _)| given);
    let gap = if given.is_empty() || given.ends_with("\n\n") { "" } else { "\n" };
    std::fs::write(path, format!("{given}{gap}{}", outcome.text())).map_err(failed)
}

fn cases(repo: &Repo, policy: &repo::Policy) -> Result<Vec<PathBuf>, Failure> {
    let Origin::Source(folder) = &policy.origin else { return Ok(Vec::new()) };
    let folder = repo.folder().join(folder).join(CASES);
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(|error| unreadable(&folder, &error))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    Ok(paths)
}

/// The component, when there are cases for it.
fn component(repo: &Repo, policy: &repo::Policy, cases: &[PathBuf]) -> Result<Option<Vec<u8>>, Failure> {
    if cases.is_empty() {
        return Ok(None);
    }
    let path = repo.component(policy);
    let help = || format!("run stead build {}", policy.name);
    std::fs::read(&path).map(Some).map_err(|error| unreadable(&path, &error).help(help()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Blame::Operator, Exit::Input, &format!("{}: {error}", path.display()))
}
