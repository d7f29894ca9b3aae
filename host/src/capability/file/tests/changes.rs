//! Every change, and back.

use super::*;

#[tokio::test]
async fn creates_and_undoes_a_tree() -> Result<()> {
    let rig = Rig::new()?;
    let specs = [
        text("/srv/a/b/motd", "hello\n")?,
        directory("/srv/a/b", 0o2750, Some("alice"))?,
        directory("/srv/a", 0o755, None)?,
        symlink("/srv/a/link", "b/motd")?,
    ];
    let (steps, owned) = rig.converge(&specs, &Owned::new()).await?;
    ensure!(rig.read("/srv/a/link")? == "hello\n");
    ensure!(rig.stat("/srv/a/b")? == (0o2750, 1000, 0));
    ensure!(rig.stat("/srv/a/b/motd")? == (0o644, 0, 0));
    rig.undo(&steps).await?;
    ensure!(std::fs::read_dir(rig.path("/srv"))?.count() == 0);

    // The same by prune.
    rig.converge(&specs, &Owned::new()).await?;
    rig.converge(&[], &owned).await?;
    ensure!(std::fs::read_dir(rig.path("/srv"))?.count() == 0);
    Ok(())
}

#[tokio::test]
async fn brings_back_content_mode_and_owner() -> Result<()> {
    let rig = Rig::new()?;
    let old = [b"old \xff\0".as_slice(), &[7; 5000]].concat();
    std::fs::write(rig.path("/etc/x"), &old)?;
    std::fs::set_permissions(rig.path("/etc/x"), std::fs::Permissions::from_mode(0o4751))?;
    std::os::unix::fs::chown(rig.path("/etc/x"), Some(1000), Some(4242))?;
    // chown(2) took the bit away.
    std::fs::set_permissions(rig.path("/etc/x"), std::fs::Permissions::from_mode(0o4751))?;
    let specs = [file("/etc/x", &[Part::Text("new".to_owned())], Some(0o640), None, Some("web"), &[])?];
    let (first, owned) = rig.converge(&specs, &Owned::new()).await?;
    ensure!(rig.read("/etc/x")? == "new" && rig.stat("/etc/x")? == (0o640, 0, 33));
    ensure!(first.first().map(|step| step.change) == Some(Change::Update));

    // A second revision, after which a prune still leads back to before the first.
    let (_, owned) = rig.converge(&[text("/etc/x", "newer")?], &owned).await?;
    let (steps, _) = rig.converge(&[], &owned).await?;
    ensure!(std::fs::read(rig.path("/etc/x"))? == old && rig.stat("/etc/x")? == (0o4751, 1000, 4242));
    rig.undo(&steps).await?;
    ensure!(rig.read("/etc/x")? == "newer");
    rig.undo(&first).await?;
    ensure!(std::fs::read(rig.path("/etc/x"))? == old && rig.stat("/etc/x")? == (0o4751, 1000, 4242));
    Ok(())
}

#[tokio::test]
async fn a_mode_changes_in_place_and_a_shared_inode_does_not() -> Result<()> {
    let rig = Rig::new()?;
    std::fs::write(rig.path("/etc/x"), "x")?;
    let inode = std::fs::metadata(rig.path("/etc/x"))?.ino();
    let private = |owner| file("/etc/x", &[Part::Text("x".to_owned())], Some(0o600), owner, None, &[]);
    rig.converge(&[private(None)?], &Owned::new()).await?;
    ensure!(std::fs::metadata(rig.path("/etc/x"))?.ino() == inode && rig.stat("/etc/x")?.0 == 0o600);

    std::fs::hard_link(rig.path("/etc/x"), rig.path("/srv/other"))?;
    rig.converge(&[private(Some("alice"))?], &Owned::new()).await?;
    ensure!(rig.stat("/etc/x")? == (0o600, 1000, 0), "{:?}", rig.stat("/etc/x"));
    ensure!(rig.stat("/srv/other")? == (0o600, 0, 0), "another name is as it was");
    Ok(())
}

#[tokio::test]
async fn changes_kind_and_back() -> Result<()> {
    let rig = Rig::new()?;
    std::fs::write(rig.path("/srv/a"), "file")?;
    std::fs::create_dir(rig.path("/srv/b"))?;
    std::os::unix::fs::symlink("nowhere", rig.path("/srv/c"))?;
    let specs = [directory("/srv/a", 0o700, None)?, symlink("/srv/b", "a")?, text("/srv/c", "c")?];
    let (steps, _) = rig.converge(&specs, &Owned::new()).await?;
    ensure!(rig.path("/srv/a").is_dir() && rig.read("/srv/c")? == "c" && rig.path("/srv/b").is_symlink());
    rig.undo(&steps).await?;
    ensure!(rig.read("/srv/a")? == "file" && !rig.path("/srv/b").is_symlink() && rig.path("/srv/b").is_dir());
    ensure!(std::fs::read_link(rig.path("/srv/c"))?.as_os_str() == "nowhere");
    Ok(())
}

#[tokio::test]
async fn removes_and_brings_back() -> Result<()> {
    let rig = Rig::new()?;
    std::fs::write(rig.path("/etc/x"), "x")?;
    std::fs::create_dir_all(rig.path("/srv/d/e"))?;
    let specs = [absent("/etc/x")?, absent("/srv/d")?, absent("/srv/d/e")?, absent("/none/at/all")?];
    let (steps, owned) = rig.converge(&specs, &Owned::new()).await?;
    ensure!(steps.len() == 3 && !rig.path("/etc/x").exists() && !rig.path("/srv/d").exists());
    rig.converge(&[], &owned).await?;
    ensure!(rig.read("/etc/x")? == "x" && rig.path("/srv/d/e").is_dir());
    Ok(())
}

#[tokio::test]
async fn one_of_several_names_of_a_user_is_no_drift() -> Result<()> {
    let rig = Rig::new()?;
    for owner in ["alice", "alias"] {
        let specs = [file("/etc/x", &[], None, Some(owner), None, &[])?];
        rig.converge(&specs, &Owned::new()).await?;
    }
    ensure!(rig.steps(&[file("/etc/x", &[], None, Some("alice"), None, &[])?], &Owned::new()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_directory_with_foreign_content_stays_when_pruned() -> Result<()> {
    let rig = Rig::new()?;
    let (_, owned) = rig.converge(&[directory("/srv/a", 0o755, None)?], &Owned::new()).await?;
    std::fs::write(rig.path("/srv/a/data"), "precious")?;
    let (steps, owned) = rig.converge(&[], &owned).await?;
    ensure!(steps.len() == 1 && owned.is_empty() && rig.read("/srv/a/data")? == "precious");
    Ok(())
}
