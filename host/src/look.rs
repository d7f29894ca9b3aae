//! What a host is like right now, for whoever only watches: a picture of bounded size, taken on the host itself.
//!
//! It is not a fact: no plan depends on it. What could not be seen says why, and nothing is made up in its place. It holds
//! no secret, as plans and listings hold none.

use serde::{Deserialize, Serialize};

use crate::backup::State;
use crate::capability::compose::App;
use crate::capability::firewall::{Door, Section};
use crate::capability::vpn::Tunnel;
use crate::journal::Run;
use crate::plan::{Colour, Plan, render};

/// The most text of a plan that is kept for show.
const MOST: usize = 256 << 10;

/// A part of it, or why that part cannot be seen.
pub type Part<T> = Result<T, String>;

/// All that was seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Look {
    /// When, in milliseconds since 1970, by the clock of the host.
    pub at: i64,
    /// The version of stead there.
    pub version: String,
    pub revision: Option<AtRevision>,
    /// `apply by alice@laptop`.
    pub at_work: Option<String>,
    pub apps: Part<Vec<App>>,
    pub firewall: Part<Rules>,
    pub tunnels: Part<Vec<Tunnel>>,
    /// Of a host with a stead that did not tell, none.
    #[serde(default)]
    pub backups: Vec<State>,
    /// The last runs, the newest first.
    pub runs: Vec<Run>,
    /// The plan of the newest of them, as text.
    pub last_plan: Option<String>,
}

/// The revision that it is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtRevision {
    pub id: u64,
    pub commit: Option<String>,
    /// Milliseconds since 1970.
    pub at: i64,
    pub policies: Vec<String>,
}

/// What the last revision says of the firewall, and who listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    pub sections: Vec<Section>,
    pub doors: Vec<Door>,
}

/// A plan as people read it; of one that is too long, the beginning.
pub fn shown(plan: &Plan) -> String {
    let mut text = render(plan, Colour::Never);
    if text.len() > MOST {
        let end = (0..=MOST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(text[..end].rfind('\n').map_or(end, |line| line + 1));
        text.push_str("… and more, which is too long to be shown here\n");
    }
    text
}
