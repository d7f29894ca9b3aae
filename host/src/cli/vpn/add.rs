//! `stead vpn add`: somebody's laptop or phone becomes a peer.

use std::io::IsTerminal;

use clap::Args;

use super::qr::qr;
use crate::capability::vpn::{PublicKey, key_pair};
use crate::cli::{Context, When};
use crate::error::Failure;
use crate::exit::Exit;
use crate::repo::{Name, Repo, VPN_FILE};

/// Let a laptop or a phone into a mesh.
///
/// Writes its address and its public key to vpn.toml, and prints its configuration as wg-quick(8) and the WireGuard apps
/// read it. The private key is made here, shown this once, and stored nowhere. The next `stead apply` lets it in.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// What to call it: `anna-laptop`.
    name: Name,
    /// The mesh; the only one when there is one.
    #[arg(long, value_name = "MESH")]
    vpn: Option<String>,
    /// Its public key, when it has a key pair already: then nobody else ever sees the private key.
    #[arg(long, value_name = "KEY")]
    public_key: Option<PublicKey>,
    /// Whether to show the configuration as a QR code, too, on standard error.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    qr: When,
}

impl Add {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let mesh = repo.mesh(self.vpn.as_deref())?;
        let (private, public) = match self.public_key {
            Some(public) => (None, public),
            None => {
                let (private, public) = key_pair();
                (Some(private), public)
            }
        };
        let mut directory = repo.directory().clone();
        directory.add_peer(mesh, self.name.clone(), public)?;
        let client = mesh.client(&self.name, &directory, private.as_ref())?;
        directory.save(repo.folder())?;
        context.terminal.print(client.text.reveal());
        self.show_code(context, client.text.reveal());
        let mut said = String::new();
        for left_out in client.left_out {
            said.push_str(&format!("not in it: {left_out}\n"));
        }
        if private.is_some() {
            said.push_str("this is all that there is of its private key: it is stored nowhere\n");
        }
        said.push_str(&format!("commit {VPN_FILE}; the next `stead apply` to the hosts of {} lets it in\n", mesh.name));
        context.terminal.say(&said);
        Ok(Exit::Done)
    }

    fn show_code(&self, context: &Context, text: &str) {
        let wanted = match self.qr {
            When::Auto => std::io::stderr().is_terminal(),
            When::Always => true,
            When::Never => false,
        };
        if wanted {
            let code = qr(text, context.terminal.side);
            context.terminal.say(&code.unwrap_or_else(|| "it is too long for a QR code\n".to_owned()));
        }
    }
}
