//! The cases of `cases/`, on each database.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use stead_tests::postgres::{Postgres, Sync};

use crate::clock::TestClock;
use crate::place;
use crate::script::Script;

fn cases() -> Result<Vec<(String, String)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kit/cases");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        cases.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), fs::read_to_string(&path)?));
    }
    cases.sort();
    ensure!(!cases.is_empty(), "there are no cases");
    Ok(cases)
}

#[tokio::test]
async fn sqlite() -> Result<()> {
    let mut wrong = Vec::new();
    for (name, text) in cases()? {
        let (folder, clock) = (tempfile::tempdir()?, TestClock::new());
        let mut script = Script::new(place::file(folder.path(), &clock)?, clock);
        wrong.extend(script.run(&text).await.err().map(|error| format!("{name}: {error:#}")));
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Its time is the database's, which nobody sets here: cases about that are for files.
#[tokio::test]
async fn postgres() -> Result<()> {
    let server = Postgres::start(Sync::Off)?;
    let mut wrong = Vec::new();
    for (name, text) in cases()?.into_iter().filter(|(name, _)| !name.starts_with("clock")) {
        let clock = TestClock::new();
        let mut script = Script::new(place::server(&server.database()?, &clock)?, clock);
        wrong.extend(script.run(&text).await.err().map(|error| format!("{name}: {error:#}")));
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
