//! Jobs: submit, list, show, cancel, retry.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue, LOCATION};
use serde_json::Value;
use stead_queue::{Cancelled, Filter, IdempotencyKey, Job, JobId, JobName, Submission};

use super::body::{Answer, json};
use super::call::Call;
use super::problem::Problem;
use super::view::{AttemptView, Cancelling, JobDetails, JobView, Jobs, NewJob, Wanted};
use crate::digest::Digest;
use crate::job::{Input, Store};
use crate::repo::Scope;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST_PAGE: u32 = 1000;
const LONGEST_TIMEOUT: u32 = 365 * 86_400;
const MOST_ATTEMPTS: u32 = 1000;
pub(super) const MOST_FILES: usize = 100;
/// How many pages are looked through for a token that may see only some jobs, before the client is to ask again.
const PAGES: u32 = 10;

/// Queue a job; once, when it comes with an idempotency key.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", request_body = NewJob,
    params(("Idempotency-Key" = Option<String>, Header, max_length = 200, pattern = "^[!-~]([ -~]*[!-~])?$",
        description = "Submitting it twice with the same key and input submits it once.")),
    responses(
        (status = 201, description = "It waits for a worker", body = JobView, headers(("Location" = String))),
        (status = 200, description = "It had been submitted with this key before", body = JobView),
        super::document::Problems),
    security(("token" = ["submit"])))]
pub(super) async fn submit(call: Call) -> Result<Answer, Problem> {
    let key = match call.head.headers.get(IDEMPOTENCY_KEY) {
        None => None,
        Some(value) => {
            let text = value.to_str().map_err(|_| Problem::invalid("an idempotency key is of visible ASCII"))?;
            Some(IdempotencyKey::new(text)?)
        }
    };
    let (api, caller) = (call.api.clone(), call.caller.clone());
    let new: NewJob = call.json().await?;
    if !caller.is_some_and(|caller| caller.covers(Scope::Submit, new.policy.as_str())) {
        let detail = "the token may not submit jobs of this policy";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not-of-this-token", detail));
    }
    if !api.service.repo().policies().any(|policy| policy.name == new.policy) {
        return Err(Problem::new(StatusCode::NOT_FOUND, "no-such-policy", "there is no policy of this name"));
    }
    let attached = attached(&api.service.store, &new.files).await?;
    let submission = Submission { key, ..submission(new, attached)? };
    let submitted = api.service.store.queue.submit(submission).await?;
    let job = api.service.store.queue.job(submitted.job).await?;
    let status = if submitted.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut answer = json(status, &JobView::from(&job));
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/jobs/{}", job.id)) {
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

/// The files of a job, all of which were handed over.
async fn attached(store: &Store, files: &BTreeMap<String, String>) -> Result<BTreeMap<String, Digest>, Problem> {
    if files.len() > MOST_FILES {
        return Err(Problem::invalid(format!("a job has at most {MOST_FILES} files")));
    }
    let mut attached = BTreeMap::new();
    for (name, digest) in files {
        crate::job::artifact_name(name).map_err(Problem::invalid)?;
        if digest.len() != 64 || !digest.bytes().all(is_hex) {
            return Err(Problem::invalid(format!("files: {name}: a SHA-256 is 64 of 0-9a-f")));
        }
        let found = store.fetch(digest).await.map_err(|_| Problem::unavailable("the files do not answer"))?;
        if found.is_none() {
            let detail = format!("files: {name}: no file of this digest is kept: hand it over by POST /v1/files");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no-such-file", detail));
        }
        let digest = Digest::from_hex(digest.clone());
        // It may be old: from here on it is young again.
        store.renew(&digest).await.map_err(|_| Problem::unavailable("the files do not answer"))?;
        attached.insert(name.clone(), digest);
    }
    Ok(attached)
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn submission(new: NewJob, attached: BTreeMap<String, Digest>) -> Result<Submission, Problem> {
    let within = |what, value, most| match NonZeroU32::new(value).filter(|value| value.get() <= most) {
        Some(value) => Ok(value),
        None => Err(Problem::invalid(format!("{what} is 1 to {most}"))),
    };
    let most_attempts = within("attempts", new.attempts, MOST_ATTEMPTS)?;
    let timeout = within("timeout_seconds", new.timeout_seconds, LONGEST_TIMEOUT)?;
    let input = Input { input: new.input.to_string(), attached };
    let input = serde_json::to_vec(&input).map_err(|error| Problem::invalid(error.to_string()))?;
    Ok(Submission {
        priority: new.priority,
        timeout: Some(Duration::from_secs(timeout.get().into())),
        most_attempts,
        ..Submission::new(JobName::new(new.policy.as_str())?, input)
    })
}

/// List jobs, the newest first.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(Wanted),
    responses((status = 200, description = "A page of them", body = Jobs), super::document::Problems),
    security(("token" = ["read"])))]
pub(super) async fn list(call: Call) -> Result<Answer, Problem> {
    Ok(json(StatusCode::OK, &listed(&call, &call.query()?).await?))
}

/// Those that the token may touch.
pub(super) async fn listed(call: &Call, wanted: &Wanted) -> Result<Jobs, Problem> {
    let limit = page(wanted.limit)?;
    let filter = Filter {
        name: wanted.policy.as_ref().map(|name| JobName::new(name.as_str())).transpose()?,
        state: wanted.state.map(Into::into),
    };
    let mut before = wanted.before.map(JobId::from_number);
    let (mut jobs, mut next) = (Vec::new(), None);
    for _ in 0..PAGES {
        let listed = call.api.service.store.queue.list(filter.clone(), before, limit).await?;
        let is_last = listed.len() < limit as usize;
        for job in listed {
            before = Some(job.id);
            if jobs.len() < limit as usize && call.covers(job.name.as_str()) {
                jobs.push(JobView::from(&job));
                next = before;
            }
        }
        if is_last {
            next = next.filter(|_| jobs.len() == limit as usize && before != next);
            break;
        }
        if jobs.len() == limit as usize {
            break;
        }
        next = before;
    }
    Ok(Jobs { jobs, next: next.map(JobId::number) })
}

/// How many may be asked for at once.
pub(super) fn page(limit: u32) -> Result<u32, Problem> {
    match limit {
        1..=LONGEST_PAGE => Ok(limit),
        _ => Err(Problem::invalid(format!("limit is 1 to {LONGEST_PAGE}"))),
    }
}

/// Show a job, with its attempts and its result.
#[utoipa::path(get, path = "/v1/jobs/{job}", tag = "jobs", params(("job" = u64, Path, description = "Its number")),
    responses((status = 200, description = "The job", body = JobDetails), super::document::Problems),
    security(("token" = ["read"])))]
pub(super) async fn show(call: Call) -> Result<Answer, Problem> {
    Ok(json(StatusCode::OK, &details(&call).await?.1))
}

/// All that is known of the job that the path names.
pub(super) async fn details(call: &Call) -> Result<(Job, JobDetails), Problem> {
    let job = call.job().await?;
    let queue = &call.api.service.store.queue;
    let history: Vec<AttemptView> = queue.attempts(job.id).await?.iter().map(Into::into).collect();
    let result = queue.result(job.id).await?.map(|bytes| value(&bytes));
    let details = JobDetails { job: (&job).into(), history, result };
    Ok((job, details))
}

/// What a policy answers is mostly JSON, and else it is text.
fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// Cancel a job: it stops, and its machines are destroyed.
#[utoipa::path(post, path = "/v1/jobs/{job}/cancel", tag = "jobs", params(("job" = u64, Path, description = "Its number")),
    responses(
        (status = 200, description = "It will not run", body = Cancelling),
        (status = 202, description = "It runs, and will be stopped", body = Cancelling),
        super::document::Problems),
    security(("token" = ["cancel"])))]
pub(super) async fn cancel(call: Call) -> Result<Answer, Problem> {
    let job = call.job().await?;
    match call.api.service.store.queue.cancel(job.id).await? {
        Cancelled::AtOnce => Ok(json(StatusCode::OK, &Cancelling { done: true })),
        Cancelled::Asked => Ok(json(StatusCode::ACCEPTED, &Cancelling { done: false })),
        Cancelled::TooLate(state) => {
            let detail = format!("job {} is {state} already", job.id);
            Err(Problem::new(StatusCode::CONFLICT, "already-ended", detail))
        }
    }
}

/// Try a job again that has failed or is dead, from the beginning.
#[utoipa::path(post, path = "/v1/jobs/{job}/retry", tag = "jobs", params(("job" = u64, Path, description = "Its number")),
    responses((status = 200, description = "It waits for a worker", body = JobView), super::document::Problems),
    security(("token" = ["retry"])))]
pub(super) async fn retry(call: Call) -> Result<Answer, Problem> {
    let job = call.job().await?;
    let queue = &call.api.service.store.queue;
    queue.retry(job.id).await?;
    Ok(json(StatusCode::OK, &JobView::from(&queue.job(job.id).await?)))
}
