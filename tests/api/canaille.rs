//! A real SSO provider, Canaille, and a real browser: a person logs in where the page sends them, and comes back.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use fantoccini::key::Key;
use stead_tests::run::{run, words};
use stead_tests::serve::Server;
use stead_tests::{cache, wait};

use crate::browser::Browser;
use crate::service::{Repo, table};

/// As `modules/central` has it.
const PACKAGE: &str = "canaille[front,oidc]==0.3.6";
const INSTALL_LIMIT: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(60);
const SECRET: &str = "client-secret-of-canaille";

/// It ends with this.
struct Canaille {
    url: String,
    child: Child,
}

impl Canaille {
    fn start(folder: &Path, redirect: &str) -> Result<Self> {
        let said = folder.join("canaille");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/api/provider.py");
        let mut command = Command::new(installed()?);
        command.args([script, redirect, SECRET]).current_dir(folder).stdin(Stdio::piped());
        command.stdout(File::create(&said)?).stderr(File::create(folder.join("canaille.log"))?);
        let mut started = Self { url: String::new(), child: command.spawn()? };
        started.url = wait::until("canaille", LIMIT, || {
            Ok(fs::read_to_string(&said)?.lines().find(|line| line.starts_with("http")).map(str::to_owned))
        })
        .with_context(|| fs::read_to_string(folder.join("canaille.log")).unwrap_or_default())?;
        Ok(started)
    }
}

impl Drop for Canaille {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn installed() -> Result<PathBuf> {
    let install = |folder: &Path| {
        run(words("python3 -m venv").arg(folder), INSTALL_LIMIT)?.ok()?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]);
        run(&mut pip, INSTALL_LIMIT)?.ok().map(drop)
    };
    Ok(cache::entry("canaille", &cache::key(&[PACKAGE]), install)?.join("bin/python"))
}

/// The provider asks for the name, and then for the password.
async fn log_in(browser: &Browser, name: &str) -> Result<()> {
    browser.client.wait().for_element(Locator::Css("p.sso a")).await?.click().await?;
    for (field, words) in [("login", name.to_owned()), ("password", format!("password of {name}"))] {
        let field = browser.client.wait().for_element(Locator::Css(&format!("input[name={field}]"))).await?;
        field.send_keys(&format!("{words}{}", char::from(Key::Enter))).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_person_logs_in_at_the_provider_and_comes_back() -> Result<()> {
    let repo = Repo::with(&[table("all", &["read"], &["*"])])?;
    fs::write(repo.path().join("sso-client"), SECRET)?;
    let mut stead = repo.stead()?;
    stead.args(["serve", "--listen", "127.0.0.1:0"]).env("CREDENTIALS_DIRECTORY", repo.path());
    let server = Server::start(&mut stead, &repo.path().join("said"))?;
    // To a browser this is another site than the provider's.
    let here = format!("localhost:{}", server.at.port());
    let canaille = Canaille::start(repo.path(), &format!("http://{here}/sso/callback"))?;
    let path = repo.path().join("stead.toml");
    let sso = format!(
        "[serve.sso]\nissuer = \"{}\"\nclient-id = \"stead\"\nsecret = \"sso-client\"\nredirect = \"http://{here}/sso/callback\"\n\
         [serve.sso.group.admins]\nscopes = [\"read\"]\njobs = [\"*\"]\n",
        canaille.url
    );
    fs::write(&path, fs::read_to_string(&path)? + &sso)?;
    server.hang_up("was read again")?;

    let browser = Browser::start(&here).await?;
    browser.go("/jobs?state=failed").await?;
    browser.until("p.sso a", "Log in by 127.0.0.1").await?;
    browser.is_well("login-sso").await?;
    log_in(&browser, "anna").await?;
    browser.until("main", "No job.").await?;
    let address = browser.client.current_url().await?;
    ensure!(address.as_str() == format!("http://{here}/jobs?state=failed"), "{address}");
    browser.until("form.leave", "person anna").await?;
    browser.client.find(Locator::Css("form.leave button")).await?.click().await?;
    browser.until("h1", "Log in").await?;

    // Somebody else, in a browser that has no session there.
    browser.client.goto(&format!("{}/logout", canaille.url)).await?;
    browser.go("/login").await?;
    log_in(&browser, "eve").await?;
    browser.until("h1", "Nothing is yours here").await?;
    browser.until("main", "eve@example.org").await?;
    browser.errors().await?;
    browser.is_well("nothing-yours").await?;
    ensure!(!server.said().contains(SECRET));
    browser.end().await
}
