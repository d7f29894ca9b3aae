//! Components that were built against each version of the contract when it was released, and have not been built since: a
//! policy of the first version runs on every later host.
//!
//! They lie in `released/VERSION/LANGUAGE-POLICY.wasm`, beside what they asked for then. Rust and C have both worlds; of
//! JavaScript there is one, whose component imports all of its world and WASI besides, as those of interpreters do. Go (4.5 MB)
//! and Python (18 MB) would make every clone of the repo slow, and bring no import that these lack.
//!
//! When a version is released: `STEAD_RELEASE=1 cargo nextest run -E 'test(released)'` puts what is built then there. What lies
//! there is never written over.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead::policy::CONTRACT;
use stead_tests::{language, policy};

use crate::guest::Guest;
use crate::{baseline, words};

const COMPONENTS: [(&str, &str, &str); 5] = [
    ("rust", "baseline", "modules/baseline"),
    ("c", "baseline", "guest-sdk/c/examples/baseline"),
    ("javascript", "baseline", "guest-sdk/javascript/examples/baseline"),
    ("rust", "words", "guest-sdk/rust/examples/words"),
    ("c", "words", "guest-sdk/c/examples/words"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("languages/released")
}

/// The versions that were released, and those that this host has: they are the same.
fn versions() -> Result<Vec<PathBuf>> {
    let mut versions: Vec<_> = fs::read_dir(folder())?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    versions.sort();
    Ok(versions)
}

#[tokio::test]
async fn released_policies_run_on_this_host() -> Result<()> {
    release()?;
    for version in versions()? {
        for (language, name, _) in COMPONENTS {
            let stem = version.join(format!("{language}-{name}"));
            let guest = Guest::open(&version.join(format!("{language}-{name}.wasm")))?;
            let expected = version.join(format!("{name}.json"));
            let asked = match name {
                "baseline" => baseline::everything(&guest).await,
                _ => words::everything(&guest).await,
            };
            let asked = asked.with_context(|| stem.display().to_string())?;
            if !expected.exists() && std::env::var_os("STEAD_RELEASE").is_some() {
                fs::write(&expected, format!("{asked:#}\n"))?;
            }
            let then: Value = serde_json::from_str(&fs::read_to_string(&expected)?)?;
            ensure!(holds(&then, &asked), "{}: it asked for {then:#}\nand now for {asked:#}", stem.display());
        }
    }
    Ok(())
}

/// What is built now, for a version that has nothing yet.
fn release() -> Result<()> {
    let to = folder().join(CONTRACT);
    if std::env::var_os("STEAD_RELEASE").is_none() || to.exists() {
        return Ok(());
    }
    fs::create_dir(&to)?;
    for (language, name, source) in COMPONENTS {
        let built = match source {
            "modules/baseline" => policy::component(name, source)?,
            _ => language::component(language, source)?,
        };
        fs::copy(built, to.join(format!("{language}-{name}.wasm")))?;
    }
    Ok(())
}

/// Whether all that is in `then` is in `now`; a later host may tell more.
fn holds(then: &Value, now: &Value) -> bool {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            then.iter().all(|(key, then)| now.get(key).is_some_and(|now| holds(then, now)))
        }
        (Value::Array(then), Value::Array(now)) => {
            then.len() == now.len() && then.iter().zip(now).all(|(then, now)| holds(then, now))
        }
        _ => then == now,
    }
}

#[test]
fn the_version_of_this_host_has_its_components() -> Result<()> {
    let there = versions()?.iter().any(|version| version.ends_with(CONTRACT));
    ensure!(there, "{CONTRACT} has no components: run the tests with STEAD_RELEASE=1, and commit what they write");
    ensure!(!holds(&json!({"a": [1]}), &json!({"a": [1, 2]})) && holds(&json!({"a": [1]}), &json!({"a": [1], "b": 2})));
    Ok(())
}

#[tokio::test]
async fn released_policies_of_another_version_are_refused_with_those_that_there_are() -> Result<()> {
    for (stem, export) in [("rust-baseline", "configure"), ("c-words", "run")] {
        let component = fs::read(folder().join(CONTRACT).join(format!("{stem}.wasm")))?;
        let later = replaced(&component, CONTRACT.as_bytes(), b"0.9.0");
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), later)?;
        let guest = Guest::open(file.path())?;
        let said = match export {
            "configure" => guest.configure(&json!({})).await.err().context("it ran")?.to_string(),
            _ => words::everything(&guest).await.err().context("it ran")?.to_string(),
        };
        let words = format!("needs {export} of version 0.9.0 of the contract stead:host; this host has {CONTRACT}");
        ensure!(said.contains(&words), "{said}");
    }
    Ok(())
}

/// Names of the contract end in its version, which is as long as the other one.
fn replaced(component: &[u8], version: &[u8], by: &[u8]) -> Vec<u8> {
    let mut component = component.to_vec();
    let mut at = 0;
    while let Some(rest) = component.get_mut(at..at + version.len() + 1) {
        if rest.starts_with(b"@") && rest.ends_with(version) {
            rest[1..].copy_from_slice(by);
        }
        at += 1;
    }
    component
}
