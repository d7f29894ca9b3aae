//! Names and labels of machines, which come from job and attempt alone: whoever knows the attempt knows the name, so a
//! create call that was cut off can be repeated, and a machine that nobody remembers still says whose it was.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A host name is one label of the DNS (RFC 1035, 2.3.4), and the strictest providers take no more for a name.
const LONGEST: usize = 63;
const PREFIX: &str = "stead";

pub const INSTALLATION: &str = "stead-installation";
pub const JOB: &str = "stead-job";
pub const ATTEMPT: &str = "stead-attempt";

/// Labels of a machine, as providers store them.
pub type Labels = BTreeMap<String, String>;

/// A name that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no name {what}: it takes a-z, 0-9 and single hyphens inside, and at most {most} characters")]
pub struct NameError {
    pub text: String,
    pub what: &'static str,
    pub most: usize,
}

/// Which stead made a machine: several may share one account of a provider, and none may destroy another's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Installation(String);

/// One try of one job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    pub job: String,
    pub attempt: u32,
}

/// `stead-<job>-<attempt>-<n>`, where `n` counts the machines of the attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VmName {
    text: String,
    owner: Owner,
    number: u32,
}

impl Installation {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VmName {
    /// # Errors
    /// When the job's id has other characters than names have, or too many.
    pub fn new(owner: &Owner, number: u32) -> Result<Self, NameError> {
        let text = format!("{PREFIX}-{}-{}-{number}", owner.job, owner.attempt);
        if !is_label(&owner.job) || text.len() > LONGEST {
            let most = LONGEST.saturating_sub(text.len() - owner.job.len());
            return Err(NameError { text: owner.job.clone(), what: "of a job that has machines", most });
        }
        Ok(Self { text, owner: owner.clone(), number })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// What a provider stores beside the name.
    pub fn labels(&self, installation: &Installation) -> Labels {
        let label = |key: &str, value: String| (key.to_owned(), value);
        Labels::from([
            label(INSTALLATION, installation.0.clone()),
            label(JOB, self.owner.job.clone()),
            label(ATTEMPT, self.owner.attempt.to_string()),
        ])
    }
}

impl FromStr for VmName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = || NameError { text: text.to_owned(), what: "of a machine", most: LONGEST };
        let rest = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-')).ok_or_else(refused)?;
        let mut parts = rest.rsplitn(3, '-');
        let mut number = || parts.next().and_then(canonical);
        let (last, attempt) = (number().ok_or_else(refused)?, number().ok_or_else(refused)?);
        let job = parts.next().ok_or_else(refused)?.to_owned();
        Self::new(&Owner { job, attempt }, last).map_err(|_| refused())
    }
}

impl FromStr for Installation {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match is_label(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(NameError { text: text.to_owned(), what: "of an installation", most: LONGEST }),
        }
    }
}

impl TryFrom<String> for VmName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<VmName> for String {
    fn from(name: VmName) -> Self {
        name.text
    }
}

impl TryFrom<String> for Installation {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Installation> for String {
    fn from(installation: Installation) -> Self {
        installation.0
    }
}

impl fmt::Display for VmName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// One spelling for one number: `01` would be a second name of the same machine.
fn canonical(digits: &str) -> Option<u32> {
    digits.parse::<u32>().ok().filter(|number| number.to_string() == digits)
}

fn is_label(text: &str) -> bool {
    let of_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(of_label)
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(job: &str) -> Owner {
        Owner { job: job.to_owned(), attempt: 2 }
    }

    #[test]
    fn a_name_says_whose_it_is() {
        let job = "018f3c1e-5b1a-7d3e-9c55-0123456789ab";
        let name = VmName::new(&owner(job), 7).unwrap();
        assert_eq!(name.as_str(), format!("stead-{job}-2-7"));
        let read = name.as_str().parse::<VmName>().unwrap();
        assert_eq!((read.owner(), &read), (&owner(job), &name));
    }

    #[test]
    fn what_no_provider_takes_as_a_host_name_is_refused() {
        for job in ["", "-a", "a-", "a--b", "A", "a_b", "a/../b", "a.b", "ä", &"a".repeat(60)] {
            assert!(VmName::new(&owner(job), 1).is_err(), "{job}");
        }
    }

    #[test]
    fn names_of_other_things_are_not_read_as_names_of_machines() {
        for text in ["web-1", "stead", "stead-1-2", "stead-a-1-x", "stead-a-01-1", "stead--1-1", "xstead-a-1-1"] {
            assert!(text.parse::<VmName>().is_err(), "{text}");
        }
    }
}
