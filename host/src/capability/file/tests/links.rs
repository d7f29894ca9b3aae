//! No link leads a write astray.

use super::*;

#[tokio::test]
async fn a_link_is_replaced_and_not_followed() -> Result<()> {
    let rig = Rig::new()?;
    std::fs::write(rig.path("/etc/shadow"), "root:secret")?;
    std::os::unix::fs::symlink("/etc/shadow", rig.path("/srv/x"))?;
    rig.converge(&[text("/srv/x", "x")?], &Owned::new()).await?;
    ensure!(rig.read("/etc/shadow")? == "root:secret" && rig.read("/srv/x")? == "x");
    Ok(())
}

#[tokio::test]
async fn a_parent_that_root_linked_is_followed_inside_the_root() -> Result<()> {
    let rig = Rig::new()?;
    // As /var/run is; an absolute target and `..` stay below the machine's root.
    std::os::unix::fs::symlink("/srv", rig.path("/etc/absolute"))?;
    std::os::unix::fs::symlink("../../../srv", rig.path("/etc/relative"))?;
    rig.converge(&[text("/etc/absolute/a", "a")?, text("/etc/relative/b", "b")?], &Owned::new()).await?;
    ensure!(rig.read("/srv/a")? == "a" && rig.read("/srv/b")? == "b");
    std::os::unix::fs::symlink("loop", rig.path("/etc/loop"))?;
    let error = rig.steps(&[text("/etc/loop/x", "")?], &Owned::new()).await.err().context("a loop ended")?;
    ensure!(format!("{error:#}").contains("Symbolic link loop") || format!("{error:#}").contains("symbolic links"));
    Ok(())
}

#[tokio::test]
async fn a_parent_that_a_user_may_have_linked_is_refused() -> Result<()> {
    let rig = Rig::new()?;
    let refused = |error: anyhow::Error| {
        ensure!(error.to_string().contains("stead does not follow it"), "{error}");
        Ok(())
    };
    for (home, owner, mode) in [("/srv/alice", 1000, 0o755), ("/srv/tmp", 0, 0o1777)] {
        std::fs::create_dir(rig.path(home))?;
        std::os::unix::fs::symlink("/etc", rig.path(home).join("conf"))?;
        std::os::unix::fs::chown(rig.path(home), Some(owner), None)?;
        std::fs::set_permissions(rig.path(home), std::fs::Permissions::from_mode(mode))?;
        let spec = text(&format!("{home}/conf/passwd"), "alice::0:0:::")?;
        refused(rig.steps(&[spec], &Owned::new()).await.err().context("it was read")?)?;
        let path = format!("{home}/conf/passwd").parse()?;
        refused(rig.apply(&Set::back(&path, &Inode::Absent)).await.err().context("it was removed")?.into())?;
    }
    ensure!(rig.read("/etc/passwd")?.starts_with("root:"));
    Ok(())
}

#[tokio::test]
async fn own_record_is_out_of_reach_by_any_name() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir_all(folder.path().join("root/var/lib"))?;
    let machine = Machine::open(&folder.path().join("root"), &folder.path().join("root/var/lib/record"))?;
    let rig = Rig { machine: Arc::new(machine), folder };
    std::os::unix::fs::symlink("/var/lib/record", rig.path("/alias"))?;
    for path in ["/var/lib/record", "/var/lib/record/digest.key", "/alias/digest.key", "/alias/blobs/x"] {
        let error = rig.apply(&Set::back(&path.parse()?, &Inode::Absent)).await.err().context("it was removed")?;
        ensure!(error.to_string().contains("part of stead's own record"), "{error}");
    }
    ensure!(rig.folder.path().join("root/var/lib/record/digest.key").exists());
    for reserved in ["/proc/sys/vm/swappiness", "/sys/x", "/dev/sda", "/var/lib/stead/journal.db"] {
        ensure!(Spec::parse(reserved, Form::Absent {}).is_err(), "{reserved}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_file_is_not_opened() -> Result<()> {
    let rig = Rig::new()?;
    let made = std::process::Command::new("mkfifo").arg(rig.path("/srv/x")).status()?;
    ensure!(made.success());
    let error = rig.steps(&[text("/srv/x", "")?], &Owned::new()).await.err().context("it was planned")?;
    ensure!(error.to_string() == "file /srv/x (policy base): it is a FIFO, which stead does not replace", "{error}");
    Ok(())
}
