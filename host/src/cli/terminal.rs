//! What the operator sees: answers on standard output, everything else on standard error.

use std::io::{IsTerminal, Write};

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::When;
use crate::error::Failure;
use crate::plan::Colour;
use crate::policy::printable;
use crate::repo::Place;

/// Standard output and error, and whether they have colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    /// Of standard output.
    pub(super) colour: Colour,
    /// Of standard error.
    pub(super) side: Colour,
    /// Whether a line of standard error can be written over.
    pub(super) live: bool,
    pub(super) verbose: bool,
}

impl Terminal {
    pub(super) fn new(when: When, verbose: bool) -> Self {
        let live = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let colour = |terminal: bool| match when {
            When::Always => Colour::Always,
            When::Auto if terminal && std::env::var_os("NO_COLOR").is_none_or(|said| said.is_empty()) => Colour::Always,
            When::Auto | When::Never => Colour::Never,
        };
        Self { colour: colour(std::io::stdout().is_terminal()), side: colour(live), live, verbose }
    }

    /// Writes an answer. A reader who has gone away does not stop what is being done.
    pub(super) fn print(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }

    /// Writes anything else.
    pub(super) fn say(&self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Shows a failure, of one of several hosts when it has a label.
    pub(super) fn failure(&self, label: Option<&str>, failure: &Failure) {
        let theme = match self.side {
            Colour::Always => GraphicalTheme::unicode(),
            Colour::Never => GraphicalTheme::unicode_nocolor(),
        };
        // Lines are not wrapped: help often is TOML to be pasted.
        let handler = GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).with_links(false);
        let failure = shown(failure);
        let mut text = String::new();
        if handler.render_report(&mut text, &failure).is_err() {
            text = format!("{failure}\n");
        }
        let heading = label.map(|label| format!("{label}: ")).unwrap_or_default();
        self.say(&format!("{heading}{text}"));
    }
}

/// The failure without anything that could move the cursor: a policy's words may be in it.
fn shown(failure: &Failure) -> Failure {
    let lines = |text: &str| text.lines().map(printable).collect::<Vec<_>>().join("\n");
    // What replaces a character in the text of a place keeps its length, so that offsets stay right.
    let masked = |text: &str| text.replace(|c: char| c.is_ascii_control() && !matches!(c, '\n' | '\t' | '\r'), "?");
    Failure {
        message: lines(&failure.message),
        help: failure.help.as_deref().map(lines),
        place: failure.place.as_ref().map(|place| Place { text: masked(&place.text), ..place.clone() }),
        ..failure.clone()
    }
}
