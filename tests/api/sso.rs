//! Logging in to the page by an SSO provider: what lets somebody in, and all that does not. The provider is the tests' own, and lies.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead_tests::run::run;
use stead_tests::serve::Server;
use stead_tests::wait;

use crate::client::Answer;
use crate::issuer::{CLIENT, Issuer, REDIRECT, SECRET, Signed, now};
use crate::page::{Visitor, all, sound, words};
use crate::service::{Repo, table};

const LIMIT: Duration = Duration::from_secs(60);
/// How often a provider is asked again.
const PAUSE: Duration = Duration::from_millis(5200);
const ANNA: &str = "[serve.sso.email.\"anna@example.org\"]\nscopes = [\"read\"]\njobs = [\"*\"]\n";
const ADMINS: &str = "[serve.sso.group.admins]\nscopes = [\"cancel\", \"read\"]\njobs = [\"works\"]\n";

/// A repo whose provider is at this URL.
fn repo(issuer: &str, people: &str) -> Result<Repo> {
    let sso = format!(
        "[serve.sso]\nissuer = \"{issuer}\"\nclient-id = \"{CLIENT}\"\nsecret = \"sso-client\"\nredirect = \"{REDIRECT}\"\n"
    );
    let repo = Repo::with(&[table("all", &["read", "machines"], &["*"]), sso, people.to_owned()])?;
    fs::create_dir(repo.path().join("credentials"))?;
    fs::write(repo.path().join("credentials/sso-client"), format!("{SECRET}\n"))?;
    Ok(repo)
}

/// A service with the client's secret as a credential of systemd.
fn serve(repo: &Repo) -> Result<Server> {
    let mut stead = repo.stead()?;
    stead.args(["serve", "--listen", "127.0.0.1:0"]).env("CREDENTIALS_DIRECTORY", repo.path().join("credentials"));
    Server::start(&mut stead, &repo.path().join("said"))
}

impl Visitor {
    /// Begins to log in, and answers where the provider would ask.
    fn begin(&mut self, next: &str) -> Result<String> {
        let answer = self.get(&format!("/sso/login{next}"))?.is(303)?;
        let cookie = answer.exact("set-cookie").first().copied().context("no cookie")?.to_owned();
        ensure!(
            cookie.starts_with("__Host-stead-login=") && cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"),
            "{cookie}"
        );
        self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(answer.exact("location").first().copied().context("no location")?.to_owned())
    }

    /// Logs in as whomever the provider says.
    fn log_in(&mut self, issuer: &Issuer) -> Result<Answer> {
        let question = self.begin("")?;
        self.get(&format!("/sso/callback?{}", issuer.log_in(&question)?))
    }

    /// Takes the cookie of the session.
    fn enter(&mut self, answer: &Answer) -> Result<()> {
        let cookies = answer.exact("set-cookie");
        let session = cookies.iter().find(|cookie| cookie.starts_with("stead=")).context("no session")?;
        ensure!(session.contains("HttpOnly") && session.contains("SameSite=Strict"), "{session}");
        ensure!(
            cookies.iter().any(|cookie| cookie.starts_with("__Host-stead-login=; ") && cookie.contains("Max-Age=0")),
            "{cookies:?}"
        );
        self.cookie = session.split(';').next().unwrap_or_default().to_owned();
        Ok(())
    }
}

/// What is on the page of a login that came to nothing: no session.
fn refused(answer: Answer, status: u16) -> Result<String> {
    ensure!(!answer.exact("set-cookie").iter().any(|cookie| cookie.starts_with("stead=")), "{}", answer.head);
    Ok(words(&sound(&answer.is(status)?)?, "main"))
}

#[test]
fn whom_the_provider_knows_and_stead_toml_names_is_let_in() -> Result<()> {
    let issuer = Issuer::start()?;
    let repo = repo(&issuer.url(), &format!("{ANNA}{ADMINS}"))?;
    let server = serve(&repo)?;
    let mut anna = Visitor::nobody(&server);
    let login = anna.page("/login?next=%2Fjobs%3Fstate%3Dfailed")?;
    let link = all(&login, "p.sso a").first().and_then(|link| link.attr("href")).context("no link")?.to_owned();
    // To where the provider sends back, whatever name the page was asked by.
    assert_eq!(link, "https://jobs.example.org:8443/sso/login?next=%2Fjobs%3Fstate%3Dfailed");
    ensure!(all(&login, "form[action='/login'] #token").len() == 1, "a token does as well");

    // What the token leaves out is asked for.
    issuer.change(|state| state.user_info = json!({"sub": "17", "email": "anna@example.org", "email_verified": true}));
    let question = anna.begin("?next=%2Fjobs%3Fstate%3Dfailed")?;
    let back = format!("/sso/callback?{}", issuer.log_in(&question)?);
    let begun = anna.cookie.clone();
    let answer = anna.get(&back)?;
    let page = sound(&answer)?;
    ensure!(answer.status == 200 && answer.exact("refresh") == ["0; url=/jobs?state=failed"], "{}", answer.head);
    ensure!(all(&page, "main a[href='/jobs?state=failed']").len() == 1);
    anna.enter(&answer)?;
    let jobs = anna.page("/jobs?state=failed")?;
    ensure!(
        words(&jobs, "form.leave").contains("person anna@example.org") && !words(&jobs, "nav").contains("Machines")
    );
    anna.get("/machines")?.is(403)?;
    assert_eq!(anna.get("/v1/jobs")?.problem(401)?, "unauthorized");

    // The same answer once more: without its cookie, and with it, when the code was used.
    ensure!(refused(anna.get(&back)?, 400)?.contains("begin anew"));
    let thief = Visitor { client: anna.client.clone(), cookie: begun };
    ensure!(refused(thief.get(&back)?, 502)?.contains("invalid_grant"));
    anna.page("/jobs")?;

    // Somebody else, by a group.
    let mut ben = Visitor::nobody(&server);
    issuer.change(|state| {
        state.claims = json!({"sub": "18", "email": "ben@example.org", "email_verified": true, "groups": ["admins"]})
    });
    let answer = ben.log_in(&issuer)?;
    assert_eq!(answer.exact("refresh"), ["0; url=/"]);
    ben.enter(&answer)?;
    ensure!(words(&ben.page("/jobs")?, "form.leave").contains("ben@example.org"));

    // Logging out ends the session here.
    let proof = format!("proof={}", ben.proof()?);
    ben.send("/logout", &proof)?.is(303)?;
    ben.get("/jobs")?.is(303)?;
    let again = ben.log_in(&issuer)?;
    ben.enter(&again)?;

    // Whoever is taken out of stead.toml is out, and the others are not.
    let text = fs::read_to_string(repo.path().join("stead.toml"))?;
    fs::write(repo.path().join("stead.toml"), text.replace(ANNA, ""))?;
    server.hang_up("was read again")?;
    anna.get("/jobs")?.is(303)?;
    ben.page("/jobs")?;
    let said = server.end()?;
    for secret in [SECRET, "code-1", "access-token"] {
        ensure!(!said.contains(secret), "{said}");
    }
    Ok(())
}

#[test]
fn nothing_else_lets_anybody_in() -> Result<()> {
    let issuer = Issuer::start()?;
    let repo = repo(&issuer.url(), &format!("{ANNA}{ADMINS}"))?;
    let server = serve(&repo)?;
    let anna = json!({"email": "anna@example.org", "email_verified": true});
    let mut visitor = Visitor::nobody(&server);

    for (changed, expected) in [
        (json!({"nonce": "0".repeat(64)}), "another login"),
        (json!({"nonce": null}), "another login"),
        (json!({"exp": now() - 120}), "time of its token is over"),
        (json!({"iss": "https://evil.example"}), "another issuer"),
        (json!({"aud": "other"}), "another client"),
        (json!({"aud": [CLIENT, "other"]}), "another client"),
        (json!({"azp": "other"}), "another client"),
        (json!({"sub": null}), "names nobody"),
    ] {
        let mut claims = anna.clone();
        for (key, value) in changed.as_object().into_iter().flatten() {
            claims[key] = value.clone();
        }
        issuer.change(|state| state.claims = claims);
        let found = refused(visitor.log_in(&issuer)?, 403)?;
        ensure!(found.contains(expected) && found.contains("not to be believed"), "{changed}: {found}");
    }
    issuer.change(|state| state.claims = anna.clone());
    for signed in [Signed::ByStranger, Signed::Not, Signed::ByPublicKey, Signed::BySecret] {
        issuer.change(|state| state.signed = signed);
        let found = refused(visitor.log_in(&issuer)?, 403)?;
        ensure!(found.contains("signed"), "{signed:?}: {found}");
    }
    issuer.change(|state| state.signed = Signed::ByKey);

    // An answer to another browser, to none, of another provider, or that was changed.
    let question = visitor.begin("")?;
    let back = issuer.log_in(&question)?;
    let mut other = Visitor::nobody(&server);
    refused(other.get(&format!("/sso/callback?{back}"))?, 400)?;
    other.begin("")?;
    refused(other.get(&format!("/sso/callback?{back}"))?, 400)?;
    for query in [
        "",
        "code=code-1",
        "state=&code=code-1",
        "state=0000&code=code-1",
        "error=access_denied",
        "error=access_denied&state=0",
    ] {
        refused(visitor.get(&format!("/sso/callback?{query}"))?, 400)?;
    }
    let elsewhere = back.split("&iss=").next().context("no issuer")?.to_owned() + "&iss=https%3A%2F%2Fevil.example";
    ensure!(refused(visitor.get(&format!("/sso/callback?{elsewhere}"))?, 403)?.contains("another issuer"));
    // Of all that, nothing has ended the login that was begun.
    visitor.get(&format!("/sso/callback?{back}"))?.is(200)?;

    // The provider says no, in words that may be anybody's.
    let question = visitor.begin("")?;
    let state = question.split("state=").nth(1).and_then(|rest| rest.split('&').next()).context("no state")?;
    let found = refused(
        visitor.get(&format!("/sso/callback?error=access_denied&error_description=Call%20me&state={state}"))?,
        403,
    )?;
    ensure!(found.contains("access_denied") && !found.contains("Call me"), "{found}");

    // To no other site.
    for next in ["%2F%2Fevil.example", "https%3A%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let question = visitor.begin(&format!("?next={next}"))?;
        let answer = visitor.get(&format!("/sso/callback?{}", issuer.log_in(&question)?))?.is(200)?;
        assert_eq!(answer.exact("refresh"), ["0; url=/"]);
    }
    Ok(())
}

#[test]
fn whoever_may_do_nothing_is_told_what_would_let_them_in() -> Result<()> {
    let issuer = Issuer::start()?;
    let repo = repo(&issuer.url(), &format!("{ANNA}{ADMINS}"))?;
    let server = serve(&repo)?;
    let mut visitor = Visitor::nobody(&server);
    for (claims, expected) in [
        (json!({"email": "anna@example.org"}), ["anna@example.org", "not verified", "[serve.sso.subject.\"17\"]"]),
        (
            json!({"email": "anna@example.org", "email_verified": false, "groups": ["devs"]}),
            ["anna@example.org", "not verified", "[serve.sso.group.\"devs\"]"],
        ),
        (
            json!({"email": "eve@example.org", "email_verified": true}),
            ["eve@example.org", "(verified)", "[serve.sso.email.\"eve@example.org\"]"],
        ),
        (
            json!({"sub": "anna@example.org", "groups": ["Admins"]}),
            ["anna@example.org", "Admins", "[serve.sso.group.\"Admins\"]"],
        ),
        (json!({"groups": ["<script>alert(1)</script>\"]\u{1b}\u{202e}"]}), ["17", "<script>", "scopes = "]),
    ] {
        let subject = claims.get("sub").cloned().unwrap_or(json!("17"));
        issuer.change(|state| (state.claims, state.user_info) = (claims.clone(), json!({"sub": subject})));
        let found = refused(visitor.log_in(&issuer)?, 403)?;
        ensure!(expected.iter().all(|word| found.contains(word)), "{claims}: {found}");
    }
    // Who somebody is, is said of that one.
    issuer.change(|state| {
        (state.claims, state.user_info) =
            (json!({}), json!({"sub": "18", "email": "anna@example.org", "email_verified": true}))
    });
    ensure!(refused(visitor.log_in(&issuer)?, 403)?.contains("somebody else"));
    // An address is verified by whoever says it.
    issuer.change(|state| {
        state.claims = json!({"email": "anna@example.org"});
        state.user_info = json!({"sub": "17", "email": "eve@example.org", "email_verified": true});
    });
    ensure!(refused(visitor.log_in(&issuer)?, 403)?.contains("not verified"));
    Ok(())
}

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

/// Ended with the test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A provider by TLS, as far as its configuration, and its authority in `ca.pem`.
fn by_tls(folder: &Path) -> Result<(Ended, String)> {
    fs::write(folder.join("ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for command in [
        format!("openssl req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"),
        format!("openssl req {key} -subj /CN=localhost -keyout key.pem -out csr.pem"),
        "openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days 2 -extfile ext -out cert.pem".to_owned(),
    ] {
        run(stead_tests::run::words(&command).current_dir(folder), LIMIT)?.ok()?;
    }
    fs::create_dir(folder.join(".well-known"))?;
    let said = folder.join("openssl");
    let mut openssl = stead_tests::run::words("openssl s_server -accept 127.0.0.1:0 -key key.pem -cert cert.pem -WWW");
    openssl.current_dir(folder).stdin(Stdio::null()).stdout(File::create(&said)?).stderr(Stdio::null());
    let child = Ended(openssl.spawn()?);
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

#[test]
fn a_table_that_contradicts_itself_is_refused() -> Result<()> {
    let is = |key: &str, value: Value| {
        let mut table = json!({"issuer": "https://sso.example.org", "client-id": "stead", "secret": "sso-client", "redirect": REDIRECT});
        table[key] = value;
        let lines = table.as_object().into_iter().flatten().map(|(key, value)| format!("{key} = {value}\n"));
        format!("[serve.sso]\n{}", lines.collect::<String>())
    };
    for (table, expected) in [
        (is("issuer", json!("http://sso.example.org")), "begins with https://"),
        (is("redirect", json!("https://jobs.example.org/")), "/sso/callback"),
        (is("group", json!("admins")), "expected a table"),
        (is("groups", json!("admins")), "no key"),
        (is("client-id", json!("a")) + "[serve.sso.group.a]\nscopes = []\n", "without scopes"),
        (is("client-id", json!("a")) + "[serve.sso.group.a]\nscopes = [\"read\"]\n", "needs jobs"),
    ] {
        let repo = Repo::with(std::slice::from_ref(&table))?;
        let mut stead = repo.stead()?;
        stead.args(["serve", "--listen", "127.0.0.1:0"]).env("CREDENTIALS_DIRECTORY", repo.path());
        let output = run(&mut stead, LIMIT)?;
        ensure!(!output.status.success() && output.stderr.contains(expected), "{table}: {}", output.stderr);
    }
    Ok(())
}
