//! What BuildKit tells on the way: the steps of a build, and what their commands print.
//!
//! The engine hands it on as it is, in base64: messages of moby.buildkit.v1, of which this reads the few fields that
//! people see (`api/services/control/control.proto` of BuildKit).

use std::collections::{BTreeSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;

/// The `id` of the lines that carry such a message in `aux`.
pub(super) const ID: &str = "moby.buildkit.trace";
/// How many lines of what commands printed an error carries.
const LAST_LINES: usize = 20;
/// The bytes that such a line may have.
const LONGEST: usize = 1000;

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(message, repeated, tag = "1")]
    vertexes: Vec<Vertex>,
    #[prost(message, repeated, tag = "3")]
    logs: Vec<Log>,
}

/// A step.
#[derive(Clone, PartialEq, Message)]
struct Vertex {
    #[prost(string, tag = "1")]
    digest: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(message, optional, tag = "5")]
    started: Option<Moment>,
}

/// When: only whether it is there counts.
#[derive(Clone, PartialEq, Message)]
struct Moment {}

#[derive(Clone, PartialEq, Message)]
struct Log {
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

/// What was told so far.
#[derive(Default)]
pub(super) struct Trace {
    begun: BTreeSet<String>,
    last: VecDeque<String>,
    /// What was printed of a line that has no end yet.
    open: String,
}

impl Trace {
    /// Takes a message in, and returns the step that has begun, such as `[2/5] RUN make`; the last one of several.
    /// What it cannot read, it leaves out: it is for the eye.
    pub(super) fn hear(&mut self, aux: &str) -> Option<String> {
        let status = STANDARD.decode(aux).ok().and_then(|bytes| Status::decode(&bytes[..]).ok())?;
        for log in status.logs {
            self.print(&String::from_utf8_lossy(&log.text));
        }
        let began = status.vertexes.into_iter().filter(|vertex| vertex.started.is_some());
        began.filter(|vertex| self.begun.insert(vertex.digest.clone())).last().map(|vertex| vertex.name)
    }

    /// Takes in what a command printed, in pieces that need not be lines.
    pub(super) fn print(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let room = LONGEST.saturating_sub(self.open.len());
            self.open.push_str(&piece[..piece.floor_char_boundary(room)]);
            if piece.ends_with('\n') {
                self.last.push_back(std::mem::take(&mut self.open).trim_end().to_owned());
            }
        }
        while self.last.len() > LAST_LINES {
            self.last.pop_front();
        }
    }

    /// The last lines that were printed.
    pub(super) fn last_lines(mut self) -> String {
        self.last.extend(Some(self.open).filter(|open| !open.is_empty()));
        self.last.make_contiguous().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aux(steps: &[(&str, &str, bool)], printed: &str) -> String {
        let vertex = |(digest, name, has_begun): &(&str, &str, bool)| Vertex {
            digest: (*digest).to_owned(),
            name: (*name).to_owned(),
            started: has_begun.then_some(Moment {}),
        };
        let logs = vec![Log { text: printed.as_bytes().to_vec() }];
        STANDARD.encode(Status { vertexes: steps.iter().map(vertex).collect(), logs }.encode_to_vec())
    }

    #[test]
    fn a_step_is_told_when_it_begins() {
        let mut trace = Trace::default();
        assert_eq!(
            trace.hear(&aux(&[("a", "[1/2] FROM x", true), ("b", "[2/2] RUN y", false)], "")).unwrap_or_default(),
            "[1/2] FROM x"
        );
        assert_eq!(trace.hear(&aux(&[("a", "[1/2] FROM x", true)], "")), None);
        assert_eq!(trace.hear(&aux(&[("b", "[2/2] RUN y", true)], "")).unwrap_or_default(), "[2/2] RUN y");
        assert_eq!(trace.hear("no base64"), None);
    }

    #[test]
    fn the_last_lines_are_kept_whole_and_short() {
        let mut trace = Trace::default();
        for line in 0..30 {
            trace.hear(&aux(&[], &format!("line {line}\nbe")));
            trace.print("gun\n");
        }
        trace.print(&"ä".repeat(5000));
        let lines = trace.last_lines();
        assert_eq!(lines.lines().count(), LAST_LINES + 1);
        assert!(lines.starts_with("line 20\nbegun\n") && lines.len() < 1500, "{lines}");
    }
}
