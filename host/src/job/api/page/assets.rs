//! The files of the page: a style sheet, a script, an icon. They are in the program, and their address changes with them.

use std::sync::LazyLock;

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use sha2::{Digest, Sha256};

use super::super::artifacts::{is_among, put};
use super::super::body::{Answer, text};
use super::super::call::Call;
use super::super::problem::Problem;

/// A file that comes with the program.
#[derive(Debug)]
pub(super) struct Asset {
    path: &'static str,
    media: &'static str,
    content: &'static str,
    digest: LazyLock<String>,
}

macro_rules! asset {
    ($name:ident, $file:literal, $media:literal) => {
        pub(super) static $name: Asset = Asset {
            path: concat!("/", $file),
            media: $media,
            content: include_str!(concat!("assets/", $file)),
            digest: LazyLock::new(|| hex::encode(&Sha256::digest(include_str!(concat!("assets/", $file)))[..8])),
        };
    };
}

asset!(STYLE, "style.css", "text/css; charset=utf-8");
asset!(SCRIPT, "live.js", "text/javascript; charset=utf-8");
asset!(ICON, "icon.svg", "image/svg+xml");

impl Asset {
    /// Where it is, as it is now.
    pub(super) fn address(&self) -> String {
        format!("{}?{}", self.path, *self.digest)
    }

    fn answer(&self, call: &Call) -> Answer {
        let tag = format!("\"{}\"", *self.digest);
        let is_known = call.header(&IF_NONE_MATCH).is_some_and(|known| is_among(known, &tag));
        let (status, content) = if is_known { (StatusCode::NOT_MODIFIED, "") } else { (StatusCode::OK, self.content) };
        let mut answer = text(status, self.media, content);
        // At an address of another digest there is another file.
        let is_current = call.head.uri.query() == Some(self.digest.as_str());
        let kept = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(kept));
        put(&mut answer, ETAG, &tag);
        answer
    }
}

pub(super) async fn style(call: Call) -> Result<Answer, Problem> {
    Ok(STYLE.answer(&call))
}

pub(super) async fn script(call: Call) -> Result<Answer, Problem> {
    Ok(SCRIPT.answer(&call))
}

pub(super) async fn icon(call: Call) -> Result<Answer, Problem> {
    Ok(ICON.answer(&call))
}
