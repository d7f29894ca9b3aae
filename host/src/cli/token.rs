//! `stead token`: a new token for the API of `stead serve`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clap::Args;
use zeroize::Zeroizing;

use super::Context;
use crate::digest::Digest;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::repo::Name;

/// Make a token for the API and the page of `stead serve`, and show it once.
///
/// Prints it, and, to standard error, the lines for stead.toml, which hold its digest and not the token.
#[derive(Debug, Args)]
pub(super) struct Token {
    /// Whose it is.
    name: Name,
}

impl Token {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut bytes = Zeroizing::new([0; 32]);
        crate::random::fill(&mut *bytes).map_err(|error| Failure::new(Blame::Host, Exit::Unavailable, &error))?;
        // The beginning is what scanners for leaked secrets go by.
        let token = Zeroizing::new(format!("stead_{}", BASE64_URL_SAFE_NO_PAD.encode(*bytes)));
        let digest = Digest::public(token.as_bytes());
        context.terminal.say(&format!(
            "[serve.token.{}]\ndigest = \"sha256:{digest}\"\nscopes = [\"read\", \"submit\"]\njobs = [\"POLICY\"]\n",
            key(&self.name)
        ));
        context.terminal.print(&format!("{}\n", *token));
        Ok(Exit::Done)
    }
}

/// A dot would begin a table of its own.
fn key(name: &Name) -> String {
    if name.as_str().contains('.') { format!("\"{name}\"") } else { name.to_string() }
}
