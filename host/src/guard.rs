//! Confirm or revert: a change that may cut the operator off is taken back unless the operator gets in again.
//!
//! A transient systemd timer is armed before the first change. While the applying process lives it keeps the deadline
//! itself; the timer is there for when it has died. A machine that loses power in between takes the run back at boot.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::apply::Cause;
use crate::event::{Event, Events};
use crate::journal::{Journal, RunState};
use crate::machine::{Machine, Program, ProgramError, replace, set_wanted};

/// How often the journal is asked for a confirmation.
const POLL: Duration = Duration::from_millis(200);

const BOOT_UNIT: &str = "/etc/systemd/system/stead-recover.service";
const BOOT_LINK: &str = "/etc/systemd/system/multi-user.target.wants/stead-recover.service";

/// The confirm-or-revert guard of one apply.
#[derive(Debug)]
pub struct Guard {
    window: Duration,
    /// `None`: off.
    timer: Option<Timer>,
}

#[derive(Debug)]
struct Timer {
    armed: bool,
    /// This program, under a path that stays.
    program: PathBuf,
    state: PathBuf,
}

/// The guard could not be armed: nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("this plan may cut you off, and systemd is not running here to take it back")]
    NoSystemd,
    #[error("cannot arm the timer that takes this plan back: {0}")]
    Timer(#[from] ProgramError),
    #[error("cannot write {BOOT_UNIT}: {0}")]
    BootUnit(std::io::Error),
    #[error("cannot tell where this program lies: {0}")]
    Program(std::io::Error),
}

impl Guard {
    /// A guard that gives the operator this long to get in.
    ///
    /// # Errors
    /// When it cannot tell where this program lies.
    pub fn new(window: Duration, machine: &Machine) -> Result<Self, GuardError> {
        let program = std::env::current_exe().map_err(GuardError::Program)?;
        Ok(Self { window, timer: Some(Timer { armed: false, program, state: machine.state().to_owned() }) })
    }

    /// No guard: the operator has asked for it, or the machine is a tree of files.
    pub fn off() -> Self {
        Self { window: Duration::ZERO, timer: None }
    }

    /// Arms the timer, unless it is armed already.
    ///
    /// # Errors
    /// When it cannot be armed.
    pub async fn arm(&mut self, run: u64) -> Result<(), GuardError> {
        let window = self.window.as_secs();
        let Some(Timer { armed: armed @ false, program, state }) = &mut self.timer else { return Ok(()) };
        if !Path::new("/run/systemd/system").is_dir() {
            return Err(GuardError::NoSystemd);
        }
        write_boot_unit(program, state).map_err(GuardError::BootUnit)?;
        Program::new("systemd-run")
            .args(["--quiet", "--collect", "--timer-property=AccuracySec=1s", "--property=Type=exec"])
            .arg(format!("--unit=stead-guard-{run}"))
            .arg(format!("--on-active={window}"))
            .arg(&*program)
            .arg("--state")
            .arg(&*state)
            .args(["guard", &run.to_string()])
            .run()
            .await?;
        *armed = true;
        Ok(())
    }

    /// Stops the timer.
    pub async fn disarm(&self, run: u64) {
        if self.timer.as_ref().is_some_and(|timer| timer.armed) {
            let unit = format!("stead-guard-{run}.timer");
            // A timer that has fired already finds the run ended, and does nothing.
            let _ = Program::new("systemctl").args(["stop", "--quiet", &unit]).run().await;
        }
    }

    /// Waits until the operator has come in over a new connection.
    ///
    /// # Errors
    /// When nobody does within the window.
    pub async fn confirm(&self, run: u64, journal: &Journal, events: &Events) -> Result<(), Cause> {
        if self.timer.is_none() {
            return Ok(());
        }
        journal.await_confirmation(run)?;
        let window_seconds = self.window.as_secs();
        events.tell(Event::Confirm { run, window_seconds });
        let confirmed = async {
            while !journal.run(run)?.confirmed {
                tokio::time::sleep(POLL).await;
            }
            Ok::<(), Cause>(())
        };
        tokio::time::timeout(self.window, confirmed).await.map_err(|_| Cause::NotConfirmed(window_seconds))??;
        journal.set_state(run, RunState::Running, None)?;
        events.tell(Event::Confirmed { run });
        Ok(())
    }
}

/// Takes an open run back at the next boot. It stays installed: without an open run it does nothing.
fn write_boot_unit(program: &Path, state: &Path) -> std::io::Result<()> {
    let unit = format!(
        "[Unit]\nDescription=Take back what stead was doing when the machine went down\n\
         After=local-fs.target dbus.socket network.target docker.service\n\
         ConditionPathExists={state}/journal.sqlite\n\n\
         [Service]\nType=oneshot\nExecStart={program} --state {state} recover\n\n\
         [Install]\nWantedBy=multi-user.target\n",
        state = state.display(),
        program = program.display(),
    );
    if std::fs::read_to_string(BOOT_UNIT).is_ok_and(|there| there == unit) && Path::new(BOOT_LINK).exists() {
        return Ok(());
    }
    replace(Path::new(BOOT_UNIT), unit.as_bytes(), 0o644)?;
    set_wanted(Path::new(BOOT_LINK), BOOT_UNIT, true)
}
