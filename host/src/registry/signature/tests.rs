use anyhow::{Context, Result};
use p256::SecretKey;
use p256::ecdsa::SigningKey;

use super::*;

const NAME: &str = "registry.example.com/team/web";

fn keys() -> Result<[PrivateKey; 2]> {
    let key = |byte| {
        let key = SecretKey::from_slice(&[byte; 32]).ok().context("no key")?;
        anyhow::Ok(PrivateKey::of(SigningKey::from(key)))
    };
    Ok([key(1)?, key(2)?])
}

fn document(text: &str, key: &PrivateKey) -> Signature {
    Signature { payload: Bytes(text.as_bytes().to_vec()), signature: Bytes(key.sign(text.as_bytes())) }
}

#[test]
fn a_signature_is_the_document_that_cosign_signs() -> Result<()> {
    let [key, _] = keys()?;
    let manifest = Digest::public(b"manifest");
    let signature = Signature::new(&key, NAME, &manifest);
    let text = String::from_utf8_lossy(&signature.payload.0).into_owned();
    assert_eq!(
        text,
        format!(
            "{{\"critical\":{{\"identity\":{{\"docker-reference\":\"{NAME}\"}},\"image\":{{\"docker-manifest-digest\":\"sha256:{manifest}\"}},\
             \"type\":\"cosign container image signature\"}},\"optional\":null}}"
        )
    );
    assert_eq!(tag(&manifest), format!("sha256-{manifest}.sig"));
    assert_eq!(Signature::check(&[signature], &[key.public()], NAME, &manifest), Ok(&key.public()));
    Ok(())
}

#[test]
fn whatever_else_is_signed_is_refused() -> Result<()> {
    let [key, other] = keys()?;
    let manifest = Digest::public(b"manifest");
    let public = [key.public()];
    let check = |signature: Signature| Signature::check(&[signature], &public, NAME, &manifest).err();
    let good = Signature::new(&key, NAME, &manifest);

    assert_eq!(Signature::check(&[], &public, NAME, &manifest).err(), Some(SignatureError::Unsigned));
    assert_eq!(check(Signature::new(&other, NAME, &manifest)), Some(SignatureError::NotByKey { count: 1 }));
    let mut damaged = good.clone();
    damaged.signature.0[20] ^= 1;
    assert_eq!(check(damaged), Some(SignatureError::NotByKey { count: 1 }));
    let mut damaged = good.clone();
    damaged.payload.0.push(b' ');
    assert_eq!(check(damaged), Some(SignatureError::NotByKey { count: 1 }));
    let of_other = Signature::new(&key, NAME, &Digest::public(b"other"));
    assert!(matches!(check(of_other), Some(SignatureError::OtherContent { .. })));
    for name in ["registry.example.com/team/other", "registry.example.com/team/web-evil", "registry.example.com/team"] {
        let for_other = Signature::new(&key, name, &manifest);
        assert!(matches!(check(for_other), Some(SignatureError::OtherName { .. })), "{name}");
    }
    for text in ["{}", "not JSON", "[]"] {
        assert!(matches!(check(document(text, &key)), Some(SignatureError::Document { .. })), "{text}");
    }
    let good_text = String::from_utf8_lossy(&good.payload.0).into_owned();
    let of_another_kind = good_text.replace("cosign container image signature", "atomic container signature");
    assert!(matches!(check(document(&of_another_kind, &key)), Some(SignatureError::Document { .. })));
    Ok(())
}

/// What skopeo 1.18 has signed with the key in `keys/sealed.key`: another implementation of the same form.
#[test]
fn a_signature_of_another_tool_is_taken() -> Result<()> {
    const PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcwEzy8WhBAZhLs/ewi7H544AmfUlejuqCye97ZYfVPbdlm67Bzkk0Lmmyfg1kjuA3l6/T0iVaUOo28pMWBChqg==";
    const PAYLOAD: &str = concat!(
        r#"{"critical":{"identity":{"docker-reference":"localhost:15999/team/mirror:1.0"},"#,
        r#""image":{"docker-manifest-digest":"sha256:1d4ecdfacedc34f16809157fd30e9c92e2b5636e0bdbef56216ac339ca867558"},"#,
        r#""type":"cosign container image signature"},"optional":{"creator":"containers/image 5.34.2","timestamp":1795722178}}"#
    );
    const SIGNATURE: &str =
        "MEQCID7id1dju2xb2n3tMPYt8FZBt7L1ofEQOrv8d4xNUCedAiBdBnuUcStJZp8lAS3ydQMtrB1AHDFNOppTuWzlvEYkVA==";
    let key = PublicKey::try_from(PUBLIC.to_owned())?;
    let signature = Signature {
        payload: Bytes(PAYLOAD.as_bytes().to_vec()),
        signature: Bytes(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, SIGNATURE)?),
    };
    let manifest = Digest::from_hex("1d4ecdfacedc34f16809157fd30e9c92e2b5636e0bdbef56216ac339ca867558".to_owned());
    let check = |name: &str| {
        Signature::check(std::slice::from_ref(&signature), std::slice::from_ref(&key), name, &manifest).map(drop)
    };
    assert_eq!(check("localhost:15999/team/mirror"), Ok(()));
    assert!(matches!(check("localhost:15999/team/baseline"), Err(SignatureError::OtherName { .. })));
    Ok(())
}

#[test]
fn one_good_signature_among_others_is_enough() -> Result<()> {
    let [key, other] = keys()?;
    let manifest = Digest::public(b"manifest");
    let elsewhere = Signature::new(&key, "registry.example.com/team/other", &manifest);
    let signatures = [Signature::new(&other, NAME, &manifest), elsewhere, Signature::new(&key, NAME, &manifest)];
    assert_eq!(Signature::check(&signatures, &[key.public()], NAME, &manifest), Ok(&key.public()));
    let with_tag = String::from_utf8_lossy(&signatures[2].payload.0).replace(NAME, &format!("{NAME}:1.0"));
    assert!(Signature::check(&[document(&with_tag, &key)], &[key.public()], NAME, &manifest).is_ok());
    Ok(())
}
