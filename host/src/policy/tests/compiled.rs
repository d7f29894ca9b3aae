//! The store of compiled code.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

async fn runs(runtime: &Runtime, component: &[u8]) -> Result<()> {
    let policy = Policy {
        name: "base",
        component,
        grants: &forwarding()?,
        config: &json!({}),
        meshes: &Default::default(),
        engines: &Default::default(),
        backups: &Default::default(),
        limits: QUICK,
    };
    runtime.configure(&policy, &facts()).await?;
    Ok(())
}

#[tokio::test]
async fn code_is_kept_and_what_is_broken_is_compiled_again() -> Result<()> {
    let (folder, runtime) = started()?;
    let cache = folder.path().join("cache");
    let program = policy(SYSCTL, WORDS, &format!("{SET} (i32.const 0)"))?;
    runs(&runtime, &program).await?;
    let kept = files(&cache)?;
    assert_eq!(kept.len(), 1);
    let first = kept.first().context("nothing is kept")?;
    let inode = |path: &Path| -> Result<u64> { Ok(std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path)?)) };
    let before = inode(first)?;
    runs(&runtime, &program).await?;
    assert_eq!(inode(first)?, before, "it was compiled again");

    std::fs::remove_file(first)?;
    std::fs::write(first, b"\x7fELF not really")?;
    std::fs::set_permissions(first, std::fs::Permissions::from_mode(0o600))?;
    runs(&runtime, &program).await?;
    assert_eq!(files(&cache)?, kept);
    ensure!(std::fs::metadata(first)?.len() > 1000, "the broken file was not replaced");
    Ok(())
}

#[tokio::test]
async fn code_that_others_may_write_is_not_used() -> Result<()> {
    let (folder, runtime) = started()?;
    let program = policy(SYSCTL, WORDS, &format!("{SET} (i32.const 0)"))?;
    runs(&runtime, &program).await?;
    let kept = files(&folder.path().join("cache"))?;
    let first = kept.first().context("nothing is kept")?;
    std::fs::set_permissions(first, std::fs::Permissions::from_mode(0o666))?;
    runs(&runtime, &program).await?;
    assert_eq!(std::fs::metadata(first)?.permissions().mode() & 0o777, 0o600, "it was used as it was");
    Ok(())
}

#[tokio::test]
async fn a_folder_that_others_may_write_is_not_used() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("cache");
    std::fs::create_dir(&cache)?;
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777))?;
    let runtime = Runtime::open(&cache)?;
    ensure!(runtime.cache_unused().is_some_and(|reason| reason.contains("others may write to it")));
    runs(&runtime, &policy(SYSCTL, WORDS, &format!("{SET} (i32.const 0)"))?).await?;
    assert_eq!(files(&cache)?.len(), 0);

    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&cache, &link)?;
    ensure!(Runtime::open(&link)?.cache_unused().is_some());
    Ok(())
}
