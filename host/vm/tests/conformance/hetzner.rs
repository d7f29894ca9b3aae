//! Hetzner's API as a mock serves it on loopback. With `STEAD_HETZNER_OPENAPI`, the path of the API's OpenAPI document, the
//! mock and what it is asked are held to that document as well.

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::run::{run, words};
use stead_tests::wait;
use stead_vm::name::VmName;
use stead_vm::provider::Provider;
use stead_vm::provider::hetzner::{Hetzner, Settings};
use stead_vm::request::{Network, Size};
use tempfile::TempDir;

use crate::subject::{Subject, installation};

mod calls;

pub(crate) struct Project {
    server: Child,
    endpoint: String,
    folder: TempDir,
}

impl Project {
    pub(crate) fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let mock = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/hetzner/mock.py");
        // It ends with this process, however that ends.
        let mut command = words("setpriv --pdeathsig KILL");
        command.arg(env::var_os("STEAD_PYTHON").map_or(PathBuf::from("python3"), PathBuf::from)).arg(mock).arg(&port);
        command.args(env::var_os("STEAD_HETZNER_OPENAPI"));
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let endpoint = format!("http://127.0.0.1:{port}");
        let project = Self { server, endpoint, folder: tempfile::tempdir()? };
        wait::until("the mock", Duration::from_secs(30), || project.mock("servers").map(Some))?;
        Ok(project)
    }

    pub(crate) fn hetzner(&self, name: &str, token: &str) -> Result<Hetzner> {
        let endpoint = Some(self.endpoint.clone());
        let settings = Settings { token: token.into(), endpoint, firewalls: vec![7] };
        Ok(Hetzner::new(installation(name), settings)?)
    }

    pub(crate) fn mock(&self, what: &str) -> Result<String> {
        run(words("curl -sfg").arg(format!("{}/mock/{what}", self.endpoint)), Duration::from_secs(20))?.ok()
    }
}

impl Subject for Project {
    const AT_ONCE: bool = true;
    const NETWORK: Network = Network::Open;

    fn provider(&self, installation: &str) -> Result<Box<dyn Provider>> {
        Ok(Box::new(self.hetzner(installation, "a token")?))
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn image(&self) -> (String, Size) {
        ("debian-13".to_owned(), Size::Type("cx22".to_owned()))
    }

    fn lose(&self, name: &VmName) -> Result<()> {
        self.mock(&format!("off?{name}")).map(drop)
    }

    fn everything(&self) -> Result<Vec<String>> {
        let names = self.mock("servers")?;
        let names = names.trim().trim_matches(['[', ']']).split(", ").map(|name| name.trim_matches('"').to_owned());
        let violations = self.mock("violations")?;
        ensure!(violations.trim() == "[]", "against the OpenAPI document: {violations}");
        Ok(names.filter(|name| !name.is_empty()).collect())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
