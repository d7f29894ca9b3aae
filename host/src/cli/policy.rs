//! `stead policy`: look into a policy without running it.

use std::path::PathBuf;

use clap::Subcommand;

use super::Context;
use super::status::json;
use crate::author::{self, Inspection, Tool};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::policy::printable;

/// Look into a policy.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Show what a component asks for, its size and its digest, without compiling or running it.
    Inspect {
        /// The component.
        file: PathBuf,
        /// Print for machines: one JSON document.
        #[arg(long)]
        json: bool,
    },
}

impl Policy {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self::Inspect { file, json: machines } = self;
        let bytes = std::fs::read(&file).map_err(|error| {
            let message = format!("cannot read {}: {error}", file.display());
            Failure::new(Blame::Operator, Exit::Input, &message)
        })?;
        let inspection = author::inspect(&bytes)?;
        context.terminal.print(&if machines { json(&inspection) } else { text(&inspection) });
        Ok(Exit::Done)
    }
}

fn text(inspection: &Inspection) -> String {
    let Inspection { digest, size, name, imports, exports, capabilities, contract, languages, tools } = inspection;
    let tools: Vec<String> = languages.iter().chain(tools).map(tool).collect();
    let none = |words: &[String]| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    let mut text = format!("digest        {digest}\nsize          {size}\n");
    if let Some(name) = name {
        text.push_str(&format!("name          {}\n", printable(name)));
    }
    text.push_str(&format!("contract      stead:host {}\n", none(contract)));
    text.push_str(&format!("needs grants  {}\n", none(capabilities)));
    text.push_str(&format!("made by       {}\n", none(&tools)));
    for (heading, names) in [("imports", imports), ("exports", exports)] {
        text.push_str(&format!("{heading}\n"));
        names.iter().for_each(|name| text.push_str(&format!("  {}\n", printable(name))));
    }
    text
}

fn tool(Tool { name, version }: &Tool) -> String {
    printable(format!("{name} {version}").trim())
}
