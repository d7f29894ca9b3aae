//! For servers that share the queue, and files by it.

use std::time::Duration;

use super::Queue;
use crate::QueueError;
use crate::op;

impl Queue {
    /// Says that somebody needs this content from now on, and answers whether all of it is here.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin_content(&self, place: &str) -> Result<bool, QueueError> {
        let place = place.to_owned();
        self.write(move |tx| op::begin_content(tx, &place)).await
    }

    /// Keeps a piece of it, counted from 0.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn put_piece(&self, place: &str, number: u64, bytes: Vec<u8>) -> Result<(), QueueError> {
        let place = place.to_owned();
        self.write(move |tx| op::put_piece(tx, &place, number, &bytes)).await
    }

    /// Says that all its pieces are here, with so many bytes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_content(&self, place: &str, size: u64) -> Result<(), QueueError> {
        let place = place.to_owned();
        self.write(move |tx| op::end_content(tx, &place, size)).await
    }

    /// The size of a content; `None`: it is not here, or not all of it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn content_size(&self, place: &str) -> Result<Option<u64>, QueueError> {
        let place = place.to_owned();
        self.read(move |tx| op::content_size(tx, &place)).await
    }

    /// A piece of a content; `None`: it has fewer.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn piece(&self, place: &str, number: u64) -> Result<Option<Vec<u8>>, QueueError> {
        let place = place.to_owned();
        self.read(move |tx| op::piece(tx, &place, number)).await
    }

    /// Contents that nobody has needed anew for so long, and that no artifact is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn old_contents(&self, age: Duration) -> Result<Vec<String>, QueueError> {
        self.read(move |tx| op::old_contents(tx, tx.now.before(age))).await
    }

    /// Removes one of these, unless somebody has needed it anew meanwhile.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_content(&self, place: &str, age: Duration) -> Result<(), QueueError> {
        let place = place.to_owned();
        self.write(move |tx| op::remove_content(tx, &place, tx.now.before(age))).await
    }

    /// The one name of all servers that share the queue: this one, when they have none yet.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn installation(&self, proposed: &str) -> Result<String, QueueError> {
        let proposed = proposed.to_owned();
        self.write(move |tx| op::installation(tx, &proposed)).await
    }
}
