//! `stead drift`: how a host differs from its last revision.

use clap::Args;

use super::{Context, planning};
use crate::error::Failure;
use crate::exit::Exit;
use crate::session::Goal;

/// Show how a host differs from its last revision.
///
/// Exits with 0 when it does not, and with 2 when it does. What is shown is what would bring it back.
#[derive(Debug, Args)]
pub(super) struct Drift {
    /// The hosts; this machine when there is none.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Print for machines: one JSON document a line, in the order of the targets.
    #[arg(long)]
    json: bool,
}

impl Drift {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let packed = planning::pack(context, &self.targets).await?;
        let goals = vec![Goal::LastRevision; packed.len()];
        let planned = match planning::plan(context, packed, &goals).await {
            Ok(planned) => planned,
            Err(exit) => return Ok(exit),
        };
        if self.json {
            planning::show_json(context, &planned);
        } else {
            for one in &planned {
                let label = &one.machine.label;
                let said = match (one.plan.base, one.plan.is_empty()) {
                    (None, _) => format!("{label} has no revision yet\n"),
                    (Some(base), true) => format!("{label} is as revision {base} left it\n"),
                    (Some(base), false) => format!("{label} has drifted from revision {base}; what would mend it:\n"),
                };
                context.terminal.print(&said);
                if !one.plan.is_empty() {
                    planning::show(context, std::slice::from_ref(one));
                }
            }
        }
        let none = planned.iter().all(|one| one.plan.is_empty());
        Ok(if none { Exit::Done } else { Exit::Changes })
    }
}
