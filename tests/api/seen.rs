//! The pages as people see them: a browser with scripts, by keyboard, with what assistive technology is told.

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::json;

use crate::browser::Browser;
use crate::client::Client;
use crate::hosts;
use crate::service::{Repo, table, token};
use crate::source::Source;

const EVIL: &str = "<script>alert(1)</script>";

fn repo() -> Result<Repo> {
    let all = ["read", "submit", "cancel", "retry", "machines", "hosts"];
    Repo::with(&[table("all", &all, &["*"])])
}

/// By keyboard alone: what is typed goes to the field that has the focus.
async fn log_in(browser: &Browser) -> Result<()> {
    browser.go("/").await?;
    browser.keys(&format!("{}{}", token("all"), char::from(Key::Enter))).await?;
    browser.until("h1", "Hosts").await
}

#[tokio::test]
async fn everything_is_reached_by_keyboard_and_has_a_name() -> Result<()> {
    let repo = repo()?;
    let source = Source::start(&repo)?;
    let server = repo.serve()?;
    hosts::write(&repo.path().join("state"), EVIL)?;
    let api = Client::of(&server, "all");
    ensure!(source.job(&api, "plot.png")? == 1);
    api.post("/v1/jobs", &json!({"policy": "other", "input": {"seconds": "no number"}}))?.is(201)?;
    api.until(2, "failed")?;

    let browser = Browser::start(&server.at.to_string()).await?;
    browser.go("/login").await?;
    browser.keys(&format!("stead_wrong{}", char::from(Key::Enter))).await?;
    browser.until("[role=alert]", "not known").await?;
    // The browser logs the answer 403 itself.
    browser.errors().await?;
    browser.is_well("login").await?;
    log_in(&browser).await?;
    // Over the way to the pages, by the link that only the keyboard finds.
    browser.run("document.activeElement.blur(); return 0").await?;
    browser.keys(&char::from(Key::Tab).to_string()).await?;
    ensure!(browser.told(&browser.client.active_element().await?).await? == ("link".into(), "To the content".into()));
    browser.keys(&char::from(Key::Enter).to_string()).await?;
    ensure!(browser.run("return document.activeElement.id").await? == "main");
    browser.keys(&char::from(Key::Tab).to_string()).await?;
    ensure!(browser.told(&browser.client.active_element().await?).await?.1.contains("Hosts that are followed"));
    browser.keys(&char::from(Key::Tab).to_string()).await?;
    browser.keys(&char::from(Key::Enter).to_string()).await?;
    browser.until("h1", "away").await?;

    for (path, name) in [
        ("/hosts", "hosts"),
        ("/hosts/box", "host"),
        ("/hosts/box/firewall", "firewall"),
        ("/hosts/box/plans/waiting", "plan"),
        ("/jobs", "jobs"),
        ("/jobs/1", "job"),
        ("/jobs/2", "failed-job"),
        ("/jobs/1/log", "log"),
        ("/machines", "machines"),
    ] {
        browser.go(path).await?;
        browser.is_well(name).await?;
    }
    browser.go("/jobs/1").await?;
    let picture = "const one = document.querySelector('img[alt=\"plot.png\"]'); one.loading = 'eager'; await one.decode(); \
        return one.naturalWidth";
    ensure!(browser.run(picture).await? == 320, "the plot is not shown");
    browser.client.find(Locator::Css("form.leave button")).await?.click().await?;
    browser.until("h1", "Log in").await?;
    browser.go("/jobs/1").await?;
    ensure!(browser.path().await? == "/login");
    browser.end().await
}

#[tokio::test]
async fn a_log_grows_until_its_job_ends_and_a_job_is_cancelled() -> Result<()> {
    let repo = repo()?;
    let server = repo.serve()?;
    let api = Client::of(&server, "all");
    let browser = Browser::start(&server.at.to_string()).await?;
    log_in(&browser).await?;
    browser.picture("hosts-nothing").await?;
    let job = api.submit(json!({"seconds": 4}))?;
    api.until(job, "running")?;
    browser.go(&format!("/jobs/{job}")).await?;
    browser.run("window.first = true; return 0").await?;
    browser.until(".log", "it begins").await?;
    browser.until("#live", "New lines come by themselves").await?;
    browser.picture("running-job").await?;
    browser.until(".log", "it ends").await?;
    browser.until("#live", "The job is succeeded").await?;
    ensure!(browser.run("return window.first").await? == true, "it was loaded again");
    ensure!(browser.text("#state").await? == "succeeded");
    let lines =
        browser.run("return [...document.querySelectorAll('.line .number')].map(one => one.textContent)").await?;
    ensure!(lines == json!(["0", "1"]), "{lines}");
    browser.client.find(Locator::Css("#live a")).await?.click().await?;
    browser.until("h2 + .scroll", "done").await?;

    let job = api.submit(json!({"seconds": 600}))?;
    api.until(job, "running")?;
    browser.go(&format!("/jobs/{job}")).await?;
    browser.client.find(Locator::Css(".actions button")).await?.send_keys(&char::from(Key::Enter).to_string()).await?;
    api.until(job, "cancelled")?;
    browser.until("#state", "cancelled").await?;
    browser.go("/jobs?state=cancelled").await?;
    ensure!(browser.text("tbody th").await? == job.to_string());
    let errors = browser.errors().await?;
    ensure!(errors.is_empty(), "{errors:#?}");
    let said = server.end().context("it ends with somebody looking")?;
    ensure!(!said.contains("test-token"), "{said}");
    browser.end().await
}
