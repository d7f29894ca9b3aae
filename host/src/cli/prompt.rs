//! Asks the operator on the terminal, whatever standard input is.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Whether the operator says yes; `None` when there is no terminal to ask on.
pub(super) fn yes(question: &str) -> Option<bool> {
    let terminal = open()?;
    write!(&terminal, "{question} [y/N] ").ok()?;
    let answer = line(&terminal)?;
    Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// One line that is not shown while it is typed; `None` when there is no terminal to ask on.
pub(super) fn hidden(question: &str) -> Option<Secret<String>> {
    let terminal = open()?;
    write!(&terminal, "{question}: ").ok()?;
    let silence = Silence::begin(&terminal)?;
    // A terminal gives one line a read.
    let mut typed = Zeroizing::new([0; 4096]);
    let length = (&terminal).read(&mut *typed).ok()?;
    drop(silence);
    let _ = writeln!(&terminal);
    let text = std::str::from_utf8(typed.get(..length)?).ok()?;
    let interrupted = text.is_empty() || text.contains(INTERRUPT);
    (!interrupted).then(|| Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// Whether there is a terminal to ask on.
pub(super) fn somebody() -> bool {
    open().is_some()
}

fn open() -> Option<File> {
    File::options().read(true).write(true).open("/dev/tty").ok()
}

fn line(terminal: &File) -> Option<String> {
    let mut line = String::new();
    let read = BufReader::new(terminal).read_line(&mut line).ok()?;
    while line.ends_with(['\n', '\r']) {
        line.pop();
    }
    // At the end of input nobody has answered.
    (read > 0).then_some(line)
}

/// Control-C.
const INTERRUPT: char = '\u{3}';

/// A terminal that does not show what is typed, until this is dropped.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn begin(terminal: &'a File) -> Option<Self> {
        let before = tcgetattr(terminal).ok()?;
        let mut silent = before.clone();
        // Control-C ends the line instead of the program, which could not make the terminal show again what is typed.
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT as u8;
        tcsetattr(terminal, OptionalActions::Flush, &silent).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // When the terminal is gone there is nothing left to restore.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
