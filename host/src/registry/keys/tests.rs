use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result};
use p256::pkcs8::{EncodePrivateKey, LineEnding};

use super::*;

/// In the form of `cosign generate-key-pair`; made with other implementations of scrypt and secretbox.
const SEALED: &str = include_str!("sealed.key");
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcwEzy8WhBAZhLs/ewi7H544AmfUl
ejuqCye97ZYfVPbdlm67Bzkk0Lmmyfg1kjuA3l6/T0iVaUOo28pMWBChqg==
-----END PUBLIC KEY-----
";

fn said(words: &'static str) -> impl FnOnce(&str) -> Option<Secret<String>> {
    move |_| Some(Secret::new(words.to_owned()))
}

fn file(folder: &Path, text: &str) -> Result<PathBuf> {
    let path = folder.join("key");
    std::fs::write(&path, text)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(path)
}

#[test]
fn a_key_of_cosign_is_opened_by_its_passphrase() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = file(folder.path(), SEALED)?;
    let key = PrivateKey::read(&path, said("correct horse"))?;
    let public = PublicKey::try_from(PUBLIC.to_owned())?;
    assert_eq!(key.public(), public);
    assert!(public.made(&key.sign(b"words"), b"words") && !public.made(&key.sign(b"words"), b"other words"));
    assert_eq!(key.sign(b"words"), key.sign(b"words"));
    assert!(matches!(PrivateKey::read(&path, said("wrong")), Err(KeyError::Passphrase { .. })));
    assert!(matches!(PrivateKey::read(&path, |_| None), Err(KeyError::NoPassphrase { .. })));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))?;
    assert!(matches!(PrivateKey::read(&path, |_| None), Err(KeyError::Exposed { .. })));
    Ok(())
}

#[test]
fn keys_of_openssl_are_read_in_both_forms() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = SecretKey::from_slice(&[7; 32]).ok().context("no key")?;
    let pkcs8 = key.to_pkcs8_pem(LineEnding::LF).ok().context("no PEM")?;
    let sec1 = key.to_sec1_pem(LineEnding::LF).ok().context("no PEM")?;
    // What `openssl ecparam -name prime256v1 -genkey` writes before the key.
    let curve = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let public = PublicKey(*SigningKey::from(&key).verifying_key());
    for text in [pkcs8.to_string(), format!("{curve}{}", *sec1)] {
        let read = PrivateKey::read(&file(folder.path(), &text)?, |_| None)?;
        assert_eq!(read.public(), public);
        assert_eq!(format!("{read:?}"), "PrivateKey(…)");
    }
    for text in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", PUBLIC] {
        let read = PrivateKey::read(&file(folder.path(), text)?, |_| None);
        assert!(matches!(read, Err(KeyError::NotPrivate { .. })), "{text}");
    }
    Ok(())
}

#[test]
fn a_public_key_is_read_with_and_without_its_armour() -> Result<()> {
    let whole = PublicKey::try_from(PUBLIC.to_owned())?;
    let line: String = PUBLIC.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(PublicKey::try_from(line)?, whole);
    assert_eq!(whole.fingerprint().as_str().len(), 64);
    // By openssl, over these words.
    let signature = STANDARD
        .decode("MEYCIQCbIttrnI6rso29uAsADT+77g04yz/DPr1jn8fiklt8qQIhAMZ5EkubTvUxwDTKIzZIIXj+B3ZA+PREPbpE5f3c4U7G")?;
    assert!(whole.made(&signature, b"words") && !whole.made(&signature, b"word"));
    for text in ["", "ssh-ed25519 AAAA", "AAAA", "-----BEGIN PUBLIC KEY-----"] {
        assert!(matches!(PublicKey::try_from(text.to_owned()), Err(KeyError::NotPublic)), "{text}");
    }
    Ok(())
}
