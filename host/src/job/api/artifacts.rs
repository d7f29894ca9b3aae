//! The files that a job has left.

use std::ops::Range;
use std::path::Path;

use futures::stream::unfold;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH,
    IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Response, StatusCode};
use stead_queue::Artifact;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};

use super::body::{Answer, Body, json, of_type, stream, whole};
use super::call::Call;
use super::problem::Problem;
use super::range::{Wanted, wanted};
use super::view::Artifacts;

const PIECE: usize = 64 << 10;

/// List the files that a job has left.
#[utoipa::path(get, path = "/v1/jobs/{job}/artifacts", tag = "artifacts",
    params(("job" = u64, Path, description = "Its number")),
    responses((status = 200, description = "Those of its last run", body = Artifacts), super::document::Problems),
    security(("token" = ["read"])))]
pub(super) async fn list(call: Call) -> Result<Answer, Problem> {
    let artifacts = of_last_run(&call).await?;
    Ok(json(StatusCode::OK, &Artifacts { artifacts: artifacts.iter().map(Into::into).collect() }))
}

pub(super) async fn of_last_run(call: &Call) -> Result<Vec<Artifact>, Problem> {
    let job = call.job().await?;
    let all = call.api.service.store.queue.artifacts(job.id).await?;
    Ok(all.into_iter().filter(|(run, _)| *run == job.run).map(|(_, artifact)| artifact).collect())
}

/// Download a file that a job has left.
#[utoipa::path(get, path = "/v1/jobs/{job}/artifacts/{name}", tag = "artifacts",
    params(("job" = u64, Path, description = "Its number"), ("name" = String, Path, description = "The file"),
        ("Range" = Option<String>, Header, description = "One range of bytes."),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what one has.")),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of it", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "One has it already"),
        super::document::Problems),
    security(("token" = ["read"])))]
pub(super) async fn download(call: Call) -> Result<Answer, Problem> {
    let name = call.arguments.get(1).map_or("", String::as_str);
    let found = of_last_run(&call).await?.into_iter().find(|artifact| artifact.name.as_str() == name);
    let artifact = found.ok_or_else(|| Problem::not_found("the job has left no file of this name"))?;
    let tag = format!("\"{}\"", hex::encode(artifact.digest));
    if call.header(&IF_NONE_MATCH).is_some_and(|known| is_among(known, &tag)) {
        let mut same = Response::new(whole(""));
        *same.status_mut() = StatusCode::NOT_MODIFIED;
        put(&mut same, ETAG, &tag);
        return Ok(same);
    }
    // A part of another content would be put together with what the client has.
    let is_same = call.header(&IF_RANGE).is_none_or(|known| known == tag);
    let range = call.header(&RANGE).filter(|_| is_same);
    let found = call.api.service.store.fetch(&artifact.place).await;
    let path =
        found.ok().flatten().ok_or_else(|| Problem::not_found("the file is on no server that can be reached"))?;
    let wanted = wanted(range, artifact.size);
    let mut answer = match wanted.clone() {
        Wanted::All => of_type(StatusCode::OK, MEDIA, open(&call, &path, 0..artifact.size).await?),
        Wanted::Part(part) => of_type(StatusCode::PARTIAL_CONTENT, MEDIA, open(&call, &path, part).await?),
        Wanted::Nothing => {
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", "the file is shorter");
            return Err(problem.with(CONTENT_RANGE, &format!("bytes */{}", artifact.size)));
        }
    };
    let length = match wanted {
        Wanted::Part(part) => {
            put(&mut answer, CONTENT_RANGE, &format!("bytes {}-{}/{}", part.start, part.end - 1, artifact.size));
            part.end - part.start
        }
        _ => artifact.size,
    };
    put(&mut answer, CONTENT_LENGTH, &length.to_string());
    put(&mut answer, ETAG, &tag);
    put(&mut answer, ACCEPT_RANGES, "bytes");
    // The name of an artifact has no quotes.
    put(&mut answer, CONTENT_DISPOSITION, &format!("attachment; filename=\"{}\"", artifact.name));
    put(&mut answer, X_CONTENT_TYPE_OPTIONS, "nosniff");
    Ok(answer)
}

const MEDIA: &str = "application/octet-stream";

pub(super) fn put(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

pub(super) fn is_among(known: &str, tag: &str) -> bool {
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// The bytes of a file, read as the client takes them.
async fn open(call: &Call, path: &Path, part: Range<u64>) -> Result<Body, Problem> {
    if call.head.method == Method::HEAD {
        return Ok(whole(""));
    }
    // It may have been cleaned away just now.
    let not_here = |_| Problem::not_found("the file is not here any more");
    let mut file = File::open(path).await.map_err(not_here)?;
    file.seek(SeekFrom::Start(part.start)).await.map_err(not_here)?;
    let pieces = unfold((file, part.end - part.start), |(mut file, left)| async move {
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; most];
        match file.read(&mut piece).await {
            _ if most == 0 => None,
            // Fewer bytes than were promised: the client sees the connection break.
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(Bytes::from(piece)), (file, left - read as u64)))
            }
            Err(error) => Some((Err(error), (file, 0))),
        }
    });
    Ok(stream(pieces))
}
