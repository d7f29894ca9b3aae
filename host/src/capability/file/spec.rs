//! What a policy may ask of a path.

use serde::{Deserialize, Serialize};

use crate::machine::inode::{Attributes, Mode, Pathname};
use crate::policy::Invalid;

mod content;
pub use content::{Content, Part};

/// What a policy asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    pub path: Pathname,
    #[serde(flatten)]
    pub form: Form,
}

/// What is to be at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `absent = {}`
    Absent {},
    File {
        content: Content,
        #[serde(flatten)]
        attributes: Attributes,
        /// A program and its arguments, `{}` for the new content; empty: none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        validate: Vec<String>,
    },
    Directory(Attributes),
    Symlink {
        target: String,
    },
}

/// Where the kernel's own trees and stead's record lie.
const RESERVED: [&str; 4] = ["/proc", "/sys", "/dev", "/var/lib/stead"];

impl Spec {
    /// A path and what is to be there.
    ///
    /// # Errors
    /// When the path is not one that stead may write.
    pub fn parse(path: &str, form: Form) -> Result<Self, Invalid> {
        let path: Pathname = path.parse().map_err(|error| Invalid::new("path", format!("{error}")))?;
        if let Some(reserved) = RESERVED.iter().find(|reserved| path.is_within(reserved)) {
            return Err(Invalid::new("path", format!("nothing in {reserved} is a file to manage")));
        }
        Ok(Self { path, form })
    }

    /// The names of the secrets that it puts in place.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let parts = match &self.form {
            Form::File { content, .. } => content.parts(),
            _ => &[],
        };
        parts.iter().filter_map(|part| match part {
            Part::Secret(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Form {
    /// A regular file.
    ///
    /// # Errors
    /// When the attributes or the validation are not what chmod(1), passwd(5) or execve(2) allow.
    pub fn file(
        content: Content,
        mode: Option<u32>,
        owner: Option<String>,
        group: Option<String>,
        validate: Vec<String>,
    ) -> Result<Self, Invalid> {
        let default = if content.has_secret() { Mode::PRIVATE_FILE } else { Mode::PUBLIC_FILE };
        Ok(Self::File { content, attributes: attributes(mode, default, owner, group)?, validate: program(validate)? })
    }

    /// A directory.
    ///
    /// # Errors
    /// As [`Form::file`].
    pub fn directory(mode: Option<u32>, owner: Option<String>, group: Option<String>) -> Result<Self, Invalid> {
        attributes(mode, Mode::PUBLIC_DIRECTORY, owner, group).map(Self::Directory)
    }

    /// A symbolic link.
    ///
    /// # Errors
    /// When the target is not what symlink(2) takes.
    pub fn symlink(target: String) -> Result<Self, Invalid> {
        if target.is_empty() || target.len() >= 4096 || target.chars().any(char::is_control) {
            return Err(Invalid::new("target", "must be 1 to 4095 bytes without control characters"));
        }
        Ok(Self::Symlink { target })
    }
}

fn attributes(
    mode: Option<u32>,
    default: Mode,
    owner: Option<String>,
    group: Option<String>,
) -> Result<Attributes, Invalid> {
    let wrong = |bits| Invalid::new("mode", format!("{bits:#o} is more than 0o7777"));
    let mode = mode.map_or(Ok(default), |bits| Mode::new(bits).ok_or_else(|| wrong(bits)))?;
    Ok(Attributes { mode, owner: name("owner", owner)?, group: name("group", group)? })
}

/// A name as useradd(8) takes it. A number is none: ids differ between machines.
fn name(argument: &'static str, name: Option<String>) -> Result<String, Invalid> {
    let name = name.unwrap_or_else(|| "root".to_owned());
    let may_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    let may_follow = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '$');
    if name.len() <= 32 && name.starts_with(may_start) && name.chars().all(may_follow) {
        return Ok(name);
    }
    Err(Invalid::new(argument, format!("{name:?} is not a name of passwd(5) or group(5)")))
}

fn program(validate: Vec<String>) -> Result<Vec<String>, Invalid> {
    let wrong = |reason| Err(Invalid::new("validate", reason));
    let Some((program, arguments)) = validate.split_first() else { return Ok(validate) };
    if validate.iter().any(|argument| argument.contains('\0')) {
        return wrong("an argument holds a NUL");
    }
    if program.is_empty() || (program.contains('/') && !program.starts_with('/')) {
        return wrong("the program must be a bare name or an absolute path");
    }
    if !arguments.iter().any(|argument| argument == "{}") {
        return wrong("no argument is `{}`, so the program would not see the new content");
    }
    Ok(validate)
}
