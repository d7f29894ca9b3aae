//! Requests to other hosts.

use std::sync::Arc;

use http::HeaderMap;

use super::{JobDoor, name, unkept};
use crate::job::files::FileError;
use crate::job::machines::Trouble;
use crate::job::mask::Masks;
use crate::job::requests::{self, Prepared};
use crate::job::vault::told;
use crate::policy::job::http::{Request, Response, Value};
use crate::policy::job::{Answer, Content, Failure};

/// The most that is sent.
const SENT: u64 = 64 << 20;

impl JobDoor {
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, Trouble> {
        let (prepared, scope, masks) = self.prepare(request).await?;
        let response = self.http.send(prepared, &scope, async |body| body.whole().await).await?;
        Ok(Answer::Response(hidden(response, &masks)))
    }

    pub(super) async fn fetch(&mut self, request: &Request, artifact: &str) -> Result<Answer, Trouble> {
        name(artifact)?;
        let (prepared, scope, masks) = self.prepare(request).await?;
        let room = self.files.room().map_err(unkept)?;
        let most = scope.size();
        let response = self.http.send(prepared, &scope, async |body| body.into_file(&room, most).await).await?;
        if (200..300).contains(&response.status) {
            let kept = self.keep_file(&room).map_err(unkept)?;
            self.keep(artifact, kept).await?;
        }
        Ok(Answer::Response(hidden(response, &masks)))
    }

    /// Checks a request, and puts secrets and artifacts into it.
    async fn prepare(&self, request: &Request) -> Result<(Prepared, Arc<requests::Scope>, Masks), Failure> {
        // A policy that imports `http` without a grant does not load.
        let none = || Failure::Other("no host is granted to this job".to_owned());
        let scope = self.requests.clone().ok_or_else(none)?;
        let (url, timeout) = (requests::parse(&request.url)?, requests::time(request.timeout)?);
        scope.check(&url, request.method).map_err(|denied| told(&denied, &self.policy))?;
        let (mut headers, mut private, masks) = (HeaderMap::new(), Vec::new(), Masks::default());
        for (name, value) in &request.headers {
            let (text, is_secret) = match value {
                Value::Text(text) => (text.clone(), false),
                Value::Secret { prefix, name } => {
                    scope.check_secret(name, &url, &self.policy)?;
                    let values = self.vault.open(std::slice::from_ref(name)).await?;
                    values.iter().for_each(|value| masks.add(value));
                    let value: String = values.iter().map(|value| value.reveal().trim_end().to_owned()).collect();
                    (format!("{prefix}{value}"), true)
                }
            };
            let (name, mut value) = requests::header(name, &text)?;
            value.set_sensitive(is_secret);
            if is_secret || requests::says_who(&name) {
                private.push(name.clone());
            }
            headers.append(name, value);
        }
        let body = self.body(request.body.as_ref()).await?.into();
        Ok((Prepared { method: request.method, url, headers, private, body, timeout }, scope, masks))
    }

    async fn body(&self, content: Option<&Content>) -> Result<Vec<u8>, Failure> {
        let name = match content {
            None => return Ok(Vec::new()),
            Some(Content::Bytes(bytes)) => return Ok(bytes.clone()),
            Some(Content::Artifact(name)) => name,
        };
        let path = self.artifact(name).await?;
        let unread = |source| Failure::Other(FileError { path: path.clone(), source }.to_string());
        let size = path.metadata().map_err(unread)?.len();
        if size > SENT {
            return Err(Failure::TooLarge(format!("{name} has {size} bytes, and at most {SENT} are sent")));
        }
        std::fs::read(&path).map_err(unread)
    }
}

/// Without the secrets of the request: an answer that repeats them goes into the journal.
fn hidden(mut response: Response, masks: &Masks) -> Response {
    masks.hide(&mut response.body);
    for (_, value) in &mut response.headers {
        let mut bytes = std::mem::take(value).into_bytes();
        masks.hide(&mut bytes);
        *value = String::from_utf8_lossy(&bytes).into_owned();
    }
    response
}
