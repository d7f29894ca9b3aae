//! `stead app pin`: digests of a real registry, in compose files that are otherwise as they were.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::run::run;

use crate::registry::Place;

const COMPOSE: &str = "\
# The shop.
x-worker: &worker { image: 'HOST/team/asks:1' }   # quoted
services:
  worker: { <<: *worker }
  web:
    image: HOST/team/asks:1 # what is sold
    ports: ['80:80']
  built: { build: ., image: HOST/team/built:1 }
  open:
    image: HOST/team/asks:${TAG}
";
const OVERRIDE: &str = "services:\n  web:\n    image: \"HOST/team/asks:2\"\n";

impl Place {
    /// Gives the tag to another manifest, as a rebuilt image has one.
    fn moves(&self, tag: &str, digest: &str) -> Result<()> {
        let manifest = fs::read_to_string(self.registry.blob(digest))?;
        fs::write(self.repo.path("manifest"), manifest.replacen('{', "{ ", 1))?;
        let kind = "Content-Type: application/vnd.oci.image.manifest.v1+json";
        let mut put = Command::new("curl");
        put.args(["-sf", "-u", "me:pass:word", "-X", "PUT", "-H", kind, "--data-binary"]);
        put.arg(format!("@{}", self.repo.path("manifest").display()));
        put.arg(format!("http://{}/v2/team/asks/manifests/{tag}", self.registry.host()));
        run(&mut put, Duration::from_secs(10))?.ok().map(drop)
    }

    fn app(&self, app: &str, file: &str, text: &str) -> Result<()> {
        fs::create_dir_all(self.repo.path("apps").join(app))?;
        let text = text.replace("HOST", &self.registry.host());
        Ok(fs::write(self.repo.path("apps").join(app).join(file), text)?)
    }

    fn text(&self, file: &str) -> Result<String> {
        Ok(fs::read_to_string(self.repo.path("apps").join(file))?.replace(&self.registry.host(), "HOST"))
    }
}

#[test]
fn tags_get_the_digest_that_they_have() -> Result<()> {
    let place = Place::new()?;
    place.app("shop", "compose.yaml", COMPOSE)?;
    place.app("shop", "compose.override.yaml", OVERRIDE)?;
    place.app("plain", "docker-compose.yml", "services: { a: { image: busybox } }\n")?;
    fs::write(place.repo.path("apps/README"), "no app")?;
    let first = place.push(":1", "")?;
    // Nothing is written while one of them cannot be told.
    let said = place.repo.stead("app pin", 65)?;
    ensure!(
        said.contains("there is no") && said.contains("asks:2") && said.contains("compose.override.yaml:3"),
        "{said}"
    );
    ensure!(place.text("shop/compose.yaml")? == COMPOSE);
    let second = place.push(":2", "")?;
    place.moves("2", &second)?;

    let said = place.repo.stead("app pin --check", 2)?;
    ensure!(place.text("shop/compose.yaml")? == COMPOSE, "--check writes nothing");
    ensure!(place.repo.stead("app pin", 0)? == said);
    for words in ["apps/plain/docker-compose.yml:1", "stays: it has no tag", "stays: a variable names it", ", new"] {
        ensure!(said.contains(words), "{words}: {said}");
    }
    ensure!(!said.contains("built") && !said.contains("pass:word"), "{said}");
    let pinned = COMPOSE.replace("HOST/team/asks:1", &format!("HOST/team/asks:1@sha256:{first}"));
    ensure!(place.text("shop/compose.yaml")? == pinned, "{}", place.text("shop/compose.yaml")?);
    let beside = place.text("shop/compose.override.yaml")?;
    ensure!(beside.contains("asks:2@sha256:") && !beside.contains(&second), "{beside}");

    let said = place.repo.stead("app pin --check", 0)?;
    ensure!(said.contains("as it was") && !said.contains('@'), "{said}");
    place.moves("1", &first)?;
    place.repo.stead("app pin plain --check", 0)?;
    let said = place.repo.stead("app pin shop --check", 2)?;
    ensure!(said.contains(&format!(", was {}", &first[..12])), "{said}");
    place.repo.stead("app pin shop", 0)?;
    ensure!(!place.text("shop/compose.yaml")?.contains(&first));
    Ok(())
}

#[test]
fn what_cannot_be_pinned_is_told_with_its_place() -> Result<()> {
    let place = Place::new()?;
    place.app("shop", "compose.yaml", "services:\n  a: [\n")?;
    ensure!(place.repo.stead("app pin shop", 65)?.contains("apps/shop/compose.yaml, line "));
    ensure!(place.repo.stead("app pin shp", 64)?.contains("did you mean `shop`?"));
    place.app("shop", "compose.yaml", "services:\n  a:\n    image: Shop:1\n")?;
    let said = place.repo.stead("app pin", 65)?;
    ensure!(said.contains("lower-case") && said.contains("compose.yaml:3"), "{said}");
    // Without the credentials.
    place.app("shop", "compose.yaml", "services:\n  a:\n    image: HOST/team/asks:1\n")?;
    fs::remove_file(place.repo.path("home/.docker/config.json"))?;
    ensure!(place.repo.stead("app pin", 65)?.contains("does not let those without credentials in"));
    Ok(())
}
