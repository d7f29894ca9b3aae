//! `stead policy`: begin a policy, look into one, test one, pull and push them.

use std::path::PathBuf;

use clap::Subcommand;

use super::Context;
use super::status::json;
use crate::author::{self, Inspection, Language, Tool, World};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::policy::printable;
use crate::repo::{Name, Repo};

mod pull;
mod push;
mod test;

/// Begin, look into, test, pull or push a policy.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Begin a policy in policies/NAME. Overwrites nothing.
    New {
        /// The policy's name.
        name: Name,
        /// The language that it is written in.
        #[arg(long, value_enum, default_value_t = Language::Rust)]
        lang: Language,
        /// Whether it declares a host or runs one piece of work.
        #[arg(long, value_enum, default_value_t = World::Bootstrap)]
        world: World,
    },
    /// Show what a component asks for, its size and its digest, without compiling or running it.
    Inspect {
        /// The component.
        file: PathBuf,
        /// Print for machines: one JSON document.
        #[arg(long)]
        json: bool,
    },
    Test(test::Test),
    Pull(pull::Pull),
    Push(push::Push),
}

impl Policy {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::New { name, lang, world } => begin(context, &name, lang, world),
            Self::Inspect { file, json } => inspect(context, &file, json),
            Self::Test(test) => test.run(context).await,
            Self::Pull(pull) => pull.run(context).await,
            Self::Push(push) => push.run(context).await,
        }
    }
}

fn begin(context: &Context, name: &Name, lang: Language, world: World) -> Result<Exit, Failure> {
    let repo = Repo::open(&context.repo)?;
    let begun = author::new(repo.folder(), name, lang, world)?;
    for file in &begun.files {
        context.terminal.print(&format!("{}\n", file.display()));
    }
    let readme = format!(".stead/sdk/{}/README.md", lang.name());
    let next =
        format!("how to write it: {readme}\nadd to stead.toml, then run stead build {name}:\n\n{}", begun.tables);
    context.terminal.say(&next);
    Ok(Exit::Done)
}

fn inspect(context: &Context, file: &PathBuf, machines: bool) -> Result<Exit, Failure> {
    let bytes = std::fs::read(file).map_err(|error| {
        let message = format!("cannot read {}: {error}", file.display());
        Failure::new(Blame::Operator, Exit::Input, &message)
    })?;
    let inspection = author::inspect(&bytes)?;
    context.terminal.print(&if machines { json(&inspection) } else { text(&inspection) });
    Ok(Exit::Done)
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
