//! A provider of OpenID Connect that says what a test wants: for what a real one would never say.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Error, Result, ensure};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

pub(crate) const SECRET: &str = "client-secret-of-the-tests+/=";
pub(crate) const CLIENT: &str = "stead";
pub(crate) const REDIRECT: &str = "https://jobs.example.org:8443/sso/callback";

/// It answers until the test ends.
pub(crate) struct Issuer {
    pub(crate) at: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// What it knows, and what it says otherwise.
pub(crate) struct State {
    at: SocketAddr,
    key: EcdsaKeyPair,
    key_id: String,
    /// Codes that were given out and not used, with the query of the login.
    codes: BTreeMap<String, BTreeMap<String, String>>,
    /// What the claims have instead; null: they have it not.
    pub(crate) claims: Value,
    /// How the token is signed.
    pub(crate) signed: Signed,
    pub(crate) user_info: Value,
    /// Whole answers, by path, instead of its own: status and body.
    pub(crate) instead: BTreeMap<&'static str, (u16, String)>,
    /// What waits before each answer.
    pub(crate) pause: Duration,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Signed {
    ByKey,
    ByStranger,
    Not,
    /// HS256 with what a client may take for a key.
    ByPublicKey,
    BySecret,
}

fn key() -> Result<EcdsaKeyPair> {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(Error::msg)?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).map_err(Error::msg)
}

impl Issuer {
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let at = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            at,
            key: key()?,
            key_id: "first".to_owned(),
            codes: BTreeMap::new(),
            claims: json!({}),
            signed: Signed::ByKey,
            user_info: json!({"sub": "17"}),
            instead: BTreeMap::new(),
            pause: Duration::ZERO,
        }));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who broke off, or was sent nonsense, is no affair of the others.
                drop(answer(stream, &shared));
            }
        });
        Ok(Self { at, state })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// Says otherwise from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// Signs by another key from now on.
    pub(crate) fn rotate(&self) -> Result<()> {
        let key = key()?;
        self.change(|state| (state.key, state.key_id) = (key, "second".to_owned()));
        Ok(())
    }

    /// What the browser is sent back with: the query of the redirect.
    pub(crate) fn log_in(&self, question: &str) -> Result<String> {
        let url = Url::parse(question)?;
        ensure!(url.as_str().starts_with(&format!("{}/authorize?", self.url())), "{url}");
        let asked: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let expected = [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT),
            ("code_challenge_method", "S256"),
        ];
        for (key, value) in expected {
            ensure!(asked.get(key).map(String::as_str) == Some(value), "{key} of {url}");
        }
        ensure!(asked["scope"] == "openid email groups", "{url}");
        ensure!(asked["nonce"].len() == 64 && asked["nonce"] != asked["state"], "{url}");
        let mut state = self.state.lock().unwrap();
        let code = format!("code-{}", state.codes.len() + 1);
        let back = format!(
            "code={code}&state={}&iss={}",
            asked["state"],
            form_urlencoded::byte_serialize(self.url().as_bytes()).collect::<String>()
        );
        state.codes.insert(code, asked);
        Ok(back)
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).context("no path")?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(Ok(0), |length| length.parse())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (pause, (status, body)) = {
        let mut state = state.lock().unwrap();
        (state.pause, state.answer(&path, &headers, &body))
    };
    thread::sleep(pause);
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    stream.write_all(format!("{head}location: /elsewhere\r\n\r\n{body}").as_bytes())?;
    Ok(())
}

impl State {
    fn answer(&mut self, path: &str, headers: &BTreeMap<String, String>, body: &[u8]) -> (u16, String) {
        if let Some(instead) = self.instead.get(path) {
            return instead.clone();
        }
        let url = format!("http://{}", self.at);
        match path {
            "/.well-known/openid-configuration" => (
                200,
                json!({
                    "issuer": url,
                    "authorization_endpoint": format!("{url}/authorize"),
                    "token_endpoint": format!("{url}/token"),
                    "jwks_uri": format!("{url}/keys"),
                    "userinfo_endpoint": format!("{url}/userinfo"),
                    "scopes_supported": ["openid", "email", "groups", "offline_access"],
                    "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
                })
                .to_string(),
            ),
            // With keys of which nobody here knows the kind.
            "/keys" => (200, json!({"keys": [{"kty": "new"}, 7, self.jwk()]}).to_string()),
            "/token" => match self.token(headers, body) {
                Ok(answer) => (200, answer.to_string()),
                Err(error) => {
                    (400, json!({"error": "invalid_grant", "error_description": error.to_string()}).to_string())
                }
            },
            "/userinfo"
                if headers.get("authorization").is_some_and(|said| said == "Bearer access-token-of-the-tests") =>
            {
                (200, self.user_info.to_string())
            }
            _ => (404, String::new()),
        }
    }

    fn jwk(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": self.key_id, "x": x, "y": y})
    }

    fn token(&mut self, headers: &BTreeMap<String, String>, body: &[u8]) -> Result<Value> {
        let secret: String = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{CLIENT}:{secret}")));
        ensure!(headers.get("authorization") == Some(&basic), "another client");
        let form: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        ensure!(form["grant_type"] == "authorization_code" && form["redirect_uri"] == REDIRECT, "another redirect");
        let asked = self.codes.remove(&form["code"]).with_context(|| format!("{} is no code", form["code"]))?;
        let challenge = BASE64.encode(Sha256::digest(&form["code_verifier"]));
        ensure!(form["code_verifier"].len() >= 43 && challenge == asked["code_challenge"], "another verifier");
        let token = self.sign(&self.all_claims(&asked["nonce"]))?;
        Ok(json!({"id_token": token, "access_token": "access-token-of-the-tests", "token_type": "Bearer"}))
    }

    fn all_claims(&self, nonce: &str) -> Value {
        let mut claims = json!({"iss": format!("http://{}", self.at), "aud": CLIENT, "sub": "17", "nonce": nonce, "iat": now(), "exp": now() + 60});
        for (key, value) in self.claims.as_object().into_iter().flatten() {
            claims[key] = value.clone();
        }
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|_, value| !value.is_null());
        }
        claims
    }

    fn sign(&self, claims: &Value) -> Result<String> {
        let alg = match self.signed {
            Signed::ByKey | Signed::ByStranger => "ES256",
            Signed::Not => "none",
            Signed::ByPublicKey | Signed::BySecret => "HS256",
        };
        let header = json!({"alg": alg, "kid": self.key_id, "typ": "JWT"});
        let text = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let by = |key: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec();
        let signed = match self.signed {
            Signed::ByKey => {
                self.key.sign(&SystemRandom::new(), text.as_bytes()).map_err(Error::msg)?.as_ref().to_vec()
            }
            Signed::ByStranger => {
                key()?.sign(&SystemRandom::new(), text.as_bytes()).map_err(Error::msg)?.as_ref().to_vec()
            }
            Signed::Not => Vec::new(),
            Signed::ByPublicKey => by(self.key.public_key().as_ref()),
            Signed::BySecret => by(SECRET.as_bytes()),
        };
        Ok(format!("{text}.{}", BASE64.encode(signed)))
    }
}

pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
