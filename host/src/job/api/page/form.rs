//! What a form sends, and that it was sent from a page of ours.

use hyper::StatusCode;
use hyper::header::{HOST, HeaderName, ORIGIN};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use super::super::call::Call;
use super::super::problem::Problem;

/// The most that a form has.
const MOST: usize = 8 << 10;
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the form says.
///
/// # Errors
/// When it is none, too large, or comes from another site.
pub(super) async fn read<T: DeserializeOwned>(call: &mut Call) -> Result<T, Problem> {
    if !is_ours(call) {
        return Err(forged());
    }
    let bytes = call.bytes("application/x-www-form-urlencoded", MOST).await?;
    serde_urlencoded::from_bytes(&bytes).map_err(|_| Problem::invalid("this is not what the form sends"))
}

/// Only that somebody who has logged in sent it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Proved {
    proof: String,
}

/// Makes sure that the form was on a page of this session.
///
/// # Errors
/// When it was not.
pub(super) async fn prove(call: &mut Call) -> Result<(), Problem> {
    let said: Proved = read(call).await?;
    let session = call.session.as_ref().ok_or_else(super::logged_out)?;
    let is_right = bool::from(session.proof.as_bytes().ct_eq(said.proof.as_bytes()));
    if is_right { Ok(()) } else { Err(forged()) }
}

/// A browser says from what site a request comes, in one way or the other; what is no browser has no cookie to abuse.
fn is_ours(call: &Call) -> bool {
    if let Some(site) = call.header(&SITE) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = call.header(&ORIGIN) else { return true };
    let place = origin.split_once("://").map(|(_, place)| place);
    place.is_some() && place == call.header(&HOST)
}

fn forged() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "forged",
        "the form does not come from a page of this session: load that page again",
    )
}
