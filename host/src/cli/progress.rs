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
        if let Some(text) = self.shown(event) {
            self.terminal.say(&text);
        }
    }

    /// What an event writes, if anything.
    fn shown(&mut self, event: &Event) -> Option<String> {
        let dimmed = Style::new().dimmed();
        match event {
            Event::Log { line, .. } if line.level == Level::Debug && !self.terminal.verbose => None,
            Event::Log { policy, line } => {
                let style = match line.level {
                    Level::Error => Style::new().red(),
                    Level::Warn => Style::new().yellow(),
                    Level::Debug | Level::Info => dimmed,
                };
                Some(self.line(&self.paint(&format!("{policy}: {}", printable(&line.message)), style)))
            }
            Event::Doing { text } => self.in_place(&self.paint(&printable(text), dimmed)),
            Event::Note { text } => Some(self.line(&self.paint(&printable(text), dimmed))),
            Event::Begun { steps, .. } => {
                self.steps = *steps;
                None
            }
            Event::Round { number, steps } => {
                self.steps += steps;
                Some(self.line(&format!("round {number}, with what is possible now: {}", count(*steps, "step"))))
            }
            Event::Step { seq, capability, resource, change, phase } => {
                self.step(*seq, &printable(&format!("{capability} {resource}")), *change, phase)
            }
            Event::Confirm { window_seconds, .. } => {
                Some(self.line(&format!("getting in over a new connection, within {window_seconds} seconds")))
            }
            Event::Confirmed { .. } => Some(self.line("got in")),
            _ => None,
        }
    }

    fn step(&mut self, seq: u64, title: &str, change: Change, phase: &Phase) -> Option<String> {
        let (sign, style) = change.sign();
        let count = self.paint(&format!("[{seq}/{}]", self.steps), Style::new().dimmed());
        let title = format!("{count} {} {title}", self.paint(sign, style));
        let red = |words: &str| self.paint(&printable(words), Style::new().red());
        let said = match phase {
            Phase::Started => return self.in_place(&format!("{title} …")),
            Phase::Done => title,
            Phase::Failed { error } => format!("{title}: {}", red(error)),
            Phase::Undone => format!("{title}: taken back"),
            Phase::UndoFailed { error } => format!("{title}: {}", red(&format!("not taken back: {error}"))),
        };
        Some(self.line(&said))
    }

    fn line(&mut self, text: &str) -> String {
        let label = self.label.as_ref().map(|label| format!("{label} │ ")).unwrap_or_default();
        let line = format!("{}{label}{text}\n", self.erase());
        self.open = false;
        line
    }

    fn in_place(&mut self, text: &str) -> Option<String> {
        let line = self.terminal.live.then(|| format!("{}{text}", self.erase()));
        self.open = self.terminal.live;
        line
    }

    fn erase(&self) -> &'static str {
        if self.open { "\r\x1b[2K" } else { "" }
    }

    fn paint(&self, text: &str, style: Style) -> String {
        self.terminal.side.paint(text, style)
    }
}

/// `1 step`, `2 steps`.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.terminal.say(self.erase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Colour;
    use crate::policy::LogLine;

    fn all(live: bool, label: Option<&str>) -> String {
        let terminal = Terminal { colour: Colour::Never, side: Colour::Never, live, verbose: false };
        let mut progress = Progress::new(terminal, label.map(str::to_owned));
        let step = |seq, resource: &str, phase| Event::Step {
            seq,
            capability: "file".to_owned(),
            resource: resource.to_owned(),
            change: Change::Create,
            phase,
        };
        let log = |level, message: &str| Event::Log {
            policy: "base".to_owned(),
            line: LogLine { level, message: message.to_owned() },
        };
        let events = [
            log(Level::Debug, "unseen"),
            log(Level::Info, "two peers\x1b[2J"),
            Event::Begun { run: 1, steps: 2 },
            step(1, "/etc/a", Phase::Started),
            step(1, "/etc/a", Phase::Done),
            step(2, "/etc/b\n", Phase::Started),
            Event::Doing { text: "pulling nginx, layer 2 of 3".to_owned() },
            Event::Note { text: "waiting".to_owned() },
            step(2, "/etc/b\n", Phase::Failed { error: "no room".to_owned() }),
            step(1, "/etc/a", Phase::Undone),
        ];
        events.iter().filter_map(|event| progress.shown(event)).collect()
    }

    #[test]
    fn lines_for_a_file() {
        insta::assert_snapshot!(all(false, None), @r"
        base: two peers\u{1b}[2J
        [1/2] + file /etc/a
        waiting
        [2/2] + file /etc/b\n: no room
        [1/2] + file /etc/a: taken back
        ");
        assert!(all(false, Some("web1")).lines().all(|line| line.starts_with("web1 │ ")));
    }

    #[test]
    fn a_terminal_shows_the_step_at_work() {
        let text = all(true, None);
        assert!(text.contains("[1/2] + file /etc/a …\r\x1b[2K[1/2] + file /etc/a\n"), "{text:?}");
        assert!(text.contains("/etc/b\\n …\r\x1b[2Kpulling nginx, layer 2 of 3\r\x1b[2Kwaiting\n"), "{text:?}");
        assert!(!all(true, Some("web1")).contains('\r'), "lines of several hosts do not write over each other");
    }
}
