//! A file that a job left. Jobs run what anybody gave them, so a file may be anything: what is no picture by its name is never
//! shown, and nothing in one runs.

use hyper::StatusCode;
use hyper::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use stead_queue::Artifact;

use super::super::artifacts::{download, put};
use super::super::body::Answer;
use super::super::call::Call;
use super::super::problem::Problem;

/// No page, no script, no plug-in, no place of ours. What an SVG says of its own looks is let through.
const SANDBOX: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";
/// A browser would keep a larger picture in memory, many times its size.
const LARGEST: u64 = 20 << 20;

/// The kinds of pictures that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Picture {
    Png,
    Jpeg,
    Webp,
    Svg,
}

impl Picture {
    /// By the name of the file: a browser that is told not to sniff takes it for nothing else, whatever is in it.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "webp" => Some(Self::Webp),
            "svg" => Some(Self::Svg),
            _ => None,
        }
    }

    fn media(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// Whether it is small enough to be shown.
pub(super) fn is_shown(artifact: &Artifact) -> bool {
    artifact.size <= LARGEST
}

/// As the API gives it, and of a picture, what it is.
pub(super) async fn show(call: Call) -> Result<Answer, Problem> {
    let picture = call.arguments.get(1).and_then(|name| Picture::of(name));
    let mut answer = download(call).await?;
    put(&mut answer, CONTENT_SECURITY_POLICY, SANDBOX);
    let is_file = matches!(answer.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT);
    if let Some(picture) = picture.filter(|_| is_file) {
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(picture.media()));
        // An SVG is a document, too: as a picture on a page it runs nothing, by itself it is only kept.
        if picture != Picture::Svg {
            answer.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
        }
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::Picture;

    #[test]
    fn what_is_no_picture_by_its_name_is_none() {
        let known = ["plot.png", "a.b.JPG", "x.jpeg", "x.webp", "x.svg"].map(Picture::of);
        assert!(known.iter().all(Option::is_some));
        for name in ["plot", "png", "x.html", "x.svgz", "x.png.html", "x.gif", "x.xhtml", "x.pdf", ""] {
            assert_eq!(Picture::of(name), None, "{name}");
        }
    }
}
