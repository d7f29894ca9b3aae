//! The far end: one request on standard input, events as JSON lines on standard output.

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::unbounded_channel;

use crate::error::{Blame, Failure, failure};
use crate::event::{Event, Events};
use crate::exit::Exit;
use crate::machine::bounded;
use crate::session::{Envelope, Place, serve};

/// How large a request may be: `apps/` and a few of the largest components, as JSON.
const LARGEST_REQUEST: usize = 512 << 20;

/// Serves the request on standard input. An apply goes on when the operator's connection breaks: half a change is
/// worse than a whole one, and confirm-or-revert takes it back when it should not have been.
///
/// # Errors
/// When standard input cannot be read.
pub async fn agent(place: &Place) -> std::io::Result<()> {
    let request = bounded::all(tokio::io::stdin(), LARGEST_REQUEST).await?;
    let (sender, mut receiver) = unbounded_channel();
    let events = Events::new(sender);
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
        let mut connected = true;
        while let Some(event) = receiver.recv().await {
            let mut line = serde_json::to_vec(&event).unwrap_or_default();
            line.push(b'\n');
            connected = connected && stdout.write_all(&line).await.is_ok() && stdout.flush().await.is_ok();
        }
    };
    tokio::join!(serving, writing);
    Ok(())
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
