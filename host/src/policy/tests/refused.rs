//! Components that never get to run.

use super::*;

async fn refused(component: &[u8], grants: &Grants) -> Result<(LoadError, PolicyError)> {
    match run_with(component, grants, QUICK).await? {
        Err(PolicyError::Load { policy, error }) => Ok((error.clone(), PolicyError::Load { policy, error })),
        other => anyhow::bail!("it ended with {other:?}"),
    }
}

#[tokio::test]
async fn an_import_without_a_grant_is_refused_by_name() -> Result<()> {
    let program = policy(SYSCTL, WORDS, &format!("{SET} (i32.const 0)"))?;
    let (error, whole) = refused(&program, &Grants::default()).await?;
    assert_eq!(error, LoadError::NotGranted { policy: "base".to_owned(), capability: "sysctl" });
    assert_eq!(whole.blame(), Blame::Operator);
    assert!(whole.hint().is_some_and(|hint| hint.contains("[policy.base.grant.sysctl]")));
    Ok(())
}

#[tokio::test]
async fn an_import_that_nobody_offers_is_refused_by_name() -> Result<()> {
    let wipe = r#"(import "acme:disk/wipe@1.0.0" "wipe" (func $wipe))"#;
    let program = component("test:programs/stranger", wipe, "", "(call $wipe) (i32.const 0)")?;
    let (error, _) = refused(&program, &Grants::default()).await?;
    assert_eq!(error, LoadError::UnknownImport { name: "acme:disk/wipe@1.0.0".to_owned() });
    Ok(())
}

/// The contract of another version, cut down to what a test needs.
fn of_version(version: &str) -> Result<Vec<u8>> {
    let wit = format!(
        "package stead:host@{version};
         interface types {{ variant error {{ other(string) }} }}
         interface configure {{ use types.{{error}}; configure: func() -> result<_, error>; }}
         world bootstrap {{ export configure; }}"
    );
    let text = format!(
        r#"(module (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "stead:host/configure@{version}#configure") (result i32) (i32.const 0)))"#
    );
    encode(&text, &format!("stead:host/bootstrap@{version}"), &[&wit])
}

#[tokio::test]
async fn a_component_of_another_version_is_refused_with_both_versions() -> Result<()> {
    let (error, _) = refused(&of_version("0.2.0")?, &Grants::default()).await?;
    assert_eq!(
        error.to_string(),
        "the component needs configure of version 0.2.0 of the contract stead:host; this host has 0.1.0"
    );
    // The same minor version with other types: it does not fit, whatever its number says.
    let (error, _) = fails(&of_version("0.1.7")?).await?;
    ensure!(matches!(error, RunError::Mismatch { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_component_of_another_world_is_refused() -> Result<()> {
    let hello =
        encode(r#"(module (func (export "hello")))"#, "test:programs/nothing", &[include_str!("contract.wit")])?;
    let (error, _) = refused(&hello, &Grants::default()).await?;
    assert_eq!(error, LoadError::NotAPolicy { wanted: "configure", exports: vec!["hello".to_owned()] });
    let job = r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
        (func (export "stead:host/run@0.1.0#run") (param i32 i32) (result i32) unreachable))"#;
    let (error, _) = refused(&encode(job, "stead:host/job@0.1.0", &[])?, &Grants::default()).await?;
    assert_eq!(error, LoadError::JobPolicy);
    Ok(())
}

#[tokio::test]
async fn what_is_no_component_is_refused_for_what_it_is() -> Result<()> {
    let grants = forwarding()?;
    let whole = policy(SYSCTL, WORDS, &format!("{SET} (i32.const 0)"))?;
    assert_eq!(refused(b"", &grants).await?.0, LoadError::NotWasm);
    assert_eq!(refused(b"#!/bin/sh\nexit 0\n", &grants).await?.0, LoadError::NotWasm);
    assert_eq!(refused(&wat::parse_str("(module)")?, &grants).await?.0, LoadError::CoreModule);
    let huge = vec![0; (128 << 20) + 1];
    ensure!(matches!(refused(&huge, &grants).await?.0, LoadError::TooLarge { .. }));
    for length in (8..whole.len()).step_by(97) {
        let (error, _) = refused(whole.get(..length).unwrap_or_default(), &grants).await?;
        ensure!(matches!(error, LoadError::Malformed { .. } | LoadError::NotAPolicy { .. }), "{length}: {error:?}");
    }
    Ok(())
}
