//! Talks to a running QEMU over its QMP socket: one JSON object a line, events in between.
//!
//! Source: QEMU's QMP reference.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Longer than any command blocks QEMU's main loop, even on a loaded machine.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A connection that has left capabilities negotiation behind.
#[derive(Debug)]
pub struct Qmp {
    lines: BufReader<UnixStream>,
}

impl Qmp {
    /// # Errors
    /// When there is no QEMU, or it does not answer.
    pub fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let mut qmp = Self { lines: BufReader::new(stream) };
        qmp.line()?;
        qmp.call("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    /// Runs `command` and gives what it returns; events that arrive before the answer are dropped.
    ///
    /// # Errors
    /// When QEMU refuses it, or is gone.
    pub fn call(&mut self, command: &str, arguments: Value) -> Result<Value> {
        let request = json!({ "execute": command, "arguments": arguments });
        writeln!(self.lines.get_mut(), "{request}").with_context(|| format!("QEMU is gone: {command}"))?;
        loop {
            let mut answer = self.line().with_context(|| format!("QEMU did not answer {command}"))?;
            if let Some(error) = answer.get("error") {
                bail!("QEMU refused {command}: {error}");
            }
            if let Some(value) = answer.get_mut("return") {
                return Ok(value.take());
            }
        }
    }

    /// Runs a command of the human monitor, which answers nothing when all is well.
    pub(crate) fn monitor(&mut self, line: &str) -> Result<()> {
        let answer = self.call("human-monitor-command", json!({ "command-line": line }))?;
        match answer.as_str() {
            Some("") | None => Ok(()),
            Some(complaint) => bail!("QEMU refused `{line}`: {}", complaint.trim()),
        }
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("QMP sent {line:?}"))
    }
}
