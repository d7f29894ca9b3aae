//! The namespaces that other tests stand on.

use anyhow::Result;
use stead_tests::netns::Netns;

#[test]
fn two_namespaces_ping_each_other_and_go_away() -> Result<()> {
    let (a, b) = (Netns::new()?, Netns::new()?);
    a.connect(("eth0", "10.99.0.1/24"), &b, ("eth0", "10.99.0.2/24"))?;
    a.exec("busybox ping -c 1 -W 2 10.99.0.2")?.ok()?;
    b.exec("busybox ping -c 1 -W 2 10.99.0.1")?.ok()?;
    let name = a.name().to_owned();
    drop(a);
    assert!(!std::path::Path::new("/run/netns").join(name).exists());
    Ok(())
}
