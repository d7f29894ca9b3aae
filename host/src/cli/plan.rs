//! `stead plan`: show what would change, and change nothing.

use std::path::PathBuf;

use clap::Args;

use super::recorded::Recorded;
use super::{Context, planning, saved};
use crate::error::Failure;
use crate::exit::Exit;
use crate::session::Goal;

/// Show what would change, and change nothing.
///
/// Exits with 0 when there is nothing to do, and with 2 when there is.
///
/// With --facts no machine is asked: the policies are told the facts of the file, as `stead facts` prints them, and what they
/// declare is compared with a machine that has nothing, or the files of --tree. What needs a kernel, a systemd or a Docker to
/// ask counts as not there, and apps are left for later.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The hosts; this machine when there is none.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Save the plan, for `stead apply FILE`; the name ends in `.stead`.
    #[arg(long, value_name = "FILE", value_parser = saved::file_name)]
    out: Option<PathBuf>,
    /// Print the plan for machines: one JSON document a line, in the order of the targets.
    #[arg(long)]
    json: bool,
    /// Plan for a machine that was recorded: its facts, in TOML.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    facts: Option<PathBuf>,
    /// The files of the recorded machine: a folder that is its `/`, or a part of it.
    #[arg(long, value_name = "DIR", requires = "facts")]
    tree: Option<PathBuf>,
}

impl Plan {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let recorded = match &self.facts {
            Some(facts) => Some(Recorded::read(context, facts, self.tree.as_deref())?),
            None => None,
        };
        let packed = match &recorded {
            Some(recorded) => recorded.pack(context, &self.targets).await?,
            None => planning::pack(context, &self.targets).await?,
        };
        let goals = vec![Goal::Bundle; packed.len()];
        let planned = match planning::plan(context, packed, &goals).await {
            Ok(planned) => planned,
            Err(exit) => return Ok(exit),
        };
        if self.json {
            planning::show_json(context, &planned);
        } else {
            planning::show(context, &planned);
        }
        if let Some(path) = &self.out {
            saved::write(path, &planned)?;
        }
        let nothing = planned.iter().all(|one| one.plan.is_empty());
        Ok(if nothing { Exit::Done } else { Exit::Changes })
    }
}
