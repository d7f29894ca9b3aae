//! Which machines are nobody's. Pure.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::machine::{State, Vm};
use crate::name::{Owner, VmName};

/// The attempts whose lease a worker holds, or that wait for one to take them up again.
pub type LiveAttempts = BTreeSet<Owner>;

#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// A machine younger than this is left alone: clocks differ, and the queue's answer may come from a replica.
    pub grace: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { grace: Duration::from_secs(120) }
    }
}

/// A machine to destroy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doomed {
    pub name: VmName,
    pub reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its attempt has ended, or there never was one.
    NoLiveAttempt,
    /// Only a volume, an address or a key is left.
    Remains,
}

/// The machines of `listed` to destroy, in its order. A list that still shows a machine destroyed since is harmless, for
/// destroying twice is; one that does not show a machine yet is followed by one that does.
pub fn decide(listed: &[Vm], live: &LiveAttempts, now: SystemTime, rules: Rules) -> Vec<Doomed> {
    let verdict = |vm: &Vm| Some(Doomed { name: vm.name.clone(), reason: reason(vm, live, now, rules)? });
    listed.iter().filter_map(verdict).collect()
}

fn reason(vm: &Vm, live: &LiveAttempts, now: SystemTime, rules: Rules) -> Option<Reason> {
    // Also one that has ended: its attempt learns why from what is left of it, and destroys it.
    if live.contains(vm.owner()) {
        return None;
    }
    // A creation in the future means that the clocks differ, so its age is not known.
    let age = now.duration_since(vm.created).unwrap_or_default();
    if age < rules.grace {
        return None;
    }
    Some(if vm.state == State::Remains { Reason::Remains } else { Reason::NoLiveAttempt })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn owner(job: &str, attempt: u32) -> Owner {
        Owner { job: job.into(), attempt }
    }

    fn vm(job: &str, attempt: u32, state: State, age: u64) -> Vm {
        let created = SystemTime::UNIX_EPOCH + NOW - Duration::from_secs(age);
        let name = VmName::new(&owner(job, attempt), 1).unwrap();
        Vm { name, state, created, address: None, size: "s".into(), region: None, price: None }
    }

    fn doomed(listed: &[Vm], live: &[Owner]) -> Vec<(String, Reason)> {
        let live = live.iter().cloned().collect();
        let doomed = decide(listed, &live, SystemTime::UNIX_EPOCH + NOW, Rules::default());
        doomed.into_iter().map(|doomed| (doomed.name.as_str().to_owned(), doomed.reason)).collect()
    }

    #[test]
    fn a_machine_in_use_is_never_touched() {
        let states = [State::Starting, State::Running, State::Ended, State::Preempted, State::Remains];
        for state in states {
            assert_eq!(doomed(&[vm("a", 1, state, 1 << 19)], &[owner("a", 1)]), []);
        }
    }

    #[test]
    fn an_earlier_attempt_does_not_live_on_in_a_later_one() {
        let listed = [vm("a", 1, State::Running, 500), vm("a", 2, State::Running, 500)];
        assert_eq!(doomed(&listed, &[owner("a", 2)]), [("stead-a-1-1".to_owned(), Reason::NoLiveAttempt)]);
    }

    #[test]
    fn what_was_just_made_has_time() {
        assert_eq!(doomed(&[vm("a", 1, State::Starting, 119)], &[]), []);
        assert_eq!(doomed(&[vm("a", 1, State::Starting, 120)], &[]).len(), 1);
    }

    #[test]
    fn a_machine_from_the_future_has_time_too() {
        let mut ahead = vm("a", 1, State::Running, 0);
        ahead.created += Duration::from_secs(3600);
        assert_eq!(doomed(&[ahead], &[]), []);
    }

    #[test]
    fn remains_go_too() {
        let remains = ("stead-a-1-1".to_owned(), Reason::Remains);
        assert_eq!(doomed(&[vm("a", 1, State::Remains, 500)], &[]), [remains]);
    }
}
