//! What fails leaves the old file as it was.

use super::*;
use crate::machine::inode::Attributes;

#[tokio::test]
async fn a_failed_validation_leaves_the_old_file() -> Result<()> {
    let rig = Rig::new()?;
    std::fs::write(rig.path("/etc/sudoers"), "old")?;
    // grep(1) accepts only a content with `good` in it, and says the line that it finds wrong.
    let check = ["sh", "-c", "grep -q good \"$0\" || { echo \"$0: $(cat \"$0\")\" >&2; exit 3; }", "{}"];
    let specs = |content: &str| {
        Ok::<_, anyhow::Error>([file("/etc/sudoers", &[Part::Text(content.to_owned())], None, None, None, &check)?])
    };
    let steps = rig.steps(&specs("bad")?, &Owned::new()).await?;
    let step = steps.first().context("no step")?;
    let error = rig.apply(&step.action).await.err().context("it was accepted")?.to_string();
    ensure!(error.contains("refused by its validation") && error.contains("/etc/sudoers: bad"), "{error}");
    ensure!(rig.read("/etc/sudoers")? == "old");
    ensure!(std::fs::read_dir(rig.machine.state().join("check"))?.count() == 0, "a copy stays");
    rig.converge(&specs("good")?, &Owned::new()).await?;
    ensure!(rig.read("/etc/sudoers")? == "good");
    Ok(())
}

#[tokio::test]
async fn a_killed_run_leaves_nothing_behind() -> Result<()> {
    let rig = Rig::new()?;
    std::fs::write(rig.path("/etc/x"), "old")?;
    std::fs::write(rig.path("/etc/.x.stead-new"), "half a")?;
    let specs = [text("/etc/x", "new")?];
    let (steps, _) = rig.converge(&specs, &Owned::new()).await?;
    ensure!(rig.read("/etc/x")? == "new" && !rig.path("/etc/.x.stead-new").exists());
    std::fs::write(rig.path("/etc/.x.stead-new"), "half a")?;
    rig.undo(&steps).await?;
    ensure!(rig.read("/etc/x")? == "old" && !rig.path("/etc/.x.stead-new").exists());
    Ok(())
}

#[tokio::test]
async fn an_unknown_owner_is_named() -> Result<()> {
    let rig = Rig::new()?;
    let specs = [file("/etc/x", &[], None, Some("nobody-here"), None, &[])?];
    let error = rig.steps(&specs, &Owned::new()).await.err().context("it was planned")?;
    ensure!(error.to_string() == "file /etc/x (policy base): no user is called nobody-here", "{error}");
    // As when an earlier step was to make the user and did not.
    let attributes = Attributes { owner: "nobody-here".to_owned(), ..Attributes::of_root(Mode::PUBLIC_FILE) };
    let set = Set::back(&"/etc/x".parse()?, &Inode::Directory(attributes));
    let error = rig.apply(&set).await.err().context("it was made")?;
    ensure!(error.to_string() == "file /etc/x: no user is called nobody-here" && !rig.path("/etc/x").exists());
    Ok(())
}

#[tokio::test]
async fn a_directory_that_is_not_empty_stays() -> Result<()> {
    let rig = Rig::new()?;
    std::fs::create_dir_all(rig.path("/srv/d/e"))?;
    let error = rig.apply(&Set::back(&"/srv/d".parse()?, &Inode::Absent)).await.err().context("it was removed")?;
    ensure!(error.to_string() == "file /srv/d: the directory is not empty: it holds e", "{error}");
    Ok(())
}

#[tokio::test]
async fn a_lost_content_is_not_replaced_by_an_empty_one() -> Result<()> {
    let rig = Rig::new()?;
    std::fs::write(rig.path("/etc/x"), "now")?;
    let digest = rig.machine.key().digest(b"never kept");
    let to = Inode::File { digest, attributes: Attributes::of_root(Mode::PUBLIC_FILE) };
    let error = rig.apply(&Set::back(&"/etc/x".parse()?, &to)).await.err().context("it was written")?;
    ensure!(matches!(error, ApplyError::NoBlob { .. }) && rig.read("/etc/x")? == "now");
    Ok(())
}

/// Runs itself again where a file system of 64 KiB is mounted, in a mount namespace of its own.
#[tokio::test]
async fn a_full_disk_leaves_the_old_file() -> Result<()> {
    const INSIDE: &str = "STEAD_TEST_SMALL_FILE_SYSTEM";
    let Some(folder) = std::env::var_os(INSIDE) else {
        let folder = tempfile::tempdir()?;
        let script = "mount -t tmpfs -o size=64k tmpfs \"$1\" && exec \"$0\" --exact \"$2\"";
        let name = "capability::file::tests::failures::a_full_disk_leaves_the_old_file";
        let said = std::process::Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .args([std::env::current_exe()?.as_os_str(), folder.path().as_os_str(), name.as_ref()])
            .env(INSIDE, folder.path())
            .output()?;
        let words = String::from_utf8_lossy(&said.stdout);
        ensure!(
            said.status.success() && words.contains("1 passed"),
            "{words}{}",
            String::from_utf8_lossy(&said.stderr)
        );
        return Ok(());
    };
    let rig = Rig::new()?;
    let small = rig.path("/srv");
    let bound =
        std::process::Command::new("mount").arg("--bind").args([folder.as_ref(), small.as_os_str()]).status()?;
    ensure!(bound.success());
    std::fs::write(rig.path("/srv/x"), "old")?;
    let steps = rig.steps(&[text("/srv/x", &"new".repeat(50_000))?], &Owned::new()).await?;
    let error = rig.apply(&steps.first().context("no step")?.action).await.err().context("it was written")?;
    ensure!(error.to_string().contains("/srv/x: No space left on device"), "{error}");
    ensure!(rig.read("/srv/x")? == "old" && std::fs::read_dir(&small)?.count() == 1);
    Ok(())
}
