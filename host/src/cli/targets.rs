//! From the words of the command line to the machines that are asked.

use super::Context;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::remote::{Ssh, Target};
use crate::repo::{Address, Location, Repo, RepoError};

/// A machine, and what it is called in the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// As the operator said it, or the name of its table.
    pub(super) label: String,
    /// The address behind ssh(1); none: this machine.
    pub(super) address: Option<Address>,
    pub(super) target: Target,
}

impl Machine {
    /// The machine at this address, or this one.
    pub(super) fn at(context: &Context, label: String, address: Option<Address>) -> Self {
        let target = match &address {
            Some(address) => Target::Ssh(Ssh { address: address.to_string() }),
            None => Target::Local(context.place.clone()),
        };
        Self { label, address, target }
    }
}

/// The machines that `words` stand for, each with the name of its host table.
///
/// # Errors
/// When a word stands for none.
pub(super) fn of_repo(context: &Context, repo: &Repo, words: &[String]) -> Result<Vec<(Machine, String)>, Failure> {
    let name = hostname();
    let one = |word: Option<&str>| -> Result<(Machine, String), Failure> {
        let found = repo.target(word, &name)?;
        let label = word.map_or_else(|| found.host.clone(), str::to_owned);
        Ok((Machine::at(context, label, address(found.location)), found.host))
    };
    if words.is_empty() {
        return Ok(vec![one(None)?]);
    }
    let mut machines: Vec<(Machine, String)> = Vec::new();
    for word in words {
        let (machine, host) = one(Some(word))?;
        if let Some((other, _)) = machines.iter().find(|(other, _)| other.target == machine.target) {
            let message = format!("`{word}` and `{}` are the same machine", other.label);
            return Err(Failure::new(Blame::Operator, Exit::Usage, &message).help("name it once"));
        }
        machines.push((machine, host));
    }
    Ok(machines)
}

/// All machines of the repo: every host with an address, and this machine when a table is named after it or no host has
/// an address.
///
/// # Errors
/// When there is no host.
pub(super) fn all(context: &Context, repo: &Repo) -> Result<Vec<(Machine, String)>, Failure> {
    let addressed = repo.hosts().filter_map(|host| Some((host.name.to_string(), host.address.clone()?)));
    let mut machines: Vec<(Machine, String)> = Vec::new();
    for (name, address) in addressed {
        let machine = Machine::at(context, name.clone(), Some(address));
        if machines.iter().all(|(other, _)| other.target != machine.target) {
            machines.push((machine, name));
        }
    }
    let hostname = hostname();
    let short = hostname.split('.').next().unwrap_or(&hostname);
    let here = repo.host(&hostname).or_else(|| repo.host(short)).filter(|host| host.address.is_none());
    let here = match here {
        Some(host) => Some(host.name.to_string()),
        None if machines.is_empty() => Some(repo.target(None, &hostname)?.host),
        None => None,
    };
    machines.extend(here.map(|host| (Machine::at(context, host.clone(), None), host)));
    Ok(machines)
}

/// The machines that `words` stand for; without any all machines of the repo, or this one where there is none.
///
/// # Errors
/// When a word stands for none, or the repo cannot be used.
pub(super) fn of_all(context: &Context, words: &[String]) -> Result<Vec<Machine>, Failure> {
    if !words.is_empty() {
        return words.iter().map(|word| anywhere(context, Some(word))).collect();
    }
    match Repo::open(&context.repo) {
        Ok(repo) => Ok(all(context, &repo)?.into_iter().map(|(machine, _)| machine).collect()),
        Err(RepoError::NotFound { .. }) => Ok(vec![anywhere(context, None)?]),
        Err(error) => Err(error.into()),
    }
}

/// The machine that `word` stands for, for what needs no repo.
///
/// # Errors
/// When it stands for none.
pub(super) fn anywhere(context: &Context, word: Option<&str>) -> Result<Machine, Failure> {
    let Some(word) = word else { return Ok(Machine::at(context, hostname(), None)) };
    match Repo::open(&context.repo) {
        Ok(repo) if repo.host(word).is_some() => {
            let found = repo.target(Some(word), &hostname())?;
            Ok(Machine::at(context, word.to_owned(), address(found.location)))
        }
        // Whatever the repo says, or whether there is one, ssh(1) knows where a full address leads.
        Ok(_) | Err(RepoError::NotFound { .. }) if word.contains('@') => {
            let address = word.parse::<Address>();
            let address = address.map_err(|error| Failure::new(Blame::Operator, Exit::Usage, &error))?;
            Ok(Machine::at(context, word.to_owned(), Some(address)))
        }
        Ok(repo) => Err(repo.target(Some(word), &hostname()).err().map_or_else(|| unknown(word), Failure::from)),
        Err(error) => Err(error.into()),
    }
}

fn address(location: Location) -> Option<Address> {
    match location {
        Location::Local => None,
        Location::Ssh(address) => Some(address),
    }
}

/// The number that the words begin with, if any, and the rest: `[REVISION] [TARGET]`.
pub(super) fn number(words: &[String]) -> (Option<u64>, &[String]) {
    match words.split_first() {
        Some((first, rest)) if first.parse::<u64>().is_ok() => (first.parse().ok(), rest),
        _ => (None, words),
    }
}

/// This machine's name.
pub(super) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn unknown(word: &str) -> Failure {
    Failure::new(Blame::Operator, Exit::Usage, &format!("no host is called `{word}`"))
}
