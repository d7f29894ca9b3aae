//! Runs a case: a text whose lines say what is done and what is to be answered.
//!
//! `claim w 2 = b c` claims two jobs as `w` and expects those that were submitted as `b` and `c`. Without `=` an answer other
//! than `ok` is wrong. A worker's write names job and attempt: `finish a.1 succeeded = succeeded`. Times are in seconds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use stead_queue::*;

use crate::clock::TestClock;
use crate::words::Words;

pub(crate) struct Script {
    pub(crate) queue: Queue,
    pub(crate) clock: Arc<TestClock>,
    jobs: BTreeMap<String, JobId>,
}

impl Script {
    pub(crate) fn new(queue: Queue, clock: Arc<TestClock>) -> Self {
        Self { queue, clock, jobs: BTreeMap::new() }
    }

    /// # Errors
    /// With the line that was answered otherwise.
    pub(crate) async fn run(&mut self, text: &str) -> Result<()> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (command, expected) = line.split_once(" = ").unwrap_or((line, "ok"));
            let answer = self.line(&Words::of(command)).await.with_context(|| format!("line {}", number + 1))?;
            let answer = if answer.is_empty() { "none".to_owned() } else { answer };
            ensure!(answer == expected, "line {}: {line}\nanswered: {answer}", number + 1);
        }
        let wrong = self.queue.check().await?;
        ensure!(wrong.is_empty(), "{wrong:?}");
        Ok(())
    }

    async fn line(&mut self, words: &Words<'_>) -> Result<String> {
        match self.command(words).await {
            Err(error) => match error.downcast::<QueueError>() {
                Ok(refusal) => refused(refusal),
                Err(error) => Err(error),
            },
            answer => answer,
        }
    }

    async fn command(&mut self, words: &Words<'_>) -> Result<String> {
        match words.command() {
            "submit" => self.submit(words).await,
            "claim" => self.claim(words).await,
            "wait" => {
                self.clock.advance(words.seconds(0)?);
                Ok(ok())
            }
            "set-clock" => {
                self.clock.set(words.at(0)?.parse()?);
                Ok(ok())
            }
            "reboot" => {
                self.clock.reboot();
                Ok(ok())
            }
            "tend" => {
                self.queue.tend().await?;
                Ok(ok())
            }
            "limit" => self.limit(words).await,
            "due" => self.due(words).await,
            "oldest" => self.oldest().await,
            "renew" | "finish" | "log" | "entry" | "artifact" | "progress" | "reserve" | "settle" => {
                self.worker(words).await
            }
            "cancel" => Ok(match self.queue.cancel(self.job(words.at(0)?)?).await? {
                Cancelled::AtOnce => "at-once".to_owned(),
                Cancelled::Asked => "asked".to_owned(),
                Cancelled::TooLate(state) => format!("too-late {state}"),
            }),
            "retry" => {
                self.queue.retry(self.job(words.at(0)?)?).await?;
                Ok(ok())
            }
            "prune" => {
                let pruned = self.queue.prune(words.seconds(0)?, words.at(1)?.parse()?).await?;
                Ok(self.labels(pruned.jobs))
            }
            "prune-beyond" => {
                let Pruned { jobs, is_done } =
                    self.queue.prune_beyond(words.at(0)?.parse()?, words.at(1)?.parse()?).await?;
                Ok(self.labels(jobs) + if is_done { "" } else { " more" })
            }
            _ => self.look(words).await,
        }
    }

    async fn submit(&mut self, words: &Words<'_>) -> Result<String> {
        let label = words.at(0)?;
        let name = JobName::new(words.option("name").unwrap_or("predict"))?;
        let mut job = Submission::new(name, words.option("input").unwrap_or(label));
        job.priority = words.number("priority")?.unwrap_or_default();
        job.key = words.option("key").map(IdempotencyKey::new).transpose()?;
        job.timeout = words.number("timeout")?.map(Duration::from_secs);
        job.not_before = words.number("delay")?.map(|delay| self.clock.read().wall.after(Duration::from_secs(delay)));
        job.most_attempts = words.number("attempts")?.unwrap_or(job.most_attempts);
        if let Some(key) = words.option("concurrency") {
            let most = words.number("most")?.context("most=?")?;
            job.concurrency = Some(Concurrency { key: ConcurrencyKey::new(key)?, most });
        }
        let Submitted { job, is_new } = self.queue.submit(job).await?;
        if !is_new {
            return Ok(format!("same {}", self.labels([job])));
        }
        self.jobs.insert(label.to_owned(), job);
        Ok(ok())
    }

    async fn due(&mut self, words: &Words<'_>) -> Result<String> {
        let (schedule, label) = (Timed::new(words.at(0)?, words.option("rule").unwrap_or("daily"))?, words.at(1)?);
        let ago = Duration::from_secs(words.number("ago")?.unwrap_or_default());
        let mut job = Submission::new(JobName::new("predict")?, label);
        job.key = words.option("key").map(IdempotencyKey::new).transpose()?;
        let due = self.clock.read().wall.before(ago);
        let Some(submitted) = self.queue.submit_due(schedule, due, job).await? else { return Ok(String::new()) };
        self.jobs.insert(label.to_owned(), submitted.job);
        Ok(ok())
    }

    async fn oldest(&mut self) -> Result<String> {
        let now = self.clock.read().wall;
        let oldest = self.queue.oldest_queued().await?;
        let age = |(name, at): &(JobName, Timestamp)| format!("{name} {}", at.until(now).as_secs());
        Ok(oldest.iter().map(age).collect::<Vec<_>>().join(" "))
    }

    async fn claim(&mut self, words: &Words<'_>) -> Result<String> {
        let most = words.at(1).unwrap_or("1").parse()?;
        let Claim { jobs, next } = self.queue.claim(&WorkerName::new(words.at(0)?)?, most).await?;
        for job in &jobs {
            ensure!(job.lasts == Duration::from_secs(30), "{job:?}");
            ensure!(job.input == self.queue.input(job.lease.job()).await?, "another job's input");
        }
        let labels = self.labels(jobs.iter().map(|job| job.lease.job()));
        let next = next.map(|next| format!("{}next={}", if labels.is_empty() { "" } else { " " }, next.as_secs_f64()));
        Ok(labels + &next.unwrap_or_default())
    }

    async fn limit(&mut self, words: &Words<'_>) -> Result<String> {
        let key = words.option("concurrency").map(ConcurrencyKey::new).transpose()?;
        self.queue.set_limit(JobName::new(words.at(0)?)?, key, words.number("most")?).await?;
        Ok(ok())
    }

    async fn worker(&mut self, words: &Words<'_>) -> Result<String> {
        let (label, attempt) = words.at(0)?.split_once('.').context("JOB.ATTEMPT")?;
        let lease = Lease::of(self.job(label)?, attempt.parse()?);
        match words.command() {
            "renew" => {
                let Renewed { lasts, is_cancelled } = self.queue.renew(lease).await?;
                Ok(format!("{}{}", lasts.as_secs(), if is_cancelled { " cancelled" } else { "" }))
            }
            "finish" => Ok(self.queue.finish(lease, outcome(words)?).await?.to_string()),
            "log" => {
                let line = |text: &str| Line { stream: Stream::Stdout, text: text.into() };
                let lines = words.rest(2).iter().map(|text| line(text)).collect();
                Ok(self.queue.append_log(lease, words.at(1)?.parse()?, lines).await?.to_string())
            }
            "entry" => {
                self.queue.append_entry(lease, entry(words)?).await?;
                Ok(ok())
            }
            "progress" => {
                let message = words.rest(2).join(" ");
                self.queue.set_progress(lease, Progress { permille: words.at(1)?.parse()?, message }).await?;
                Ok(ok())
            }
            "reserve" => self.reserve(lease, words).await,
            "settle" => {
                self.queue.settle(lease, words.at(1)?, words.at(2).is_err()).await?;
                Ok(ok())
            }
            _ => {
                let (name, place) = (ArtifactName::new(words.at(1)?)?, words.at(2)?.to_owned());
                let artifact = Artifact { name, size: place.len() as u64, digest: [7; 32], place };
                self.queue.record_artifact(lease, artifact).await?;
                Ok(ok())
            }
        }
    }

    async fn reserve(&mut self, lease: Lease, words: &Words<'_>) -> Result<String> {
        let micros_per_hour = words.number("rate")?.unwrap_or(3600);
        let spending = Spending {
            machine: words.at(1)?.to_owned(),
            currency: words.option("currency").unwrap_or("EUR").to_owned(),
            micros: words.at(2)?.parse()?,
            micros_per_hour,
            most_per_job: words.number("job")?,
            most_per_day: words.number("day")?,
        };
        Ok(match self.queue.reserve(lease, spending).await? {
            Reserved::Yes => ok(),
            Reserved::OverJob { spent } => format!("over-job {spent}"),
            Reserved::OverDay { spent } => format!("over-day {spent}"),
        })
    }

    async fn look(&mut self, words: &Words<'_>) -> Result<String> {
        match words.command() {
            "state" => Ok(shown(&self.queue.job(self.job(words.at(0)?)?).await?)),
            "result" => {
                let result = self.queue.result(self.job(words.at(0)?)?).await?;
                Ok(result.map_or("none".to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned()))
            }
            "attempts" => {
                let all = self.queue.attempts(self.job(words.at(0)?)?).await?;
                let one = |one: &Attempt| {
                    let how = one.ended.as_ref().map_or("running".to_owned(), |ended| ended.how.to_string());
                    format!("{}:{}:{how}", one.run.number(), one.worker)
                };
                Ok(all.iter().map(one).collect::<Vec<_>>().join(" "))
            }
            "lines" => {
                let lines =
                    self.queue.log(self.job(words.at(0)?)?, words.at(1)?.parse()?, words.at(2)?.parse()?).await?;
                let one = |one: &Logged| format!("{}:{}", one.number, String::from_utf8_lossy(&one.line.text));
                Ok(lines.iter().map(one).collect::<Vec<_>>().join(" "))
            }
            "journal" => {
                let job = self.job(words.at(0)?)?;
                let run = self.queue.job(job).await?.run;
                let all = self.queue.journal(job, run, words.at(1)?.parse()?, 100).await?;
                let one = |one: &Recorded| {
                    let Entry { sequence, phase, call, answer, .. } = &one.entry;
                    format!("{}:{sequence}:{phase}:{call}:{}", one.attempt, String::from_utf8_lossy(answer))
                };
                Ok(all.iter().map(one).collect::<Vec<_>>().join(" "))
            }
            "artifacts" => {
                let all = self.queue.artifacts(self.job(words.at(0)?)?).await?;
                let one = |(run, one): &(Run, Artifact)| format!("{}:{}:{}", run.number(), one.name, one.place);
                Ok(all.iter().map(one).collect::<Vec<_>>().join(" "))
            }
            "spent" => {
                let all = self.queue.spent(self.job(words.at(0)?)?).await?;
                let one = |one: &Spent| {
                    let open = if one.is_settled { "" } else { ":open" };
                    format!("{}:{}:{}{}{open}", one.run.number(), one.machine, one.micros, one.currency)
                };
                Ok(all.iter().map(one).collect::<Vec<_>>().join(" "))
            }
            "unused" => {
                let places = words.rest(0).into_iter().map(ToOwned::to_owned).collect();
                Ok(self.queue.unused(places).await?.join(" "))
            }
            "counts" => {
                let one = |one: &Count| format!("{}:{}:{}", one.name, one.state, one.jobs);
                Ok(self.queue.counts().await?.iter().map(one).collect::<Vec<_>>().join(" "))
            }
            "list" => {
                let filter = Filter {
                    name: words.option("name").map(JobName::new).transpose()?,
                    state: words.option("state").and_then(State::from_word),
                };
                let before = words.option("before").map(|label| self.job(label)).transpose()?;
                let found = self.queue.list(filter, before, words.number("most")?.unwrap_or(100)).await?;
                Ok(self.labels(found.iter().map(|job| job.id)))
            }
            unknown => bail!("{unknown} is no command"),
        }
    }

    fn job(&self, label: &str) -> Result<JobId> {
        match self.jobs.get(label) {
            Some(job) => Ok(*job),
            None => Ok(JobId::from_number(label.parse().context("no such label")?)),
        }
    }

    fn labels(&self, jobs: impl IntoIterator<Item = JobId>) -> String {
        let label = |job| self.jobs.iter().find(|(_, id)| **id == job).map_or("?", |(label, _)| label);
        let labels: Vec<_> = jobs.into_iter().map(label).collect();
        labels.join(" ")
    }
}

fn ok() -> String {
    "ok".to_owned()
}

fn outcome(words: &Words<'_>) -> Result<Outcome> {
    Ok(match words.at(1)? {
        "succeeded" => Outcome::Succeeded { result: words.at(2).unwrap_or_default().into() },
        "cancelled" => Outcome::Cancelled,
        "released" => Outcome::Released,
        cause => {
            Outcome::Failed { cause: Cause::from_word(cause).context("no such cause")?, message: "why".to_owned() }
        }
    })
}

fn entry(words: &Words<'_>) -> Result<Entry> {
    let phase = Phase::from_word(words.at(2)?).context("no such phase")?;
    let request = [words.at(3)?.len().try_into()?; 32];
    let answer = words.at(4)?.into();
    Ok(Entry { sequence: words.at(1)?.parse()?, phase, call: CallName::new(words.at(3)?)?, request, answer })
}

fn shown(job: &Job) -> String {
    let mut text = format!("{} tries={} run={}", job.state, job.tries, job.run.number());
    if let Some(progress) = &job.progress {
        text += &format!(" {}:{}", progress.permille, progress.message);
    }
    text
}

fn refused(error: QueueError) -> Result<String> {
    Ok(match error {
        QueueError::Fenced(_) => "fenced".to_owned(),
        QueueError::NoSuchJob(_) => "no-such-job".to_owned(),
        QueueError::KeyReused { .. } => "key-reused".to_owned(),
        QueueError::NotRetryable { state, .. } => format!("not-retryable {state}"),
        QueueError::TooLarge { what, .. } => format!("too-large {what}"),
        QueueError::Full { what, .. } => format!("full {what}"),
        QueueError::Gap { expected, .. } => format!("gap {expected}"),
        QueueError::Diverged { .. } => "diverged".to_owned(),
        QueueError::Name { what, .. } => format!("no-name {what}"),
        error => return Err(error.into()),
    })
}
