//! From the firewall as it is to the firewall as declared: one step, because it changes in one transaction.

use super::compile::compile;
use super::elements::notes;
use super::state::{Boot, Fact, Set, State, Table, Wanted};
use super::{Firewall, RESOURCE};
use crate::capability::{Desired, PlanError};
use crate::plan::{Change, Deferred, Diff, Step};

pub(super) fn diff(fact: &Fact, desired: &Desired<'_, Firewall>) -> Result<Diff<Set>, PlanError> {
    let Some(first) = desired.specs.first() else {
        return Ok(Diff { steps: pruned(fact, desired), ..Diff::default() });
    };
    let impossible =
        |reason| PlanError::Impossible { resource: RESOURCE.to_owned(), policy: first.policy.clone(), reason };
    let table = Table::from(&compile(desired.specs)?);
    if let Some(obstacle) = obstacle(fact) {
        if desired.changed.contains(&format!("package:{}", obstacle.package)) {
            let deferred = Deferred { resource: RESOURCE.to_owned(), reason: obstacle.waits };
            return Ok(Diff { deferred: vec![deferred], ..Diff::default() });
        }
        return Err(impossible(obstacle.reason));
    }
    let (listing, boot) = match &fact.wanted {
        Some(Wanted::Taken { listing, boot }) => (listing.clone(), Boot::by(boot.clone())),
        Some(Wanted::Refused(words)) => return Err(impossible(format!("nft refuses the ruleset: {words}"))),
        None => return Err(impossible("it was not observed for these rules".to_owned())),
    };
    let listed = Table { text: listing, elements: table.elements.clone() };
    let listed = State { table: Some(listed), boot: boot.clone() };
    let to = State { table: Some(table), boot };
    Ok(Diff { steps: step(fact, &listed, to).into_iter().collect(), ..Diff::default() })
}

fn pruned(fact: &Fact, desired: &Desired<'_, Firewall>) -> Vec<Step<Set>> {
    let release = |(_, release): (_, &Option<Set>)| {
        let to = release.as_ref()?.to.clone();
        step(fact, &to.clone(), to).map(Step::leaving)
    };
    desired.pruned().filter_map(release).collect()
}

/// `listed` is `to` with its table as nft lists it.
fn step(fact: &Fact, listed: &State, to: State) -> Option<Step<Set>> {
    let is = &fact.is;
    if is == listed {
        return None;
    }
    let change = match (&is.table, &listed.table) {
        (None, Some(_)) => Change::Create,
        (Some(_), None) => Change::Delete,
        _ => Change::Update,
    };
    let text = |table: &Option<Table>| table.as_ref().map(|table| table.text.clone());
    let within = text(&is.table).filter(|_| text(&is.table) == text(&listed.table));
    let set = |to: State| Set { to, within: within.clone() };
    let mut step = Step::new(change, RESOURCE, set(to), set(is.clone()))
        .guarded(true)
        .text(text(&is.table).unwrap_or_default(), text(&listed.table).unwrap_or_default());
    let elements = |table: &Option<Table>| table.as_ref().map(|table| table.elements.clone()).unwrap_or_default();
    for note in notes(&elements(&is.table), &elements(&listed.table)) {
        step = step.note(note);
    }
    step = step.field("at boot", is.boot.summary(&listed.boot), listed.boot.summary(&listed.boot));
    for table in &fact.stricter {
        step = step.note(format!("table {table} drops by default too: what is accepted here needs a rule there"));
    }
    Some(step)
}

/// What stands in the way, and the package whose step in the same plan may take it out of the way.
struct Obstacle {
    package: String,
    reason: String,
    waits: String,
}

fn obstacle(fact: &Fact) -> Option<Obstacle> {
    if let Some(rival) = fact.rivals.first() {
        let how = if rival == "ufw" { "`ufw disable`" } else { "`systemctl disable --now firewalld`" };
        return Some(Obstacle {
            package: rival.clone(),
            reason: format!(
                "{rival} manages the packet filter of this host, and what one accepts the other may drop: \
                 run {how}, or remove the package {rival}"
            ),
            waits: format!("{rival} is not removed yet"),
        });
    }
    fact.nft.is_none().then(|| Obstacle {
        package: "nftables".to_owned(),
        reason: "nft is not installed: declare the package nftables before it".to_owned(),
        waits: "nft is not installed yet".to_owned(),
    })
}
