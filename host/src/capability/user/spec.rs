//! What a policy asks for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Name, PublicKey};
use crate::machine::inode::Pathname;
use crate::policy::Invalid;

/// What one call asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spec {
    Present(Account),
    Group(GroupSpec),
    Absent(Name),
}

/// A user that is to be there. What is absent stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub name: Name,
    #[serde(default)]
    pub uid: Option<u32>,
    #[serde(default)]
    pub shell: Option<String>,
    #[serde(default)]
    pub home: Option<Pathname>,
    #[serde(default)]
    pub comment: Option<String>,
    #[serde(default)]
    pub system: bool,
    #[serde(default)]
    pub groups: BTreeSet<Name>,
    #[serde(default)]
    pub authorized_keys: Option<Vec<PublicKey>>,
    #[serde(default)]
    pub sudo: Option<Sudo>,
}

/// A group that is to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    pub name: Name,
    #[serde(default)]
    pub gid: Option<u32>,
}

/// What a user may do by sudo(8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sudo {
    /// Everything, after giving the password.
    All,
    /// Everything, without a password.
    AllNopasswd,
}

impl Sudo {
    /// Its word in the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::AllNopasswd => "all-nopasswd",
        }
    }
}

impl Spec {
    /// `NAME` of a user, `group/NAME` of a group.
    pub fn resource(&self) -> String {
        match self {
            Self::Present(Account { name, .. }) | Self::Absent(name) => name.to_string(),
            Self::Group(GroupSpec { name, .. }) => format!("group/{name}"),
        }
    }
}

impl Account {
    /// Checks the fields that have no type of their own.
    ///
    /// # Errors
    /// When one of them would not survive in passwd(5), or would make a second superuser.
    pub fn parse(self) -> Result<Self, Invalid> {
        if let Some(uid) = self.uid {
            parse_id("uid", uid, self.system)?;
        }
        if self.uid.is_some_and(|uid| (uid == 0) != self.name.is_root()) {
            return Err(Invalid::new("uid", "0 is root's, and root's is 0"));
        }
        self.shell.as_deref().map(|shell| parse_path("shell", shell)).transpose()?;
        self.home.as_ref().map(|home| parse_path("home", home.as_str())).transpose()?;
        if self.comment.as_deref().is_some_and(|comment| !is_field(comment)) {
            return Err(Invalid::new("comment", "has a colon, a control character, or more than 1024 bytes"));
        }
        Ok(self)
    }
}

impl GroupSpec {
    /// Parses the arguments of `user.group`.
    ///
    /// # Errors
    /// When the name or the number is none.
    pub fn parse(name: &str, gid: Option<u32>) -> Result<Self, Invalid> {
        gid.map(|gid| parse_id("gid", gid, false)).transpose()?;
        if gid == Some(0) {
            return Err(Invalid::new("gid", "0 is root's"));
        }
        Ok(Self { name: name.parse()?, gid })
    }
}

fn parse_id(argument: &'static str, id: u32, system: bool) -> Result<(), Invalid> {
    // 65535 and 4294967295 mean "no id" in chown(2), 65534 is nobody.
    if matches!(id, 65534 | 65535 | u32::MAX) {
        return Err(Invalid::new(argument, format!("{id} has a meaning of its own")));
    }
    if system && id >= 1000 {
        return Err(Invalid::new(argument, format!("{id} is not below 1000, as a system user's is")));
    }
    Ok(())
}

fn parse_path(argument: &'static str, path: &str) -> Result<(), Invalid> {
    match path.parse::<Pathname>() {
        Ok(_) if is_field(path) => Ok(()),
        Ok(_) => Err(Invalid::new(argument, format!("{path:?} has a colon, or more than 1024 bytes"))),
        Err(error) => Err(Invalid::new(argument, error.to_string())),
    }
}

/// Whether it can stand in a line of passwd(5).
fn is_field(text: &str) -> bool {
    text.len() <= 1024 && !text.chars().any(|c| c == ':' || c.is_control())
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::*;

    #[test]
    fn a_field_cannot_become_another_field() -> Result<()> {
        let account = |json: serde_json::Value| -> Result<Account> { Ok(serde_json::from_value(json)?) };
        assert!(account(serde_json::json!({ "name": "deploy", "comment": "Ops, room 7" }))?.parse().is_ok());
        for bad in [
            serde_json::json!({ "name": "deploy", "uid": 0 }),
            serde_json::json!({ "name": "deploy", "comment": "x:/root:/bin/sh" }),
            serde_json::json!({ "name": "deploy", "comment": "x\nevil::0:0:::" }),
            serde_json::json!({ "name": "deploy", "home": "/home/x:/root" }),
            serde_json::json!({ "name": "deploy", "shell": "bash" }),
            serde_json::json!({ "name": "deploy", "uid": 1500, "system": true }),
        ] {
            assert!(account(bad.clone())?.parse().is_err(), "{bad}");
        }
        assert!(account(serde_json::json!({ "name": "deploy", "home": "/home/../root" })).is_err());
        for name in ["", "Deploy", "a.b", "-x", "a b", "1a", "a:b"] {
            assert!(name.parse::<Name>().is_err(), "{name}");
        }
        Ok(())
    }
}
