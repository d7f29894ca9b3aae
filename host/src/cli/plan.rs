//! `stead plan`: show what would change, and change nothing.

use std::path::PathBuf;

use clap::Args;

use super::{Context, planning, saved};
use crate::error::Failure;
use crate::exit::Exit;
use crate::session::Goal;

/// Show what would change, and change nothing.
///
/// Exits with 0 when there is nothing to do, and with 2 when there is.
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
}

impl Plan {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let packed = planning::pack(context, &self.targets).await?;
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
