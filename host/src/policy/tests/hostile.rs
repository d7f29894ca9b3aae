//! Guests that mean harm, and guests that mean nothing: the host neither ends, nor grows, nor keeps others waiting.

use super::*;

/// What the operating system says this process takes, in bytes.
fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}

#[tokio::test]
async fn recursion_without_end_is_a_crash_of_the_guest() -> Result<()> {
    let deep = "(func $deep (param i64 i64 i64) (result i32)
        (i32.add (call $deep (local.get 2) (local.get 0) (local.get 1)) (i32.const 1)))";
    let main = "(call $deep (i64.const 1) (i64.const 2) (i64.const 3))";
    let (error, whole) = fails(&policy("", deep, main)?).await?;
    ensure!(matches!(error, RunError::Trapped(_)), "{error:?}");
    ensure!(whole.to_string().contains("stack"), "{whole}");
    Ok(())
}

#[tokio::test]
async fn a_table_grows_to_its_limit_and_no_further() -> Result<()> {
    let table = "(table $table 1 funcref)";
    let grown = |times: u32| {
        let grow = "(drop (table.grow $table (ref.null func) (i32.const 50000)))";
        let main = format!(
            "(local $left i32) (local.set $left (i32.const {times}))
            (loop $again {grow}
                (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (i32.const 0)"
        );
        policy("", table, &main)
    };
    run(&grown(19)?).await?.map_err(anyhow::Error::new)?;
    let (_, whole) = fails(&grown(20)?).await?;
    ensure!(whole.to_string().contains("used up its tables"), "{whole}");
    Ok(())
}

#[tokio::test]
async fn no_damaged_component_ends_the_host() -> Result<()> {
    let whole = policy(&format!("{SYSCTL} {LOG}"), WORDS, &format!("{SET} (i32.const 200)"))?;
    let (_folder, runtime) = started()?;
    let (grants, config) = (forwarding()?, json!({}));
    let (mut refused, mut ran) = (0_u32, 0_u32);
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let (mut flipped, mut cut) = (whole.clone(), whole.clone());
        flipped[at] ^= 1 << (at % 8);
        cut.truncate(at);
        for component in [&flipped, &cut] {
            let (meshes, engines) = Default::default();
            let policy = Policy {
                name: "base",
                component,
                grants: &grants,
                config: &config,
                meshes: &meshes,
                engines: &engines,
                backups: &Default::default(),
                limits: QUICK,
            };
            match runtime.configure(&policy, &facts()).await {
                Ok(_) => ran += 1,
                Err(error) => {
                    ensure!(!error.to_string().is_empty());
                    refused += 1;
                }
            }
        }
    }
    ensure!(refused > 150, "{refused} refused, {ran} ran");
    Ok(())
}

#[tokio::test]
async fn thousands_of_runs_leave_nothing_behind() -> Result<()> {
    let (_folder, runtime) = started()?;
    let (grants, config) = (forwarding()?, json!({}));
    let grow = "(drop (memory.grow (i32.const 100))) (i32.store (i32.const 6553600) (i32.const 1)) unreachable";
    let component = policy("", "", grow)?;
    let (meshes, engines) = Default::default();
    let policy = Policy {
        name: "base",
        component: &component,
        grants: &grants,
        config: &config,
        meshes: &meshes,
        engines: &engines,
        backups: &Default::default(),
        limits: QUICK,
    };
    let mut before = 0;
    for number in 0..2000 {
        ensure!(runtime.configure(&policy, &facts()).await.is_err(), "it did not crash");
        if number == 200 {
            before = resident()?;
        }
    }
    let grown = resident()?.saturating_sub(before);
    ensure!(grown < 16 << 20, "1,800 runs of 6 MiB each left {} KiB", grown >> 10);
    Ok(())
}

#[tokio::test]
async fn one_that_never_ends_keeps_no_other_waiting() -> Result<()> {
    let limits = Limits { cpu: Duration::from_secs(600), wall: Duration::from_secs(600), ..QUICK };
    let endless = policy("", "", "(loop $again (br $again)) (i32.const 0)")?;
    let (grants, good) = (forwarding()?, policy(SYSCTL, WORDS, &format!("{SET} (i32.const 200)"))?);
    let others = async {
        for _ in 0..10 {
            run(&good).await?.map_err(anyhow::Error::new)?;
        }
        Ok(())
    };
    // On one thread.
    tokio::select! {
        ended = run_with(&endless, &grants, limits) => anyhow::bail!("it ended with {ended:?}"),
        done = others => done,
    }
}
