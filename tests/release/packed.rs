//! The files of a release, as dpkg-deb, sha256sum and a reader of bills of materials see them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stead_release::debian::Pressed;
use stead_release::{Commit, Release, Target, sums, workspace};
use stead_tests::program;
use stead_tests::run::run;

const LIMIT: Duration = Duration::from_secs(60);

/// As if this commit were released.
pub(crate) fn release(version: &str) -> Result<Release> {
    let source = workspace();
    let commit = Commit { version: version.to_owned(), is_tagged: true, ..Commit::of(&source, true)? };
    Ok(Release { source, commit })
}

/// The files by their names.
fn written(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    fs::create_dir_all(folder)?;
    // Another machine is at another time, and has another umask.
    let small = folder.with_extension("program");
    fs::write(&small, "#!/bin/sh\necho stead\n")?;
    let release = release("0.1.0")?;
    let files = release.pack(Target::Aarch64, &small, &program::stead()?, Pressed::Quickly, folder)?;
    sums::write(folder, &files)?;
    fs::read_dir(folder)?
        .map(|entry| {
            let path = entry?.path();
            Ok((path.file_name().context("no name")?.to_string_lossy().into_owned(), fs::read(&path)?))
        })
        .collect()
}

#[test]
fn whoever_makes_them_gets_the_same_files() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (one, other) = (written(&folder.path().join("one"))?, written(&folder.path().join("other"))?);
    let names: Vec<_> = one.keys().map(String::as_str).collect();
    let expected = [
        "SHA256SUMS",
        "stead-aarch64",
        "stead-aarch64.cdx.json",
        "stead-aarch64.licences.txt",
        "stead_0.1.0-1_arm64.deb",
    ];
    assert_eq!(names, expected);
    for (name, content) in &one {
        ensure!(other.get(name) == Some(content), "{name} is another one");
    }
    let mut check = Command::new("sha256sum");
    run(check.args(["--check", "--strict", "SHA256SUMS"]).current_dir(folder.path().join("one")), LIMIT)?.ok()?;
    let bill: Value = serde_json::from_slice(&one["stead-aarch64.cdx.json"])?;
    assert_eq!(
        bill["metadata"]["component"]["hashes"][0]["content"],
        sums::sha256(&folder.path().join("one/stead-aarch64"))?
    );
    let licences = String::from_utf8_lossy(&one["stead-aarch64.licences.txt"]).into_owned();
    for words in [
        "wasmtime 48.",
        ": Apache-2.0 WITH LLVM-exception",
        "Permission is hereby granted",
        ": LGPL-2.1-or-later, https://",
    ] {
        ensure!(licences.contains(words), "{words}");
    }
    is_as_debian_wants_it(&folder.path().join("one/stead_0.1.0-1_arm64.deb"))
}

fn is_as_debian_wants_it(package: &PathBuf) -> Result<()> {
    let dpkg = |what: &str| run(Command::new("dpkg-deb").arg(what).arg(package), LIMIT)?.ok();
    let field = |name: &str| -> Result<String> {
        Ok(run(Command::new("dpkg-deb").arg("--field").arg(package).arg(name), LIMIT)?.ok()?.trim().to_owned())
    };
    assert_eq!((field("Package")?.as_str(), field("Version")?.as_str()), ("stead", "0.1.0-1"));
    assert_eq!((field("Architecture")?.as_str(), field("Section")?.as_str()), ("arm64", "admin"));
    ensure!(field("Maintainer")?.ends_with('>') && field("Installed-Size")?.parse::<u32>()? > 100);
    let info = dpkg("--info")?;
    for script in ["postinst", "prerm", "postrm", "md5sums"] {
        ensure!(info.contains(&format!(" {script} ")), "{script}: {info}");
    }
    let contents = dpkg("--contents")?;
    for (mode, path) in [
        ("-rwxr-xr-x", "./usr/bin/stead"),
        ("-rw-r--r--", "./usr/lib/systemd/system/stead.service"),
        ("-rw-r--r--", "./usr/lib/systemd/system/stead-follow.service"),
        ("-rw-r--r--", "./usr/share/man/man1/stead-apply.1.gz"),
        ("-rw-r--r--", "./usr/share/bash-completion/completions/stead"),
        ("-rw-r--r--", "./usr/share/zsh/vendor-completions/_stead"),
        ("-rw-r--r--", "./usr/share/fish/vendor_completions.d/stead.fish"),
        ("-rw-r--r--", "./usr/share/doc/stead/copyright"),
        ("-rw-r--r--", "./usr/share/doc/stead/stead.cdx.json.gz"),
        ("drwxr-xr-x", "./usr/share/doc/stead/"),
    ] {
        let line = contents.lines().find(|line| line.ends_with(path)).with_context(|| format!("{path}: {contents}"))?;
        ensure!(line.starts_with(mode) && line.contains("root/root"), "{line}");
    }
    Ok(())
}
