//! `stead firewall test`: what would happen to a packet.

use std::net::IpAddr;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::capability::Declared;
use crate::capability::firewall::{Chain, Decision, Packet, Spec, Transport, admits, ways_in};
use crate::cli::Context;
use crate::cli::asking::{ask, unexpected};
use crate::cli::progress::Progress;
use crate::cli::status::json;
use crate::cli::table::table;
use crate::cli::targets::anywhere;
use crate::error::{Blame, Failure};
use crate::event::Event;
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::Request;

/// Say what would happen to the first packet of a connection, and which rule decides.
///
/// The rules are those of the last revision; a published port is the one that clients connect to. Without an interface, the
/// answer is given for each that rules tell apart. What depends on more than is known here, such as a mark or the time
/// of day, counts against the packet. Rules in nft's own words are passed over.
#[derive(Debug, Args)]
pub(in crate::cli) struct Test {
    /// The address that it comes from.
    #[arg(long, value_name = "IP")]
    from: IpAddr,
    /// The port that it is for.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    to: u16,
    /// Its protocol.
    #[arg(long, value_enum, default_value_t = Protocol::Tcp)]
    protocol: Protocol,
    /// The interface that it comes in by.
    #[arg(long, value_name = "INTERFACE")]
    by: Option<String>,
    /// The address of the host that it is for.
    #[arg(long, value_name = "IP")]
    at: Option<IpAddr>,
    /// The host; this machine when there is none.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Print for machines: one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    Tcp,
    Udp,
}

/// What happens to the packet when it comes in by one interface.
#[derive(Debug, Serialize)]
struct Outcome {
    by: String,
    verdict: String,
    chain: &'static str,
    /// None: the chain's default verdict.
    rule: Option<String>,
}

/// The name of no interface: any that no rule names.
const ANY_OTHER: &str = "";

impl Test {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, self.target.as_deref())?;
        let answer = ask(&machine, Request::Firewall, Progress::new(context.terminal, None)).await?;
        let Event::Firewall { specs, .. } = answer else { return Err(unexpected()) };
        let ways: Vec<&str> = match &self.by {
            Some(name) => vec![name],
            None => ways_in(&specs).into_iter().chain([ANY_OTHER]).collect(),
        };
        let outcomes = ways.into_iter().map(|way| self.outcome(&specs, way)).collect::<Result<Vec<_>, _>>()?;
        context.terminal.print(&if self.json { json(&outcomes) } else { self.text(&specs, &outcomes) });
        Ok(Exit::Done)
    }

    fn outcome(&self, specs: &[Declared<Spec>], way: &str) -> Result<Outcome, Failure> {
        let packet = Packet {
            chain: Chain::Input,
            // Of `wg*`, an interface that it stands for.
            input_interface: Some(way.trim_end_matches('*').to_owned()),
            source: self.from,
            destination: self.at,
            protocol: match self.protocol {
                Protocol::Tcp => Transport::Tcp,
                Protocol::Udp => Transport::Udp,
            },
            port: self.to,
            translated: false,
        };
        let decided = admits(specs, &packet).map_err(|error| Failure::new(Blame::Policy, Exit::Internal, &error))?;
        let Decision { verdict, chain, rule } = decided;
        let by = if way == ANY_OTHER { "any other" } else { way };
        Ok(Outcome { by: by.to_owned(), verdict: verdict.to_string(), chain, rule })
    }

    fn text(&self, specs: &[Declared<Spec>], outcomes: &[Outcome]) -> String {
        let heading = ["BY", "VERDICT", "CHAIN", "RULE"].map(str::to_owned);
        let row = |outcome: &Outcome| {
            let rule = outcome.rule.as_deref().unwrap_or("its default verdict");
            [outcome.by.clone(), outcome.verdict.clone(), outcome.chain.to_owned(), printable(rule)]
        };
        let rows: Vec<_> = std::iter::once(heading).chain(outcomes.iter().map(row)).collect();
        let protocol = if self.protocol == Protocol::Tcp { "tcp" } else { "udp" };
        let mut text = format!("{protocol} from {} to port {}\n{}", self.from, self.to, table(&rows));
        if specs.iter().any(|declared| matches!(declared.spec, Spec::Raw(_))) {
            text.push_str("  rules in nft's own words were passed over: `stead firewall show` lists them\n");
        }
        text
    }
}
