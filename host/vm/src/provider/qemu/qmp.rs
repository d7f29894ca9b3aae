//! The few words that a running QEMU is told, over its QMP socket. Source: "QEMU QMP Reference Manual".
//!
//! QEMU has given up the right to open our files: it is handed them, open.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};

pub(super) const SOCKET: &str = "qmp.sock";
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
const MIGRATION_LIMIT: Duration = Duration::from_secs(300);
const LONGEST_LINE: u64 = 1 << 20;
const HANDED: &str = "devices";

pub(super) struct Qmp {
    lines: BufReader<UnixStream>,
}

/// Connects to a socket in a folder whose path may be longer than a socket's may be.
pub(super) fn connect(folder: &Path, socket: &str) -> io::Result<UnixStream> {
    let folder = File::open(folder)?;
    UnixStream::connect(format!("/proc/self/fd/{}/{socket}", folder.as_raw_fd()))
}

impl Qmp {
    pub(super) fn connect(folder: &Path) -> io::Result<Self> {
        let stream = connect(folder, SOCKET)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let mut qmp = Self { lines: BufReader::new(stream) };
        qmp.line()?;
        qmp.call("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Writes the state of the devices and stops the machine at that very moment; its memory is in its file.
    pub(super) fn save(&mut self, devices: &File) -> io::Result<()> {
        self.migrate("migrate", devices)
    }

    /// Makes a machine that was started for it go on where `devices` was written.
    pub(super) fn resume(&mut self, devices: &File) -> io::Result<()> {
        self.migrate("migrate-incoming", devices)?;
        // It runs already, unless it could not take its disk; then this says why.
        self.call("cont", &json!({})).map(drop)
    }

    pub(super) fn quit(&mut self) {
        // The connection ends with it, maybe before the answer.
        let _ = self.call("quit", &json!({}));
    }

    fn migrate(&mut self, command: &str, devices: &File) -> io::Result<()> {
        let ignore = json!({ "capabilities": [{ "capability": "x-ignore-shared", "state": true }] });
        self.call("migrate-set-capabilities", &ignore)?;
        self.hand(devices)?;
        self.call(command, &json!({ "uri": format!("fd:{HANDED}") }))?;
        let deadline = Instant::now() + MIGRATION_LIMIT;
        while Instant::now() < deadline {
            let state = self.call("query-migrate", &json!({}))?;
            match state.get("status").and_then(Value::as_str) {
                Some("completed") => return Ok(()),
                Some("failed" | "cancelled") => return Err(io::Error::other(state.to_string())),
                _ => sleep(Duration::from_millis(5)),
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "QEMU does not finish"))
    }

    fn hand(&mut self, file: &File) -> io::Result<()> {
        let request = json!({ "execute": "getfd", "arguments": { "fdname": HANDED } }).to_string();
        let files = [file.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut handed = SendAncillaryBuffer::new(&mut space);
        handed.push(SendAncillaryMessage::ScmRights(&files));
        sendmsg(self.lines.get_ref(), &[IoSlice::new(request.as_bytes())], &mut handed, SendFlags::empty())?;
        self.answer("getfd").map(drop)
    }

    fn call(&mut self, command: &str, arguments: &Value) -> io::Result<Value> {
        let request = json!({ "execute": command, "arguments": arguments });
        writeln!(self.lines.get_mut(), "{request}")?;
        self.answer(command)
    }

    /// Events that come before the answer are dropped.
    fn answer(&mut self, command: &str) -> io::Result<Value> {
        loop {
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                return Err(io::Error::other(format!("QEMU refused {command}: {error}")));
            }
            if let Some(value) = answer.get_mut("return") {
                return Ok(value.take());
            }
        }
    }

    fn line(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        (&mut self.lines).take(LONGEST_LINE).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}
