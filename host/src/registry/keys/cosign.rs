//! The private key of `cosign generate-key-pair`: PKCS #8 in a NaCl secretbox, under a key that scrypt makes of a passphrase.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// What its files begin with, now and in earlier releases.
const BEGINNINGS: [&str; 2] =
    ["-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----", "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----"];
/// cosign has 65536, 8 and 1; a file that wants more memory than this would be somebody's joke.
const LARGEST_COST: u32 = 1 << 20;

#[derive(Deserialize)]
pub(super) struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

pub(super) fn is_encrypted(text: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| text.trim_start().starts_with(beginning))
}

impl Sealed {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let body: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
        serde_json::from_slice(&STANDARD.decode(body).ok()?).ok()
    }

    /// The key in PKCS #8; `None` when this is not its passphrase.
    pub(super) fn open(&self, passphrase: &Secret<String>) -> Option<Zeroizing<Vec<u8>>> {
        let Params { n, r, p } = self.kdf.params;
        let known = self.kdf.name == "scrypt" && self.cipher.name == "nacl/secretbox";
        if !known || !n.is_power_of_two() || n > LARGEST_COST || r > 16 || p > 4 {
            return None;
        }
        let cost = u8::try_from(n.ilog2()).ok()?;
        let params = scrypt::Params::new(cost, r, p, scrypt::Params::RECOMMENDED_LEN).ok()?;
        let mut key = Zeroizing::new([0; 32]);
        let salt = STANDARD.decode(&self.kdf.salt).ok()?;
        scrypt::scrypt(passphrase.reveal().as_bytes(), &salt, &params, &mut *key).ok()?;
        let nonce: [u8; 24] = STANDARD.decode(&self.cipher.nonce).ok()?.try_into().ok()?;
        let ciphertext = STANDARD.decode(&self.ciphertext).ok()?;
        let cipher = XSalsa20Poly1305::new((&*key).into());
        cipher.decrypt(Nonce::from_slice(&nonce), ciphertext.as_slice()).ok().map(Zeroizing::new)
    }
}
