//! All of it, for real: apply, log in, push and run an image, put and get a file, predict; apply again, and a bad commit.
//! `--profile vm` runs it, for it builds a dozen images and boots a machine in emulation.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead_tests::host::Host;
use stead_tests::wait;

use crate::laptop::Laptop;
use crate::place::{DOMAIN, Place};

/// A boot in emulation, beside busy neighbours.
const PREDICTED: Duration = Duration::from_secs(20 * 60);
const SCRAPED: Duration = Duration::from_secs(120);

#[test]
fn the_whole_server_works_and_a_bad_commit_is_taken_back() -> Result<()> {
    let place = Place::new()?;
    let [team, admin] = place.repo.make_secrets()?;
    place.lets_in_by_sftp()?;
    place.bring_stead()?;
    let laptop = Laptop::start(&place.server)?;
    place.stead(&["apply", "--yes", "central"], 0)?;
    let configuration = place.prints(&["vpn", "add", "anna-laptop", "--qr", "never"])?;
    place.stead(&["apply", "--yes", "central"], 0)?;
    laptop.join(&configuration)?;
    let said = place.stead(&["apply", "--yes", "central"], 0)?;
    ensure!(said.contains("Nothing to do"), "{said}");

    let whole = Whole { place, laptop, team };
    fs::write(whole.laptop.path("ca.crt"), whole.place.there(&format!("cat {AUTHORITY}"))?)?;
    whole.only_the_team_reaches_the_registry()?;
    whole.an_image_is_pushed_and_run()?;
    whole.files_come_by_sftp_and_go_by_webdav()?;
    whole.laptop.log_in("admin", &admin)?;
    whole.a_prediction_outlives_its_machine()?;
    whole.the_page_lets_in_whom_the_provider_knows()?;
    whole.it_is_scaled_and_watched()?;
    whole.a_bad_commit_is_taken_back()
}

const AUTHORITY: &str = "/etc/docker/certs.d/registry.central.example:8443/ca.crt";

struct Whole {
    place: Place,
    laptop: Laptop,
    /// The password of anna.
    team: String,
}

impl Whole {
    fn only_the_team_reaches_the_registry(&self) -> Result<()> {
        let at = format!("https://registry.{DOMAIN}:8443/v2/");
        assert_eq!(self.laptop.status(&at)?, "401");
        assert_eq!(self.laptop.status(&format!("--user anna:{} {at}", self.team))?, "200");
        ensure!(self.reaches(22)? && self.reaches(443)?, "what is open is closed");
        for port in [2222, 8080, 8443, 5432] {
            ensure!(!self.reaches(port)?, "port {port} is open to the world");
        }
        Ok(())
    }

    /// Whether a connection to the public side is accepted.
    fn reaches(&self, port: u16) -> Result<bool> {
        let line = format!("timeout 5 bash -c 'exec 3<>/dev/tcp/{}/{port}'", stead_tests::container::ADDRESS);
        Ok(self.laptop.sh(&line)?.status.success())
    }

    fn an_image_is_pushed_and_run(&self) -> Result<()> {
        let image = format!("registry.{DOMAIN}:8443/hello:1");
        self.place.server.copy_to(&stead_tests::docker::busybox_tar()?, "/srv/hello.tar")?;
        let said = self.place.there(&format!(
            "set -e; echo 127.0.0.1 registry.{DOMAIN} >> /etc/hosts; docker import /srv/hello.tar {image} > /dev/null; \
             echo {} | docker login --username anna --password-stdin registry.{DOMAIN}:8443 >&2; docker push -q {image} >&2; \
             docker rmi {image} > /dev/null; docker run --rm {image} echo pushed and run; \
             docker logout registry.{DOMAIN}:8443 >&2; docker rmi {image} > /dev/null",
            self.team
        ))?;
        ensure!(said.trim() == "pushed and run", "{said}");
        Ok(())
    }

    fn files_come_by_sftp_and_go_by_webdav(&self) -> Result<()> {
        let (tile, back) = (self.laptop.path("tile.ppm"), self.laptop.path("back.ppm"));
        fs::write(&tile, picture())?;
        let key = self.place.server.ssh_config().with_file_name("client_key");
        self.laptop
            .sh(&format!(
                "printf 'mkdir tiles\\nput {tile} tiles/a.ppm\\n' | sftp -q -b - -i {} -P 2222 -o IdentitiesOnly=yes \
                 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null anna@10.8.0.1",
                key.display()
            ))?
            .ok()?;
        let dav = format!("--user anna:{}", self.team);
        assert_eq!(self.laptop.status(&format!("https://files.{DOMAIN}/tiles/a.ppm"))?, "401");
        self.laptop.get(&format!("{dav} --output {back} https://files.{DOMAIN}/tiles/a.ppm"))?;
        ensure!(fs::read(back)? == picture(), "another file came back");
        let file = self.laptop.path("model.json");
        fs::write(&file, model().to_string())?;
        self.laptop.get(&format!("{dav} --request MKCOL https://files.{DOMAIN}/models"))?;
        self.laptop.get(&format!("{dav} --upload-file {file} https://files.{DOMAIN}/models/colours.json"))?;
        Ok(())
    }

    /// Who is logged in at the provider is asked for nothing more. From outside the VPN there is no page.
    fn the_page_lets_in_whom_the_provider_knows(&self) -> Result<()> {
        let at = format!("https://jobs.{DOMAIN}:8443");
        self.place.there(&format!("echo 127.0.0.1 sso.{DOMAIN} >> /etc/hosts"))?;
        assert_eq!(self.laptop.go(&format!("{at}/jobs"))?, format!("{at}/login?next=%2Fjobs"));
        self.laptop.go(&format!("'{at}/sso/login?next=%2Fjobs'"))?;
        let page = fs::read_to_string(self.laptop.path("page"))?;
        ensure!(page.contains("<h1>You have logged in</h1>") && page.contains("href=\"/jobs\""), "{page}");
        assert_eq!(self.laptop.go(&format!("{at}/jobs"))?, format!("{at}/jobs"));
        let page = fs::read_to_string(self.laptop.path("page"))?;
        ensure!(page.contains("<h1>Jobs</h1>") && page.contains("predict"), "{page}");
        Ok(())
    }

    fn a_prediction_outlives_its_machine(&self) -> Result<()> {
        let api = format!("https://app.{DOMAIN}/api");
        assert_eq!(serde_json::from_str::<Value>(&self.laptop.get(&format!("{api}/me"))?)?, json!({"person": "admin"}));
        let asked = json!({"tile": "tiles/a.ppm", "model": "models/colours.json"});
        let made = self.laptop.get(&format!("--json '{asked}' {api}/predictions"))?;
        let number = serde_json::from_str::<Value>(&made)?["id"].as_u64().context("no id")?;
        let ended = wait::until("the prediction", PREDICTED, || {
            let shown: Value = serde_json::from_str(&self.laptop.get(&format!("{api}/predictions/{number}"))?)?;
            Ok(["succeeded", "failed"].contains(&shown["state"].as_str().unwrap_or_default()).then_some(shown))
        });
        let log = || {
            self.place
                .there("journalctl -u stead --no-pager -n 40; docker logs --tail 40 tasks-worker-1 2>&1")
                .unwrap_or_default()
        };
        let ended = ended.with_context(log)?;
        ensure!(ended["state"] == "succeeded", "{ended}\n{}", log());
        assert_eq!(ended["result"]["classes"], json!({"blue": 0.25, "green": 0.75}));
        let plot = self.laptop.path("plot.png");
        self.laptop.get(&format!("--output {plot} {api}/predictions/{number}/plot.png"))?;
        ensure!(fs::read(plot)?.starts_with(b"\x89PNG\r\n\x1a\n"), "no plot");
        let machines = self.place.there("pgrep -c qemu-system || true")?;
        ensure!(machines.trim() == "0", "{machines} machines are left");
        Ok(())
    }

    fn it_is_scaled_and_watched(&self) -> Result<()> {
        for (service, count) in [("web-api", "3"), ("web-front", "2"), ("tasks-worker", "2")] {
            let running =
                self.place.there(&format!("docker ps --filter name={service} --filter health=healthy -q | wc -l"))?;
            ensure!(running.trim() == count, "{running} of {service}");
        }
        wait::until("all that Prometheus asks", SCRAPED, || {
            let query = format!(
                "--user anna:{} --get --data-urlencode query=up https://watch.{DOMAIN}:8443/api/v1/query",
                self.team
            );
            let up: Value = serde_json::from_str(&self.laptop.get(&query)?)?;
            let values = up["data"]["result"].as_array().context("no result")?;
            let all = values.len() == 5 && values.iter().all(|one| one["value"][1] == "1");
            ensure!(all, "{up}");
            Ok(Some(()))
        })
    }

    /// One whose health check fails, one whose migration does, and one that opens a port which nobody granted.
    fn a_bad_commit_is_taken_back(&self) -> Result<()> {
        let api = format!("https://app.{DOMAIN}/api");
        let predictions = self.laptop.get(&format!("{api}/predictions"))?;
        let state = "docker ps --all --no-trunc --format '{{.ID}} {{.Names}} {{.Image}}' | sort; \
                     cat /var/lib/stead/apps/web/compose.yaml /var/lib/stead/apps/web/api/*; nft -s list table inet stead";
        let before = self.place.there(state)?;
        let step = "created timestamptz not null default now())\"\"\",";
        for (file, was, bad, code, words) in [
            ("apps/web/compose.yaml", "8000/api/health", "8000/api/nothing", 79, ["compose web", "taken back"]),
            (
                "apps/web/api/migrate.py",
                step,
                &format!("{step}\n    \"drop table prediction\",\n    \"alter table prediction add x text\","),
                79,
                ["relation \"prediction\" does not exist", "taken back"],
            ),
            ("stead.toml", "public-ports = [80, 443]", "public-ports = [80, 443, 5432]", 66, ["firewall", "5432"]),
        ] {
            self.place.repo.edit(file, was, bad)?;
            let said = self.place.stead(&["apply", "--yes", "central"], code)?;
            ensure!(words.iter().all(|word| said.contains(word)), "{said}");
            let after = self.place.there(state)?;
            ensure!(before == after, "{file}: before:\n{before}\nafter:\n{after}");
            self.place.repo.edit(file, bad, was)?;
            assert_eq!(self.laptop.get(&format!("{api}/predictions"))?, predictions);
        }
        let said = self.place.stead(&["apply", "--yes", "central"], 0)?;
        ensure!(said.contains("Nothing to do"), "{said}");
        Ok(())
    }
}

const WIDTH: usize = 16;
const HEIGHT: usize = 8;

/// A quarter is blue, the rest is green.
fn picture() -> Vec<u8> {
    let mut picture = format!("P6\n{WIDTH} {HEIGHT}\n255\n").into_bytes();
    for pixel in 0..WIDTH * HEIGHT {
        picture.extend(if pixel < WIDTH * HEIGHT / 4 { [20, 60, 200] } else { [30, 150, 40] });
    }
    picture
}

/// The difference of blue and green.
fn model() -> Value {
    json!({
        "scale": 255,
        "layers": [{"weight": [[[[0]], [[-8]], [[8]]], [[[0]], [[8]], [[-8]]]], "bias": [0, 0]}],
        "classes": [{"name": "blue", "colour": "#3060c0"}, {"name": "green", "colour": "#208030"}],
    })
}
