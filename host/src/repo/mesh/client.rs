//! The configuration of a laptop or a phone, as wg-quick(8) and the WireGuard apps read it.

use std::fmt::Write;

use super::{Directory, Members, Mesh, MeshError, here};
use crate::repo::Name;
use crate::secret::Secret;

/// A configuration, and which hosts are not in it.
#[derive(Debug)]
pub struct Client {
    /// Holds the private key when it was made here.
    pub text: Secret<String>,
    /// Each with the reason.
    pub left_out: Vec<String>,
}

impl Mesh {
    /// The configuration of a peer that the directory has; without a private key it has a line to be filled in.
    ///
    /// # Errors
    /// When no host can be called yet.
    pub fn client(
        &self,
        name: &Name,
        directory: &Directory,
        private: Option<&Secret<String>>,
    ) -> Result<Client, MeshError> {
        let members = directory.of(self);
        let known = || members.peer.keys().map(ToString::to_string).collect();
        let none = || MeshError::NoPeer { mesh: self.name.clone(), name: name.to_string(), known: known() };
        let member = members.peer.get(name).ok_or_else(none)?;
        let mut text = format!("[Interface]\n# {name} of {}\n", self.name);
        match private {
            Some(private) => writes(&mut text, format_args!("PrivateKey = {}\n", private.reveal())),
            None => text.push_str("# Put the private key here, which nobody else has:\n# PrivateKey = …\n"),
        }
        let addresses: Vec<_> = here::alone(&member.addresses).iter().map(ToString::to_string).collect();
        writes(&mut text, format_args!("Address = {}\n", addresses.join(", ")));
        if let Some(mtu) = self.mtu {
            writes(&mut text, format_args!("MTU = {mtu}\n"));
        }
        let left_out = self.hosts_to_call(members, &mut text);
        if left_out.len() == self.hosts.len() {
            return Err(MeshError::NobodyToCall { mesh: self.name.clone(), why: left_out });
        }
        Ok(Client { text: Secret::new(text), left_out })
    }

    fn hosts_to_call(&self, members: &Members, text: &mut String) -> Vec<String> {
        let mut left_out = Vec::new();
        for host in &self.hosts {
            let member = members.host.get(host);
            let key = member.and_then(|member| member.public_key);
            let (Some(member), Some(key), Some(endpoint)) = (member, key, self.endpoints.get(host)) else {
                let lacks = if key.is_none() { "its public key is not known yet" } else { "it has no endpoint" };
                left_out.push(format!("{host}: {lacks}"));
                continue;
            };
            let allowed: Vec<_> = here::alone(&member.addresses).iter().map(ToString::to_string).collect();
            writes(text, format_args!("\n[Peer]\n# {host}\nPublicKey = {key}\nEndpoint = {endpoint}\n"));
            writes(text, format_args!("AllowedIPs = {}\n", allowed.join(", ")));
            if let Some(seconds) = self.persistent_keepalive {
                writes(text, format_args!("PersistentKeepalive = {seconds}\n"));
            }
        }
        left_out
    }
}

fn writes(text: &mut String, words: std::fmt::Arguments<'_>) {
    // A string always has room.
    let _ = text.write_fmt(words);
}
