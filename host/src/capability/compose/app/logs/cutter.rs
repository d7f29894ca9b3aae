//! From what the engine sends of a log to lines with their times.

use bollard::container::LogOutput;

use super::{Line, Source};

/// A line that does not end by then is cut.
const LONGEST_LINE: usize = 1 << 20;

/// Cuts one container's log.
#[derive(Debug)]
pub(super) struct Cutter {
    source: Source,
    /// What has not ended yet, of standard output and of standard error.
    open: [String; 2],
}

impl Cutter {
    pub(super) fn new(source: Source) -> Self {
        Self { source, open: Default::default() }
    }

    /// The lines that end in this frame.
    pub(super) fn cut(&mut self, frame: &LogOutput) -> Vec<Line> {
        let error = matches!(frame, LogOutput::StdErr { .. });
        let text = String::from_utf8_lossy(frame.as_ref());
        let open = &mut self.open[usize::from(error)];
        // The engine cuts long lines into pieces, each with a time of its own.
        let rest = if open.is_empty() { None } else { timed(&text).map(|(_, rest)| rest) };
        open.push_str(rest.unwrap_or(&text));
        let mut lines = Vec::new();
        while let Some((line, rest)) = open.split_once('\n') {
            lines.push(said(&self.source, line, error));
            *open = rest.to_owned();
        }
        if open.len() > LONGEST_LINE {
            lines.push(said(&self.source, &std::mem::take(open), error));
        }
        lines
    }

    /// What is left when nothing more comes.
    pub(super) fn rest(&mut self) -> Option<Line> {
        let error = self.open[0].is_empty();
        let rest = std::mem::take(&mut self.open[usize::from(error)]);
        (!rest.is_empty()).then(|| said(&self.source, &rest, error))
    }
}

fn said(source: &Source, line: &str, error: bool) -> Line {
    let line = line.trim_end_matches('\r');
    let (at, text) = timed(line).unwrap_or(("", line));
    Line { source: source.clone(), at: at.to_owned(), text: text.to_owned(), error }
}

/// The time before a text: `2026-11-26T10:00:00.000000000Z text`.
fn timed(text: &str) -> Option<(&str, &str)> {
    let (at, rest) = text.split_once(' ').unwrap_or((text.trim_end_matches(['\n', '\r']), ""));
    let is_time = at.len() == 30 && at.ends_with('Z') && at.as_bytes().get(10) == Some(&b'T');
    is_time.then_some((at, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-26T10:00:00.000000000Z";

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut { message: text.to_owned().into() }
    }

    #[test]
    fn pieces_of_a_line_become_one() {
        let source = Source { service: "web".to_owned(), container: "web-1".to_owned(), id: "x".to_owned() };
        let mut cutter = Cutter::new(source);
        assert!(cutter.cut(&out(&format!("{AT} one, "))).is_empty());
        let error = LogOutput::StdErr { message: format!("{AT} wrong\n").into() };
        let wrong = cutter.cut(&error);
        assert!(wrong.len() == 1 && wrong[0].error && wrong[0].text == "wrong", "{wrong:?}");
        let lines = cutter.cut(&out(&format!("{AT} and more\n{AT} two\r\n{AT} three")));
        let texts: Vec<_> = lines.iter().map(|line| (line.at.as_str(), line.text.as_str())).collect();
        assert_eq!(texts, [(AT, "one, and more"), (AT, "two")]);
        assert_eq!(cutter.rest().map(|line| line.text), Some("three".to_owned()));
        assert_eq!(cutter.rest(), None);
    }
}
