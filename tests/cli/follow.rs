//! A server that follows the branch of a git remote.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead::follow::Watched;
use stead::lock::Lock;
use stead_tests::run::run;
use stead_tests::wait;

use crate::repo::{GRANTS, Repo};

const LIMIT: Duration = Duration::from_secs(60);

/// A server, a remote, and keys of people.
struct Team {
    server: Repo,
}

impl Team {
    /// Alice may sign, and changes of files need no person.
    fn new() -> Result<Self> {
        let team = Self { server: Repo::new()? };
        for key in ["alice", "bob"] {
            let mut keygen = Command::new("ssh-keygen");
            run(keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"]).arg(team.at(key)), LIMIT)?
                .ended_with(0)?;
        }
        fs::create_dir(team.at("remote"))?;
        fs::copy(team.at("asks.wasm"), team.at("remote/asks.wasm"))?;
        team.git(&["init", "-q", "-b", "main"])?;
        let text = team.text("", &["alice"])?;
        fs::write(team.at("stead.toml"), text)?;
        Ok(team)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.server.path(name)
    }

    fn git(&self, words: &[&str]) -> Result<String> {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.at("remote")).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        git.args(["-c", "gpg.format=ssh", "-c", "commit.gpgsign=false"]).args(words);
        run(&mut git, LIMIT)?.ended_with(0)
    }

    fn text(&self, config: &str, keys: &[&str]) -> Result<String> {
        let keys = keys.iter().map(|key| fs::read_to_string(self.at(key).with_extension("pub")));
        let keys = keys.map(|key| Ok(format!("{:?}", key?.trim()))).collect::<Result<Vec<_>>>()?.join(", ");
        let remote = self.at("remote");
        let config = if config.is_empty() { String::new() } else { format!("[policy.asks.config]\n{config}\n") };
        Ok(format!(
            "[follow]\nremote = {remote:?}\nsigned-by = [{keys}]\napply = [\"file\"]\ndrift-every = \"1 ms\"\n\
             [host.box]\npolicies = [\"asks\"]\n[policy.asks]\ncomponent = \"asks.wasm\"\n\
             {config}{GRANTS}"
        ))
    }

    /// Commits a config of the policy, signed by somebody, with those who may sign the next.
    fn commit(&self, config: &str, by: Option<&str>, keys: &[&str]) -> Result<()> {
        self.commit_text(&self.text(config, keys)?, by)
    }

    fn commit_text(&self, text: &str, by: Option<&str>) -> Result<()> {
        fs::write(self.at("remote/stead.toml"), text)?;
        self.git(&["add", "-A"])?;
        let key = by.map(|key| format!("user.signingkey={}", self.at(key).display()));
        let (key, sign) = match &key {
            Some(key) => (key.as_str(), "-S"),
            None => ("core.abbrev=12", "--no-gpg-sign"),
        };
        self.git(&["-c", key, "commit", "-q", sign, "-m", "change"]).map(drop)
    }

    fn follow(&self, code: i32) -> Result<String> {
        self.server.stead("follow --once", code)
    }

    fn shows(&self, words: &[&str]) -> Result<()> {
        let shown = self.server.stead("follow show", 0)?;
        ensure!(words.iter().all(|word| shown.contains(word)), "{words:?} in {shown}");
        Ok(())
    }

    fn motd(&self) -> Result<String> {
        self.server.there("etc/motd")
    }
}

/// A program that follows, killed when it is dropped.
struct Following {
    child: Child,
    said: PathBuf,
}

impl Following {
    /// Its first round has been: what it applied is there, and the lock of its apply is free.
    fn begun(team: &Team, command: &mut Command) -> Result<Self> {
        let said = team.at("said");
        let following = Self { child: command.stderr(fs::File::create(&said)?).spawn()?, said };
        wait::until("the first round", LIMIT, || Ok((team.motd().is_ok_and(|motd| motd == "one\n")).then_some(())))?;
        drop(following.applying(team)?);
        Ok(following)
    }

    fn applying(&self, team: &Team) -> Result<Lock> {
        wait::until("the lock", LIMIT, || Ok(Some(Lock::take(&team.at("state"), "bob", "an apply")?)))
    }

    /// Waits until it has ended because something else is to go on.
    fn ended(mut self) -> Result<()> {
        let ended = wait::until("its end", LIMIT, || Ok(self.child.try_wait()?));
        let said = fs::read_to_string(&self.said)?;
        let ended = ended.with_context(|| said.clone())?;
        ensure!(ended.success() && said.contains("whatever its unit says now goes on"), "{ended}: {said}");
        Ok(())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn it_ends_when_it_is_told_to_but_not_under_an_apply() -> Result<()> {
    let team = Team::new()?;
    team.commit("motd = \"one\\n\"", Some("alice"), &["alice"])?;
    let mut following = Following::begun(&team, &mut team.server.command("follow"))?;
    let applying = following.applying(&team)?;
    run(Command::new("kill").args(["-s", "HUP", &following.child.id().to_string()]), LIMIT)?.ended_with(0)?;
    std::thread::sleep(Duration::from_secs(3));
    ensure!(following.child.try_wait()?.is_none(), "it ended under an apply");
    drop(applying);
    following.ended()
}

/// In a mount namespace, where the folder of installed programs has this one alone, by the name `one`.
const INSTALLED: &str = "mount -t tmpfs tmpfs /usr/local/lib && mkdir /usr/local/lib/stead && cd /usr/local/lib/stead && : > one && \
                         mount --bind \"$1\" one && cd \"$OLDPWD\" && shift && exec /usr/local/lib/stead/one \"$@\"";

#[test]
fn it_ends_when_another_program_has_applied() -> Result<()> {
    let team = Team::new()?;
    team.commit("motd = \"one\\n\"", Some("alice"), &["alice"])?;
    let follow = team.server.command("follow");
    let mut command = Command::new("unshare");
    // Without `setsid --wait`, which is what it is run by.
    command.args(["--mount", "sh", "-c", INSTALLED, "sh"]).args(follow.get_args().skip(1));
    for (name, value) in follow.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(follow.get_current_dir().unwrap_or(Path::new("/"))).env("INVOCATION_ID", "of systemd");
    let mut following = Following::begun(&team, &mut command)?;
    let name = team.server.path("root/usr/local/bin/stead");
    assert_eq!(fs::read_link(&name)?, Path::new("/usr/local/lib/stead/one"));
    std::thread::sleep(Duration::from_secs(3));
    ensure!(following.child.try_wait()?.is_none(), "it ended without a reason");
    fs::remove_file(&name)?;
    symlink("/usr/local/lib/stead/two", &name)?;
    following.ended()
}

#[test]
fn a_signed_commit_is_applied_and_what_needs_a_person_waits() -> Result<()> {
    let team = Team::new()?;
    team.commit("motd = \"one\\n\"", Some("alice"), &["alice"])?;
    let said = team.follow(0)?;
    ensure!(said.contains("box: applied, now at revision 1") && team.motd()? == "one\n", "{said}");
    let head = team.git(&["rev-parse", "HEAD"])?;
    team.shows(&[head.trim(), "at revision 1"])?;
    ensure!(team.server.stead("status", 0)?.contains(head.trim()), "the revision names the commit");
    team.follow(0)?;

    team.commit("motd = \"two\\n\"\nforward = \"1\"", Some("alice"), &["alice"])?;
    let said = team.follow(2)?;
    ensure!(said.contains("sysctl net.ipv4.ip_forward: [follow] apply does not have it"), "{said}");
    ensure!(team.motd()? == "one\n", "nothing of a plan that waits is done");
    let shown = team.server.stead("follow show box", 0)?;
    ensure!(shown.contains("running: 0 → 1") && shown.contains("+two"), "{shown}");
    team.server.stead("follow approve box", 0)?;
    team.follow(0)?;
    ensure!(team.motd()? == "two\n" && team.server.there("proc/sys/net/ipv4/ip_forward")?.trim() == "1");
    team.server.stead("follow approve box", 64)?;

    // A deletion waits, whatever the capability.
    team.commit("forward = \"1\"", Some("alice"), &["alice"])?;
    ensure!(team.follow(2)?.contains("file /etc/motd: is deleted"));
    Ok(())
}

#[test]
fn what_was_agreed_to_is_done_or_nothing() -> Result<()> {
    let team = Team::new()?;
    team.commit("forward = \"1\"", Some("alice"), &["alice"])?;
    team.follow(2)?;
    team.server.stead("follow approve box", 0)?;
    fs::write(team.at("root/proc/sys/net/ipv4/ip_forward"), "2\n")?;
    let said = team.follow(72)?;
    ensure!(said.contains("is tried again: the machine has changed"), "{said}");
    // It is planned anew, and waits for somebody to agree to that.
    team.follow(2)?;
    ensure!(team.server.stead("follow show box", 0)?.contains("running: 2 → 1"));
    Ok(())
}

#[test]
fn who_has_no_key_changes_nothing() -> Result<()> {
    let team = Team::new()?;
    team.commit("motd = \"one\\n\"", Some("alice"), &["alice"])?;
    team.follow(0)?;
    let first = team.git(&["rev-parse", "HEAD"])?;
    team.commit("motd = \"by bob\\n\"", Some("bob"), &["alice", "bob"])?;
    ensure!(team.follow(72)?.contains("is not signed by a key of [follow] signed-by"));
    team.commit("motd = \"by nobody\\n\"", None, &["alice"])?;
    team.follow(72)?;
    team.shows(&["refused", "it has no signature", "at revision 1"])?;
    ensure!(team.motd()? == "one\n");

    // Alice lets bob in; from then on he may sign, and nothing goes back to before.
    team.commit("motd = \"two\\n\"", Some("alice"), &["alice", "bob"])?;
    team.follow(0)?;
    team.commit("motd = \"three\\n\"", Some("bob"), &["alice", "bob"])?;
    team.follow(0)?;
    ensure!(team.motd()? == "three\n");
    team.git(&["reset", "-q", "--hard", first.trim()])?;
    ensure!(team.follow(72)?.contains("does not come after"));
    ensure!(team.motd()? == "three\n");
    Ok(())
}

#[test]
fn a_bad_commit_leaves_everything_as_it_was() -> Result<()> {
    let team = Team::new()?;
    team.commit("motd = \"one\\n\"", Some("alice"), &["alice"])?;
    team.follow(0)?;
    team.commit_text("[host.box", Some("alice"))?;
    team.follow(72)?;
    let text = team.text("motd = \"two\\n\"", &["alice"])?;
    team.commit_text(&text.replace("[follow]", "[not-followed]"), Some("alice"))?;
    team.follow(72)?;
    team.commit_text(text.split_once("[host").map_or("", |(_, rest)| rest), Some("alice"))?;
    team.follow(72)?;
    ensure!(team.motd()? == "one\n");

    // A policy that fails is not tried again and again.
    team.commit("motd = \"one\\n\"\npanic = true", Some("alice"), &["alice"])?;
    team.follow(72)?;
    team.shows(&["failed"])?;
    ensure!(!team.follow(72)?.contains("failed"), "it was said once");
    team.commit("motd = \"two\\n\"", Some("alice"), &["alice"])?;
    team.follow(0)?;
    ensure!(team.motd()? == "two\n");
    Ok(())
}

#[test]
fn drift_is_seen_and_not_mended() -> Result<()> {
    let team = Team::new()?;
    team.commit("motd = \"one\\n\"", Some("alice"), &["alice"])?;
    team.follow(0)?;
    fs::write(team.at("root/etc/motd"), "by hand\n")?;
    ensure!(team.follow(0)?.contains("box: drifted: file:/etc/motd"));
    team.shows(&["file:/etc/motd"])?;
    ensure!(team.motd()? == "by hand\n");
    Ok(())
}

#[test]
fn what_is_seen_of_a_host_is_kept_for_the_page() -> Result<()> {
    let team = Team::new()?;
    team.commit("motd = \"one\\n\"", Some("alice"), &["alice"])?;
    team.follow(0)?;
    let folder = stead::follow::folder(&team.at("state"));
    let seen = || Watched::open(&folder, "box");
    let look = seen()?.look.context("it was not seen")?;
    let revision = look.revision.context("no revision")?;
    ensure!(revision.id == 1 && revision.commit.as_deref() == Some(team.git(&["rev-parse", "HEAD"])?.trim()));
    ensure!(look.runs.len() == 1 && look.last_plan.is_some_and(|plan| plan.contains("+ file /etc/motd")));
    // What is not there says so.
    ensure!(look.apps.is_err_and(|why| why.contains("Docker")), "there is no engine in this root");
    ensure!(look.firewall.is_ok_and(|rules| rules.sections.is_empty()));

    fs::write(team.at("root/etc/motd"), "by hand\n")?;
    team.commit("motd = \"two\\n\"\nforward = \"1\"", Some("alice"), &["alice"])?;
    team.follow(2)?;
    let seen = seen()?;
    ensure!(seen.waiting.is_some_and(|plan| plan.contains("+two") && plan.contains("running: 0 → 1")));
    ensure!(seen.mending.is_some_and(|plan| plan.contains("-by hand") && plan.contains("+one")));
    Ok(())
}

#[test]
fn one_remote_is_followed_by_one() -> Result<()> {
    let team = Team::new()?;
    team.server.stead("follow show", 0)?;
    ensure!(team.server.stead("follow --print-unit", 0)?.contains(" follow\n"));
    fs::write(team.at("stead.toml"), "[host.box]\npolicies = [\"asks\"]\n[policy.asks]\ncomponent = \"asks.wasm\"\n")?;
    ensure!(team.follow(64)?.contains("no table [follow]"));
    let error = team.text("", &["alice"])?.replace("[\"file\"]", "[\"fiel\"]");
    fs::write(team.at("stead.toml"), error)?;
    ensure!(team.follow(65)?.contains("there is no capability fiel"));
    Ok(())
}
