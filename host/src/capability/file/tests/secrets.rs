//! A secret is in the file and nowhere else.

use super::*;

const VALUE: &str = "hunter2-hunter2";

fn with_secret(mode: Option<u32>, validate: &[&str]) -> Result<Declared<Spec>> {
    let parts = [Part::Text("password=".to_owned()), Part::Secret("db".to_owned()), Part::Text("\n".to_owned())];
    file("/etc/app.env", &parts, mode, None, None, validate)
}

/// Everything that is recorded or shown about a plan.
async fn told(rig: &Rig, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<String> {
    let fact = rig.observe(specs, owned).await?;
    let diff = File::diff(&fact, &Desired { specs, owned, changed: &Default::default() })?;
    let steps = serde_json::to_string(&diff.steps)?;
    Ok(format!("{fact:?}{}{diff:?}{steps}{specs:?}{}", serde_json::to_string(&fact)?, serde_json::to_string(specs)?))
}

#[tokio::test]
async fn a_secret_is_in_the_file_alone() -> Result<()> {
    let rig = Rig::with_secrets(&[("db", VALUE)])?;
    let specs = [with_secret(None, &[])?];
    ensure!(!told(&rig, &specs, &Owned::new()).await?.contains(VALUE));
    let (_, owned) = rig.converge(&specs, &Owned::new()).await?;
    ensure!(rig.read("/etc/app.env")? == format!("password={VALUE}\n") && rig.stat("/etc/app.env")?.0 == 0o600);
    ensure!(!told(&rig, &specs, &owned).await?.contains(VALUE));
    ensure!(!format!("{owned:?}").contains(VALUE));
    Ok(())
}

#[tokio::test]
async fn a_file_that_held_a_secret_is_not_shown_even_when_all_may_read_it() -> Result<()> {
    let rig = Rig::with_secrets(&[("db", VALUE)])?;
    let (_, owned) = rig.converge(&[with_secret(Some(0o644), &[])?], &Owned::new()).await?;
    // The policy drops the secret; somebody edits the file; nobody declares it any more.
    let without = [text("/etc/app.env", "password=\n")?];
    ensure!(!told(&rig, &without, &owned).await?.contains(VALUE));
    std::fs::write(rig.path("/etc/app.env"), format!("# edited\npassword={VALUE}\n"))?;
    ensure!(!told(&rig, &without, &owned).await?.contains(VALUE));
    ensure!(!told(&rig, &[], &owned).await?.contains(VALUE));
    let (steps, _) = rig.converge(&without, &owned).await?;
    rig.undo(&steps).await?;
    ensure!(rig.read("/etc/app.env")?.contains(VALUE));
    Ok(())
}

#[tokio::test]
async fn a_validation_that_quotes_the_secret_is_not_quoted() -> Result<()> {
    let rig = Rig::with_secrets(&[("db", VALUE)])?;
    let specs = [with_secret(None, &["sh", "-c", "cat \"$0\" >&2; exit 1", "{}"])?];
    let steps = rig.steps(&specs, &Owned::new()).await?;
    let error = rig.apply(&steps.first().context("no step")?.action).await.err().context("it was accepted")?;
    ensure!(!format!("{error} {error:?}").contains(VALUE) && error.to_string().contains("is not shown"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_missing_or_changed_secret_is_named() -> Result<()> {
    let rig = Rig::with_secrets(&[("db", VALUE)])?;
    let specs = [with_secret(None, &[])?];
    let steps = rig.steps(&specs, &Owned::new()).await?;
    let action = &steps.first().context("no step")?.action;
    let folder = rig.folder;
    let rig = Rig::at(folder, &[("db", "another")])?;
    let error = rig.apply(action).await.err().context("it was written")?;
    ensure!(error.to_string().contains("a secret in it has changed since the plan was made"), "{error}");
    let rig = Rig::at(rig.folder, &[])?;
    let error = rig.observe(&specs, &Owned::new()).await.err().context("it was read")?;
    ensure!(error.to_string().starts_with("no secret is called db"), "{error}");
    ensure!(matches!(rig.apply(action).await, Err(ApplyError::NoSecret { name }) if name == "db"));
    Ok(())
}
