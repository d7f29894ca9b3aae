//! Logging in to the page by an SSO provider, which is the tests' own, and lies.

mod declared;
mod person;
mod provider;

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::serve::Server;

use crate::client::Answer;
use crate::issuer::{CLIENT, Issuer, REDIRECT, SECRET};
use crate::page::{Visitor, sound, words};
use crate::service::{Repo, table};

const LIMIT: Duration = Duration::from_secs(60);
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
