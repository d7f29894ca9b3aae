//! How lines of a job's log say who wrote them and how far that one had come, so that a worker who takes over knows which
//! lines are there: `RUN POSITION SOURCE<tab>TEXT`.

use std::fmt;

use stead_queue::{Line, Run, Stream};

use crate::policy::{Level, printable};

/// Who wrote a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The policy.
    Policy,
    /// A command of this number, on a machine.
    Command { machine: String, number: u32 },
}

/// A line as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub(super) run: u64,
    /// Grows with each line of its source: the number of the line of a policy, the offset after that of a command.
    pub(super) position: u64,
    pub source: Source,
    /// Of what a policy says.
    pub level: Level,
    /// Printable.
    pub text: String,
}

const LEVELS: [(Level, &str); 4] =
    [(Level::Debug, "debug"), (Level::Info, "info"), (Level::Warn, "warn"), (Level::Error, "error")];

/// A line of a policy.
pub(super) fn of_policy(run: Run, position: u64, level: Level, text: &str) -> Line {
    let word = LEVELS.iter().find(|(known, _)| *known == level).map_or("info", |(_, word)| word);
    Line { stream: Stream::Log, text: format!("{} {position} {word}\t{text}", run.number()).into_bytes() }
}

/// A line of a command.
pub(super) fn of_command(run: Run, position: u64, source: &Source, text: &[u8]) -> Line {
    let mut line = format!("{} {position} {source}\t", run.number()).into_bytes();
    line.extend_from_slice(text);
    Line { stream: Stream::Stdout, text: line }
}

impl Said {
    /// Reads a line; `None`: nothing of ours.
    pub fn read(line: &Line) -> Option<Self> {
        let text = String::from_utf8_lossy(&line.text);
        let (head, text) = text.split_once('\t')?;
        let mut words = head.splitn(3, ' ');
        let (run, position) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let source = words.next()?;
        let level = LEVELS.iter().find(|(_, word)| *word == source).map(|(level, _)| *level);
        let source = match (line.stream, source.rsplit_once('/')) {
            (Stream::Log, _) => Source::Policy,
            (_, Some((machine, number))) => {
                Source::Command { machine: machine.to_owned(), number: number.parse().ok()? }
            }
            _ => return None,
        };
        Some(Self { run, position, source, level: level.unwrap_or(Level::Info), text: printable(text) })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy => f.write_str("policy"),
            Self::Command { machine, number } => write!(f, "{machine}/{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_were_written() {
        let source = Source::Command { machine: "main".to_owned(), number: 2 };
        let line = Line { stream: Stream::Stdout, text: b"3 170 main/2\tone\ttwo".to_vec() };
        let said = Said::read(&line);
        let expected = Said { run: 3, position: 170, source, level: Level::Info, text: "one\ttwo".to_owned() };
        assert_eq!(said.map(|said| Said { text: said.text.replace("\\t", "\t"), ..said }), Some(expected));
        let line = Line { stream: Stream::Log, text: b"1 4 warn\tcareful".to_vec() };
        let said = Said::read(&line);
        assert_eq!(
            said.map(|said| (said.source, said.level, said.text)),
            Some((Source::Policy, Level::Warn, "careful".to_owned()))
        );
        for text in ["", "hello", "1 x info\thello", "1 2 main\thello"] {
            let line = Line { stream: Stream::Stdout, text: text.as_bytes().to_vec() };
            assert_eq!(Said::read(&line), None, "{text}");
        }
    }
}
