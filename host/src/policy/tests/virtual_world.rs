//! What a guest that brings WASI along sees of the world: nothing that could differ from run to run.

use super::*;

const WASI: &str = r#"
    (import "wasi:clocks/wall-clock@0.2.6" "now" (func $time (param i32)))
    (import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $ticks (result i64)))
    (import "wasi:random/random@0.2.6" "get-random-bytes" (func $random (param i64 i32)))
    (import "wasi:cli/environment@0.2.6" "get-environment" (func $environment (param i32)))
    (import "wasi:cli/environment@0.2.6" "get-arguments" (func $arguments (param i32)))"#;

/// Logs the bytes from `at` to `to`, each as two letters.
const SHOW: &str = r#"
    (func $show (param $at i32) (param $to i32)
        (local $byte i32) (local $out i32)
        (local.set $out (i32.const 1000))
        (loop $next
            (local.set $byte (i32.load8_u (local.get $at)))
            (i32.store8 (local.get $out) (i32.add (i32.const 97) (i32.shr_u (local.get $byte) (i32.const 4))))
            (i32.store8 offset=1 (local.get $out) (i32.add (i32.const 97) (i32.and (local.get $byte) (i32.const 15))))
            (local.set $out (i32.add (local.get $out) (i32.const 2)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (local.get $to))))
        (call $log (i32.const 1) (i32.const 1000) (i32.sub (local.get $out) (i32.const 1000))))"#;

#[tokio::test]
async fn clocks_stand_still_and_randomness_repeats() -> Result<()> {
    let main = "
        (call $time (i32.const 304)) (call $show (i32.const 304) (i32.const 316))
        (i64.store (i32.const 320) (call $ticks)) (call $show (i32.const 320) (i32.const 328))
        (call $random (i64.const 32) (i32.const 340)) (call $show (i32.const 65536) (i32.const 65568))
        (call $environment (i32.const 352)) (call $arguments (i32.const 360))
        (call $show (i32.const 356) (i32.const 360)) (call $show (i32.const 364) (i32.const 368)) (i32.const 0)";
    let program = component("test:programs/with-wasi", &format!("{WASI} {LOG}"), SHOW, main)?;
    let first = run(&program).await??;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = run(&program).await??;
    assert_eq!(first.log, second.log);
    let said: Vec<_> = first.log.iter().map(|line| line.message.as_str()).collect();
    // Neither environment nor arguments, and the random bytes are not all the same.
    assert_eq!(said.get(3..), Some(&["aaaaaaaa", "aaaaaaaa"][..]));
    ensure!(said.get(2).is_some_and(|bytes| bytes.len() == 64 && bytes.get(..2) != bytes.get(2..4)), "{said:?}");
    Ok(())
}

#[tokio::test]
async fn waiting_for_ever_is_cut() -> Result<()> {
    let imports = r#"
        (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $alarm (param i64) (result i32)))
        (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))"#;
    let main = "(call $block (call $alarm (i64.const 3600000000000))) (i32.const 0)";
    let program = component("test:programs/with-wasi", imports, "", main)?;
    let limits = Limits { wall: Duration::from_millis(200), ..QUICK };
    let start = Instant::now();
    let ended = run_with(&program, &Grants::default(), limits).await?;
    ensure!(matches!(ended, Err(PolicyError::Run { error: RunError::Wall { .. }, .. })), "{ended:?}");
    ensure!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    Ok(())
}

const STDERR: &str = r#"
    (import "wasi:cli/stderr@0.2.6" "get-stderr" (func $stderr (result i32)))
    (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush" (func $print (param i32 i32 i32 i32)))
    (import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))"#;

#[tokio::test]
async fn what_is_printed_is_logged_and_is_the_message_of_a_crash() -> Result<()> {
    let words = r#"(data (i32.const 500) "Traceback:\n  line 1\nboom")"#;
    let print = "(call $print (call $stderr) (i32.const 500) (i32.const 24) (i32.const 600))";
    let program = component("test:programs/with-wasi", STDERR, words, &format!("{print} unreachable"))?;
    let (error, whole) = fails(&program).await?;
    ensure!(error.to_string().starts_with("crashed: Traceback:\n  line 1\nboom\n"), "{error}");
    assert_eq!(whole.log().last().map(|line| line.level), Some(Level::Warn));

    let program = component(
        "test:programs/with-wasi",
        STDERR,
        words,
        &format!("{print} (call $exit (i32.const 1)) (i32.const 0)"),
    )?;
    let (error, _) = fails(&program).await?;
    ensure!(error.to_string().starts_with("ended itself with exit code 1:\nTraceback:"), "{error}");
    Ok(())
}

#[tokio::test]
async fn huge_output_is_cut() -> Result<()> {
    let print = "(loop $again (call $print (call $stderr) (i32.const 500) (i32.const 4096) (i32.const 600)) (br $again)) (i32.const 0)";
    let program = component("test:programs/with-wasi", STDERR, "", print)?;
    let limits = Limits { cpu: Duration::from_secs(20), wall: Duration::from_secs(60), ..QUICK };
    let ended = run_with(&program, &Grants::default(), limits).await?;
    ensure!(matches!(ended, Err(PolicyError::Run { error: RunError::Flood { .. }, .. })), "{ended:?}");
    Ok(())
}
