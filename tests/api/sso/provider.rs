//! A provider that is down, slow, wrong, or certified by nobody whom the machine knows.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use stead_tests::run::{Background, run, words};
use stead_tests::wait;

use super::{ADMINS, ANNA, LIMIT, refused, repo, serve};
use crate::issuer::{Issuer, SECRET};
use crate::page::Visitor;

/// How often a provider is asked again.
const PAUSE: Duration = Duration::from_millis(5200);

#[test]
fn a_provider_that_does_not_answer_well_leaves_the_token() -> Result<()> {
    // Nobody answers there yet, and the service starts.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let down = repo(&format!("http://{gone}"), ANNA)?;
    let server = serve(&down)?;
    let visitor = Visitor::nobody(&server);
    let found = refused(visitor.get("/sso/login")?, 503)?;
    ensure!(found.contains("cannot be reached") && found.contains("127.0.0.1"), "{found}");
    Visitor::new(&server, "all")?.page("/jobs")?;

    let issuer = Issuer::start()?;
    let repo = repo(&issuer.url(), ADMINS)?;
    let server = serve(&repo)?;
    let mut visitor = Visitor::nobody(&server);
    issuer.change(|state| drop(state.instead.insert("/.well-known/openid-configuration", (200, "{}".to_owned()))));
    ensure!(refused(visitor.get("/sso/login")?, 502)?.contains("missing field `issuer`"));
    // It is not asked again at once.
    issuer.change(|state| state.instead.clear());
    refused(visitor.get("/sso/login")?, 502)?;
    sleep(PAUSE);
    issuer.change(|state| state.claims = json!({"groups": "admins"}));
    visitor.log_in(&issuer)?.is(200)?;
    let leak = json!({"error": "Call me", "id_token": 7, "access_token": "token-of-nobody"}).to_string();
    for (path, status, body, expected) in [
        ("/token", 500, "no".to_owned(), "answered 500 for the code"),
        ("/token", 400, leak.clone(), "answered 400 for the code"),
        ("/token", 200, leak, "is of another kind"),
        ("/token", 200, "<html>".to_owned(), "no JSON"),
        ("/token", 200, " ".repeat(300 << 10), "larger than"),
        ("/token", 302, String::new(), "answered 302"),
        ("/userinfo", 200, "[]".to_owned(), "who you are"),
        ("/userinfo", 401, "{}".to_owned(), "answered 401"),
    ] {
        issuer.change(|state| drop(state.instead.insert(path, (status, body))));
        let found = refused(visitor.log_in(&issuer)?, 502)?;
        ensure!(found.contains(expected) && !found.contains("Call me") && !found.contains("nobody"), "{found}");
        issuer.change(|state| state.instead.clear());
    }
    // Another key is fetched when it is needed.
    issuer.rotate()?;
    sleep(PAUSE);
    visitor.log_in(&issuer)?.is(200)?;
    let said = server.end()?;
    ensure!(!said.contains("panicked") && !said.contains(SECRET), "{said}");
    Ok(())
}

#[test]
fn a_provider_may_take_its_time_but_not_any() -> Result<()> {
    let issuer = Issuer::start()?;
    let repo = repo(&issuer.url(), ANNA)?;
    let server = serve(&repo)?;
    issuer.change(|state| state.pause = Duration::from_secs(12));
    let since = Instant::now();
    let found = refused(Visitor::nobody(&server).get("/sso/login")?, 503)?;
    ensure!(found.contains("has not answered within 10s") && since.elapsed() < Duration::from_secs(18), "{found}");
    Ok(())
}

/// A provider by TLS, as far as its configuration, and its authority in `ca.pem`.
fn by_tls(folder: &Path) -> Result<(Background, String)> {
    fs::write(folder.join("ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for command in [
        format!("openssl req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"),
        format!("openssl req {key} -subj /CN=localhost -keyout key.pem -out csr.pem"),
        "openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days 2 -extfile ext -out cert.pem".to_owned(),
    ] {
        run(words(&command).current_dir(folder), LIMIT)?.ok()?;
    }
    fs::create_dir(folder.join(".well-known"))?;
    let said = folder.join("openssl");
    let mut openssl = words("openssl s_server -accept 127.0.0.1:0 -key key.pem -cert cert.pem -WWW");
    openssl.current_dir(folder).stdin(Stdio::null()).stdout(File::create(&said)?).stderr(Stdio::null());
    let child = Background::start(&mut openssl)?;
    let port = wait::until("openssl", LIMIT, || {
        let said = fs::read_to_string(&said)?;
        let line = said.lines().find_map(|line| line.strip_prefix("ACCEPT "));
        Ok(line.and_then(|line| line.rsplit(':').next()?.parse::<u16>().ok()))
    })?;
    let url = format!("https://localhost:{port}");
    let said = json!({"issuer": url, "authorization_endpoint": format!("{url}/ask"), "token_endpoint": url, "jwks_uri": format!("{url}/keys")});
    fs::write(folder.join(".well-known/openid-configuration"), said.to_string())?;
    fs::write(folder.join("keys"), "{\"keys\": []}")?;
    Ok((child, url))
}

#[test]
fn a_provider_may_have_an_authority_of_its_own() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (_provider, url) = by_tls(folder.path())?;
    let ca = |path: &Path| repo(&url, &format!("ca = {:?}\n{ANNA}", path.display().to_string()));
    let stranger = repo(&url, ANNA)?;
    let found = refused(Visitor::nobody(&serve(&stranger)?).get("/sso/login")?, 503)?;
    ensure!(found.contains("certificate"), "{found}");
    let absent = ca(&folder.path().join("absent.pem"))?;
    let found = refused(Visitor::nobody(&serve(&absent)?).get("/sso/login")?, 500)?;
    ensure!(found.contains("absent.pem"), "{found}");
    let empty = ca(&folder.path().join("keys"))?;
    ensure!(refused(Visitor::nobody(&serve(&empty)?).get("/sso/login")?, 500)?.contains("it has none"));
    let known = ca(&folder.path().join("ca.pem"))?;
    let asked = Visitor::nobody(&serve(&known)?).begin("")?;
    ensure!(asked.starts_with(&format!("{url}/ask?response_type=code&")), "{asked}");
    Ok(())
}
