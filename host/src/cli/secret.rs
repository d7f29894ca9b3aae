//! `stead secret`: the secrets of the repo.

use std::io::{IsTerminal, Read};

use clap::Subcommand;
use zeroize::Zeroizing;

use super::{Context, prompt};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::repo::{Identity, Name, Repo, Secrets};
use crate::secret::Secret as Hidden;

/// Set, list and remove the secrets of the repo.
///
/// The file is encrypted with age for the recipients under `[secrets]` in stead.toml, or for you alone. It is opened by
/// the key that STEAD_IDENTITY names, else ~/.config/stead/identity, else ~/.ssh/id_ed25519.
#[derive(Debug, Subcommand)]
pub(super) enum Secret {
    /// Set a secret: asks for it, or reads standard input, of which one line break at the end is dropped.
    Set {
        /// Its name, as policies and grants say it.
        name: Name,
    },
    /// List the names.
    Ls,
    /// Remove a secret.
    Rm {
        /// Its name.
        name: String,
    },
    /// Encrypt the file anew, after the recipients in stead.toml have changed.
    ///
    /// Whoever could open the old file still knows what was in it: change the secrets themselves, too.
    Rekey,
    /// Make a key of your own, and print the recipient to be put under `[secrets]`.
    Keygen,
}

impl Secret {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if let Self::Keygen = self {
            return keygen(context);
        }
        let repo = Repo::open(&context.repo)?;
        let identity = Identity::find(&Identity::places(), prompt::hidden)?;
        let mut secrets = Secrets::open(&repo, &identity)?;
        match self {
            Self::Set { name } => {
                let value = value(&name)?;
                secrets.set(name, value);
            }
            Self::Rm { name } => secrets.remove(&name)?,
            Self::Ls => {
                let names: String = secrets.names().map(|name| format!("{name}\n")).collect();
                context.terminal.print(&names);
                return Ok(Exit::Done);
            }
            Self::Rekey | Self::Keygen => {}
        }
        secrets.save(&identity)?;
        Ok(Exit::Done)
    }
}

fn keygen(context: &Context) -> Result<Exit, Failure> {
    let places = Identity::places();
    let path = places.first().cloned().unwrap_or_default();
    let recipient = Identity::create(&path)?;
    context.terminal.say(&format!("your key is {}; keep a copy of it\n", path.display()));
    context.terminal.print(&format!("{recipient}\n"));
    Ok(Exit::Done)
}

fn value(name: &Name) -> Result<Hidden<String>, Failure> {
    let wrong = |message: &str| Failure::new(Blame::Operator, Exit::Usage, &message);
    if std::io::stdin().is_terminal() {
        let first = prompt::hidden(&format!("{name}")).ok_or_else(|| wrong("nothing was said"))?;
        let again = prompt::hidden(&format!("{name}, again")).ok_or_else(|| wrong("nothing was said"))?;
        return if first == again { Ok(first) } else { Err(wrong("the two are not the same")) };
    }
    let mut text = Zeroizing::new(String::new());
    // Its own error would not show the value, but says nothing of use either.
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|_| wrong("standard input cannot be read, or is not UTF-8"))?;
    let value = text.strip_suffix('\n').unwrap_or(&text);
    if value.is_empty() {
        return Err(wrong("standard input is empty").help("`stead secret rm NAME` removes a secret"));
    }
    Ok(Hidden::new(value.to_owned()))
}
