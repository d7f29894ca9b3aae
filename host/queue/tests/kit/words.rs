//! The words of a line: a command, values by place, and `option=value`.

use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};

pub(crate) struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    pub(crate) fn of(line: &'a str) -> Self {
        Self(line.split_whitespace().collect())
    }

    pub(crate) fn command(&self) -> &'a str {
        self.0.first().copied().unwrap_or_default()
    }

    /// A value by its place after the command.
    pub(crate) fn at(&self, place: usize) -> Result<&'a str> {
        self.rest(place).first().copied().with_context(|| format!("{}: value {place} is missing", self.command()))
    }

    pub(crate) fn rest(&self, place: usize) -> Vec<&'a str> {
        self.0.iter().skip(1).filter(|word| !word.contains('=')).skip(place).copied().collect()
    }

    pub(crate) fn option(&self, name: &str) -> Option<&'a str> {
        self.0.iter().filter_map(|word| word.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    pub(crate) fn number<T: FromStr<Err: Error + Send + Sync + 'static>>(&self, name: &str) -> Result<Option<T>> {
        self.option(name).map(str::parse).transpose().with_context(|| format!("{name}=?"))
    }

    pub(crate) fn seconds(&self, place: usize) -> Result<Duration> {
        Ok(Duration::from_secs(self.at(place)?.parse()?))
    }
}
