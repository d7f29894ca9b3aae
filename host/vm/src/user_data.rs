//! The document that cloud-init reads at a machine's first boot: who may log in, under which host key, and when the
//! machine ends itself. The same for every provider.

use crate::access::PublicHalf;
use crate::lease::Lease;
use crate::request::UserData;

/// Who gets in and what the machine proves itself with.
#[derive(Debug)]
pub struct Identity<'a> {
    pub client: &'a PublicHalf,
    pub host: &'a PublicHalf,
    pub host_private: &'a str,
}

/// JSON is YAML, and needs no second quoting.
pub fn user_data(identity: &Identity<'_>, lease: &Lease) -> UserData {
    let client = identity.client.as_str();
    let document = serde_json::json!({
        "disable_root": false,
        "ssh_pwauth": false,
        "ssh_authorized_keys": [client],
        "users": [{ "name": "root", "lock_passwd": true, "ssh_authorized_keys": [client] }],
        "ssh_keys": { "ed25519_private": identity.host_private, "ed25519_public": identity.host.as_str() },
        // The earliest moment at which cloud-init runs anything, and at every boot.
        "bootcmd": [["sh", "-c", lease.arming_script()]],
        "package_update": false,
        "package_upgrade": false,
    });
    UserData::new(format!("#cloud-config\n{document}\n"))
}
