use anyhow::{Context, Result, bail};

use super::*;

fn pins() -> Result<Pins> {
    let mut pins = Pins::default();
    let pin = |word: &str| Pin { manifest: Digest::public(word.as_bytes()), component: Digest::public(b"c") };
    pins.set("registry.example.com/team/web:1.2".parse()?, pin("web"));
    pins.set("localhost:5000/base:1".parse()?, pin("base"));
    Ok(pins)
}

#[test]
fn the_file_is_the_same_for_the_same_pins() -> Result<()> {
    let pins = pins()?;
    insta::assert_snapshot!(pins.text(), @r#"
    # Written by `stead policy pull`, which replaces it as a whole. Keep it in git.
    version = 1

    [[component]]
    source = "oci://localhost:5000/base:1"
    manifest = "sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2"
    digest = "sha256:2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"

    [[component]]
    source = "oci://registry.example.com/team/web:1.2"
    manifest = "sha256:4b5e57f6eb2f42b9039b3d1e13929295f231749c510cbe341cd68036d9af97e2"
    digest = "sha256:2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"
    "#);
    assert_eq!(Pins::parse(&pins.text())?, pins);
    let folder = tempfile::tempdir()?;
    pins.save(folder.path())?;
    assert_eq!(std::fs::read_to_string(folder.path().join(PINS_FILE))?, pins.text());
    Ok(())
}

/// What is pointed at, and why.
fn wrong(text: &str) -> Result<String> {
    let Err(RepoError::Invalid(invalid)) = Pins::parse(text) else { bail!("it is right: {text}") };
    let (start, length) = invalid.place.at;
    let pointed = text.get(start..start + length).context("the place is not in the text")?;
    assert_eq!(invalid.place.file, "stead.lock");
    Ok(format!("{pointed}: {}", invalid.problem))
}

#[test]
fn what_is_wrong_is_told_with_its_place() -> Result<()> {
    let good = pins()?.text();
    let with = |from: &str, to: &str| wrong(&good.replacen(from, to, 1));
    assert!(with("version = 1", "version = 2")?.starts_with("2: this stead reads version 1"));
    assert!(with("\"sha256:", "\"sha1:")?.contains("a digest is sha256:"));
    assert!(with("oci://localhost:5000/base:1", "base")?.contains("it names no registry"));
    assert!(with("manifest =", "manifests =")?.contains("there is no key `manifests` here"));
    assert!(with("localhost:5000/base:1", "registry.example.com/team/web:1.2")?.contains("pinned twice"));
    let other = format!("localhost:5000/base@sha256:{}", "0".repeat(64));
    assert!(with("localhost:5000/base:1", &other)?.contains("not the digest that the source names"));
    assert!(with("version = 1", "<<<<<<< HEAD\nversion = 1")?.contains("this is not TOML"));
    Ok(())
}
