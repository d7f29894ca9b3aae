//! Runs useradd(8) and its kin, which know how to lock and rewrite passwd(5) and its companions.
//!
//! For a tree of files they get `--root`, which all of them have; gpasswd(1) knows no `--prefix`.

use std::time::Duration;

use crate::machine::{Machine, Program, ProgramError};

/// How often a locked file is tried again: cloud-init makes users, too.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// One of these programs with its arguments, to be run as often as needed.
#[derive(Debug)]
pub(super) struct Tool {
    name: &'static str,
    root: Vec<String>,
    arguments: Vec<String>,
}

impl Tool {
    pub(super) fn new(machine: &Machine, name: &'static str) -> Self {
        let root = || vec!["--root".to_owned(), machine.path("/").display().to_string()];
        Self { name, root: if machine.is_live() { Vec::new() } else { root() }, arguments: Vec::new() }
    }

    /// Adds an option that takes no value, or an operand.
    pub(super) fn word(mut self, word: impl Into<String>) -> Self {
        self.arguments.push(word.into());
        self
    }

    /// Adds an option with its value.
    pub(super) fn option(self, option: &str, value: impl Into<String>) -> Self {
        self.word(option).word(value)
    }

    /// Adds an option when there is a value.
    pub(super) fn maybe(self, option: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.option(option, value),
            None => self,
        }
    }

    /// Whether it was told anything to do.
    pub(super) fn has_arguments(&self) -> bool {
        !self.arguments.is_empty()
    }

    /// Runs it on `name`; waits when somebody else is at the files.
    ///
    /// # Errors
    /// When it fails.
    pub(super) async fn run(self, name: &str) -> Result<(), ProgramError> {
        for _ in 1..ATTEMPTS {
            match self.once(name).await {
                Err(ProgramError::Failed { words, .. }) if words.contains("cannot lock") => {
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
        self.once(name).await
    }

    async fn once(&self, name: &str) -> Result<(), ProgramError> {
        Program::new(self.name).args(&self.root).args(&self.arguments).arg("--").arg(name).run().await?;
        Ok(())
    }
}

/// Puts an encrypted password back. It goes through standard input: every user of the machine can read arguments.
///
/// # Errors
/// When chpasswd(8) fails.
pub(super) async fn restore_password(machine: &Machine, user: &str, password: &str) -> Result<(), ProgramError> {
    let program = Program::new("chpasswd").arg("--encrypted").input(format!("{user}:{password}\n"));
    let program = if machine.is_live() { program } else { program.arg("--root").arg(machine.path("/")) };
    program.run().await?;
    Ok(())
}
