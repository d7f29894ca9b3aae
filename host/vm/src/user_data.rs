//! The document that cloud-init reads at a machine's first boot: who may log in, under which host key, and when the
//! machine ends itself. The same for every provider.

use crate::access::PublicHalf;
use crate::lease::Lease;
use crate::request::UserData;

const FIRST_LINE: &str = "#cloud-config\n";

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
    UserData::new(format!("{FIRST_LINE}{document}\n"))
}

/// What a document of ours says, for machines that have booted before they are told.
pub(crate) struct Told {
    pub(crate) authorized_key: String,
    pub(crate) host_private: String,
    pub(crate) host_public: String,
    pub(crate) arming_script: String,
}

impl Told {
    /// None for a document that was not made here.
    pub(crate) fn read(user_data: &UserData) -> Option<Self> {
        let document: serde_json::Value = serde_json::from_str(user_data.reveal().strip_prefix(FIRST_LINE)?).ok()?;
        let text = |path| document.pointer(path).and_then(serde_json::Value::as_str).map(ToOwned::to_owned);
        Some(Self {
            authorized_key: text("/ssh_authorized_keys/0")?,
            host_private: text("/ssh_keys/ed25519_private")?,
            host_public: text("/ssh_keys/ed25519_public")?,
            arming_script: text("/bootcmd/0/2")?,
        })
    }
}
