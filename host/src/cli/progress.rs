//! Shows what happens on a machine while it is asked: one line each, and on a terminal the step at work in place.

use owo_colors::Style;

use super::terminal::Terminal;
use crate::event::{Event, Phase};
use crate::plan::Change;
use crate::policy::{Level, printable};

/// Shows the events of one machine.
#[derive(Debug)]
pub(super) struct Progress {
    terminal: Terminal,
    /// Before each line, when there are several machines.
    label: Option<String>,
    /// How many steps the run has, as far as is known.
    steps: usize,
    /// Whether the last line is one to be written over.
    open: bool,
}

impl Progress {
    pub(super) fn new(terminal: Terminal, label: Option<String>) -> Self {
        // Lines of several machines would write over each other.
        let live = terminal.live && label.is_none();
        Self { terminal: Terminal { live, ..terminal }, label, steps: 0, open: false }
    }

    /// Shows one event.
    pub(super) fn tell(&mut self, event: &Event) {
        match event {
            Event::Log { line, .. } if line.level == Level::Debug && !self.terminal.verbose => {}
            Event::Log { policy, line } => {
                let style = match line.level {
                    Level::Error => Style::new().red(),
                    Level::Warn => Style::new().yellow(),
                    Level::Debug | Level::Info => Style::new().dimmed(),
                };
                self.line(&self.paint(&format!("{policy}: {}", line.message), style));
            }
            Event::Note { text } => self.line(&self.paint(&printable(text), Style::new().dimmed())),
            Event::Begun { steps, .. } => self.steps = *steps,
            Event::Round { number, steps } => {
                self.steps += steps;
                self.line(&format!("round {number}: {steps} more steps"));
            }
            Event::Step { seq, capability, resource, change, phase } => {
                self.step(*seq, &printable(&format!("{capability} {resource}")), *change, phase);
            }
            Event::Confirm { window_seconds, .. } => {
                self.line(&format!("getting in over a new connection, within {window_seconds} seconds"));
            }
            Event::Confirmed { .. } => self.line("got in"),
            _ => {}
        }
    }

    fn step(&mut self, seq: u64, title: &str, change: Change, phase: &Phase) {
        let (sign, style) = change.sign();
        let count = self.paint(&format!("[{seq}/{}]", self.steps), Style::new().dimmed());
        let title = format!("{count} {} {title}", self.paint(sign, style));
        match phase {
            Phase::Started => self.in_place(&format!("{title} …")),
            Phase::Done => self.line(&title),
            Phase::Failed { error } => {
                self.line(&format!("{title}: {}", self.paint(&printable(error), Style::new().red())))
            }
            Phase::Undone => self.line(&format!("{title}: taken back")),
            Phase::UndoFailed { error } => {
                let words = format!("not taken back: {}", printable(error));
                self.line(&format!("{title}: {}", self.paint(&words, Style::new().red())));
            }
        }
    }

    fn line(&mut self, text: &str) {
        let label = self.label.as_ref().map(|label| format!("{label} │ ")).unwrap_or_default();
        self.terminal.say(&format!("{}{label}{text}\n", self.erase()));
        self.open = false;
    }

    fn in_place(&mut self, text: &str) {
        if self.terminal.live {
            self.terminal.say(&format!("{}{text}", self.erase()));
            self.open = true;
        }
    }

    fn erase(&self) -> &'static str {
        if self.open { "\r\x1b[2K" } else { "" }
    }

    fn paint(&self, text: &str, style: Style) -> String {
        self.terminal.side.paint(text, style)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.terminal.say(self.erase());
    }
}
