//! The far end: one request on standard input, events as JSON lines on standard output.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::AsyncWriteExt;

use crate::error::{Blame, Failure, failure};
use crate::event::{Event, Events};
use crate::exit::Exit;
use crate::machine::bounded;
use crate::session::{Envelope, Place, serve};

/// How large a request may be: `apps/` and a few of the largest components, as JSON.
const LARGEST_REQUEST: usize = 512 << 20;
/// How often is looked whether the operator is still there.
const HUNG_UP: Duration = Duration::from_secs(1);

/// Serves the request on standard input. An apply goes on when the operator's connection breaks: half a change is
/// worse than a whole one, and confirm-or-revert takes it back when it should not have been.
///
/// # Errors
/// When standard input cannot be read.
pub async fn agent(place: &Place) -> std::io::Result<()> {
    let request = bounded::all(tokio::io::stdin(), LARGEST_REQUEST).await?;
    let (events, mut told) = Events::channel();
    let serving = async {
        let envelope = request.as_deref().ok_or_else(too_large).and_then(read);
        let served = match envelope {
            Ok(envelope) => serve(place, envelope, &events).await.map_err(|error| failure(&error)),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = served {
            events.tell(Event::Failed { failure });
        }
        drop(events);
    };
    let writing = async {
        let mut stdout = tokio::io::stdout();
        loop {
            // What listens on is told when the operator has gone away, though it has nothing to write.
            let event = tokio::select! {
                event = told.next() => event,
                () = hung_up() => break,
            };
            let Some(event) = event else { break };
            let mut line = serde_json::to_vec(&event).unwrap_or_default();
            line.push(b'\n');
            if stdout.write_all(&line).await.is_err() || stdout.flush().await.is_err() {
                break;
            }
        }
        drop(told);
    };
    tokio::join!(serving, writing);
    Ok(())
}

/// Waits until nobody can read standard output any more.
async fn hung_up() {
    let stdout = std::io::stdout();
    loop {
        tokio::time::sleep(HUNG_UP).await;
        let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
        let ready = poll(&mut polled, Some(&Timespec::default()));
        if ready.is_ok_and(|ready| ready > 0) {
            return;
        }
    }
}

fn read(request: &[u8]) -> Result<Envelope, Failure> {
    serde_json::from_slice(request).map_err(|error| {
        // Without the error's own words: they may hold a value, and the request holds secrets.
        let message = format!("the request is not readable at column {}", error.column());
        Failure::new(Blame::Operator, Exit::Internal, &message).help("use the same version of stead on both sides")
    })
}

fn too_large() -> Failure {
    let message = format!("the request is larger than {} MiB", LARGEST_REQUEST >> 20);
    let help = "keep data and builds out of apps/ and out of the policies: both are sent with every request";
    Failure::new(Blame::Operator, Exit::Input, &message).help(help)
}
