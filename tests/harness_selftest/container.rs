//! The system containers that other tests stand on.

use anyhow::Result;
use stead_tests::container::Container;
use stead_tests::host::Host;

#[test]
fn a_container_is_a_fresh_server_and_leaves_the_build_machine_alone() -> Result<()> {
    let own = ["/proc/sys/kernel/kptr_restrict", "/proc/sys/vm/swappiness"].map(std::fs::read_to_string);
    let mut container = Container::start("selftest")?;
    assert_eq!(container.ssh("systemctl is-system-running")?.ok()?, "running\n");
    assert_eq!(container.ssh("hostname")?.ok()?, "selftest\n");
    assert!(!container.ssh("command -v nft docker wg")?.status.success());
    container.ssh("DEBIAN_FRONTEND=noninteractive apt-get install -y nftables && nft list ruleset")?.ok()?;
    container.ssh("sysctl -w net.ipv4.ip_forward=1 vm.swappiness=7")?.ok()?;
    assert!(!container.ssh("sysctl -w kernel.panic=7")?.status.success(), "the build machine's parameter can be set");
    assert!(!container.ssh("touch /sys/power/state")?.status.success(), "/sys can be written");
    for (path, before) in ["/proc/sys/kernel/kptr_restrict", "/proc/sys/vm/swappiness"].iter().zip(own) {
        assert_eq!(std::fs::read_to_string(path)?, before?);
    }
    container.ssh("echo kept > /root/kept; sleep 1000 > /dev/null 2>&1 & echo $! > /run/pid")?.ok()?;
    container.kill_power()?;
    assert_eq!(container.ssh("cat /root/kept; ! test -e /run/pid && ! pgrep sleep")?.ok()?, "kept\n");
    Ok(())
}
