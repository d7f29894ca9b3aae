//! `stead policy`: look into a policy.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Context;
use crate::author::{FileError, Inspection, Tool, inspect};
use crate::error::Failure;
use crate::exit::Exit;

/// Look into a policy.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Show what a component asks for, its size and its digest.
    Inspect(Inspect),
}

/// Show what a component asks for, its size and its digest. Nothing of it is run.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The component.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

impl Policy {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let Self::Inspect(Inspect { file, json }) = self;
        let bytes = std::fs::read(file).map_err(|source| FileError { path: file.clone(), source })?;
        let inspection = inspect(&bytes)?;
        let text =
            if *json { serde_json::to_string_pretty(&inspection).unwrap_or_default() } else { shown(&inspection) };
        context.terminal.print(&format!("{}\n", text.trim_end()));
        Ok(Exit::Done)
    }
}

fn shown(inspection: &Inspection) -> String {
    let Inspection { digest, size, name, imports, exports, capabilities, contract, languages, tools } = inspection;
    let line = |name: &str, words: &[String]| {
        let words = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
        format!("{name:<14}{words}\n")
    };
    let tool = |tool: &Tool| format!("{} {}", tool.name, tool.version).trim().to_owned();
    let block = |name: &str, words: &[String]| {
        let lines: String = words.iter().map(|word| format!("  {word}\n")).collect();
        format!("{name}\n{lines}")
    };
    let mut text = String::new();
    if let Some(name) = name {
        text.push_str(&line("name", std::slice::from_ref(name)));
    }
    text.push_str(&line("digest", &[digest.to_string()]));
    text.push_str(&line("size", &[size.rounded()]));
    text.push_str(&line("contract", contract));
    text.push_str(&line("language", &languages.iter().map(tool).collect::<Vec<_>>()));
    text.push_str(&line("made by", &tools.iter().map(tool).collect::<Vec<_>>()));
    text.push_str(&line("asks for", capabilities));
    text.push_str(&block("imports", imports));
    text.push_str(&block("exports", exports));
    text
}
