//! The thread that owns a connection. It runs what waits for it in one transaction: callers that come at the same time
//! share one commit, and so one sync of the disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::op::Tx;
use crate::sql::Connection;
use crate::wake::{Wake, Woke};
use crate::{QueueError, Settings};

#[cfg(test)]
mod tests;

/// How many calls share a transaction at most, so that the first of them does not wait long for the last.
const MOST: usize = 256;
/// How often another process's writes are looked for, where that has to be asked: while somebody waits and something has
/// happened lately, while somebody waits, and otherwise.
const WATCHFUL: Duration = Duration::from_millis(2);
const PATIENT: Duration = Duration::from_millis(20);
const IDLE: Duration = Duration::from_millis(250);
const LATELY: Duration = Duration::from_secs(1);

/// A call that waits for its turn.
trait Call: Send {
    /// Runs it. An error ends the transaction; a refusal is kept for the caller.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), QueueError>;

    /// Tells the caller, and gives back what undoes the call when nobody listens any more.
    fn answer(self: Box<Self>, committed: Result<(), QueueError>) -> Option<Box<dyn Call>>;
}

/// What is done when a caller has gone before it got its answer.
pub(crate) type Undo<T> = fn(&mut Tx<'_>, &T) -> Result<(), QueueError>;

struct Waiting<T, F> {
    body: F,
    done: Option<Result<T, QueueError>>,
    reply: oneshot::Sender<Result<T, QueueError>>,
    undo: Option<Undo<T>>,
}

/// Takes back what nobody heard of.
struct Undoing<T> {
    unheard: T,
    undo: Undo<T>,
}

/// A thread with a connection, and the way to it. The thread ends when this is dropped and all calls are answered.
#[derive(Clone)]
pub(crate) struct Desk(Sender<Message>);

/// A call, or none for a thread that is to see that somebody waits now.
type Message = Option<Box<dyn Call>>;

/// Whether a desk writes or only reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Read,
}

impl Desk {
    pub(crate) fn start(
        connection: impl Connection + 'static,
        mode: Mode,
        settings: Arc<Settings>,
        wake: Arc<Wake>,
    ) -> std::io::Result<Self> {
        let (sender, inbox) = channel();
        let clerk = Clerk { connection: Box::new(connection), mode, settings, wake, moved: Instant::now() };
        thread::Builder::new().name("queue".to_owned()).spawn(move || clerk.work(&inbox))?;
        Ok(Self(sender))
    }

    /// Has the thread look for what other processes wrote, and do so more often while somebody waits.
    pub(crate) fn look(&self) {
        // It fails when the queue is closed, and then there is nothing to see.
        drop(self.0.send(None));
    }

    /// Runs `body` in a transaction and answers when it is durable. It may run more than once.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        body: impl FnMut(&mut Tx<'_>) -> Result<T, QueueError> + Send + 'static,
        undo: Option<Undo<T>>,
    ) -> Result<T, QueueError> {
        let (reply, receiver) = oneshot::channel();
        let call = Box::new(Waiting { body, done: None, reply, undo });
        self.0.send(Some(call)).map_err(|_| QueueError::Closed)?;
        let mut answer = Answer { receiver, undo, desk: self };
        (&mut answer.receiver).await.map_err(|_| QueueError::Closed)?
    }
}

/// An answer that is awaited. When it came and nobody took it, the call is undone.
struct Answer<'a, T: Send + 'static> {
    receiver: oneshot::Receiver<Result<T, QueueError>>,
    undo: Option<Undo<T>>,
    desk: &'a Desk,
}

impl<T: Send> Drop for Answer<'_, T> {
    fn drop(&mut self) {
        // From here on, the thread sees that nobody listens; what it sent before is here.
        self.receiver.close();
        if let (Some(undo), Ok(Ok(unheard))) = (self.undo, self.receiver.try_recv()) {
            // It fails when the queue is closed, and then the lease will end by itself.
            drop(self.desk.0.send(Some(Box::new(Undoing { unheard, undo }))));
        }
    }
}

impl<T, F> Call for Waiting<T, F>
where
    T: Send + 'static,
    F: FnMut(&mut Tx<'_>) -> Result<T, QueueError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), QueueError> {
        match (self.body)(tx) {
            Err(error) if error.is_of_database() => Err(error),
            done => {
                self.done = Some(done);
                Ok(())
            }
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), QueueError>) -> Option<Box<dyn Call>> {
        let Self { done, reply, undo, .. } = *self;
        let answer = committed.and_then(|()| done.unwrap_or(Err(QueueError::Closed)));
        let (unheard, undo) = (reply.send(answer).err()?.ok()?, undo?);
        Some(Box::new(Undoing { unheard, undo }))
    }
}

impl<T: Send> Call for Undoing<T> {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), QueueError> {
        match (self.undo)(tx, &self.unheard) {
            Err(error) if error.is_of_database() => Err(error),
            _ => Ok(()),
        }
    }

    fn answer(self: Box<Self>, _: Result<(), QueueError>) -> Option<Box<dyn Call>> {
        None
    }
}

struct Clerk {
    connection: Box<dyn Connection>,
    mode: Mode,
    settings: Arc<Settings>,
    wake: Arc<Wake>,
    /// When something happened last.
    moved: Instant,
}

impl Clerk {
    fn work(mut self, inbox: &Receiver<Message>) {
        loop {
            match self.next(inbox) {
                Ok(first) => {
                    let waiting = [first].into_iter().chain(inbox.try_iter()).flatten();
                    self.answer_all(waiting.take(MOST).collect());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.mode == Mode::Write && self.connection.others_wrote() {
                self.tell(Woke { ready: true, changed: true });
            }
        }
    }

    fn tell(&mut self, woke: Woke) {
        if woke.ready || woke.changed {
            self.moved = Instant::now();
        }
        self.wake.send(woke);
    }

    fn next(&self, inbox: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        if self.mode == Mode::Read || !self.connection.must_ask() {
            return inbox.recv().map_err(|_| RecvTimeoutError::Disconnected);
        }
        inbox.recv_timeout(match self.wake.is_awaited() {
            true if self.moved.elapsed() < LATELY => WATCHFUL,
            true => PATIENT,
            false => IDLE,
        })
    }

    fn answer_all(&mut self, calls: Vec<Box<dyn Call>>) {
        let mut calls = calls;
        while !calls.is_empty() {
            calls = self.transact(calls);
        }
    }

    /// Answers all calls; what comes back are calls that undo what nobody heard of.
    fn transact(&mut self, mut calls: Vec<Box<dyn Call>>) -> Vec<Box<dyn Call>> {
        match self.run(&mut calls) {
            Ok(woke) => {
                let committed = self.connection.commit(woke);
                match committed {
                    Ok(()) => self.tell(woke),
                    Err(_) => self.connection.rollback(),
                }
                calls.into_iter().filter_map(|call| call.answer(committed.clone())).collect()
            }
            // The database is: all would wait for the same.
            Err(error @ (QueueError::Connect(_) | QueueError::Newer { .. })) => {
                calls.into_iter().filter_map(|call| call.answer(Err(error.clone()))).collect()
            }
            // One of them may be to blame: each for itself, so that the others go on.
            Err(_) if calls.len() > 1 => {
                self.connection.rollback();
                calls.into_iter().flat_map(|call| self.transact(vec![call])).collect()
            }
            Err(error) => {
                self.connection.rollback();
                calls.into_iter().filter_map(|call| call.answer(Err(error.clone()))).collect()
            }
        }
    }

    fn run(&mut self, calls: &mut [Box<dyn Call>]) -> Result<Woke, QueueError> {
        let now = match self.mode {
            Mode::Write => self.connection.begin()?,
            Mode::Read => self.connection.begin_read()?,
        };
        let mut tx = Tx::new(&mut *self.connection, now, &self.settings);
        for call in calls {
            call.run(&mut tx)?;
        }
        tx.settle()?;
        Ok(tx.woke)
    }
}
