//! Compiles ahead: the first run on this machine finds the code of a policy.
//!
//! Compiled code is native code that stead jumps into. So it is never in the repo, where whoever can commit could put some,
//! and never sent to a server: each machine compiles for itself, into a folder that only its user can write.

use std::path::{Path, PathBuf};

use super::Context;
use crate::error::Failure;
use crate::policy::{PolicyError, Runtime};
use crate::repo::Policy;

/// Where this user's compiled code lies: in stead's record of this machine where this user keeps that, which plan, apply and
/// jobs on this machine then use; else where caches are.
pub(super) fn folder(context: &Context) -> PathBuf {
    let state = &context.place.state;
    if crate::machine::create_private_folder(state).is_ok() && is_writable(state) {
        return state.join("compiled");
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("stead/compiled")
}

fn is_writable(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

/// Compiles ahead, or does not.
#[derive(Debug)]
pub(super) struct Compiler(Option<Runtime>);

impl Compiler {
    /// One for this machine.
    ///
    /// # Errors
    /// When policies cannot run on this machine.
    pub(super) fn open(context: &Context, not_at_all: bool) -> Result<Self, Failure> {
        if not_at_all {
            return Ok(Self(None));
        }
        let runtime = Runtime::open(&folder(context))?;
        if let Some(why) = runtime.cache_unused() {
            context.terminal.say(&format!("nothing is compiled ahead: {why}\n"));
            return Ok(Self(None));
        }
        Ok(Self(Some(runtime)))
    }

    /// Compiles a policy, unless its code is there.
    ///
    /// # Errors
    /// When it is no component.
    pub(super) async fn compile(&self, policy: &Policy, component: &[u8]) -> Result<(), Failure> {
        let Some(runtime) = &self.0 else { return Ok(()) };
        let failed = |error| PolicyError::Load { policy: policy.name.to_string(), error };
        Ok(runtime.compile(component).await.map_err(failed)?)
    }
}
