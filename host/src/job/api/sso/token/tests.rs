use anyhow::Error;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::json;

use super::*;

const EXPECTED: Expected<'_> = Expected { issuer: "https://sso.example.org", client: "stead", nonce: "7" };

struct Signing(EcdsaKeyPair);

impl Signing {
    fn new() -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(Error::msg)?;
        Ok(Self(
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
                .map_err(Error::msg)?,
        ))
    }

    fn jwk(&self, id: &str) -> Value {
        let point = self.0.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "x": x, "y": y})
    }

    fn key(&self, id: &str) -> anyhow::Result<Key> {
        Key::of(self.jwk(id)).ok_or_else(|| anyhow::anyhow!("no key"))
    }

    fn sign(&self, header: &Value, claims: &Value) -> anyhow::Result<String> {
        let text = unsigned(header, claims);
        let signed = self.0.sign(&SystemRandom::new(), text.as_bytes()).map_err(Error::msg)?;
        Ok(format!("{text}.{}", BASE64.encode(signed)))
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
}

fn claims() -> Value {
    json!({"iss": "https://sso.example.org", "aud": "stead", "sub": "17", "nonce": "7", "iat": now() - 5, "exp": now() + 300})
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[test]
fn a_token_counts_that_is_signed_and_meant() -> anyhow::Result<()> {
    let signing = Signing::new()?;
    let keys = [Signing::new()?.key("old")?, signing.key("new")?];
    for (header, changed) in [
        (json!({"alg": "ES256", "kid": "new"}), json!({})),
        (json!({"alg": "ES256", "typ": "JWT"}), json!({"aud": ["stead"]})),
        (json!({"alg": "ES256", "kid": "new"}), json!({"aud": ["stead", "other"], "azp": "stead"})),
        // The clocks are not quite the same.
        (json!({"alg": "ES256", "kid": "new"}), json!({"exp": now() - 30, "nbf": now() + 30})),
    ] {
        let token = signing.sign(&header, &with(&changed))?;
        let found = verified(&token, &keys, EXPECTED);
        assert_eq!(found.map(|claims| claims["sub"].clone()), Ok(json!("17")), "{header} {changed}");
    }
    let random = SystemRandom::new();
    let document = Ed25519KeyPair::generate_pkcs8(&random).map_err(Error::msg)?;
    let ed = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(Error::msg)?;
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(ed.public_key())});
    let text = unsigned(&json!({"alg": "EdDSA"}), &claims());
    let token = format!("{text}.{}", BASE64.encode(ed.sign(text.as_bytes())));
    assert!(
        verified(&token, &[signing.key("new")?, Key::of(key).ok_or_else(|| anyhow::anyhow!("no key"))?], EXPECTED)
            .is_ok()
    );
    Ok(())
}

fn with(changed: &Value) -> Value {
    let mut all = claims();
    for (key, value) in changed.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    all
}

#[test]
fn a_token_that_is_not_meant_does_not_count() -> anyhow::Result<()> {
    let signing = Signing::new()?;
    let keys = [signing.key("new")?];
    for (changed, expected) in [
        (json!({"iss": "https://sso.example.org/"}), "another issuer"),
        (json!({"iss": ["https://sso.example.org"]}), "another issuer"),
        (json!({"iss": null}), "another issuer"),
        (json!({"aud": "other"}), "another client"),
        (json!({"aud": ["other"]}), "another client"),
        (json!({"aud": null}), "another client"),
        (json!({"aud": []}), "another client"),
        (json!({"aud": {"stead": true}}), "another client"),
        (json!({"aud": ["stead", "other"]}), "another client"),
        (json!({"aud": ["stead", "other"], "azp": "other"}), "another client"),
        (json!({"azp": "other"}), "another client"),
        (json!({"azp": null}), "another client"),
        (json!({"exp": now() - 61}), "time of its token"),
        (json!({"exp": "9999999999"}), "time of its token"),
        (json!({"exp": null}), "time of its token"),
        (json!({"nbf": now() + 300}), "not valid yet"),
        (json!({"nbf": "0"}), "not valid yet"),
        (json!({"sub": null}), "names nobody"),
        (json!({"sub": 17}), "names nobody"),
        (json!({"nonce": "8"}), "another login"),
        (json!({"nonce": null}), "another login"),
        (json!({"nonce": 7}), "another login"),
    ] {
        let token = signing.sign(&json!({"alg": "ES256", "kid": "new"}), &with(&changed))?;
        let found = verified(&token, &keys, EXPECTED);
        assert!(matches!(found, Err(Doubt::Wrong(reason)) if reason.contains(expected)), "{changed}: {found:?}");
    }
    Ok(())
}

#[test]
fn a_token_that_no_key_of_the_provider_has_signed_does_not_count() -> anyhow::Result<()> {
    let signing = Signing::new()?;
    let keys = [signing.key("new")?];
    let stranger = Signing::new()?.sign(&json!({"alg": "ES256", "kid": "new"}), &claims())?;
    assert_eq!(verified(&stranger, &keys, EXPECTED), Err(Doubt::Key));
    let newer = signing.sign(&json!({"alg": "ES256", "kid": "newer"}), &claims())?;
    assert_eq!(verified(&newer, &keys, EXPECTED), Err(Doubt::Key));
    assert_eq!(verified(&newer, &[], EXPECTED), Err(Doubt::Key));
    let token = signing.sign(&json!({"alg": "ES256", "kid": "new"}), &claims())?;
    assert!(verified(&token, &keys, EXPECTED).is_ok());

    // Not signed, or by what is no secret: the public key, and the client's own secret.
    let mut forged = Vec::new();
    for alg in ["none", "None", "HS256"] {
        let text = unsigned(&json!({"alg": alg}), &claims());
        forged.push(format!("{text}."));
        for secret in
            [signing.0.public_key().as_ref(), b"the secret of the client", signing.jwk("new").to_string().as_bytes()]
        {
            let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
            forged.push(format!("{text}.{}", BASE64.encode(signed)));
        }
    }
    // A key in the token itself.
    let inside = json!({"alg": "ES256", "jwk": Signing::new()?.jwk("new")});
    forged.push(Signing::new()?.sign(&inside, &claims())?);
    // What must be understood and is not.
    forged.push(signing.sign(&json!({"alg": "ES256", "crit": ["b64"], "b64": false}), &claims())?);
    // Another payload, header or signature.
    let parts: Vec<&str> = token.split('.').collect();
    forged.push(format!("{}.{}.{}", parts[0], BASE64.encode(with(&json!({"sub": "1"})).to_string()), parts[2]));
    forged.push(format!("{}.{}.", parts[0], parts[1]));
    forged.extend(
        ["", ".", "..", "a.b.c", "a.b.c.d"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("{token}."), format!("{token}=")]),
    );
    for token in forged {
        assert!(verified(&token, &keys, EXPECTED).is_err(), "{token}");
    }
    Ok(())
}
