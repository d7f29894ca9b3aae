//! Makes core modules that are valid and mean nothing, for the host to survive: `stead-smith FOLDER [COUNT [FIRST]]`.
//!
//! Each imports some functions of the contract, calls them with whatever lies on its stack, and exports what a policy must.
//! The same number gives the same module.

use std::path::Path;

use anyhow::{Context, Result};
use arbitrary::Unstructured;
use wasm_smith::{Config, Module};

/// How many random bytes a module is made of.
const BYTES: usize = 64 << 10;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().context("usage: stead-smith FOLDER [COUNT [FIRST]]")?;
    let mut number = |default: u64| words.next().map_or(Ok(default), |word| word.parse());
    let (count, first) = (number(64)?, number(0)?);
    std::fs::create_dir_all(&folder)?;
    let (imports, exports) = (wat::parse_str(IMPORTS)?, wat::parse_str(EXPORTS)?);
    for seed in first..first + count {
        let bytes = random(seed);
        let config = config(&imports, &exports);
        let module = Module::new(config, &mut Unstructured::new(&bytes))?.to_bytes();
        std::fs::write(Path::new(&folder).join(format!("{seed:04}.wasm")), module)?;
    }
    Ok(())
}

/// What the host's engine takes, so that nothing is refused before it runs.
fn config(imports: &[u8], exports: &[u8]) -> Config {
    Config {
        available_imports: Some(imports.to_vec()),
        exports: Some(exports.to_vec()),
        // A start function could not call the host yet.
        allow_start_export: false,
        compact_imports_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        // References to what is outside need a garbage collector, which the host is built without.
        reference_types_enabled: false,
        max_instructions: 400,
        max_data_segments: 4,
        max_elements: 8,
        max_funcs: 24,
        max_globals: 8,
        max_memories: 1,
        // The limit of the test is 16 MiB.
        max_memory32_bytes: 1 << 20,
        max_types: 24,
        min_funcs: 8,
        relaxed_simd_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    }
}

/// splitmix64: no secret, but the same everywhere.
fn random(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    };
    (0..BYTES / 8).flat_map(|_| next().to_le_bytes()).collect()
}

/// Functions of the contract, as a core module sees them: pointers, lengths, and a place for the answer.
const IMPORTS: &str = r#"(module
    (import "stead:host/log@0.1.0" "log" (func (param i32 i32 i32)))
    (import "stead:host/facts@0.1.0" "host-name" (func (param i32)))
    (import "stead:host/facts@0.1.0" "os" (func (param i32)))
    (import "stead:host/facts@0.1.0" "interfaces" (func (param i32)))
    (import "stead:host/config@0.1.0" "get" (func (param i32)))
    (import "stead:host/sysctl@0.1.0" "set" (func (param i32 i32 i32 i32 i32)))
    (import "stead:host/package@0.1.0" "remove" (func (param i32 i32 i32)))
    (import "stead:host/user@0.1.0" "absent" (func (param i32 i32 i32)))
    (import "stead:host/file@0.1.0" "absent" (func (param i32 i32 i32)))
    (import "stead:host/file@0.1.0" "symlink" (func (param i32 i32 i32 i32 i32)))
    (import "stead:host/service@0.1.0" "drop-in" (func (param i32 i32 i32 i32 i32 i32 i32)))
    (import "stead:host/firewall@0.1.0" "add-rule" (func (param i32 i32)))
    (import "stead:host/firewall@0.1.0" "add-set" (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "stead:host/firewall@0.1.0" "raw" (func (param i32 i32 i32 i32)))
    (import "stead:host/vpn@0.1.0" "add-interface" (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
)"#;

/// What a policy exports.
const EXPORTS: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "stead:host/configure@0.1.0#configure") (result i32) (i32.const 0))
)"#;
