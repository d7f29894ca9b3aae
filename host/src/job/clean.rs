//! Takes away what nobody wants to see any more: jobs that ended long ago, and contents of files that no job names. It never
//! touches what a job that waits, runs or can be tried again needs.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer};
use stead_queue::{Filter, Pruned};

use super::files::FileError;
use super::input::Input;
use super::service::{ServiceError, Store};

/// How many jobs one transaction deletes, and one page lists.
const PAGE: u32 = 200;
/// What was written so recently may be named in a moment.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// What is kept of jobs that have ended: `[retention]`. All of them, when it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Keep {
    /// Those that ended at most so long ago.
    #[serde(default, deserialize_with = "age")]
    pub age: Option<Duration>,
    /// At most so many, the last ones.
    #[serde(default)]
    pub count: Option<u64>,
}

/// What is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub jobs: usize,
    pub files: usize,
    pub bytes: u64,
}

impl Store {
    /// Deletes the jobs that are not kept, with all that they stored, and the contents that nobody names any more.
    ///
    /// # Errors
    /// When the queue or the folder fails; what was deleted by then is.
    pub async fn clean(&self, keep: Keep) -> Result<Cleaned, ServiceError> {
        self.clean_before(keep, SystemTime::now() - GRACE).await
    }

    /// The same, with files that were last written before this moment.
    ///
    /// # Errors
    /// As [`Store::clean`].
    pub async fn clean_before(&self, keep: Keep, written: SystemTime) -> Result<Cleaned, ServiceError> {
        let mut cleaned = Cleaned::default();
        if let Some(age) = keep.age {
            cleaned.jobs += until_done(async || self.queue.prune(age, PAGE).await).await?;
        }
        if let Some(count) = keep.count {
            cleaned.jobs += until_done(async || self.queue.prune_beyond(count, PAGE).await).await?;
        }
        // Listed before it is asked who names them: what comes meanwhile is not on the list.
        let old = self.files.written_before(written)?;
        let attached = self.attached().await?;
        self.clean_shared(GRACE, |place| attached.contains(place)).await?;
        let places = old.into_iter().filter(|place| !attached.contains(place)).collect();
        for place in self.queue.unused(places).await? {
            if let Some(bytes) = self.files.remove(&place, written)? {
                cleaned.files += 1;
                cleaned.bytes += bytes;
            }
        }
        Ok(cleaned)
    }

    /// The places of what jobs were given, also those that have ended: they can be tried again.
    async fn attached(&self) -> Result<BTreeSet<String>, ServiceError> {
        let (mut attached, mut before) = (BTreeSet::new(), None);
        loop {
            let page = self.queue.list(Filter::default(), before, PAGE).await?;
            let Some(last) = page.last() else { return Ok(attached) };
            before = Some(last.id);
            for job in &page {
                // One that was pruned meanwhile needs nothing.
                let Ok(input) = self.queue.input(job.id).await else { continue };
                let input = serde_json::from_slice::<Input>(&input).unwrap_or_default();
                attached.extend(input.attached.values().map(|digest| digest.as_str().to_owned()));
            }
        }
    }
}

async fn until_done<E>(mut prune: impl AsyncFnMut() -> Result<Pruned, E>) -> Result<usize, E> {
    let mut gone = 0;
    loop {
        let pruned = prune().await?;
        gone += pruned.jobs.len();
        if pruned.is_done {
            return Ok(gone);
        }
    }
}

fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |error| serde::de::Error::custom(format!("{text:?} is not a time such as \"30 days\": {error}"));
    humantime::parse_duration(&text).map(Some).map_err(wrong)
}

/// Whether a file was last written before this moment; `None`: it is not there.
pub(super) fn is_older(path: &Path, written: SystemTime) -> Result<Option<bool>, FileError> {
    let at = |source| FileError { path: path.to_owned(), source };
    match path.metadata().and_then(|facts| facts.modified()) {
        Ok(modified) => Ok(Some(modified < written)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(error)),
    }
}
