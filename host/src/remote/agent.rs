//! The far end: one request on standard input, events as JSON lines on standard output.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::unbounded_channel;

use crate::error::{Blame, Failure, failure};
use crate::event::{Event, Events};
use crate::exit::Exit;
use crate::session::{Envelope, Place, serve};

/// Serves the request on standard input. An apply goes on when the operator's connection breaks: half a change is
/// worse than a whole one, and confirm-or-revert takes it back when it should not have been.
///
/// # Errors
/// When standard input cannot be read.
pub async fn agent(place: &Place) -> std::io::Result<()> {
    let mut request = Vec::new();
    tokio::io::stdin().read_to_end(&mut request).await?;
    let (sender, mut receiver) = unbounded_channel();
    let events = Events::new(sender);
    let serving = async {
        match serde_json::from_slice::<Envelope>(&request) {
            Ok(envelope) => {
                if let Err(error) = serve(place, envelope, &events).await {
                    events.tell(Event::Failed { failure: failure(&error) });
                }
            }
            Err(error) => events.tell(Event::Failed { failure: unreadable(&error) }),
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

fn unreadable(error: &serde_json::Error) -> Failure {
    // Without the error's own words: they may hold a value, and the request holds secrets.
    let message = format!("the request is not readable at column {}", error.column());
    Failure::new(Blame::Operator, Exit::Internal, &message).help("use the same version of stead on both sides")
}
