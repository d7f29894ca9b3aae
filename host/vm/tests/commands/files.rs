//! Files to and from a machine.

use std::fs;

use anyhow::Result;
use stead_vm::access::AccessError;

use super::place::Place;

pub(crate) async fn arrive_whole_or_not_at_all(place: &Place) -> Result<()> {
    let access = &place.access;
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(place.file("there"), &content)?;
    let sent = access.upload(&place.file("there"), "/srv/new/folder/file", 4 << 20).await?;
    let received = access.download("/srv/new/folder/file", &place.file("back"), 4 << 20).await?;
    assert_eq!((sent, fs::read(place.file("back"))?), (received, content));

    let too_large = access.upload(&place.file("there"), "/srv/large", 2 << 20).await;
    assert!(matches!(too_large, Err(AccessError::TooLarge { .. })), "{too_large:?}");
    let too_large = access.download("/srv/new/folder/file", &place.file("large"), 2 << 20).await;
    assert!(matches!(too_large, Err(AccessError::TooLarge { .. })), "{too_large:?}");
    // A file that grows while it is read is not taken for one that is whole, and /dev/zero is no file.
    let endless = access.download("/dev/zero", &place.file("large"), 1 << 20).await;
    assert!(matches!(endless, Err(AccessError::NoFile { .. })), "{endless:?}");
    let missing = access.download("/srv/missing", &place.file("large"), 1 << 20).await;
    assert!(matches!(missing, Err(AccessError::NoFile { .. })), "{missing:?}");
    assert!(!place.file("large").exists());
    assert_eq!(place.container.inside("ls -A /srv | grep -v apt; ls /srv/new/folder")?.ok()?, "new\nfile\n");
    Ok(())
}

pub(crate) async fn names_are_no_commands(place: &Place) -> Result<()> {
    fs::write(place.file("small"), "text")?;
    for path in ["/srv/a b", "/srv/a'b", "/srv/$(touch pwned)", "/srv/-x", "/srv/'; touch pwned; '"] {
        place.access.upload(&place.file("small"), path, 100).await?;
        assert_eq!(place.access.download(path, &place.file("again"), 100).await?.bytes, 4, "{path}");
    }
    assert!(!place.container.inside("ls /root/pwned /pwned 2> /dev/null")?.status.success());
    Ok(())
}
