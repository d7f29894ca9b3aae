use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use tempfile::TempDir;

use super::*;

/// A remote with somebody who pushes to it, and a mirror of it.
struct Team {
    folder: TempDir,
    mirror: Mirror,
}

impl Team {
    async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mirror = Mirror::open(folder.path().join("mirror")).await?;
        let team = Self { folder, mirror };
        for key in ["alice", "mallory"] {
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"]).arg(team.at(key)))?;
        }
        std::fs::create_dir(team.at("remote"))?;
        team.git(&["init", "-q", "-b", "main"])?;
        Ok(team)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn git(&self, words: &[&str]) -> Result<String> {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.at("remote")).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        run(git.args(["-c", "gpg.format=ssh", "-c", "commit.gpgsign=false"]).args(words))
    }

    /// Commits a file, signed by a key if any.
    fn commit(&self, content: &str, key: Option<&str>) -> Result<()> {
        std::fs::write(self.at("remote").join("stead.toml"), content)?;
        self.git(&["add", "-A"])?;
        match key {
            Some(key) => {
                let key = format!("user.signingkey={}", self.at(key).display());
                self.git(&["-c", &key, "commit", "-q", "-S", "-m", content]).map(drop)
            }
            None => self.git(&["commit", "-q", "-m", content]).map(drop),
        }
    }

    fn keys(&self, names: &[&str]) -> Result<SignedBy> {
        let keys = names.iter().map(|name| std::fs::read_to_string(self.at(name).with_extension("pub")));
        let keys = keys.map(|key| Ok(key?.trim().to_owned())).collect::<Result<Vec<_>>>()?;
        Ok(keys.try_into()?)
    }

    async fn fetch(&self) -> Result<Commit> {
        let remote = self.at("remote").to_string_lossy().into_owned();
        Ok(self.mirror.fetch(&remote.try_into()?, &Branch::default()).await?)
    }
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn text(tree: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(tree.join("stead.toml"))?)
}

#[tokio::test]
async fn what_a_known_key_signed_is_checked_out() -> Result<()> {
    let team = Team::new().await?;
    let keys = team.keys(&["alice"])?;
    team.commit("one", Some("alice"))?;
    let first = team.fetch().await?;
    team.mirror.verify(&first, &keys, None).await?;
    assert_eq!(text(&team.mirror.check_out(&first).await?)?, "one");
    // What lies in the tree and belongs to no commit is no part of the next one.
    std::fs::write(team.mirror.tree().join("left"), "")?;
    std::fs::write(team.mirror.tree().join("stead.toml"), "changed")?;
    team.commit("two", Some("alice"))?;
    let second = team.fetch().await?;
    team.mirror.verify(&second, &keys, Some(&first)).await?;
    let tree = team.mirror.check_out(&second).await?;
    assert_eq!((text(&tree)?.as_str(), tree.join("left").exists()), ("two", false));
    Ok(())
}

#[tokio::test]
async fn without_a_key_of_the_team_nothing_counts() -> Result<()> {
    let team = Team::new().await?;
    let keys = team.keys(&["alice"])?;
    team.commit("unsigned", None)?;
    let commit = team.fetch().await?;
    let said = team.mirror.verify(&commit, &keys, None).await.map_err(|error| error.to_string());
    ensure!(said.as_ref().is_err_and(|said| said.ends_with("it has no signature")), "{said:?}");
    team.commit("by somebody else", Some("mallory"))?;
    let commit = team.fetch().await?;
    let verified = team.mirror.verify(&commit, &keys, None).await;
    ensure!(matches!(verified, Err(MirrorError::Unsigned { .. })), "{verified:?}");
    team.mirror.verify(&commit, &team.keys(&["alice", "mallory"])?, None).await?;
    Ok(())
}

#[tokio::test]
async fn a_signature_of_another_commit_counts_for_nothing() -> Result<()> {
    let team = Team::new().await?;
    let keys = team.keys(&["alice"])?;
    team.commit("one", Some("alice"))?;
    let signed = team.git(&["cat-file", "commit", "HEAD"])?;
    // The same signature around other words.
    std::fs::write(team.at("forged"), signed.replace("\n\none", "\n\nno such thing"))?;
    let forged = team.at("forged");
    let id = team.git(&["hash-object", "-t", "commit", "-w", &forged.to_string_lossy()])?;
    team.git(&["update-ref", "refs/heads/main", id.trim()])?;
    let commit = team.fetch().await?;
    assert_eq!(commit.as_str(), id.trim());
    let verified = team.mirror.verify(&commit, &keys, None).await;
    ensure!(matches!(verified, Err(MirrorError::Unsigned { .. })), "{verified:?}");
    Ok(())
}

#[tokio::test]
async fn nobody_leads_back_to_what_was_signed_once() -> Result<()> {
    let team = Team::new().await?;
    let keys = team.keys(&["alice"])?;
    team.commit("one", Some("alice"))?;
    let first = team.fetch().await?;
    team.commit("two", Some("alice"))?;
    let second = team.fetch().await?;
    team.git(&["reset", "-q", "--hard", first.as_str()])?;
    let back = team.fetch().await?;
    assert_eq!(back, first);
    let verified = team.mirror.verify(&back, &keys, Some(&second)).await;
    ensure!(matches!(verified, Err(MirrorError::NotAfter { .. })), "{verified:?}");
    Ok(())
}

#[tokio::test]
async fn a_remote_that_is_gone_is_named() -> Result<()> {
    let team = Team::new().await?;
    std::fs::remove_dir_all(team.at("remote"))?;
    let said = team.fetch().await.map(drop).map_err(|error| format!("{error:#}"));
    ensure!(said.as_ref().is_err_and(|said| said.contains("cannot fetch /")), "{said:?}");
    Ok(())
}
