//! What becomes of policies that behave, and of those that do not.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use self::programs::{LOG, SET, SET_DENIED, SYSCTL, WORDS, component, encode, policy};
use super::{Blame, ByteSize, Level, Limits, LoadError, Policy, PolicyError, Run, RunError, Runtime};
use crate::capability;
use crate::grant::Grants;
use crate::machine::Facts;
use crate::plan::Specs;

mod compiled;
mod hostile;
mod programs;
mod refused;
mod smith;
mod virtual_world;

const QUICK: Limits =
    Limits { memory: ByteSize(16 << 20), cpu: Duration::from_millis(200), wall: Duration::from_secs(30) };

fn granted(table: &str) -> Result<Grants> {
    let mut grants = Grants::default();
    for (name, scope) in toml::de::DeTable::parse(table)?.into_inner() {
        let name = name.into_inner();
        let capability = capability::by_name(&name).with_context(|| format!("no capability {name}"))?;
        grants.add(capability.name(), capability.scope(scope.into())?);
    }
    Ok(grants)
}

fn forwarding() -> Result<Grants> {
    granted("[sysctl]\nkeys = [\"net.ipv4.*\"]")
}

fn facts() -> Facts {
    Facts { host_name: "web1".to_owned(), architecture: "amd64".to_owned(), ..Facts::default() }
}

fn started() -> Result<(tempfile::TempDir, Runtime)> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::open(&folder.path().join("cache"))?;
    Ok((folder, runtime))
}

async fn run_with(component: &[u8], grants: &Grants, limits: Limits) -> Result<Result<Run, PolicyError>> {
    let (_folder, runtime) = started()?;
    let config = json!({ "answer": 42 });
    Ok(runtime
        .configure(
            &Policy {
                name: "base",
                component,
                grants,
                config: &config,
                meshes: &Default::default(),
                engines: &Default::default(),
                backups: &Default::default(),
                limits,
            },
            &facts(),
        )
        .await)
}

async fn run(component: &[u8]) -> Result<Result<Run, PolicyError>> {
    run_with(component, &forwarding()?, QUICK).await
}

/// The error of a run that must fail, and what it said.
async fn fails(component: &[u8]) -> Result<(RunError, PolicyError)> {
    match run(component).await? {
        Err(PolicyError::Run { policy, error, log }) => Ok((error.clone(), PolicyError::Run { policy, error, log })),
        other => anyhow::bail!("it ended with {other:?}"),
    }
}

#[tokio::test]
async fn what_a_policy_asks_for_is_staged_and_every_call_recorded() -> Result<()> {
    let reads = r#"
        (import "stead:host/facts@0.1.0" "host-name" (func $name (param i32)))
        (import "stead:host/config@0.1.0" "get" (func $get (param i32)))"#;
    let main = format!(
        "(call $name (i32.const 300)) (call $get (i32.const 300)) {SET}
         (call $log (i32.const 1) (i32.const 100) (i32.const 19)) (i32.const 0)"
    );
    let run = run(&policy(&format!("{SYSCTL} {LOG} {reads}"), WORDS, &main)?).await??;

    let mut specs = Specs::new();
    run.stage.into_specs("base", &mut specs);
    assert_eq!(
        json!(specs),
        json!({ "sysctl": [{ "policy": "base", "spec": { "key": "net.ipv4.ip_forward", "value": "1" } }] })
    );
    let calls: Vec<(&str, &Value, Option<&Value>)> =
        run.calls.iter().map(|call| (call.capability.as_str(), &call.spec, call.answer.as_ref())).collect();
    assert_eq!(
        calls,
        [
            ("facts", &json!("host-name"), Some(&json!("web1"))),
            ("config", &json!("get"), Some(&json!({ "answer": 42 }))),
            ("sysctl", &json!({ "key": "net.ipv4.ip_forward", "value": "1" }), None),
            ("log", &json!("info"), None),
        ]
    );
    assert_eq!(run.log.len(), 1);
    assert_eq!((run.log[0].level, run.log[0].message.as_str()), (Level::Info, "net.ipv4.ip_forward"));
    Ok(())
}

#[tokio::test]
async fn a_denial_that_nobody_catches_is_the_operators_and_shows_the_grant() -> Result<()> {
    let (error, whole) = fails(&policy(SYSCTL, WORDS, &format!("{SET} {SET_DENIED} (i32.const 200)"))?).await?;
    assert_eq!(
        error,
        RunError::Denied {
            capability: "sysctl".to_owned(),
            asked: "set kernel.hostname".to_owned(),
            grant: "[policy.base.grant.sysctl]\nkeys = [\"kernel.hostname\"]".to_owned(),
        }
    );
    assert_eq!(whole.blame(), Blame::Operator);
    assert!(whole.hint().is_some_and(|hint| hint.contains("keys = [\"kernel.hostname\"]")));
    Ok(())
}

#[tokio::test]
async fn a_denial_may_be_caught() -> Result<()> {
    let run = run(&policy(SYSCTL, WORDS, &format!("{SET_DENIED} {SET} (i32.const 0)"))?).await??;
    let refused: Vec<_> = run.calls.iter().map(|call| call.refused.as_deref()).collect();
    assert_eq!(refused, [Some("sysctl: set kernel.hostname is not granted"), None]);
    Ok(())
}

#[tokio::test]
async fn a_denial_made_up_by_the_guest_is_not_shown_as_ours() -> Result<()> {
    // err(denied { capability: "", asked: "", grant: 19 bytes at 100 })
    let forged = "(i32.store8 (i32.const 400) (i32.const 1)) (i32.store (i32.const 424) (i32.const 100))
                  (i32.store (i32.const 428) (i32.const 19)) (i32.const 400)";
    let (error, whole) = fails(&policy("", WORDS, forged)?).await?;
    ensure!(matches!(error, RunError::Failed { .. }), "{error:?}");
    assert_eq!((whole.blame(), whole.hint()), (Blame::Policy, None));
    Ok(())
}

#[tokio::test]
async fn a_wrong_argument_is_named() -> Result<()> {
    let set = "(call $set (i32.const 120) (i32.const 1) (i32.const 120) (i32.const 1) (i32.const 200)) (i32.const 200)";
    let (error, _) = fails(&policy(SYSCTL, WORDS, set)?).await?;
    ensure!(matches!(&error, RunError::Invalid { argument, .. } if argument == "key"), "{error:?}");
    Ok(())
}

/// 25,600 rules of 4096 bytes.
#[tokio::test]
async fn a_hundred_megabytes_of_rules_are_refused_at_the_call_that_is_too_much() -> Result<()> {
    let raw = r#"(import "stead:host/firewall@0.1.0" "raw" (func $raw (param i32 i32 i32 i32)))"#;
    let main = "(local $left i32)
        (memory.fill (i32.const 1000) (i32.const 120) (i32.const 4096))
        (local.set $left (i32.const 25600))
        (loop $more
            (call $raw (i32.const 0) (i32.const 1000) (i32.const 4096) (i32.const 200))
            (if (i32.load8_u (i32.const 200)) (then (return (i32.const 200))))
            (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (i32.const 0)";
    let grants = granted("[firewall]\nraw = true\nchains = [\"input\"]")?;
    let limits = Limits { cpu: Duration::from_secs(60), ..QUICK };
    match run_with(&policy(raw, WORDS, main)?, &grants, limits).await? {
        Err(PolicyError::Run { error: RunError::Failed { message }, .. }) => {
            let call = message.strip_prefix("call ").and_then(|rest| rest.split_once(' ')).map(|(number, _)| number);
            ensure!(call.is_some_and(|call| call.parse::<u32>().is_ok_and(|call| (10_000..25_600).contains(&call))));
            ensure!(message.ends_with("to firewall: the policy has used up the room for its calls"), "{message}");
        }
        other => anyhow::bail!("it ended with {:?}", other.map(|run| run.calls.len())),
    }
    Ok(())
}

#[tokio::test]
async fn a_crash_shows_the_guests_last_words_and_where_it_was() -> Result<()> {
    let rest = format!("{WORDS} (func $deep (call $log (i32.const 3) (i32.const 100) (i32.const 19)) unreachable)");
    let (error, whole) =
        fails(&policy(&format!("{SYSCTL} {LOG}"), &rest, &format!("{SET} (call $deep) (i32.const 0)"))?).await?;
    let shown = error.to_string();
    ensure!(shown.starts_with("crashed: net.ipv4.ip_forward\n"), "{shown}");
    ensure!(shown.contains("deep") && shown.contains("configure"), "{shown}");
    assert_eq!((whole.log().len(), whole.blame()), (1, Blame::Policy));

    let (error, _) = fails(&policy("", "", "unreachable")?).await?;
    ensure!(
        error.to_string().contains("unreachable` instruction executed (the policy said nothing about it)"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn an_endless_loop_is_cut() -> Result<()> {
    let start = Instant::now();
    let (error, whole) = fails(&policy("", "", "(loop $again (br $again)) (i32.const 0)")?).await?;
    ensure!(matches!(error, RunError::Cpu { .. }), "{error:?}");
    ensure!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(
        whole.hint().as_deref(),
        Some("to allow more, add to stead.toml:\n[policy.base.limits]\ncpu = \"400 ms\"")
    );
    Ok(())
}

#[tokio::test]
async fn the_wall_clock_cuts_a_loop_too() -> Result<()> {
    let limits = Limits { cpu: Duration::from_secs(600), wall: Duration::from_millis(100), ..QUICK };
    let program = policy("", "", "(loop $again (br $again)) (i32.const 0)")?;
    let start = Instant::now();
    let ended = run_with(&program, &Grants::default(), limits).await?;
    ensure!(matches!(ended, Err(PolicyError::Run { error: RunError::Wall { .. }, .. })), "{ended:?}");
    ensure!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    Ok(())
}

#[tokio::test]
async fn endless_allocation_is_cut_with_the_limit_in_words() -> Result<()> {
    let grow = "(loop $again (drop (memory.grow (i32.const 16))) (br $again)) (i32.const 0)";
    let (error, _) = fails(&policy("", "", grow)?).await?;
    ensure!(error.to_string().starts_with("used more than its 16 MiB of memory\n"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_flood_of_lines_or_calls_is_cut() -> Result<()> {
    let lines = "(loop $again (call $log (i32.const 1) (i32.const 100) (i32.const 19)) (br $again)) (i32.const 0)";
    let limits = Limits { cpu: Duration::from_secs(20), wall: Duration::from_secs(60), ..QUICK };
    for (program, what) in [
        (policy(LOG, WORDS, lines)?, "the room for its log"),
        (
            policy(
                SYSCTL,
                WORDS,
                &format!("(loop $again {SET} (br_if $again (i32.eqz (i32.load8_u (i32.const 200))))) (i32.const 200)"),
            )?,
            "at most 100000 specs",
        ),
    ] {
        let ended = run_with(&program, &forwarding()?, limits).await?;
        let error = ended.err().context("it came to an end")?.to_string();
        ensure!(error.contains(what), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_string_that_is_too_long_or_no_text_is_a_crash_of_the_guest() -> Result<()> {
    let long = "(drop (memory.grow (i32.const 100)))
        (call $set (i32.const 0) (i32.const 4000000000) (i32.const 120) (i32.const 1) (i32.const 200)) (i32.const 0)";
    let (error, _) = fails(&policy(SYSCTL, WORDS, long)?).await?;
    ensure!(matches!(error, RunError::Trapped(_)), "{error:?}");
    let wrong = format!("{WORDS} (data (i32.const 500) \"\\ff\\fe\")");
    let call = "(call $set (i32.const 500) (i32.const 2) (i32.const 120) (i32.const 1) (i32.const 200)) (i32.const 0)";
    let (error, _) = fails(&policy(SYSCTL, &wrong, call)?).await?;
    ensure!(matches!(error, RunError::Trapped(_)), "{error:?}");
    Ok(())
}
