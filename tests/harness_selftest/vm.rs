//! The machines that other tests stand on. One machine for all checks: starting and restarting are the slow parts.

use anyhow::Result;
use stead_tests::host::Host;
use stead_tests::vm::{Protocol, Vm};

#[test]
fn a_machine_is_fresh_resumes_and_survives_a_power_cut() -> Result<()> {
    let mut vm = Vm::start("selftest")?;
    is_a_fresh_server(&vm)?;
    goes_back_to_a_saved_state(&mut vm)?;
    installs_from_the_archive_inside(&vm)?;
    copies_files(&vm)?;
    forwards_a_port(&mut vm)?;
    loses_power_and_comes_back(&mut vm)
}

fn is_a_fresh_server(vm: &Vm) -> Result<()> {
    assert_eq!(vm.ssh("systemctl is-system-running")?.ok()?, "running\n");
    vm.ssh("systemctl is-active systemd-networkd systemd-resolved ssh")?.ok()?;
    assert!(!vm.ssh("command -v nft docker wg")?.status.success());
    let age = vm.ssh("date +%s")?.ok()?.trim().parse::<u64>()?.abs_diff(now()?);
    assert!(age < 10, "the guest's clock is {age} s off");
    Ok(())
}

fn goes_back_to_a_saved_state(vm: &mut Vm) -> Result<()> {
    vm.ssh("echo before > /root/mark; sleep 1000 > /dev/null 2>&1 & echo $! > /root/pid")?.ok()?;
    vm.save("marked")?;
    vm.ssh("echo after > /root/mark; kill $(cat /root/pid)")?.ok()?;
    vm.load("marked")?;
    assert_eq!(vm.ssh("cat /root/mark")?.ok()?, "before\n");
    vm.ssh("kill -0 $(cat /root/pid)")?.ok().map(drop)
}

fn installs_from_the_archive_inside(vm: &Vm) -> Result<()> {
    vm.ssh("DEBIAN_FRONTEND=noninteractive apt-get install -y nftables && nft list ruleset")?.ok().map(drop)
}

fn copies_files(vm: &Vm) -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("there"), "text")?;
    vm.copy_to(&folder.path().join("there"), "/root/there")?;
    vm.copy_from("/root/there", &folder.path().join("back"))?;
    assert_eq!(std::fs::read_to_string(folder.path().join("back"))?, "text");
    assert_eq!(vm.ssh_with_input("cat", b"piped")?.ok()?, "piped");
    Ok(())
}

fn forwards_a_port(vm: &mut Vm) -> Result<()> {
    let port = vm.forward(Protocol::Tcp, 8000)?;
    vm.ssh("systemd-run --unit web python3 -m http.server 8000 -d /root")?.ok()?;
    let url = format!("http://127.0.0.1:{port}/there");
    let fetch = format!("curl -s --retry 20 --retry-all-errors --retry-delay 1 {url}");
    let page = stead_tests::run::run(&mut stead_tests::run::words(&fetch), std::time::Duration::from_secs(60))?;
    assert_eq!(page.ok()?, "text");
    Ok(())
}

fn loses_power_and_comes_back(vm: &mut Vm) -> Result<()> {
    vm.ssh("echo kept > /root/kept; sync; echo lost > /root/lost")?.ok()?;
    vm.kill_power()?;
    assert_eq!(vm.ssh("cat /root/kept")?.ok()?, "kept\n");
    assert_ne!(vm.ssh("cat /root/lost")?.stdout, "lost\n");
    vm.ssh("kill -0 $(cat /root/pid) 2> /dev/null")?.ok().map_or(Ok(()), |_| anyhow::bail!("a process survived"))?;
    vm.reboot()?;
    assert!(vm.lets_in()?);
    Ok(())
}

fn now() -> Result<u64> {
    Ok(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs())
}
