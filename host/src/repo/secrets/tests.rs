use std::os::unix::fs::PermissionsExt;

use anyhow::{Result, bail};

use super::*;

fn nobody(_: &str) -> Option<Secret<String>> {
    None
}

/// A repo with these recipients, and an identity.
fn repo(folder: &Path, secrets: &str) -> Result<(Repo, Identity)> {
    let key = folder.join("config/identity");
    if !key.exists() {
        Identity::create(&key)?;
    }
    let repo = Repo::parse(folder, secrets.to_owned())?;
    Ok((repo, Identity::find(&[key], nobody)?))
}

fn ssh_key(path: &Path, passphrase: &str) -> Result<String> {
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-C", "a comment", "-N", passphrase, "-f"])
        .arg(path)
        .status()?;
    anyhow::ensure!(made.success(), "ssh-keygen failed");
    Ok(std::fs::read_to_string(path.with_extension("pub"))?.trim().to_owned())
}

#[test]
fn what_was_set_is_there_and_nowhere_in_the_clear() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (repo, identity) = repo(folder.path(), "")?;
    let mut secrets = Secrets::open(&repo, &identity)?;
    assert_eq!(secrets.names().count(), 0);
    secrets.set("db.password".parse()?, Secret::new("two\nlines \"quoted\"".to_owned()));
    secrets.set("gone".parse()?, Secret::new("x".to_owned()));
    secrets.save(&identity)?;
    let mut secrets = Secrets::open(&repo, &identity)?;
    secrets.remove("gone")?;
    secrets.save(&identity)?;
    let values = Secrets::open(&repo, &identity)?.values();
    assert_eq!(values.keys().collect::<Vec<_>>(), ["db.password"]);
    assert_eq!(values["db.password"].reveal(), "two\nlines \"quoted\"");
    let file = std::fs::read(folder.path().join("secrets.age"))?;
    assert!(file.starts_with(b"age-encryption.org/v1") && !String::from_utf8_lossy(&file).contains("quoted"));
    let unknown = secrets.remove("db.pasword");
    let Err(unknown) = unknown else { bail!("it is not there") };
    assert_eq!(unknown.hint().as_deref(), Some("did you mean `db.password`?"));
    Ok(())
}

#[test]
fn ssh_keys_open_and_receive() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("id_ed25519");
    let public = ssh_key(&key, "")?;
    let (repo, identity) = repo(folder.path(), "")?;
    let own = identity.recipient()?;
    let both = Repo::parse(folder.path(), format!("[secrets]\nrecipients = [\"{own}\", \"{public}\"]\n"))?;
    let mut secrets = Secrets::open(&both, &identity)?;
    secrets.set("a".parse()?, Secret::new("b".to_owned()));
    secrets.save(&identity)?;
    let ssh = Identity::find(&[key], nobody)?;
    assert_eq!(Secrets::open(&both, &ssh)?.values()["a"].reveal(), "b");
    Secrets::open(&both, &ssh)?.save(&ssh)?;
    assert_eq!(Secrets::open(&repo, &identity)?.values()["a"].reveal(), "b");
    Ok(())
}

#[test]
fn a_passphrase_is_asked_for() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("id_ed25519");
    ssh_key(&key, "correct horse")?;
    let repo = Repo::parse(folder.path(), String::new())?;
    let right = Identity::find(std::slice::from_ref(&key), |_| Some(Secret::new("correct horse".to_owned())))?;
    Secrets::open(&repo, &right)?.save(&right)?;
    assert_eq!(Secrets::open(&repo, &right)?.names().count(), 0);
    let wrong = Identity::find(std::slice::from_ref(&key), |_| Some(Secret::new("wrong".to_owned())))?;
    assert!(matches!(Secrets::open(&repo, &wrong), Err(SecretsError::Decrypt { .. })));
    let silent = Identity::find(&[key], nobody)?;
    assert!(Secrets::open(&repo, &silent).is_err());
    Ok(())
}

#[test]
fn refuses_to_lock_the_operator_out() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let other = age::x25519::Identity::generate().to_public();
    let (repo, identity) = repo(folder.path(), &format!("[secrets]\nrecipients = [\"{other}\"]\n"))?;
    let secrets = Secrets::open(&repo, &identity)?;
    assert!(matches!(secrets.save(&identity), Err(SecretsError::NotARecipient { .. })));
    assert!(!Secrets::exist(&repo));
    Ok(())
}

#[test]
fn says_what_is_wrong_without_the_secret() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("secrets.age");
    let (repo, identity) = repo(folder.path(), "")?;
    let open = || Secrets::open(&repo, &identity).map(drop);
    for text in ["good = \"x\"\nhunter2 is not TOML\n", "good = \"x\"\nbad = [\"hunter2\"]\n"] {
        std::fs::write(&path, cipher::encrypt(text.as_bytes(), &[identity.recipient()?])?)?;
        let Err(error) = open() else { bail!("it is no table") };
        assert!(matches!(error, SecretsError::NotATable { line: 2, .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let other = age::x25519::Identity::generate().to_public().to_string();
    std::fs::write(&path, cipher::encrypt(b"", &[other])?)?;
    assert!(matches!(open(), Err(SecretsError::NotForYou { .. })));
    std::fs::write(&path, "-----BEGIN AGE ENCRYPTED FILE-----\n")?;
    assert!(matches!(open(), Err(SecretsError::Armoured { .. })));
    std::fs::write(&path, "age-encryption.org/v1\n-> X25519")?;
    assert!(matches!(open(), Err(SecretsError::Decrypt { .. })));
    assert!(matches!(cipher::encrypt(b"", &["ssh-dss AAAA".to_owned()]), Err(SecretsError::Recipient { .. })));
    Ok(())
}

#[test]
fn an_identity_is_private_and_never_overwritten() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("stead/identity");
    Identity::create(&path)?;
    assert_eq!(path.metadata()?.permissions().mode() & 0o777, 0o600);
    assert!(matches!(Identity::create(&path), Err(SecretsError::IdentityExists { .. })));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640))?;
    let places = [path];
    assert!(matches!(Identity::find(&places, nobody), Err(SecretsError::Exposed { .. })));
    assert!(matches!(Identity::find(&[folder.path().join("none")], nobody), Err(SecretsError::NoIdentity { .. })));
    Ok(())
}
