//! Guest programs in a few lines of WebAssembly text, made into components with the contract's own WIT.

use std::path::Path;

use anyhow::Result;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What every program has: memory, and an allocator that begins again from the start of its page at the end of it.
const FRAME: &str = r#"
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $at i32)
        (if (i32.gt_u (i32.add (global.get $next) (local.get $size)) (i32.const 131072))
            (then (global.set $next (i32.const 65536))))
        (local.set $at (global.get $next))
        (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
        (local.get $at))
"#;

/// A policy from the fields of its core module; `main` is the body of `configure`.
///
/// Address 0 holds eight zero words: `ok`, when it is returned.
pub(super) fn policy(imports: &str, rest: &str, main: &str) -> Result<Vec<u8>> {
    component("stead:host/bootstrap@0.1.0", imports, rest, main)
}

/// A component of a world of the contract or of `contract.wit`.
pub(super) fn component(world: &str, imports: &str, rest: &str, main: &str) -> Result<Vec<u8>> {
    let configure = r#"(export "stead:host/configure@0.1.0#configure")"#;
    let text = format!("(module {imports} {FRAME} {rest} (func $configure {configure} (result i32) {main}))");
    encode(&text, world, &[include_str!("contract.wit")])
}

/// A component from the text of a core module.
pub(super) fn encode(text: &str, world: &str, wit: &[&str]) -> Result<Vec<u8>> {
    of_module(wat::parse_str(text)?, world, wit)
}

/// A component from a core module.
pub(super) fn of_module(mut module: Vec<u8>, world: &str, wit: &[&str]) -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit"))?;
    for (number, source) in wit.iter().enumerate() {
        resolve.push_source(&format!("{number}.wit"), source)?;
    }
    let packages: Vec<_> = resolve.package_names.values().copied().collect();
    let world = resolve.select_world(&packages, Some(world))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}

/// The import of `sysctl.set`.
pub(super) const SYSCTL: &str = r#"(import "stead:host/sysctl@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))"#;
/// The import of `log.log`; the level is 0 to 3.
pub(super) const LOG: &str = r#"(import "stead:host/log@0.1.0" "log" (func $log (param i32 i32 i32)))"#;
/// `net.ipv4.ip_forward` is 19 bytes at 100, `1` is at 120, `kernel.hostname` is 15 bytes at 130.
pub(super) const WORDS: &str =
    r#"(data (i32.const 100) "net.ipv4.ip_forward\00" "1") (data (i32.const 130) "kernel.hostname")"#;
/// Sets a granted parameter.
pub(super) const SET: &str = "(call $set (i32.const 100) (i32.const 19) (i32.const 120) (i32.const 1) (i32.const 200))";
/// Asks for one that is not granted, and leaves the answer at 200.
pub(super) const SET_DENIED: &str =
    "(call $set (i32.const 130) (i32.const 15) (i32.const 120) (i32.const 1) (i32.const 200))";
