//! One compose file on its way: by stead, by docker compose, and each after the other.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::compare::{Snapshot, differences, snapshot};
use super::substitute::{IMAGE, prepare};
use crate::compose::host::{Host, block};

pub(super) struct Case {
    host: Host,
}

impl Case {
    /// Takes a copy of a compose file, or of a folder with one, and makes it one that can run here.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let host = Host::bare(&project(path))?;
        let staged = host.staged();
        let (from, to) = match path.is_dir() {
            true => (path.join("."), staged.clone()),
            false => (path.to_owned(), staged.join("compose.yaml")),
        };
        ensure!(Command::new("cp").arg("-a").args([from, to]).status()?.success());
        import(&host)?;
        prepare(&host, &staged)?;
        Ok(Self { host })
    }

    /// What differs between the two ways up, in words.
    pub(super) fn differences(mut self) -> Result<Vec<String>> {
        block(async {
            let ours = self.by_stead().await;
            let ours_made = snapshot(&self.host)?;
            let lasting = self.host.lasting();
            self.host.clean()?;
            prepare_externals(&self.host)?;
            // What stead refuses it never put there.
            let folder = if lasting.is_dir() { lasting } else { self.host.staged() };
            let theirs = self.by_compose(&folder);
            let theirs_made = snapshot(&self.host)?;
            let mut found = match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => {
                    let mut found = ours.1;
                    found.extend(differences(&ours.0, &theirs));
                    found.extend(self.left_to_stead().await?);
                    found
                }
                // What was made and could not be started can be compared all the same.
                (Err(ours), Err(theirs)) => {
                    println!("refused by both: {ours:#}\n  and: {theirs:#}");
                    differences(&common(&ours_made, &theirs_made), &common(&theirs_made, &ours_made))
                }
                (Err(ours), Ok(_)) => vec![format!("stead does not bring it up: {ours:#}")],
                (Ok(_), Err(theirs)) => {
                    vec![format!("docker compose does not bring it up, and stead does: {theirs:#}")]
                }
            };
            found.dedup();
            self.host.clean()?;
            Ok(found)
        })
    }

    /// Up by stead; what there is then, and what is left to do for either.
    async fn by_stead(&mut self) -> Result<(Snapshot, Vec<String>)> {
        self.host.up().await?;
        let mut found = Vec::new();
        let there = snapshot(&self.host)?;
        found.extend(self.left_to_stead().await?.into_iter().map(|what| format!("after stead itself, {what}")));
        let before = ids(&self.host)?;
        self.host.compose(["up", "--detach", "--no-build"])?;
        let after = ids(&self.host)?;
        if before != after {
            found.push(format!("after stead, docker compose makes containers anew: {before:?} became {after:?}"));
        }
        Ok((there, found))
    }

    fn by_compose(&self, folder: &Path) -> Result<Snapshot> {
        self.host.compose_in(folder, ["up", "--detach"])?.ok()?;
        snapshot(&self.host)
    }

    async fn left_to_stead(&self) -> Result<Vec<String>> {
        let diff = self.host.plan(&[self.host.spec()]).await?;
        Ok(diff.steps.iter().map(|step| format!("stead has something left to do: {:?}", step.detail)).collect())
    }
}

/// What is in both, as it is in the first.
fn common(of: &Snapshot, with: &Snapshot) -> Snapshot {
    of.iter().filter(|(name, _)| with.contains_key(*name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn project(path: &Path) -> String {
    let name = super::name(path).to_lowercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("corpus-{}", name.trim_matches('-').chars().take(40).collect::<String>())
}

/// An image that goes on running when it is not told what to do: made once, for each import is another image.
fn import(host: &Host) -> Result<()> {
    let lock = std::fs::File::create(std::env::temp_dir().join("stead-corpus-image.lock"))?;
    lock.lock()?;
    if host.engine.docker(["image", "inspect", IMAGE])?.status.success() {
        return Ok(());
    }
    let tar = stead_tests::docker::busybox_tar()?;
    let command = r#"CMD ["sleep", "100000"]"#;
    host.engine.docker(["import", "--change", command, &tar.to_string_lossy(), IMAGE])?.ok().map(drop)
}

fn prepare_externals(host: &Host) -> Result<()> {
    super::substitute::externals(host, &resolved(host, &host.staged())?)
}

/// The model as docker compose reads it.
pub(super) fn resolved(host: &Host, folder: &Path) -> Result<Value> {
    let text = host.compose_in(folder, ["config", "--format", "json"])?.ok()?;
    serde_json::from_str(&text).context("docker compose did not print JSON")
}

fn ids(host: &Host) -> Result<Vec<(String, String)>> {
    let id = |(name, id): (String, String)| (name, id.split(' ').next().unwrap_or_default().to_owned());
    Ok(host.ids()?.into_iter().map(id).collect())
}

/// A path as one below another.
pub(super) fn below(root: &str, path: &str) -> PathBuf {
    Path::new(root).join(path.trim_start_matches('/'))
}
