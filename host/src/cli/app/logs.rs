//! `stead app logs`: what the containers of an app say.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use owo_colors::{AnsiColors, Style};

use crate::capability::compose::{Line, Lines, Since};
use crate::cli::Context;
use crate::cli::asking::{ask_showing, unexpected};
use crate::cli::progress::Progress;
use crate::cli::status::json;
use crate::cli::targets::anywhere;
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::plan::Colour;
use crate::policy::printable;
use crate::session::Request;

/// As many as can be told apart; docker compose takes the same.
const COLOURS: [AnsiColors; 6] = [
    AnsiColors::Cyan,
    AnsiColors::Yellow,
    AnsiColors::Green,
    AnsiColors::Magenta,
    AnsiColors::Blue,
    AnsiColors::BrightCyan,
];

/// Show what the containers of an app say.
///
/// Lines of several containers are in the order of time. With --follow they go on, also of containers that are started
/// or made anew meanwhile, until you interrupt it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Logs {
    /// The app.
    app: String,
    /// Its services; all when there is none.
    services: Vec<String>,
    /// The host; this machine when there is none.
    #[arg(long, short = 'H', value_name = "TARGET")]
    host: Option<String>,
    /// Go on with what is said from now on.
    #[arg(long, short)]
    follow: bool,
    /// The last lines of each container, so many; all when it is not given.
    #[arg(long, short = 'n', value_name = "LINES", value_parser = tail)]
    tail: Option<Tail>,
    /// From when on: `10m`, `1h 30m`, or a time such as `2026-11-26T10:00:00Z`.
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<Since>,
    /// Put the time before each line.
    #[arg(long, short)]
    timestamps: bool,
    /// Print for machines: one JSON document a line.
    #[arg(long)]
    json: bool,
}

/// `None`: all.
type Tail = Option<u32>;

impl Logs {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, self.host.as_deref())?;
        let Self { app, services, follow, tail, since, .. } = self;
        let lines = Lines { services, follow, tail: tail.flatten(), since };
        let mut progress = Progress::new(context.terminal, None);
        let mut shown = Shown { timestamps: self.timestamps, colour: context.terminal.colour, seen: Vec::new() };
        let show = |event: &Event| match event {
            Event::Said { line } if self.json => context.terminal.print(&json(line)),
            Event::Said { line } => context.terminal.print(&shown.line(line)),
            event => progress.tell(event),
        };
        match ask_showing(&machine, Request::AppLogs { app, lines }, show).await? {
            Event::AllSaid => Ok(Exit::Done),
            _ => Err(unexpected()),
        }
    }
}

/// How lines are shown.
#[derive(Debug)]
struct Shown {
    timestamps: bool,
    colour: Colour,
    /// Who has spoken, in this order, and of which service.
    seen: Vec<(String, String)>,
}

impl Shown {
    fn line(&mut self, line: &Line) -> String {
        let (service, container) = (&line.source.service, &line.source.container);
        if self.seen.iter().all(|(_, known)| known != container) {
            self.seen.push((service.clone(), container.clone()));
        }
        let width = self.seen.iter().map(|(_, container)| container.chars().count()).max().unwrap_or_default();
        let mut services: Vec<&String> = Vec::new();
        self.seen.iter().for_each(|(service, _)| {
            if !services.contains(&service) {
                services.push(service)
            }
        });
        let index = services.iter().position(|known| *known == service).unwrap_or_default();
        let style = Style::new().color(COLOURS[index % COLOURS.len()]);
        let prefix = self.colour.paint(&format!("{:width$}  | ", printable(container)), style);
        let at = if self.timestamps { format!("{} ", printable(&line.at)) } else { String::new() };
        format!("{prefix}{at}{}\n", text(&line.text, self.colour))
    }
}

/// The text with its own colours where there may be any, and nothing else that would move a terminal.
fn text(text: &str, colour: Colour) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        shown.push_str(&tabbed(before));
        let end = after.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':');
        rest = match end.map(|end| after.split_at(end)) {
            Some((parameters, after)) if after.starts_with('m') => {
                if colour == Colour::Always {
                    shown.push_str(&format!("\x1b[{parameters}m"));
                }
                &after[1..]
            }
            _ => {
                shown.push_str(&printable("\x1b["));
                after
            }
        };
    }
    shown.push_str(&tabbed(rest));
    if colour == Colour::Always && text.contains("\x1b[") {
        shown.push_str("\x1b[0m");
    }
    shown
}

fn tabbed(text: &str) -> String {
    text.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

fn tail(said: &str) -> Result<Tail, String> {
    match said {
        "all" => Ok(None),
        number => number.parse().map(Some).map_err(|_| "a number of lines, or `all`".to_owned()),
    }
}

fn since(said: &str) -> Result<Since, String> {
    if let Ok(ago) = jiff::SignedDuration::from_str(said) {
        return Duration::try_from(ago).map(Since::Ago).map_err(|_| "lies in the future".to_owned());
    }
    let at = said.parse::<jiff::Timestamp>().ok().map(|at| at.as_second()).or_else(|| said.parse().ok());
    at.map(Since::At).ok_or_else(|| "such as `10m`, `1h 30m` or `2026-11-26T10:00:00Z`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_when() {
        assert_eq!(since("10m"), Ok(Since::Ago(Duration::from_secs(600))));
        assert_eq!(since("1h30m"), Ok(Since::Ago(Duration::from_secs(5400))));
        assert_eq!(since("2026-11-26T10:00:00+01:00"), Ok(Since::At(1_795_683_600)));
        assert_eq!(since("1795683600"), Ok(Since::At(1_795_683_600)));
        assert!(since("yesterday").is_err() && since("-5m").is_err());
        assert_eq!((tail("all"), tail("7")), (Ok(None), Ok(Some(7))));
        assert!(tail("-1").is_err());
    }

    #[test]
    fn keeps_colours_and_nothing_else_that_moves_the_terminal() {
        let said = "a\tb \x1b[31mred\x1b[0m \x1b[2Jgone \x1b]0;title\x07 \x1b[";
        assert_eq!(text(said, Colour::Never), "a\tb red \\u{1b}[2Jgone \\u{1b}]0;title\\u{7} \\u{1b}[");
        let coloured = text(said, Colour::Always);
        assert!(
            coloured.starts_with("a\tb \x1b[31mred\x1b[0m \\u{1b}[2J") && coloured.ends_with("\x1b[0m"),
            "{coloured:?}"
        );
    }
}
