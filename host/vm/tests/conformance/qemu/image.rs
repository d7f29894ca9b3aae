//! What gets into the image store.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use stead_tests::run::run;
use stead_vm::provider::qemu::{ImageDigest, ImageError};

use super::{Local, provider};
use crate::subject::Subject;

fn convert(arguments: &[&str], folder: &std::path::Path) -> Result<()> {
    run(Command::new("qemu-img").args(arguments).current_dir(folder), Duration::from_secs(30))?.ok().map(drop)
}

#[test]
fn an_image_is_what_its_digest_says() -> Result<()> {
    let local = Local::new()?;
    let (images, folder) = (provider(local.folder(), None)?, local.folder());
    let disk = folder.join("disk.raw");
    fs::write(&disk, [7; 100_000])?;
    let sum = run(Command::new("sha256sum").arg(&disk), Duration::from_secs(5))?.ok()?;
    let digest = images.images().import(&disk, None)?;
    assert_eq!(Some(digest.as_str()), sum.split_whitespace().next());
    assert_eq!(images.images().import(&disk, Some(&digest))?, digest);
    let other = "0".repeat(64).parse()?;
    let refused = images.images().import(&disk, Some(&other));
    assert!(matches!(refused, Err(ImageError::OtherDigest { .. })), "{refused:?}");
    Ok(())
}

#[test]
fn what_qemu_would_take_for_a_raw_disk_is_refused() -> Result<()> {
    let local = Local::new()?;
    let (images, folder) = (provider(local.folder(), None)?, local.folder());
    fs::write(folder.join("disk.raw"), [7; 65536])?;
    convert(&["convert", "-O", "vmdk", "disk.raw", "disk.vmdk"], folder)?;
    convert(&["convert", "-O", "vdi", "disk.raw", "disk.vdi"], folder)?;
    convert(&["convert", "-O", "vhdx", "disk.raw", "disk.vhdx"], folder)?;
    run(Command::new("gzip").args(["--keep", "disk.raw"]).current_dir(folder), Duration::from_secs(30))?.ok()?;
    for (name, words) in [
        ("disk.vmdk", "is VMDK, and an image is qcow2 or raw; convert it with `qemu-img convert -O qcow2`"),
        ("disk.vdi", "is VDI,"),
        ("disk.vhdx", "is VHDX,"),
        ("disk.raw.gz", "is compressed by gzip, and an image is qcow2 or raw; decompress it first"),
    ] {
        let refused = images.images().import(&folder.join(name), None).expect_err(name).to_string();
        assert!(refused.contains(words), "{refused}");
    }
    Ok(())
}

#[test]
fn a_digest_may_say_what_it_is() -> Result<()> {
    let digits = "0123456789abcdef".repeat(4);
    assert_eq!(format!("sha256:{digits}").parse::<ImageDigest>()?, digits.parse()?);
    for wrong in ["sha256:12", "sha512:12", ""] {
        assert!(wrong.parse::<ImageDigest>().is_err(), "{wrong}");
    }
    Ok(())
}

#[test]
fn an_image_brings_no_other_file_of_the_machine_with_it() -> Result<()> {
    let local = Local::new()?;
    let (images, folder) = (provider(local.folder(), None)?, local.folder());
    fs::write(folder.join("secret"), [7; 65536])?;
    convert(&["create", "-q", "-f", "qcow2", "-F", "raw", "-b", "secret", "layer"], folder)?;
    convert(&["create", "-q", "-f", "qcow2", "-o", "data_file=secret,data_file_raw=on", "external", "64K"], folder)?;
    for image in ["layer", "external"] {
        let refused = images.images().import(&folder.join(image), None);
        assert!(matches!(refused, Err(ImageError::NotSelfContained { .. })), "{refused:?}");
    }
    convert(&["convert", "-O", "qcow2", "layer", "whole"], folder)?;
    images.images().import(&folder.join("whole"), None)?;
    Ok(())
}
