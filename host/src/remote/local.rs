//! Serves a request in this process.

use crate::error::failure;
use crate::event::{Event, Events};
use crate::session::{Envelope, Place, serve};

/// Serves the request and tells every event while it is being served.
pub(super) async fn ask(place: &Place, envelope: Envelope, told: &mut impl FnMut(Event)) {
    let (events, mut coming) = Events::channel();
    let serving = async {
        if let Err(error) = serve(place, envelope, &events).await {
            events.tell(Event::Failed { failure: failure(&error) });
        }
        // Closes the channel, which ends the telling.
        drop(events);
    };
    let telling = async {
        while let Some(event) = coming.next().await {
            told(event);
        }
    };
    tokio::join!(serving, telling);
}
