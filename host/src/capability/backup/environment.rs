//! The environment of restic: a file that a shell reads, too, so that `restic snapshots` works by hand.
//!
//! It holds secrets: only root reads it, and it goes nowhere but into restic's environment.

use std::collections::BTreeMap;

use super::{Calendar, Spec, files};
use crate::machine::Machine;
use crate::secret::Secret;

/// Variables and their values.
pub type Variables = BTreeMap<String, Secret<String>>;

/// Where the password of a repository lies on this machine.
pub fn password_file(name: &str) -> String {
    format!("{}/{name}.password", files::FOLDER)
}

/// The text of the file.
pub(super) fn text(spec: &Spec, secret: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut text = format!(
        "{}# For work by hand: set -a; . {}/{}.env; restic snapshots\n",
        files::HEADER,
        files::FOLDER,
        spec.name
    );
    let mut line = |name: &str, value: &str| text.push_str(&format!("{name}={}\n", quoted(value)));
    line("RESTIC_REPOSITORY", spec.repository.as_str());
    line("RESTIC_PASSWORD_FILE", &password_file(spec.name.as_str()));
    line("RESTIC_CACHE_DIR", "/var/cache/restic");
    for (variable, name) in &spec.environment {
        let value = secret(name.as_str()).ok_or_else(|| name.to_string())?;
        line(variable.as_str(), &value);
    }
    Ok(text)
}

/// In double quotes, as sh(1) and `EnvironmentFile=` of systemd.exec(5) both read them.
fn quoted(value: &str) -> String {
    let mut quoted = String::from('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// The variables of such a text.
pub(super) fn parse(text: &str) -> Variables {
    let mut variables = Variables::new();
    let mut rest = text;
    while !rest.is_empty() {
        let line = rest.lines().next().unwrap_or_default();
        let named = line.split_once("=\"").filter(|_| !line.starts_with('#'));
        let read = match named {
            None => line.len(),
            // A value may have several lines: it ends with the quote.
            Some((name, _)) => {
                let begun = name.len() + 2;
                let (value, length) = unquoted(rest.get(begun..).unwrap_or_default());
                variables.insert(name.to_owned(), Secret::new(value));
                begun + length
            }
        };
        rest = rest.get(read..).unwrap_or_default().strip_prefix('\n').unwrap_or_default();
    }
    variables
}

/// A value up to its closing quote, and how long it was with the quote.
fn unquoted(text: &str) -> (String, usize) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, at + 1),
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, text.len())
}

/// What systemd says against a time, where it can be asked.
pub(super) async fn wrong_time(at: &Calendar) -> Option<String> {
    use crate::machine::{Program, ProgramError};
    match Program::new("systemd-analyze").args(["calendar", "--", at.as_str()]).run().await {
        Err(ProgramError::Failed { words, .. }) => Some(words.lines().next().unwrap_or_default().to_owned()),
        _ => None,
    }
}

/// The variables that are in place for the backup of this name.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read(machine: &Machine, name: &str) -> std::io::Result<Variables> {
    let path = machine.path(format!("{}/{name}.env", files::FOLDER));
    Ok(parse(&std::fs::read_to_string(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_written() -> anyhow::Result<()> {
        let values = ["plain", "", "a b'c", "\"$HOME `id` \\", "two\nlines=\"x\"\n", "ünïcode # not a comment"];
        let all: String = values.iter().enumerate().map(|(i, value)| format!("V{i}={}\n", quoted(value))).collect();
        let text = format!("# X=\"comment\"\n{all}");
        let read = parse(&text);
        for (number, value) in values.iter().enumerate() {
            assert_eq!(read[&format!("V{number}")].reveal(), value);
            let script = format!("{text}printf %s. \"$V{number}\"");
            let said = std::process::Command::new("sh").args(["-c", &script]).output()?;
            assert_eq!(String::from_utf8(said.stdout)?, format!("{value}."));
        }
        assert_eq!(read.len(), values.len());
        Ok(())
    }
}
