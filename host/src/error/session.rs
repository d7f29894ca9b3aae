//! What is wrong with a request on the host, and what came of an apply that failed.

use super::{Blame, Failure, by_value};
use crate::apply::{ApplyFailed, Cause, Undone};
use crate::exit::Exit;
use crate::grant::Ungranted;
use crate::session::SessionError;

/// What the operator reads when a request could not be served.
pub fn failure(error: &SessionError) -> Failure {
    let new = |blame, exit| Failure::new(blame, exit, error);
    match error {
        SessionError::State(error) => error.into(),
        SessionError::Journal(error) => error.into(),
        SessionError::Lock(error) => error.into(),
        SessionError::Bundle(error) => error.into(),
        SessionError::Policy { source, .. } => source.as_ref().into(),
        SessionError::Observe(error) => error.into(),
        SessionError::Facts(_) => new(Blame::Host, Exit::Unavailable).help("the file must be readable, and /proc and netlink there"),
        SessionError::NextKey(_) => new(Blame::Host, Exit::State).help("is the disk full?"),
        SessionError::App(error) => error.into(),
        SessionError::Backup(error) => error.into(),
        SessionError::Plan(error) => error.into(),
        SessionError::Guard(error) => error.into(),
        SessionError::Apply(failed) => apply(failed),
        SessionError::Ungranted(error) => ungranted(error),
        SessionError::PlanFormat { .. } => new(Blame::Operator, Exit::Input).help("make the plan anew"),
        SessionError::PlanDamaged => new(Blame::Operator, Exit::Input).help("make the plan anew"),
        SessionError::OtherHost { .. } => new(Blame::Operator, Exit::Usage).help("apply it to the host that it is for"),
        SessionError::Moved(_) => new(Blame::Host, Exit::Stale).help("make a new plan, and look at it"),
        SessionError::CutOff(_) => new(Blame::Policy, Exit::Refused)
            .help("let the policy keep your way in open, or apply with --force; it is still taken back when you cannot get in"),
        SessionError::NotRecovered { run, .. } => new(Blame::Host, Exit::Broken).help(broken(*run)),
        SessionError::NoApps { .. } => new(Blame::Host, Exit::Input)
            .help("check that commit out of the repo and make the plan from there"),
        SessionError::KeepApps(_) => new(Blame::Host, Exit::State).help("is the disk full?"),
    }
}

fn ungranted(error: &Ungranted) -> Failure {
    let new = |exit| Failure::new(Blame::Operator, exit, error);
    match error {
        Ungranted::Denied { policy, denied } => Failure::denied(policy, denied),
        Ungranted::NotGranted { policy, capability } => new(Exit::Denied)
            .help(format!("to allow it, add a table [policy.{policy}.grant.{capability}] to stead.toml")),
        Ungranted::NoCapability { .. } => {
            new(Exit::Input).help("use the version of stead that declared it, or a later one")
        }
        Ungranted::Plan(error) => error.into(),
    }
}

fn apply(failed: &ApplyFailed) -> Failure {
    let cause = cause(&failed.cause);
    match &failed.undone {
        Err(error) => Failure {
            message: format!("{}\nand taking it back could not be recorded: {error}", cause.message),
            exit: Exit::Broken,
            help: Some(broken(failed.run)),
            ..cause
        },
        Ok(undone) => taken_back(cause, failed.run, undone),
    }
}

fn taken_back(cause: Failure, run: u64, undone: &Undone) -> Failure {
    let Undone { failed, left, .. } = undone;
    if !failed.is_empty() || !left.is_empty() {
        let mut message = cause.message;
        for what in failed {
            message.push_str(&format!("\ncould not be taken back: {what}"));
        }
        for what in left {
            message.push_str(&format!("\nstays, because it cannot be undone: {what}"));
        }
        // What has no undo is not left open: there is nothing for `stead recover` to take back.
        let by_hand = format!("`stead log {run}` says how far it came; what stays is yours to keep or to mend");
        let help = if failed.is_empty() { by_hand } else { broken(run) };
        return Failure { message, exit: Exit::Broken, help: Some(help), ..cause };
    }
    let said =
        if undone.steps == 0 { "nothing was changed" } else { "everything was taken back: the host is as it was" };
    let help = cause.help.as_ref().map_or_else(|| said.to_owned(), |help| format!("{said}\n{help}"));
    cause.help(help)
}

fn cause(cause: &Cause) -> Failure {
    let new = |blame, exit| Failure::new(blame, exit, cause);
    match cause {
        Cause::Step { source, .. } => Failure { message: cause.to_string(), ..source.into() },
        Cause::Observe(error) => Failure { exit: Exit::Undone, ..error.into() },
        Cause::Plan(error) => Failure { exit: Exit::Undone, ..error.into() },
        Cause::Waiting(_) => new(Blame::Policy, Exit::Undone)
            .help("nothing in the policy brings about what is waited for: declare it, for instance the package"),
        Cause::NotConverged(_) => new(Blame::Host, Exit::NotAsDeclared)
            .help("does something else on the host change it back? otherwise please report it"),
        Cause::NotConfirmed(_) => new(Blame::Policy, Exit::NotConfirmed)
            .help("the new state kept you out: look at its firewall, vpn and sshd, or give more time with --window"),
        Cause::Ungranted(error) => ungranted(error),
        Cause::Guard(error) => error.into(),
        Cause::Journal(error) => error.into(),
    }
}

fn broken(run: u64) -> String {
    format!("`stead log {run}` says how far it came; mend the cause, then `stead recover` takes back the rest")
}

impl From<&SessionError> for Failure {
    fn from(error: &SessionError) -> Self {
        failure(error)
    }
}

by_value!(SessionError);
