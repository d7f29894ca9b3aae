//! What the policies of a host asked for, in call order. All of it or none: a policy that fails stages nothing.

use serde_json::Value;

use crate::capability::{Capability, Declared};
use crate::plan::Specs;

/// What one policy asked for.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    specs: Vec<(&'static str, Value)>,
}

/// A policy asked for more than anybody could read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a policy may stage at most {} specs", Stage::MOST)]
pub struct StageFull;

impl Stage {
    /// How many specs one policy may stage.
    pub const MOST: usize = 100_000;

    /// Adds a spec that has been checked.
    ///
    /// # Errors
    /// When there are too many.
    pub fn add<C: Capability>(&mut self, spec: &C::Spec) -> Result<(), StageFull> {
        if self.specs.len() >= Self::MOST {
            return Err(StageFull);
        }
        // A spec is plain data with string keys, which always has a JSON form.
        self.specs.push((C::NAME, serde_json::to_value(spec).unwrap_or_default()));
        Ok(())
    }

    /// Puts what `policy` asked for behind what is there already.
    pub fn into_specs(self, policy: &str, specs: &mut Specs) {
        for (capability, spec) in self.specs {
            let declared = Declared { policy: policy.to_owned(), spec };
            specs.entry(capability.to_owned()).or_default().push(declared);
        }
    }
}
