//! What gets into the image store.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use stead_tests::run::run;
use stead_vm::provider::qemu::ImageError;

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
