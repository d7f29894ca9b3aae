//! A member of the team, on the outside: with a way to the public side, and one through the VPN.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::container::{ADDRESS, Container};
use stead_tests::run::{Output, run, run_with_input, words};
use stead_tests::wait;

use crate::place::DOMAIN;

const LIMIT: Duration = Duration::from_secs(120);
/// The server's address in the VPN.
const INSIDE: &str = "10.8.0.1";
/// Its own `/run`, where a WireGuard program listens.
const START: &str = "mount -t tmpfs tmpfs /run && mkdir -p /run/wireguard && \
                     if ip link add wg1 type wireguard 2>/dev/null; then exec sleep 7200; else exec wireguard-go -f wg1; fi";

pub(crate) struct Laptop {
    inside: Child,
    folder: tempfile::TempDir,
}

impl Laptop {
    pub(crate) fn start(container: &Container) -> Result<Self> {
        let mut inside = container.outside().command("unshare");
        inside.args(["--mount", "sh", "-c", START]).env("LOG_LEVEL", "silent");
        let inside = inside.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let laptop = Self { inside, folder: tempfile::tempdir()? };
        wait::until("the laptop's wg1", LIMIT, || Ok(laptop.sh("wg show wg1")?.status.success().then_some(())))?;
        Ok(laptop)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// With the configuration that `stead vpn add` printed, as wg-quick(8) would do it.
    pub(crate) fn join(&self, configuration: &str) -> Result<()> {
        let strip = "cat > /run/wg1.conf && wg-quick strip /run/wg1.conf > /run/strip && wg setconf wg1 /run/strip";
        run_with_input(&mut self.command(strip), configuration.as_bytes(), LIMIT)?.ok()?;
        let address = configuration.lines().find_map(|line| line.strip_prefix("Address = ")).context("no address")?;
        let up = format!("ip address add {address} dev wg1 && ip link set wg1 up && ip route add {INSIDE}/32 dev wg1");
        self.sh(&up)?.ok().map(drop)
    }

    /// Runs a shell command in its network.
    pub(crate) fn sh(&self, line: &str) -> Result<Output> {
        run(&mut self.command(line), LIMIT)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = words("nsenter --mount --net --target");
        command.arg(self.inside.id().to_string()).args(["--", "sh", "-c", line]);
        command
    }

    /// curl(1), for which public names are at the public address, and those of the team in the VPN.
    pub(crate) fn curl(&self, arguments: &str) -> Result<Output> {
        let public = ["app", "sso", "files"].map(|name| format!("--resolve {name}.{DOMAIN}:443:{ADDRESS}"));
        let team = ["registry", "watch", "jobs"].map(|name| format!("--resolve {name}.{DOMAIN}:8443:{INSIDE}"));
        let (ca, jar) = (self.path("ca.crt"), self.path("cookies"));
        self.sh(&format!(
            "curl --silent --show-error --max-time 60 --cacert {ca} --cookie {jar} --cookie-jar {jar} {} {} {arguments}",
            public.join(" "),
            team.join(" ")
        ))
    }

    /// What curl got, which must be no error of HTTP.
    pub(crate) fn get(&self, arguments: &str) -> Result<String> {
        self.curl(&format!("--fail {arguments}"))?.ok()
    }

    /// The status code of what curl got.
    pub(crate) fn status(&self, arguments: &str) -> Result<String> {
        Ok(self.curl(&format!("--output /dev/null --write-out '%{{http_code}}' {arguments}"))?.stdout)
    }

    /// Goes where it is led, by way of redirections, and answers where that is; what is there is in the file `page`.
    pub(crate) fn go(&self, arguments: &str) -> Result<String> {
        let page = self.path("page");
        self.get(&format!("--location --output {page} --write-out '%{{url_effective}}' {arguments}"))
    }

    /// Logs in to the web application by the SSO provider, through its forms.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> Result<()> {
        let (page, mut at) = (self.path("page"), self.go(&format!("https://app.{DOMAIN}/api/login"))?);
        for (field, value) in [("login", name), ("password", password)] {
            let html = std::fs::read_to_string(&page)?;
            ensure!(html.contains(&format!("name=\"{field}\"")), "{at} asks for no {field}: {html}");
            let token = html.split("name=\"csrf_token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
            let token = token.with_context(|| format!("no token in {html}"))?;
            at = self.go(&format!(
                "--referer '{at}' --form-string csrf_token={token} --form-string {field}={value} --form-string remember=y '{at}'"
            ))?;
        }
        ensure!(at == format!("https://app.{DOMAIN}/"), "it ended at {at}: {}", std::fs::read_to_string(&page)?);
        Ok(())
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        // It may have ended with its network.
        let _ = self.inside.kill();
        let _ = self.inside.wait();
    }
}
