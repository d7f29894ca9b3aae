//! The exit codes: what a script can tell apart without reading words.

use serde::{Deserialize, Serialize};

macro_rules! exits {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal,)*) => {
        /// How the program ends.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(into = "u8", from = "u8")]
        pub enum Exit {
            $($(#[doc = $meaning])+ $name = $code,)*
        }

        impl Exit {
            /// All of them, by code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($meaning),+).trim_ascii_start(),)*
                }
            }
        }
    };
}

exits! {
    /// Done; of `plan` and `drift`: there is nothing to do.
    Done = 0,
    /// You were asked, and did not say yes. Nothing was changed.
    Declined = 1,
    /// Of `plan` and `drift`: there is something to do; of `follow --once`: somebody has to be asked; of `replay`: calls differ.
    Changes = 2,
    /// The command line is wrong, or names something that is not there.
    Usage = 64,
    /// `stead.toml`, a component, the secrets or a saved plan cannot be used.
    Input = 65,
    /// A policy asked for something that no grant covers. Nothing was changed.
    Denied = 66,
    /// A policy failed: by its own error, a crash, a limit, or by contradicting another one. Nothing was changed.
    Policy = 67,
    /// The host or the registry cannot be reached, or the connection to it broke.
    Unreachable = 68,
    /// Something on the host, or on your machine, is missing or does not answer: Docker, systemd, apt, ssh.
    Unavailable = 69,
    /// stead itself is wrong: please report it.
    Internal = 70,
    /// The state folder or the journal on the host cannot be used.
    State = 71,
    /// The apply failed, and everything that it did was taken back.
    Undone = 72,
    /// The apply failed, and not everything that it did could be taken back.
    Broken = 73,
    /// Another apply is at work on the host.
    Locked = 74,
    /// Nobody confirmed over a new connection, and everything was taken back.
    NotConfirmed = 75,
    /// The host or the repo has changed since the plan was made. Nothing was changed.
    Stale = 76,
    /// stead refuses, because it would cut you off. Nothing was changed.
    Refused = 77,
    /// Everything was done, but the host was not as declared afterwards; everything was taken back.
    NotAsDeclared = 78,
    /// Something that was started did not become healthy, or did not stay up, and everything was taken back.
    Unhealthy = 79,
    /// The job failed, or was cancelled.
    JobFailed = 80,
    /// A container that was restarted did not come up again, or did not become healthy.
    NotUp = 81,
    /// A backup or a restore failed.
    BackupFailed = 82,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> Self {
        exit.code()
    }
}

impl From<u8> for Exit {
    /// A code that this version does not know comes from a later one, whose words say more.
    fn from(code: u8) -> Self {
        Self::ALL.iter().copied().find(|exit| exit.code() == code).unwrap_or(Self::Internal)
    }
}

/// The list for `--help` and the docs.
pub fn table() -> String {
    let line = |exit: &Exit| format!("{:>3}  {}\n", exit.code(), exit.meaning());
    Exit::ALL.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_say_the_same() -> anyhow::Result<()> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/exit-codes.md");
        let said = std::fs::read_to_string(path)?;
        let lines: Vec<_> = Exit::ALL.iter().map(|exit| format!("| {} | {} |", exit.code(), exit.meaning())).collect();
        let listed: Vec<_> = said.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        assert_eq!(listed, lines, "docs/exit-codes.md must have exactly these lines:\n{}", lines.join("\n"));
        Ok(())
    }

    #[test]
    fn codes_cross_as_numbers() -> anyhow::Result<()> {
        assert_eq!(serde_json::to_string(&Exit::Stale)?, "76");
        assert_eq!(serde_json::from_str::<Exit>("76")?, Exit::Stale);
        assert_eq!(serde_json::from_str::<Exit>("200")?, Exit::Internal);
        Ok(())
    }
}
