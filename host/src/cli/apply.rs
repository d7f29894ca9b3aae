//! `stead apply`: show what would change, ask, do it, verify it.

use clap::Args;

use super::applying::{self, Options, agreed};
use super::{Context, planning, saved};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::session::Goal;

/// Show what would change, ask, do it, and verify it.
///
/// Applies to several hosts at the same time. When the plan of one cannot be made, nothing is changed on any.
#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The hosts, or the file of a saved plan (`NAME.stead`), which is applied as it was reviewed, without asking; this
    /// machine when there is none.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    options: Options,
}

impl Apply {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.targets.iter().any(|word| saved::is_saved(word)) {
            return self.saved(context).await;
        }
        self.options.somebody_can_be_asked()?;
        let packed = planning::pack(context, &self.targets).await?;
        let goals = vec![Goal::Bundle; packed.len()];
        let planned = match planning::plan(context, packed, &goals).await {
            Ok(planned) => planned,
            Err(exit) => return Ok(exit),
        };
        planning::show(context, &planned);
        if !agreed(&self.options, &planned) {
            return Ok(Exit::Declined);
        }
        applying::apply(context, planned, &self.options, false).await
    }

    async fn saved(self, context: &Context) -> Result<Exit, Failure> {
        let [path] = self.targets.as_slice() else {
            let failure = Failure::new(Blame::Operator, Exit::Usage, &"a saved plan names its hosts itself");
            return Err(failure.help("give the file alone"));
        };
        let planned = saved::read(context, path).await?;
        planning::show(context, &planned);
        applying::apply(context, planned, &self.options, false).await
    }
}
