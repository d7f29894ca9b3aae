//! What is told while a request is served: one JSON line each, the same for this machine and for one over SSH.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::backup::{Restoration, Snapshot, State as BackupState};
use crate::capability::Declared;
use crate::capability::compose::{App, Cleaned, Line, Waste};
use crate::capability::firewall::{self, Listening};
use crate::capability::vpn::{PublicKey, Tunnel};
use crate::error::Failure;
use crate::journal::{JournaledStep, Operation, Revision, Run};
use crate::lock::Holder;
use crate::look::Look;
use crate::machine::Facts;
use crate::plan::{Change, Plan, PlannedDeferral, PlannedStep};
use crate::policy::LogLine;

/// One thing that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A policy said something.
    Log { policy: String, line: LogLine },
    /// What is being done or waited for, for people.
    Note { text: String },
    /// What a step is at work on right now: of use only to who watches.
    Doing { text: String },
    /// The answer to a request for a plan, and whether the last revision already says all that it says.
    Plan { plan: Box<Plan>, recorded: bool },
    /// The answer to a request for the facts.
    Facts { facts: Facts },
    /// A run was begun; `steps` are those of the first round.
    Begun { run: u64, steps: usize },
    /// What was deferred has been planned.
    Round { number: u32, steps: usize },
    /// A step came so far.
    Step { seq: u64, capability: String, resource: String, change: Change, phase: Phase },
    /// The operator must confirm over a new connection within the window.
    Confirm { run: u64, window_seconds: u64 },
    /// The operator got in.
    Confirmed { run: u64 },
    /// The answer to a request to apply.
    Report { report: Report },
    /// The answer to a request for the status.
    Status { status: Box<Status> },
    /// The answer to a request to look.
    Look { look: Box<Look> },
    /// The answer to a request for the log.
    Runs { runs: Vec<Run>, operations: Vec<Operation> },
    /// The answer to a request for the log of one run.
    Run { run: Box<Run>, steps: Vec<JournaledStep>, plan: Box<Plan> },
    /// The answer to a request for the firewall: what the last revision declared of it, and who listens.
    Firewall { specs: Vec<Declared<firewall::Spec>>, listening: BTreeSet<Listening> },
    /// The answer to a request for what the WireGuard interfaces do.
    Vpn { tunnels: Vec<Tunnel> },
    /// The answer to a request for the next key pair: its public half.
    NextKey { public_key: PublicKey },
    /// The answer to a request for the apps.
    Apps { apps: Vec<App> },
    /// A line of a log that was asked for.
    Said { line: Line },
    /// All that was asked for of a log has been told.
    AllSaid,
    /// The answer to a request to restart: the containers, in the order in which they were restarted.
    Restarted { containers: Vec<String> },
    /// The answer to a request for what apps no longer need.
    Waste { waste: Waste },
    /// The answer to a request to remove it.
    Cleaned { cleaned: Cleaned },
    /// The answer to a request to do something with backups: what was done, a line each.
    BackedUp { lines: Vec<String> },
    /// The answer to a request for snapshots.
    Snapshots { backups: Vec<Snapshots> },
    /// The answer to a request for what can be restored, and what there is no snapshot of.
    Restorable { found: Vec<Restoration>, lacking: Vec<String> },
    /// The answer to a request to restore: what was.
    Restored { what: Vec<String> },
    /// The request failed. It is the last event.
    Failed { failure: Failure },
}

/// The snapshots of a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshots {
    #[serde(flatten)]
    pub state: BackupState,
    pub repository: String,
    /// The oldest first.
    pub snapshots: Vec<Snapshot>,
}

/// How far a step has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Started,
    Done,
    Failed { error: String },
    Undone,
    UndoFailed { error: String },
}

/// How a run ended well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `None`: there was nothing to do.
    pub run: Option<u64>,
    /// The revision that the machine is at.
    pub revision: Option<u64>,
    /// How many steps were done, or undone by a recovery.
    pub steps: usize,
    /// What could not be undone, and why.
    pub left: Vec<String>,
}

/// What a machine is at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    pub host: String,
    pub version: String,
    pub revision: Option<Revision>,
    pub open_run: Option<Run>,
    /// How each backup went last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backups: Vec<BackupState>,
    pub holder: Option<Holder>,
}

/// Where events go. Telling never fails: an operator who has gone away does not stop an apply.
#[derive(Clone, Debug)]
pub struct Events {
    sender: UnboundedSender<Event>,
    /// Room for lines of logs, of which there can be more than memory holds.
    room: Arc<Semaphore>,
}

/// Where they come out.
#[derive(Debug)]
pub struct Told {
    receiver: UnboundedReceiver<Event>,
    room: Arc<Semaphore>,
}

/// How many lines of logs may be on their way.
const LINES: usize = 1000;

impl Events {
    /// A way for events, and its other end.
    pub fn channel() -> (Self, Told) {
        let (sender, receiver) = unbounded_channel();
        let room = Arc::new(Semaphore::new(LINES));
        (Self { sender, room: Arc::clone(&room) }, Told { receiver, room })
    }

    /// Tells one thing.
    pub fn tell(&self, event: Event) {
        // The receiver is dropped when the operator has gone away.
        let _ = self.sender.send(event);
    }

    /// Tells a line of a log as soon as there is room for it; answers whether anybody still listens.
    pub async fn line(&self, line: Line) -> bool {
        let Ok(room) = self.room.acquire().await else { return false };
        room.forget();
        self.sender.send(Event::Said { line }).is_ok()
    }

    /// Waits until nobody listens any more.
    pub async fn unheard(&self) {
        self.sender.closed().await;
    }

    /// Tells a remark for people.
    pub fn note(&self, text: impl Into<String>) {
        self.tell(Event::Note { text: text.into() });
    }

    /// Tells how far a step has come.
    pub fn step(&self, seq: u64, planned: &PlannedStep, phase: Phase) {
        self.tell(Event::Step {
            seq,
            capability: planned.capability.clone(),
            resource: planned.step.resource.clone(),
            change: planned.step.change,
            phase,
        });
    }
}

impl Told {
    /// The next event; `None`: there will be no more.
    pub async fn next(&mut self) -> Option<Event> {
        let event = self.receiver.recv().await;
        if matches!(event, Some(Event::Said { .. })) {
            self.room.add_permits(1);
        }
        event
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.room.close();
    }
}

/// `CAPABILITY RESOURCE: reason` of what is still waited for.
pub fn waiting(deferred: &[PlannedDeferral]) -> Vec<String> {
    let one = |planned: &PlannedDeferral| {
        format!("{} {}: {}", planned.capability, planned.deferred.resource, planned.deferred.reason)
    };
    deferred.iter().map(one).collect()
}
