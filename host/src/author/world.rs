//! The two worlds of the contract.

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum World {
    /// Declares a host.
    Bootstrap,
    /// Runs one piece of work.
    Job,
}

impl World {
    pub const ALL: [Self; 2] = [Self::Bootstrap, Self::Job];

    /// Its name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Job => "job",
        }
    }

    /// What a policy of it exports, without the version.
    pub(super) fn export(self) -> &'static str {
        match self {
            Self::Bootstrap => "stead:host/configure@",
            Self::Job => "stead:host/run@",
        }
    }
}
