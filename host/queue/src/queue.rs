//! The queue as its callers have it.

use std::future::Future;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::op::{self, Tx};
use crate::postgres::{PostgresConnection, Server, listen};
use crate::sqlite::SqliteConnection;
use crate::wake::Wake;
use crate::writer::{Desk, Mode};
use crate::*;

/// Where the queue is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a file, for the processes of this machine.
    File(PathBuf),
    /// In PostgreSQL, for several servers.
    Server(Box<Server>),
}

impl FromStr for Place {
    type Err = QueueError;

    /// `postgres://…`, or the path of a file.
    fn from_str(text: &str) -> Result<Self, QueueError> {
        match text.starts_with("postgres://") || text.starts_with("postgresql://") {
            true => Ok(Self::Server(Box::new(text.parse()?))),
            false => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

/// A queue of jobs that several processes share. Clones are the same queue.
///
/// An answer means that what was done is durable. Calls that are made at the same time share a commit; those that one task
/// makes without waiting, as with `join!`, run in the order in which they were made.
#[derive(Clone)]
pub struct Queue {
    writer: Desk,
    reader: Desk,
    wake: Arc<Wake>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// Opens the queue, making it when there is none. Blocks while it does.
    ///
    /// # Errors
    /// When the database cannot be used, or comes from a later stead.
    pub fn open(place: &Place, settings: Settings) -> Result<Self, QueueError> {
        let (settings, wake) = (Arc::new(settings), Arc::new(Wake::new()));
        let (writer, reader) = match place {
            Place::File(path) => {
                let open = |mode| start(SqliteConnection::open(path, &settings)?, mode, &settings, &wake);
                (open(Mode::Write)?, open(Mode::Read)?)
            }
            Place::Server(server) => Self::connect(server, &settings, &wake)?,
        };
        Ok(Self { writer, reader, wake })
    }

    fn connect(server: &Server, settings: &Arc<Settings>, wake: &Arc<Wake>) -> Result<(Desk, Desk), QueueError> {
        // The client has a runtime of its own, which must not begin inside of another one.
        let connect = || {
            let writer = PostgresConnection::open(server, settings)?;
            Ok((writer, PostgresConnection::open(server, settings)?))
        };
        let joined = std::thread::scope(|scope| scope.spawn(connect).join());
        let (writer, reader) = joined.unwrap_or(Err(QueueError::Closed))?;
        listen(server.clone(), writer.number(), Arc::downgrade(wake))
            .map_err(|error| QueueError::Connect(Arc::new(error)))?;
        Ok((start(writer, Mode::Write, settings, wake)?, start(reader, Mode::Read, settings, wake)?))
    }

    fn write<T: Send + 'static>(
        &self,
        body: impl FnMut(&mut Tx<'_>) -> Result<T, QueueError> + Send + 'static,
    ) -> impl Future<Output = Result<T, QueueError>> {
        self.writer.call(body, None)
    }

    fn read<T: Send + 'static>(
        &self,
        body: impl FnMut(&mut Tx<'_>) -> Result<T, QueueError> + Send + 'static,
    ) -> impl Future<Output = Result<T, QueueError>> {
        self.reader.call(body, None)
    }
}

/// For those who want work done.
impl Queue {
    /// Queues a job; once, when it has an idempotency key, for as long as the job is kept.
    ///
    /// # Errors
    /// [`QueueError::TooLarge`]; [`QueueError::KeyReused`] when the key came before with another input.
    pub async fn submit(&self, job: Submission) -> Result<Submitted, QueueError> {
        self.write(move |tx| op::submit(tx, &job)).await
    }

    /// Submits the job of a schedule for the time at which it was due last. It is submitted once for that time, however many servers
    /// say so and in whatever order, and not when the schedule was first seen after it: `None`.
    ///
    /// # Errors
    /// [`QueueError::TooLarge`].
    pub async fn submit_due(
        &self,
        schedule: Timed,
        due: Timestamp,
        job: Submission,
    ) -> Result<Option<Submitted>, QueueError> {
        self.write(move |tx| op::submit_due(tx, &schedule, due, &job)).await
    }

    /// Cancels a job: at once when it has not begun. A worker that has it learns of it by its next renewal.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn cancel(&self, job: JobId) -> Result<Cancelled, QueueError> {
        self.write(move |tx| op::cancel(tx, job)).await
    }

    /// Tries a job again that has failed or is dead, from the beginning and with all its attempts.
    ///
    /// # Errors
    /// [`QueueError::NotRetryable`], [`QueueError::NoSuchJob`].
    pub async fn retry(&self, job: JobId) -> Result<(), QueueError> {
        self.write(move |tx| op::retry(tx, job)).await
    }

    /// How many jobs of a name may run at once, or of those with this key among them; none for any number. What runs goes on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn set_limit(
        &self,
        name: JobName,
        key: Option<ConcurrencyKey>,
        most: Option<NonZeroU32>,
    ) -> Result<(), QueueError> {
        self.write(move |tx| op::set_limit(tx, &name, key.as_ref(), most)).await
    }

    /// Deletes jobs that ended at least so long ago with all that they stored, the oldest first and at most so many. The files
    /// of their artifacts are the caller's: [`Queue::unused`] tells which nobody names any more. To be called until it is done.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn prune(&self, age: Duration, most: u32) -> Result<Pruned, QueueError> {
        self.write(move |tx| op::prune(tx, age, most)).await
    }

    /// The same with all jobs that have ended but so many, the last ones.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn prune_beyond(&self, kept: u64, most: u32) -> Result<Pruned, QueueError> {
        self.write(move |tx| op::prune_beyond(tx, kept, most)).await
    }
}

/// For workers. Whatever a worker writes carries its lease, and is refused when that has passed to another one:
/// [`QueueError::Fenced`]. All these writes may be sent again when it is not known whether they arrived.
impl Queue {
    /// Claims up to so many jobs: the highest priority first, then the oldest, as the limits let them. Leases that have
    /// run out end with it. When the future is dropped before it is ready, the jobs go back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim(&self, worker: &WorkerName, most: u32) -> Result<Claim, QueueError> {
        let worker = worker.clone();
        let body = move |tx: &mut Tx<'_>| op::claim(tx, &worker, most);
        self.writer.call(body, Some(hand_back)).await
    }

    /// Waits until there is at least one job, and claims up to so many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&self, worker: &WorkerName, most: u32) -> Result<Vec<Claimed>, QueueError> {
        let mut ready = self.wake.ready();
        loop {
            let Claim { jobs, next } = self.claim(worker, most).await?;
            if !jobs.is_empty() {
                return Ok(jobs);
            }
            // Another process's wake-up may be lost with its connection.
            let pause = next.unwrap_or(PATIENCE).min(PATIENCE);
            drop(timeout(pause, ready.changed()).await);
        }
    }

    /// Says that the worker is still there. Half-way through the lease is a good time for it.
    ///
    /// # Errors
    /// [`QueueError::Fenced`]: stop at once.
    pub async fn renew(&self, lease: Lease) -> Result<Renewed, QueueError> {
        self.write(move |tx| op::renew(tx, lease)).await
    }

    /// Says that the run has made something on this server, so that another one cannot go on with it: where
    /// [`Settings::server`] names one.
    ///
    /// # Errors
    /// [`QueueError::Fenced`].
    pub async fn bind(&self, lease: Lease) -> Result<(), QueueError> {
        self.write(move |tx| op::bind(tx, lease)).await
    }

    /// Ends the attempt, and answers what that makes of the job.
    ///
    /// # Errors
    /// [`QueueError::Fenced`], [`QueueError::TooLarge`].
    pub async fn finish(&self, lease: Lease, outcome: Outcome) -> Result<State, QueueError> {
        self.write(move |tx| op::finish(tx, lease, &outcome)).await
    }

    /// Appends an entry to the journal of the run.
    ///
    /// # Errors
    /// [`QueueError::Fenced`], [`QueueError::TooLarge`], [`QueueError::Full`]; [`QueueError::Gap`] when an entry before it is
    /// missing; [`QueueError::Diverged`] when another one is there.
    pub async fn append_entry(&self, lease: Lease, entry: Entry) -> Result<(), QueueError> {
        self.write(move |tx| op::append_entry(tx, lease, &entry)).await
    }

    /// Appends lines to the log, the first of which has this number; those that are there already are passed over. Answers the
    /// number of the next line.
    ///
    /// # Errors
    /// [`QueueError::Fenced`], [`QueueError::TooLarge`], [`QueueError::Full`]; [`QueueError::Gap`] when lines before are missing.
    pub async fn append_log(&self, lease: Lease, first: u64, lines: Vec<Line>) -> Result<u64, QueueError> {
        self.write(move |tx| op::append_log(tx, lease, first, &lines)).await
    }

    /// Says how far the job has come.
    ///
    /// # Errors
    /// [`QueueError::Fenced`].
    pub async fn set_progress(&self, lease: Lease, progress: Progress) -> Result<(), QueueError> {
        self.write(move |tx| op::set_progress(tx, lease, &progress)).await
    }

    /// Records an artifact of the run; one of the same name is replaced.
    ///
    /// # Errors
    /// [`QueueError::Fenced`], [`QueueError::Full`].
    pub async fn record_artifact(&self, lease: Lease, artifact: Artifact) -> Result<(), QueueError> {
        self.write(move |tx| op::record_artifact(tx, lease, &artifact)).await
    }

    /// Reserves what a machine of the run costs at most, unless that goes over a ceiling.
    ///
    /// # Errors
    /// [`QueueError::Fenced`].
    pub async fn reserve(&self, lease: Lease, spending: Spending) -> Result<Reserved, QueueError> {
        self.write(move |tx| op::reserve(tx, lease, &spending)).await
    }

    /// Says that a machine of the run is gone, or never was there: what was reserved for it and not used is free again.
    ///
    /// # Errors
    /// [`QueueError::Fenced`].
    pub async fn settle(&self, lease: Lease, machine: &str, existed: bool) -> Result<(), QueueError> {
        let machine = machine.to_owned();
        self.write(move |tx| op::settle(tx, lease, &machine, existed)).await
    }

    /// Ends the leases that have run out, as each claim does: for a service whose workers are all busy.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tend(&self) -> Result<(), QueueError> {
        self.write(op::tend).await
    }
}

/// For servers that share the queue, and files by it.
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

/// For those who look.
impl Queue {
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn job(&self, job: JobId) -> Result<Job, QueueError> {
        self.read(move |tx| op::job(tx, job)).await
    }

    /// Waits until the job has ended.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn ended(&self, id: JobId) -> Result<Job, QueueError> {
        let mut changes = self.changes();
        loop {
            let job = self.job(id).await?;
            if job.state.has_ended() {
                return Ok(job);
            }
            drop(timeout(PATIENCE, changes.wait()).await);
        }
    }

    /// Jobs that match, the newest first, at most so many; the next page begins before the last one of this.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(&self, filter: Filter, before: Option<JobId>, most: u32) -> Result<Vec<Job>, QueueError> {
        self.read(move |tx| op::list(tx, &filter, before, most)).await
    }

    /// The attempts of a job, the first one first.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>, QueueError> {
        self.read(move |tx| op::attempts(tx, job)).await
    }

    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn input(&self, job: JobId) -> Result<Vec<u8>, QueueError> {
        self.read(move |tx| op::input(tx, job)).await
    }

    /// What the job answered; none before it has succeeded.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn result(&self, job: JobId) -> Result<Option<Vec<u8>>, QueueError> {
        self.read(move |tx| op::result(tx, job)).await
    }

    /// Entries of a run's journal in their order, from this one on.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn journal(&self, job: JobId, run: Run, from: u64, most: u32) -> Result<Vec<Recorded>, QueueError> {
        self.read(move |tx| op::journal(tx, job, run, from, most)).await
    }

    /// Lines of a job's log in their order, from this one on.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn log(&self, job: JobId, from: u64, most: u32) -> Result<Vec<Logged>, QueueError> {
        self.read(move |tx| op::log(tx, job, from, most)).await
    }

    /// The artifacts of a job, by run and name.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn artifacts(&self, job: JobId) -> Result<Vec<(Run, Artifact)>, QueueError> {
        self.read(move |tx| op::artifacts(tx, job)).await
    }

    /// What the machines of a job have cost, or may yet, by run.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn spent(&self, job: JobId) -> Result<Vec<Spent>, QueueError> {
        self.read(move |tx| op::spent(tx, job)).await
    }

    /// Of these places, those where no artifact of any job lies.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn unused(&self, places: Vec<String>) -> Result<Vec<String>, QueueError> {
        self.read(move |tx| op::unused(tx, &places)).await
    }

    /// How many jobs there are by name and state, at a cost that does not depend on how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn counts(&self) -> Result<Vec<Count>, QueueError> {
        self.read(op::counts).await
    }

    /// When the queued job of each name that was submitted first was submitted, at a cost that does not depend on how many wait.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn oldest_queued(&self) -> Result<Vec<(JobName, Timestamp)>, QueueError> {
        self.read(op::oldest_queued).await
    }

    /// Tells when something has changed, in this process or another one.
    pub fn changes(&self) -> Changes {
        let changes = self.wake.changes();
        self.writer.look();
        changes
    }

    /// What is wrong with the tables, in words; reads all of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn check(&self) -> Result<Vec<&'static str>, QueueError> {
        self.read(op::check).await
    }
}

/// How long those who wait do not look by themselves.
const PATIENCE: Duration = Duration::from_secs(5);

fn start(
    connection: impl crate::sql::Connection + 'static,
    mode: Mode,
    settings: &Arc<Settings>,
    wake: &Arc<Wake>,
) -> Result<Desk, QueueError> {
    Desk::start(connection, mode, settings.clone(), wake.clone()).map_err(|error| QueueError::Database(Arc::new(error)))
}

fn hand_back(tx: &mut Tx<'_>, claim: &Claim) -> Result<(), QueueError> {
    claim.jobs.iter().try_for_each(|job| op::finish(tx, job.lease, &Outcome::Released).map(drop))
}
