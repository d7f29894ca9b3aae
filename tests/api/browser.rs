//! A real Chromium without a screen, driven by WebDriver, that reaches this machine alone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use stead_tests::run::{run, words};
use stead_tests::{cache, wait};
use tempfile::TempDir;
use url::{ParseError, Url};

const LIMIT: Duration = Duration::from_secs(60);
const INSTALL_LIMIT: Duration = Duration::from_secs(300);
/// axe-core 4.12.1, which looks for what keeps people from a page, as a package of PyPI carries it.
const AXE: &str =
    "axe-playwright-python==0.1.8 --hash=sha256:fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8\n";

/// A browser; it ends with this.
pub(crate) struct Browser {
    pub(crate) client: Client,
    _folder: TempDir,
    driver: Child,
    at: String,
}

/// What fantoccini has no words for: the rest of the path, and what is sent.
#[derive(Debug)]
struct Asking(String, Option<Value>);

impl WebDriverCompatibleCommand for Asking {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        match &self.1 {
            Some(body) => (Method::POST, Some(body.to_string())),
            None => (Method::GET, None),
        }
    }
}

impl Browser {
    /// One that looks at the server at this address.
    pub(crate) async fn start(at: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let said = folder.path().join("said");
        // Processes of its own: whatever becomes of the test, the kernel ends the driver, and all of the browser with it.
        let mut apart = words("setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc");
        let driver = apart.args(["chromedriver", "--port=0"]).stdin(Stdio::null()).stdout(File::create(&said)?);
        let driver = driver.stderr(Stdio::null()).spawn().context("chromedriver: tests/setup.sh installs it")?;
        let mut started = Started(Some(driver));
        let port = wait::until("chromedriver", LIMIT, || {
            let said = fs::read_to_string(&said)?;
            let port = said.split("successfully on port ").nth(1).and_then(|rest| rest.split('.').next());
            Ok(port.map(str::to_owned))
        })?;
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--window-size=1200,900",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
            &profile,
        ];
        let wanted = json!({"goog:chromeOptions": {"args": options}, "goog:loggingPrefs": {"browser": "ALL"}});
        let wanted = wanted.as_object().cloned().unwrap_or_default();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let at_driver = format!("http://127.0.0.1:{port}");
        let connecting = builder.capabilities(wanted).connect(&at_driver);
        let client = connecting.await.context("the browser does not start")?;
        let driver = started.0.take().context("no driver")?;
        Ok(Self { client, _folder: folder, driver, at: at.to_owned() })
    }

    pub(crate) async fn go(&self, path: &str) -> Result<()> {
        Ok(self.client.goto(&format!("http://{}{path}", self.at)).await?)
    }

    pub(crate) async fn path(&self) -> Result<String> {
        Ok(self.client.current_url().await?.path().to_owned())
    }

    pub(crate) async fn text(&self, css: &str) -> Result<String> {
        Ok(self.client.find(Locator::Css(css)).await?.text().await?)
    }

    pub(crate) async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, vec![]).await?)
    }

    /// Keys to whatever has the focus.
    pub(crate) async fn keys(&self, keys: &str) -> Result<()> {
        Ok(self.client.active_element().await?.send_keys(keys).await?)
    }

    /// Waits until the page says this there.
    pub(crate) async fn until(&self, css: &str, words: &str) -> Result<()> {
        let mut said = String::new();
        for _ in 0..300 {
            said = self.text(css).await.unwrap_or_default();
            if said.contains(words) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{css} does not say {words:?} but {said:?}")
    }

    async fn command(&self, rest: &str, body: Option<Value>) -> Result<Value> {
        Ok(self.client.issue_cmd(Asking(rest.to_owned(), body)).await?)
    }

    /// What the browser told of errors since it was asked last: of scripts, of what was not loaded, of what a policy forbade.
    pub(crate) async fn errors(&self) -> Result<Vec<String>> {
        let said = self.command("se/log", Some(json!({"type": "browser"}))).await?;
        // A piece of advice is none.
        let errors = said.as_array().into_iter().flatten().filter(|entry| entry["level"] != "DEBUG");
        Ok(errors.map(|entry| entry["message"].to_string()).collect())
    }

    /// What assistive technology is told of an element: its role and its name.
    pub(crate) async fn told(&self, element: &Element) -> Result<(String, String)> {
        let id = element.element_id();
        let ask = async |what: &str| -> Result<String> {
            let told = self.command(&format!("element/{}/{what}", id.as_ref()), None).await?;
            Ok(told.as_str().unwrap_or_default().to_owned())
        };
        Ok((ask("computedrole").await?, ask("computedlabel").await?))
    }

    /// What axe-core finds wrong with the page, by the rules of WCAG 2.2 AA and by its own of good practice.
    pub(crate) async fn barriers(&self) -> Result<Vec<String>> {
        self.client.execute(&fs::read_to_string(axe()?)?, vec![]).await?;
        let run = "const done = arguments[arguments.length - 1]; axe.run().then(found => done(found.violations.map(one => \
            one.id + ': ' + one.help + ' ' + one.nodes.map(node => node.html).join(' '))), error => done([String(error)]));";
        let found = self.client.execute_async(run, vec![]).await?;
        Ok(found.as_array().into_iter().flatten().map(ToString::to_string).collect())
    }

    /// A picture of the page, for whoever looks at it: only where this variable names a folder.
    pub(crate) async fn picture(&self, name: &str) -> Result<()> {
        if let Some(folder) = std::env::var_os("STEAD_TEST_PICTURES") {
            let height = self.run("return document.documentElement.scrollHeight").await?.as_u64().unwrap_or(900);
            let (width, before) = self.client.get_window_size().await?;
            self.client.set_window_size(width.try_into()?, u32::try_from(height)? + 140).await?;
            fs::write(Path::new(&folder).join(format!("{name}.png")), self.client.screenshot().await?)?;
            self.client.set_window_size(width.try_into()?, before.try_into()?).await?;
        }
        Ok(())
    }

    /// A page that is as it should be for everybody: no error, a name for each thing that can be used, nothing that axe-core finds,
    /// and nothing wider than a narrow window.
    pub(crate) async fn is_well(&self, name: &str) -> Result<()> {
        for element in self
            .client
            .find_all(Locator::Css("a, button, input:not([type=hidden]), select, img, progress, [tabindex='0']"))
            .await?
        {
            let (role, label) = self.told(&element).await?;
            ensure!(
                !label.trim().is_empty() && role != "none",
                "{name}: {role} without a name: {}",
                element.html(false).await?
            );
        }
        let barriers = self.barriers().await?;
        ensure!(barriers.is_empty(), "{name}: {barriers:#?}");
        self.picture(name).await?;
        self.client.set_window_size(500, 900).await?;
        let narrow = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": false}});
        self.command("goog/cdp/execute", Some(narrow)).await?;
        let width = self.run("return document.documentElement.scrollWidth").await?;
        let dark = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}});
        self.command("goog/cdp/execute", Some(dark)).await?;
        let barriers = self.barriers().await?;
        self.picture(&format!("{name}-dark")).await?;
        let light = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": []}});
        self.command("goog/cdp/execute", Some(light)).await?;
        self.command("goog/cdp/execute", Some(json!({"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}})))
            .await?;
        self.client.set_window_size(1200, 900).await?;
        ensure!(width.as_u64() <= Some(320), "{name} is {width} wide in a window of 320");
        ensure!(barriers.is_empty(), "{name}, dark: {barriers:#?}");
        let errors = self.errors().await?;
        ensure!(errors.is_empty(), "{name}: {errors:#?}");
        Ok(())
    }

    pub(crate) async fn end(self) -> Result<()> {
        self.client.clone().close().await?;
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

/// A driver whose browser has not started yet.
struct Started(Option<Child>);

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(driver) = &mut self.0 {
            drop(driver.kill());
            drop(driver.wait());
        }
    }
}

fn axe() -> Result<PathBuf> {
    let install = |folder: &Path| {
        fs::write(folder.join("requirements.txt"), AXE)?;
        run(words("python3 -m venv").arg(folder.join("venv")), INSTALL_LIMIT)?.ok()?;
        let mut pip = Command::new(folder.join("venv/bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]);
        pip.args(["--target", "axe", "-r", "requirements.txt"]).current_dir(folder);
        run(&mut pip, INSTALL_LIMIT)?.ok()?;
        Ok(fs::remove_dir_all(folder.join("venv"))?)
    };
    let folder = cache::entry("axe-core", &cache::key(&[AXE]), install)?;
    Ok(folder.join("axe/axe_playwright_python/axe.min.js"))
}
