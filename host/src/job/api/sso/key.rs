//! The keys by which the provider signs (RFC 7517), and whether one of them has signed something (RFC 7515). ring checks, by which TLS
//! is checked as well.
//!
//! There are public keys here and nothing else: what is "signed" by a secret that two know, or by nothing, no key has signed.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::Value;

/// A public key of the provider.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, when that is said.
    algorithm: Option<String>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Key {
    /// A key as the provider publishes it; none: it is of a kind that is not known here, or is for something else.
    pub(super) fn of(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa { n: number(&jwk.n)?, e: number(&jwk.e)? },
            ("EC", Some("P-256")) => Material::P256(point(&jwk, 32)?),
            ("EC", Some("P-384")) => Material::P384(point(&jwk, 48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(&jwk.x)?),
            _ => return None,
        };
        Some(Self { id: jwk.kid, algorithm: jwk.alg, material })
    }

    /// Whether it may be the one that a token names.
    pub(super) fn is_called(&self, id: Option<&str>) -> bool {
        id.is_none() || self.id.is_none() || id == self.id.as_deref()
    }

    /// Whether it has signed this, by this algorithm.
    pub(super) fn has_signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        if self.algorithm.as_deref().is_some_and(|only| only != algorithm) {
            return false;
        }
        let by = |check: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(check, key).verify(message, signature).is_ok()
        };
        match (&self.material, algorithm) {
            (Material::Rsa { n, e }, _) => rsa(algorithm)
                .is_some_and(|check| RsaPublicKeyComponents { n, e }.verify(check, message, signature).is_ok()),
            (Material::P256(key), "ES256") => by(&ECDSA_P256_SHA256_FIXED, key),
            (Material::P384(key), "ES384") => by(&ECDSA_P384_SHA384_FIXED, key),
            (Material::Ed25519(key), "EdDSA" | "Ed25519") => by(&ED25519, key),
            _ => false,
        }
    }
}

fn rsa(algorithm: &str) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn bytes(text: &Option<String>) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.as_ref()?).ok()
}

/// Without the zeros in front that some providers write.
fn number(text: &Option<String>) -> Option<Vec<u8>> {
    Some(bytes(text)?.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// Uncompressed, as SEC 1 has it.
fn point(jwk: &Jwk, size: usize) -> Option<Vec<u8>> {
    let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
    (x.len() == size && y.len() == size).then(|| [vec![4], x, y].concat())
}

#[cfg(test)]
mod tests {
    use super::Key;
    use serde_json::{Value, json};

    // RFC 7515, A.2 and A.3: keys, what is signed, and the signatures.
    const PAYLOAD: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    fn decoded(text: &str) -> Vec<u8> {
        super::bytes(&Some(text.to_owned())).unwrap_or_default()
    }

    fn rsa() -> Value {
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "kid": "1"})
    }

    #[test]
    fn the_examples_of_the_rfc_are_signed() -> anyhow::Result<()> {
        let message = format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}");
        let key = Key::of(rsa()).ok_or_else(|| anyhow::anyhow!("no key"))?;
        let signature = decoded(RSA_SIGNATURE);
        assert!(key.has_signed("RS256", message.as_bytes(), &signature));
        for other in ["RS384", "PS256", "ES256", "HS256", "none", "", "rs256"] {
            assert!(!key.has_signed(other, message.as_bytes(), &signature), "{other}");
        }
        assert!(
            !key.has_signed("RS256", b"something else", &signature)
                && !key.has_signed("RS256", message.as_bytes(), b"")
        );
        let mut only = rsa();
        only["alg"] = json!("RS512");
        assert!(Key::of(only).is_some_and(|key| !key.has_signed("RS256", message.as_bytes(), &signature)));

        let message = format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}");
        let ec = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
        let signature =
            decoded("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
        assert!(Key::of(ec).is_some_and(|key| key.has_signed("ES256", message.as_bytes(), &signature)));
        Ok(())
    }

    #[test]
    fn what_is_no_key_for_signing_is_none() {
        for (key, value) in [
            ("use", json!("enc")),
            ("kty", json!("oct")),
            ("kty", json!("EC")),
            ("n", json!("?")),
            ("e", Value::Null),
            ("n", json!(7)),
        ] {
            let mut jwk = rsa();
            jwk[key] = value;
            assert!(Key::of(jwk.clone()).is_none(), "{jwk}");
        }
        for jwk in [
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
            json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
            json!({"kty": "new"}),
            json!(7),
        ] {
            assert!(Key::of(jwk.clone()).is_none(), "{jwk}");
        }
        let key = Key::of(rsa());
        assert!(key.is_some_and(|key| key.is_called(Some("1")) && key.is_called(None) && !key.is_called(Some("2"))));
    }
}
