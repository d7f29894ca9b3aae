//! The languages of which `stead build` knows the tools.

use std::path::Path;

/// A language that policies are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    Rust,
    Python,
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    Go,
    C,
}

impl Language {
    pub const ALL: [Self; 5] = [Self::Rust, Self::Python, Self::JavaScript, Self::Go, Self::C];

    /// The file of a policy's folder by which its language is known: what the language's own tools look for.
    pub fn marker(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Python => "pyproject.toml",
            Self::JavaScript => "package.json",
            Self::Go => "go.mod",
            Self::C => "policy.c",
        }
    }

    /// Its name, as in `--lang` and in `guest-sdk/`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::Go => "go",
            Self::C => "c",
        }
    }

    /// Those whose file is in the folder; one, for a policy that can be built.
    pub fn of(folder: &Path) -> Vec<Self> {
        Self::ALL.into_iter().filter(|language| folder.join(language.marker()).is_file()).collect()
    }
}
