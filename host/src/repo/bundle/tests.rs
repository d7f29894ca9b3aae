use std::os::unix::fs::{PermissionsExt, symlink};

use anyhow::{Context, Result};

use super::*;
use crate::author::Sources;

const STEAD: &str = "[host.h]\npolicies = [\"p\"]\n[policy.p]\nsource = \"p\"\n\
    [policy.p.grant.sysctl]\nkeys = [\"a.b\"]\n";

fn repo(folder: &Path) -> Result<Repo> {
    std::fs::write(folder.join("stead.toml"), STEAD)?;
    std::fs::create_dir_all(folder.join(".stead/build"))?;
    std::fs::write(folder.join(".stead/build/p.wasm"), b"\0asm")?;
    std::fs::create_dir_all(folder.join("p/src"))?;
    std::fs::write(folder.join("p/src/lib.rs"), "")?;
    std::fs::write(folder.join(".stead/build/p.source"), serde_json::to_vec(&Sources::of(&folder.join("p"))?)?)?;
    std::fs::create_dir_all(folder.join("apps/hello/conf"))?;
    std::fs::write(folder.join("apps/hello/compose.yaml"), "services: {}\n")?;
    std::fs::write(folder.join("apps/hello/run.sh"), "#!/bin/sh\n")?;
    std::fs::set_permissions(folder.join("apps/hello/run.sh"), std::fs::Permissions::from_mode(0o700))?;
    symlink("../compose.yaml", folder.join("apps/hello/conf/link"))?;
    Ok(Repo::open(folder)?)
}

async fn pack(repo: &Repo) -> Result<Bundle, BundleError> {
    let host = repo.host("h").ok_or_else(|| BundleError::NoHost("h".to_owned()))?;
    let secrets = BTreeMap::from([("not-granted".to_owned(), Secret::new("x".to_owned()))]);
    Bundle::pack(repo, host, &secrets).await
}

#[tokio::test]
async fn comes_out_as_it_went_in() -> Result<()> {
    let (there, here) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut bundle = pack(&repo(there.path())?).await?;
    assert!(bundle.secrets.is_empty(), "a secret without a grant is not shipped");
    bundle.secrets.insert("db".to_owned(), Secret::new("hunter2".to_owned()));
    assert!(!format!("{bundle:?}").contains("hunter2"));
    let message = serde_json::to_string(&bundle)?;
    let bundle: Bundle = serde_json::from_str(&message)?;
    let unpacked = bundle.unpack(&here.path().join("run"))?;
    assert_eq!(unpacked.host, "h");
    assert_eq!(unpacked.policies[0].1, b"\0asm");
    assert!(unpacked.policies[0].0.grants.has("sysctl"));
    assert_eq!(unpacked.secrets["db"].reveal(), "hunter2");
    assert_eq!(std::fs::read_to_string(unpacked.apps.join("hello/conf/link"))?, "services: {}\n");
    assert!(unpacked.apps.join("hello/conf/link").is_symlink());
    let mode = unpacked.apps.join("hello/run.sh").metadata()?.permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    Ok(())
}

#[tokio::test]
async fn equal_folders_give_equal_bytes() -> Result<()> {
    let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let first = pack(&repo(one.path())?).await?;
    std::fs::create_dir_all(two.path().join("apps/hello"))?;
    std::fs::write(two.path().join("apps/hello/run.sh"), "")?;
    let second = repo(two.path())?;
    assert_eq!(first.apps, pack(&second).await?.apps);
    std::fs::write(two.path().join("apps/hello/new"), "")?;
    assert_ne!(first.apps, pack(&second).await?.apps);
    Ok(())
}

#[tokio::test]
async fn refuses_what_cannot_be_shipped() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repo = repo(folder.path())?;
    for to in ["../../../etc/passwd", "/etc/passwd", "../.."] {
        let link = folder.path().join("apps/hello/out");
        symlink(to, &link)?;
        let refused = pack(&repo).await;
        assert!(matches!(refused, Err(BundleError::Apps(AppsError::LeadsOut { .. }))), "{to}: {refused:?}");
        std::fs::remove_file(link)?;
    }
    let big = std::fs::File::create(folder.path().join("apps/big"))?;
    big.set_len((64 << 20) + 1)?;
    assert!(matches!(pack(&repo).await, Err(BundleError::Apps(AppsError::TooLarge { .. }))));
    std::fs::remove_file(folder.path().join("apps/big"))?;
    std::fs::remove_file(folder.path().join(".stead/build/p.wasm"))?;
    assert!(matches!(pack(&repo).await, Err(BundleError::Component(ComponentError::NotBuilt { .. }))));
    Ok(())
}

#[tokio::test]
async fn refuses_a_component_that_was_built_from_something_else() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repo = repo(folder.path())?;
    std::fs::write(folder.path().join("p/src/lib.rs"), "// more")?;
    let Err(stale @ BundleError::Component(ComponentError::Stale { .. })) = pack(&repo).await else {
        anyhow::bail!("it was packed")
    };
    assert_eq!(stale.to_string(), "policy p has changed since it was built: src/lib.rs is not what it was built from");
    std::fs::write(folder.path().join("p/src/lib.rs"), "")?;
    pack(&repo).await?;
    std::fs::remove_file(folder.path().join(".stead/build/p.source"))?;
    assert!(matches!(pack(&repo).await, Err(BundleError::Component(ComponentError::NotBuilt { .. }))));
    std::fs::rename(folder.path().join("p"), folder.path().join("q"))?;
    std::fs::write(folder.path().join(".stead/build/p.source"), "{}")?;
    assert!(matches!(pack(&repo).await, Err(BundleError::Component(ComponentError::Source { .. }))));
    Ok(())
}

#[tokio::test]
async fn knows_the_commit() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repo = repo(folder.path())?;
    assert_eq!(pack(&repo).await?.commit, None);
    let git = |arguments: &'static str| {
        let who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
        crate::machine::Program::new("git").arg("-C").arg(folder.path()).args(who).args(arguments.split(' ')).run()
    };
    git("init -q").await?;
    assert_eq!(pack(&repo).await?.commit, None, "no commit yet");
    git("add .").await?;
    git("commit -q -m first").await?;
    let clean = pack(&repo).await?.commit.context("a commit")?;
    assert_eq!(clean.len(), 40);
    std::fs::write(folder.path().join("new"), "")?;
    assert_eq!(pack(&repo).await?.commit, Some(format!("{clean}+dirty")));
    Ok(())
}
