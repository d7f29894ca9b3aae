//! `stead firewall show`: the rules as a table, and who gets to what listens.

use clap::Args;

use crate::capability::firewall::{Door, Row, Section, doors, table};
use crate::cli::Context;
use crate::cli::asking::{ask, unexpected};
use crate::cli::progress::Progress;
use crate::cli::status::json;
use crate::cli::table;
use crate::cli::targets::anywhere;
use crate::error::{Blame, Failure};
use crate::event::Event;
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::Request;

/// Show the rules as a table, and who gets to what listens.
///
/// The rules are those of the last revision, in the order in which they are tried, each with its policy. Below them, what
/// listens on the host and who may get there, and what is open though nobody listens.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The host; this machine when there is none.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Print for machines: one JSON document with what was declared and what listens.
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, self.target.as_deref())?;
        let answer = ask(&machine, Request::Firewall, Progress::new(context.terminal, None)).await?;
        let Event::Firewall { specs, listening } = &answer else { return Err(unexpected()) };
        if self.json {
            context.terminal.print(&json(&answer));
            return Ok(Exit::Done);
        }
        let wrong = |error| Failure::new(Blame::Policy, Exit::Internal, &error);
        let sections = table(specs).map_err(wrong)?;
        let doors = doors(specs, listening).map_err(wrong)?;
        context.terminal.print(&text(&sections, &doors));
        Ok(Exit::Done)
    }
}

fn text(sections: &[Section], doors: &[Door]) -> String {
    let mut text: String = sections.iter().map(section).collect();
    if sections.is_empty() {
        text.push_str("no policy says anything of the firewall: everything is let through\n\n");
    }
    let heading = ["PORT", "PROGRAM", "WHO GETS IN"].map(str::to_owned);
    let door = |door: &Door| {
        let who = if door.who.is_empty() { "nobody".to_owned() } else { door.who.join("; ") };
        let program = door.program.clone().unwrap_or_else(|| "nobody listens".to_owned());
        [door.port.clone(), printable(&program), printable(&who)]
    };
    let rows: Vec<_> = std::iter::once(heading).chain(doors.iter().map(door)).collect();
    text + &table::table(&rows)
}

fn section(section: &Section) -> String {
    let heading = ["FROM", "BY", "TO", "VERDICT", "POLICY"].map(str::to_owned);
    let row = |row: &Row| [&row.from, &row.by, &row.to, &row.verdict, &row.policy].map(|cell| printable(cell));
    let rows: Vec<_> = std::iter::once(heading).chain(section.rows.iter().map(row)).collect();
    format!("{}: {}\n{}\n", section.chain, section.default, table::table(&rows))
}
