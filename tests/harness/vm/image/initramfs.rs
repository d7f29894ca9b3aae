//! A tiny initramfs: one static busybox, the few modules that the root disk needs, one script.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::run::{run, words};

pub(super) const INIT: &str = include_str!("init.sh");

/// What must be loaded to mount the root disk, where it is not built into the kernel.
const NEEDED: [&str; 3] = ["virtio_pci", "virtio_blk", "ext4"];
const BUSYBOX: &str = "/usr/bin/busybox";

/// Packs the modules of `modules` (a folder `lib/modules/<version>`) into `initramfs`.
pub(super) fn pack(modules: &Path, work: &Path, initramfs: &Path) -> Result<()> {
    let tree = work.join("initramfs");
    fs::create_dir_all(tree.join("bin"))?;
    fs::create_dir_all(tree.join("modules"))?;
    fs::copy(BUSYBOX, tree.join("bin/busybox")).context("install the package busybox-static")?;
    fs::write(tree.join("init"), INIT)?;
    fs::set_permissions(tree.join("init"), fs::Permissions::from_mode(0o755))?;
    let dependencies = fs::read_to_string(modules.join("modules.dep"))?;
    for (order, module) in load_order(&dependencies).iter().enumerate() {
        unpack_module(&modules.join(module), &tree.join(format!("modules/{order:02}.ko")))?;
    }
    archive(&tree, initramfs)
}

/// The needed modules with all that they depend on, dependencies first, as paths relative to the modules' folder.
fn load_order(dependencies: &str) -> Vec<&str> {
    let mut order = Vec::new();
    for name in NEEDED {
        let file = format!("/{name}.ko");
        let line = dependencies.lines().find(|line| line.split(':').next().is_some_and(|path| path.contains(&file)));
        let Some((module, needs)) = line.and_then(|line| line.split_once(':')) else {
            continue;
        };
        // depmod lists the module's needs from the nearest to the deepest.
        order.extend(needs.split_whitespace().rev().chain([module]));
    }
    let mut seen = Vec::new();
    order.retain(|module| {
        !seen.contains(module) && {
            seen.push(module);
            true
        }
    });
    order
}

/// busybox's insmod reads no compressed module.
fn unpack_module(packed: &Path, module: &Path) -> Result<()> {
    let unpacker = match packed.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => "xz -dc",
        Some("zst") => "zstd -dcq",
        _ => "cat",
    };
    let mut command = words("sh -c");
    command.args([&format!("{unpacker} \"$0\" > \"$1\"")]).args([packed, module]);
    run(&mut command, Duration::from_secs(10))?.ok()?;
    Ok(())
}

fn archive(tree: &Path, initramfs: &Path) -> Result<()> {
    let mut command = words("sh -c");
    command.arg("cd \"$0\" && find . | cpio --quiet -o -H newc > \"$1\"").args([tree, initramfs]);
    run(&mut command, Duration::from_secs(10))?.ok()?;
    Ok(())
}
