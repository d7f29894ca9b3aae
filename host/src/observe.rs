//! Reads what is there: all capabilities that have something declared or owned, at the same time.

use std::sync::Arc;

use futures::future::try_join_all;

use crate::capability::{self, AnyCapability, ObserveError, Owned};
use crate::machine::Machine;
use crate::plan::{Observed, Ownership, Specs};

/// What is there of everything declared or owned. Changes nothing.
///
/// # Errors
/// The first capability that cannot read.
pub async fn observe(machine: &Arc<Machine>, specs: &Specs, owned: &Ownership) -> Result<Observed, ObserveError> {
    let none = Owned::new();
    let concerned = |capability: &&&dyn AnyCapability| {
        specs.contains_key(capability.name()) || owned.contains_key(capability.name())
    };
    let one = |capability: &&'static dyn AnyCapability| {
        let capability = *capability;
        let specs = specs.get(capability.name()).map(Vec::as_slice).unwrap_or_default();
        let owned = owned.get(capability.name()).unwrap_or(&none);
        let machine = Arc::clone(machine);
        async move {
            let fact = capability.observe(machine, specs, owned).await?;
            Ok::<_, ObserveError>((capability.name().to_owned(), fact))
        }
    };
    Ok(try_join_all(capability::ALL.iter().filter(concerned).map(one)).await?.into_iter().collect())
}
