//! The bodies of answers.

use std::io;

use futures::{Stream, TryStreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// A body that may come bit by bit.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;
pub(super) type Answer = Response<Body>;

/// All of it at once.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Bit by bit.
pub(super) fn stream(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    StreamBody::new(pieces.map_ok(Frame::data)).boxed_unsync()
}

/// A value as JSON, which nobody between us and the client is to keep.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    // Plain data with text for keys, which has a form in JSON.
    text(status, "application/json", serde_json::to_vec(value).unwrap_or_default())
}

/// Text of some type.
pub(super) fn text(status: StatusCode, media: &'static str, bytes: impl Into<Bytes>) -> Answer {
    of_type(status, media, whole(bytes))
}

pub(super) fn of_type(status: StatusCode, media: &'static str, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
