//! One entry of an authorized_keys file; see AUTHORIZED_KEYS FILE FORMAT in sshd(8).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::policy::Invalid;

/// `[OPTIONS] TYPE BASE64 [COMMENT]`, one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(String);

impl FromStr for PublicKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let invalid = |reason: &str| Err(Invalid::new("authorized-keys", format!("{reason}: {text:?}")));
        if text.contains("PRIVATE KEY") {
            // What may be secret is not repeated.
            return Err(Invalid::new("authorized-keys", "is a private key"));
        }
        if text.len() > 16 * 1024 || text.chars().any(char::is_control) {
            return invalid("is not one line");
        }
        let words = words(text);
        let Some(place) = words.iter().position(|word| is_type(word)) else {
            return invalid("has no type of key, such as `ssh-ed25519`");
        };
        let (Some(kind), Some(blob)) = (words.get(place), words.get(place + 1)) else {
            return invalid("has nothing after its type");
        };
        // RFC 4253, 6.6: the blob begins with the length and the name of the type.
        let named = |blob: &[u8]| blob.get(4..4 + kind.len()) == Some(kind.as_bytes());
        if place > 1 || !STANDARD.decode(blob).is_ok_and(|blob| named(&blob)) {
            return invalid("is not a public key of the type that it names");
        }
        Ok(Self(text.to_owned()))
    }
}

/// The words of a line; white space in double quotes separates nothing.
fn words(text: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = |c: char| {
        let white = c == ' ' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        white
    };
    text.split(separates).filter(|word| !word.is_empty()).collect()
}

fn is_type(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"].iter().any(|prefix| word.starts_with(prefix))
        && !word.contains(['=', '"', ','])
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.0
    }
}

impl TryFrom<String> for PublicKey {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvJJ0sNMAPrTGr8A1tYo0d5sLDZHLnjN0J0ZbnXkG6z";

    #[test]
    fn an_entry_is_one_key() {
        for good in [
            KEY.to_owned(),
            format!("{KEY} me@laptop"),
            format!("restrict,command=\"/bin/echo \\\"a b\\\" ssh-rsa\" {KEY}  spaced comment"),
        ] {
            assert!(good.parse::<PublicKey>().is_ok(), "{good}");
        }
        for bad in [
            String::new(),
            "# comment".to_owned(),
            format!("{KEY}\n{KEY}"),
            "ssh-ed25519".to_owned(),
            "ssh-ed25519 not-base64".to_owned(),
            KEY.replace("ssh-ed25519", "ssh-rsa"),
            format!("no-pty no-X11 {KEY}"),
            "-----BEGIN OPENSSH PRIVATE KEY-----".to_owned(),
        ] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
    }
}
