//! Encrypts and decrypts in age's format, age-encryption.org/v1.

use std::io::{Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::{Identity, SecretsError};

/// How large the decrypted file may be.
const LARGEST: u64 = 16 << 20;

/// The text for all the recipients.
pub(super) fn encrypt(text: &[u8], recipients: &[String]) -> Result<Vec<u8>, SecretsError> {
    let recipients = recipients.iter().map(|recipient| parse(recipient)).collect::<Result<Vec<_>, _>>()?;
    let borrowed = recipients.iter().map(|recipient| recipient.as_ref() as &dyn age::Recipient);
    let failed = |reason: String| SecretsError::Encrypt { reason };
    let encryptor = age::Encryptor::with_recipients(borrowed).map_err(|error| failed(error.to_string()))?;
    let mut encrypted = Vec::new();
    let written = encryptor.wrap_output(&mut encrypted).and_then(|mut writer| {
        writer.write_all(text)?;
        writer.finish().map(drop)
    });
    written.map_err(|error| failed(error.to_string()))?;
    Ok(encrypted)
}

/// The text behind the bytes of `path`.
pub(super) fn decrypt(path: &Path, encrypted: &[u8], identity: &Identity) -> Result<Zeroizing<String>, SecretsError> {
    let path = || path.to_owned();
    if encrypted.starts_with(b"-----BEGIN AGE") {
        return Err(SecretsError::Armoured { path: path() });
    }
    let failed = |reason: String| SecretsError::Decrypt { path: path(), reason };
    let decryptor = age::Decryptor::new_buffered(encrypted).map_err(|error| failed(error.to_string()))?;
    let keys = identity.keys();
    let reader = decryptor.decrypt(keys.iter().map(AsRef::as_ref)).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => SecretsError::NotForYou { path: path() },
        error => failed(error.to_string()),
    })?;
    let mut text = Zeroizing::new(String::new());
    reader.take(LARGEST).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    Ok(text)
}

fn parse(recipient: &str) -> Result<Box<dyn age::Recipient>, SecretsError> {
    let wrong = |reason: String| SecretsError::Recipient { recipient: recipient.to_owned(), reason };
    if recipient.starts_with("age1") {
        let parsed = recipient.parse::<age::x25519::Recipient>();
        return parsed.map(|known| Box::new(known) as _).map_err(|reason| wrong(reason.to_owned()));
    }
    match recipient.parse::<age::ssh::Recipient>() {
        Ok(known) => Ok(Box::new(known)),
        Err(error) => Err(wrong(reason(&error))),
    }
}

/// age gives these errors no words of their own.
pub(super) fn reason(error: &age::ssh::ParseRecipientKeyError) -> String {
    use age::ssh::ParseRecipientKeyError as Wrong;
    match error {
        Wrong::RsaModulusTooLarge => "its RSA modulus is too large".to_owned(),
        Wrong::RsaModulusTooSmall => "its RSA modulus is too small".to_owned(),
        Wrong::Unsupported(kind) => format!("age knows no keys of type {kind}"),
        _ => "it is neither an age1… nor an ssh public key".to_owned(),
    }
}
