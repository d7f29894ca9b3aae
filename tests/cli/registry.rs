//! Policies out of a registry: pushed, pulled, pinned, signed; and whatever can be wrong with one that lies there.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use stead_tests::docker::Registry;

use crate::repo::{GRANTS, Repo};

const PASSWORD: [&str; 2] = ["pass:word", "bWU6cGFzczp3b3Jk"];

/// A registry, and a repo whose policy `asks` is a component that can be pushed there.
pub(crate) struct Place {
    pub(crate) registry: Registry,
    pub(crate) repo: Repo,
}

impl Place {
    pub(crate) fn new() -> Result<Self> {
        let place = Self { registry: Registry::here()?, repo: Repo::new()? };
        place.signed_in(&place.registry.config())?;
        for key in ["team.key", "other.key"] {
            fs::copy(format!("{}/cli/registry/keys/{key}", env!("CARGO_MANIFEST_DIR")), place.repo.path(key))?;
            fs::set_permissions(place.repo.path(key), fs::Permissions::from_mode(0o600))?;
        }
        Ok(place)
    }

    /// What `docker login` leaves.
    fn signed_in(&self, config: &str) -> Result<()> {
        fs::create_dir_all(self.repo.path("home/.docker"))?;
        Ok(fs::write(self.repo.path("home/.docker/config.json"), config)?)
    }

    fn reference(&self, rest: &str) -> String {
        format!("{}/team/asks{rest}", self.registry.host())
    }

    /// Pushes the component; answers with the digest of its manifest.
    pub(crate) fn push(&self, tag: &str, options: &str) -> Result<String> {
        self.repo.declare("forward = \"1\"")?;
        let said = self.repo.stead(&format!("policy push asks {}{options}", self.reference(tag)), 0)?;
        Ok(said.trim().rsplit_once("@sha256:").context("there is no digest")?.1.to_owned())
    }

    /// `stead.toml` names the policy by its reference.
    fn take(&self, rest: &str, more: &str) -> Result<()> {
        let source = format!("source = \"oci://{}\"", self.reference(rest));
        let text = format!(
            "[host.box]\npolicies = [\"asks\"]\n[policy.asks]\n{source}\n[policy.asks.config]\nforward = \"1\"\n{GRANTS}{more}"
        );
        Ok(fs::write(self.repo.path("stead.toml"), text)?)
    }

    fn lock(&self) -> Result<String> {
        Ok(fs::read_to_string(self.repo.path("stead.lock"))?)
    }

    fn says(&self, line: &str, code: i32, words: &[&str]) -> Result<String> {
        let said = self.repo.stead(line, code)?;
        for word in words {
            ensure!(said.contains(word), "`{word}` is not in:\n{said}");
        }
        for secret in PASSWORD {
            ensure!(!said.contains(secret), "{said}");
        }
        Ok(said)
    }

    /// A key table for the registry.
    fn signed_by(&self, key: &str) -> Result<String> {
        let key = fs::read_to_string(format!("{}/cli/registry/keys/{key}.pub", env!("CARGO_MANIFEST_DIR")))?;
        Ok(format!("[registry.\"{}\"]\nsigned-by = [\"\"\"\n{key}\"\"\"]\n", self.registry.host()))
    }

    /// Forgets what was pulled, and keeps the lock.
    fn forget(&self) -> Result<()> {
        Ok(fs::remove_dir_all(self.repo.path(".stead/pulled"))?)
    }

    /// What is in the registry under the digest that the manifest names for the component.
    fn component(&self, manifest: &str) -> Result<String> {
        let text = fs::read_to_string(self.registry.blob(manifest))?;
        let layers = text.split_once("\"layers\"").context("it has no layers")?.1;
        let digest = layers.split_once("sha256:").context("its layer has no digest")?.1;
        Ok(digest.get(..64).context("its digest is short")?.to_owned())
    }
}

#[test]
fn a_policy_is_pushed_pulled_pinned_and_applied_without_the_registry() -> Result<()> {
    let place = Place::new()?;
    let digest = place.push(":1.0", "")?;
    ensure!(place.push(":1.0", "")? == digest, "equal components have equal digests");
    place.take(":1.0", "")?;
    for line in ["plan", "apply --yes"] {
        place.says(line, 65, &["asks is not pulled", "team/asks:1.0", "run `stead policy pull asks`"])?;
    }
    // The job policy is not run either.
    let text = fs::read_to_string(place.repo.path("stead.toml"))?;
    let job = format!("[policy.words]\nsource = \"oci://{}\"\n", place.reference(":2.0"));
    fs::write(place.repo.path("stead.toml"), format!("{job}{text}"))?;
    fs::write(place.repo.path("input.json"), "{}")?;
    place.says("job run words --input input.json", 80, &["words is not pulled", "run `stead policy pull words`"])?;
    place.take(":1.0", "")?;
    place.says("build asks", 64, &["comes from a registry", "stead policy pull asks"])?;
    place.says("policy pull ask", 64, &["did you mean `asks`?"])?;
    place.says("policy pull", 0, &["asks", "pulled"])?;
    let lock = place.lock()?;
    ensure!(lock.contains(&format!("manifest = \"sha256:{digest}\"")), "{lock}");
    ensure!(lock.contains(&format!("digest = \"sha256:{}\"", place.component(&digest)?)), "{lock}");
    ensure!(fs::read_dir(place.repo.path("state/compiled"))?.count() == 1, "it is compiled ahead");

    let Place { registry, repo } = place;
    drop(registry);
    repo.stead("policy pull", 0)?;
    repo.stead("apply --yes", 0)?;
    ensure!(repo.there("proc/sys/net/ipv4/ip_forward")?.trim() == "1");
    ensure!(fs::read_dir(repo.path("state/compiled"))?.count() == 1, "and not again");
    let said = repo.stead("policy pull --update", 68)?;
    ensure!(said.contains("cannot reach the registry") && said.contains("refused"), "{said}");
    ensure!(fs::read_to_string(repo.path("stead.lock"))? == lock);
    Ok(())
}

#[test]
fn a_tag_that_was_moved_changes_nothing_until_update() -> Result<()> {
    let place = Place::new()?;
    let first = place.push(":1", "")?;
    place.take(":1", "")?;
    place.says("policy pull", 0, &[])?;
    // Another component: a custom section more.
    let mut other = fs::read(place.repo.path("asks.wasm"))?;
    other.extend_from_slice(&[0, 4, 3, b'n', b'e', b'w']);
    fs::write(place.repo.path("asks.wasm"), other)?;
    let second = place.push(":1", "")?;
    ensure!(first != second);
    place.take(":1", "")?;
    place.says("policy pull", 0, &["is there"])?;
    place.forget()?;
    place.says("plan", 65, &["run `stead policy pull asks`"])?;
    place.says("policy pull", 0, &["pulled"])?;
    ensure!(place.lock()?.contains(&first));
    place.says("policy pull --update", 0, &["was", "and is", "stead.lock has it now"])?;
    ensure!(place.lock()?.contains(&second) && !place.lock()?.contains(&first));
    // By its digest, whatever the tag is now.
    place.take(&format!(":1@sha256:{first}"), "")?;
    place.says("plan", 65, &["is not pulled"])?;
    place.says("policy pull", 0, &["pulled"])?;
    ensure!(place.lock()?.contains(&first) && !place.lock()?.contains(&second));
    place.says("plan", 2, &["ip_forward"]).map(drop)
}

#[test]
fn who_may_not_is_told_and_no_password_is_shown() -> Result<()> {
    let place = Place::new()?;
    place.push(":1", "")?;
    place.take(":1", "")?;
    place.signed_in("{}")?;
    place.says("policy pull", 65, &["does not let those without credentials in", "docker login", "credentials = "])?;
    let wrong = place.registry.config().replace(PASSWORD[1], "bWU6d3Jvbmc=");
    place.signed_in(&wrong)?;
    let said = place.says("policy pull", 65, &["does not let user me of", "config.json"])?;
    ensure!(!said.contains("wrong"), "{said}");
    place.signed_in("not JSON, but s3cr3t")?;
    let said = place.says("policy pull", 65, &["not like Docker's config.json"])?;
    ensure!(!said.contains("s3cr3t"), "{said}");

    // A secret of the repo goes before what the operator has.
    let table = format!("[registry.\"{}\"]\ncredentials = \"login\"\n", place.registry.host());
    place.take(":1", &table)?;
    place.repo.stead("secret keygen", 0)?;
    place.says("policy pull", 64, &["no secret is called `login`"])?;
    place.repo.stead_reads("secret set login", "{\"auths\": {\"elsewhere.example\": {\"auth\": \"YTpi\"}}}", 0)?;
    place.says("policy pull", 65, &["the secret login has nothing for localhost:"])?;
    place.repo.stead_reads("secret set login", &place.registry.config(), 0)?;
    place.says("policy pull", 0, &["pulled"])?;
    place.says("policy push asks other.example.com/x", 64, &["neither a tag nor a digest"]).map(drop)
}

#[test]
fn what_is_signed_by_the_team_is_pulled_and_nothing_else() -> Result<()> {
    let place = Place::new()?;
    let digest = place.push(":1", "")?;
    place.take(":1", &place.signed_by("team")?)?;
    place.says("policy pull", 65, &["is refused: it is not signed", "--sign KEY"])?;
    place.push(":1", " --sign other.key")?;
    place.take(":1", &place.signed_by("team")?)?;
    place.says("policy pull", 65, &["its signature is by none of the keys in signed-by"])?;
    ensure!(!place.repo.path("stead.lock").exists(), "nothing is pinned");
    // A signature is added to those that are there.
    ensure!(place.push(":1", " --sign team.key")? == digest);
    for key in ["team", "other"] {
        place.take(":1", &place.signed_by(key)?)?;
        place.says("policy pull --update", 0, &["pulled, signed"])?;
        place.says("plan", 2, &["ip_forward"])?;
    }
    // What was signed for one repository is nothing in another.
    let other = format!("{}/team/backup:1", place.registry.host());
    place.repo.declare("forward = \"1\"")?;
    place.repo.stead(&format!("policy push asks {other}"), 0)?;
    copy_signature(&place, &digest)?;
    let text = place.signed_by("team")?;
    fs::write(
        place.repo.path("stead.toml"),
        format!("[host.box]\npolicies = [\"asks\"]\n[policy.asks]\nsource = \"oci://{other}\"\n{GRANTS}{text}"),
    )?;
    place.says("policy pull", 65, &["is for the repository", "team/asks, and this is", "team/backup"])?;
    Ok(())
}

/// As somebody would who runs the registry: the files of the tag with the signatures, in another repository.
fn copy_signature(place: &Place, digest: &str) -> Result<()> {
    let repositories = place.registry.repositories();
    let from = repositories.join(format!("team/asks/_manifests/tags/sha256-{digest}.sig"));
    let to = repositories.join(format!("team/backup/_manifests/tags/sha256-{digest}.sig"));
    stead_tests::policy::copy(&from, &to)?;
    for kind in ["_manifests/revisions", "_layers"] {
        stead_tests::policy::copy(
            &repositories.join("team/asks").join(kind),
            &repositories.join("team/backup").join(kind),
        )?;
    }
    Ok(())
}

#[test]
fn keys_that_were_changed_after_the_pull_are_heeded() -> Result<()> {
    let place = Place::new()?;
    place.push(":1", " --sign team.key")?;
    place.take(":1", "")?;
    place.says("policy pull", 0, &["pulled"])?;
    // It was pulled when nobody asked for signatures, so there are none.
    place.take(":1", &place.signed_by("team")?)?;
    place.says("plan", 65, &["is not signed", "stead policy pull asks"])?;
    place.says("policy pull", 0, &["pulled, signed"])?;
    place.says("plan", 2, &[])?;
    place.take(":1", &place.signed_by("other")?)?;
    place.says("plan", 65, &["by none of the keys"])?;
    // The policy's own keys go before those of the registry.
    let own = place.signed_by("team")?.split_once('\n').context("no line")?.1.to_owned();
    place.take(":1", &place.signed_by("other")?)?;
    let text = fs::read_to_string(place.repo.path("stead.toml"))?;
    fs::write(
        place.repo.path("stead.toml"),
        text.replace("[policy.asks.config]", &format!("{own}[policy.asks.config]")),
    )?;
    place.says("plan", 2, &[]).map(drop)
}

#[test]
fn what_was_changed_in_the_store_is_refused() -> Result<()> {
    let place = Place::new()?;
    let digest = place.push(":1", "")?;
    place.take(":1", "")?;
    place.says("policy pull", 0, &[])?;
    let folder = place.repo.path(".stead/pulled").join(&digest);
    for file in ["component.wasm", "manifest.json"] {
        let good = fs::read(folder.join(file))?;
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        fs::write(folder.join(file), bad)?;
        place.says("plan", 65, &[file, "is not what was pulled", "run `stead policy pull asks`"])?;
        fs::remove_file(folder.join(file))?;
        place.says("plan", 65, &[file, "is not in"])?;
        place.says("policy pull", 0, &["pulled"])?;
        ensure!(fs::read(folder.join(file))? == good);
    }
    place.says("plan", 2, &[])?;
    let lock = place.lock()?;
    fs::write(place.repo.path("stead.lock"), lock.replace("digest = \"sha256:", "digest = \"sha256:0"))?;
    place.says("plan", 65, &["stead.lock", "a digest is sha256:", "stead.lock:7"])?;
    let component = place.component(&digest)?;
    fs::write(place.repo.path("stead.lock"), lock.replace(&component, &"0".repeat(64)))?;
    place.says("plan", 65, &["stead.lock contradicts itself"])?;
    place.says("policy pull", 65, &["the component of", "was asked for, and"]).map(drop)
}

#[test]
fn what_the_registry_has_spoilt_is_refused() -> Result<()> {
    let place = Place::new()?;
    let digest = place.push(":1", "")?;
    let component = place.component(&digest)?;
    place.take(":1", "")?;
    let blob = place.registry.blob(&component);
    let good = fs::read(&blob)?;
    fs::write(&blob, good.get(..good.len() / 2).context("it is short")?)?;
    place.says("policy pull", 68, &["the component of", "broke off", "try again"])?;
    let mut bad = good.clone();
    bad[100] ^= 1;
    fs::write(&blob, bad)?;
    place.says("policy pull", 65, &["the component of", "is not what it should be"])?;
    fs::remove_file(&blob)?;
    place.says("policy pull", 65, &["lacks sha256:"])?;
    fs::write(&blob, good)?;
    place.says("policy pull", 0, &[])?;
    place.forget()?;
    let manifest = place.registry.blob(&digest);
    let text = fs::read_to_string(&manifest)?;
    fs::write(&manifest, text.replace("application/wasm", "application/tar "))?;
    let said = place.repo.stead("policy pull", 65)?;
    ensure!(said.contains("the manifest of") || said.contains("answered"), "{said}");
    place.take(":2", "")?;
    place.says("policy pull", 65, &["there is no", "team/asks:2"]).map(drop)
}

#[test]
fn a_manifest_without_end_is_not_read_to_its_end() -> Result<()> {
    let place = Place::new()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    // It ends with the test's process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or(0);
            if String::from_utf8_lossy(&request[..read]).contains("/manifests/") {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
                while stream.write_all(&[b' '; 65536]).is_ok() {}
            } else {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        }
    });
    let source = format!("source = \"oci://127.0.0.1:{port}/team/asks:1\"");
    fs::write(
        place.repo.path("stead.toml"),
        format!("[host.box]\npolicies = [\"asks\"]\n[policy.asks]\n{source}\n{GRANTS}"),
    )?;
    place.says("policy pull", 65, &["the manifest of", "is larger than 4 MiB"]).map(drop)
}

#[test]
fn what_is_no_component_is_refused_before_it_is_fetched() -> Result<()> {
    let place = Place::new()?;
    let repo = &place.repo;
    let wit = format!("{}/stead/host", place.registry.host());
    place.says(&format!("wit push {wit}:9.9.9"), 64, &["its version", &format!("{wit}:0.1.0")])?;
    place.says(&format!("wit push {wit}:0.1.0 --sign team.key"), 0, &["stead/host:0.1.0@sha256:"])?;
    let text = format!("[host.box]\npolicies = [\"asks\"]\n[policy.asks]\nsource = \"oci://{wit}:0.1.0\"\n{GRANTS}");
    fs::write(repo.path("stead.toml"), text)?;
    place.says("policy pull", 65, &["stead/host:0.1.0 is no component", "a WIT package"])?;
    ensure!(!repo.path("stead.lock").exists());
    repo.declare("")?;
    fs::write(repo.path("asks.wasm"), b"\0asm\x0d\0\x01\0")?;
    place.says(&format!("policy push asks {}", place.reference(":1")), 65, &["no policy", "nothing"])?;
    fs::set_permissions(repo.path("team.key"), fs::Permissions::from_mode(0o644))?;
    let line = format!("policy push asks {} --sign team.key", place.reference(":1"));
    place.says(&line, 65, &["can be read by others", "chmod 600"])?;
    place.says(&line.replace("team.key", "asks.wasm"), 65, &["asks.wasm"]).map(drop)
}
