//! Files that are handed over for jobs: written to the disk as they come, and known by their digest.

use std::io::Write;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::body::{Answer, json};
use super::call::Call;
use super::problem::Problem;
use super::view::FileView;
use crate::digest::Digest;
use crate::job::files::Files;

/// The largest file.
const MOST: u64 = 4 << 30;
/// How much of the disk is left to others.
const LEFT: u64 = 1 << 30;
/// How many are taken at once: each keeps the disk busy.
pub(super) const UPLOADS: usize = 8;
/// How long a client may send nothing.
const SILENCE: Duration = Duration::from_secs(20);

/// Hand over a file for a job that is submitted within the hour. Its digest, in `files` of the job, makes it an artifact of it.
#[utoipa::path(post, path = "/v1/files", tag = "jobs",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "Up to 4 GiB; none is an empty file."),
    responses((status = 201, description = "It is kept", body = FileView), super::document::Problems),
    security(("token" = ["submit"])))]
pub(super) async fn take(call: Call) -> Result<Answer, Problem> {
    let api = call.api.clone();
    let store = &api.service.store;
    let Ok(_turn) = api.uploads.try_acquire() else {
        return Err(Problem::unavailable("others are handing over files: try again"));
    };
    if call.body.size_hint().lower() > MOST {
        return Err(too_large());
    }
    let (digest, size) = write(call.body, &store.files).await?;
    store.share(&digest).await.map_err(|_| unkept())?;
    Ok(json(StatusCode::CREATED, &FileView::new(&digest, size)))
}

async fn write(mut body: Incoming, files: &Files) -> Result<(Digest, u64), Problem> {
    let room = files.room().map_err(|_| unkept())?;
    let mut file = std::fs::File::create(&room).map_err(|_| unkept())?;
    let (mut sha, mut size) = (Sha256::new(), 0_u64);
    loop {
        let frame = timeout(SILENCE, body.frame()).await;
        let frame = frame.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body did not come"))?;
        let Some(frame) = frame else { break };
        let Ok(bytes) = frame.map_err(|_| Problem::invalid("the body broke off"))?.into_data() else { continue };
        size += bytes.len() as u64;
        if size > MOST {
            return Err(too_large());
        }
        if !files.has_room(LEFT) {
            return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, "no-room", "the disk of the service is full"));
        }
        sha.update(&bytes);
        file.write_all(&bytes).map_err(|_| unkept())?;
        // Others have their turn between two pieces.
        tokio::task::yield_now().await;
    }
    let digest = Digest::from_hex(hex::encode(sha.finalize()));
    let (kept, files) = (digest.clone(), files.clone());
    let done = tokio::task::spawn_blocking(move || files.keep_room(&file, room, &kept)).await;
    done.map_err(|_| unkept())?.map_err(|_| unkept())?;
    Ok((digest, size))
}

fn too_large() -> Problem {
    Problem::too_large(format!("a file has at most {MOST} bytes"))
}

fn unkept() -> Problem {
    Problem::unavailable("the file cannot be kept now")
}
