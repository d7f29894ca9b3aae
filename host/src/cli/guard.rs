//! `stead guard`: what the timer of confirm-or-revert starts.

use clap::Args;

use super::Context;
use super::progress::Progress;
use crate::error::Failure;
use crate::event::Events;
use crate::exit::Exit;
use crate::session::watch;

/// Take back a run that nobody has confirmed.
///
/// Waits until the run has ended or died, and takes it back when it is still open.
#[derive(Debug, Args)]
pub(super) struct Guard {
    /// The number of the run.
    #[arg(value_name = "RUN")]
    run: u64,
}

impl Guard {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (events, mut told) = Events::channel();
        let mut progress = Progress::new(context.terminal, None);
        let watching = async {
            let watched = watch(&context.place, self.run, &events).await;
            // Closes the channel, which ends the telling.
            drop(events);
            watched
        };
        let telling = async {
            while let Some(event) = told.next().await {
                progress.tell(&event);
            }
        };
        let (watched, ()) = tokio::join!(watching, telling);
        watched?;
        Ok(Exit::Done)
    }
}
