//! Security updates, without anybody asking for them.

use stead_guest::{Error, file, package};

const PERIODIC: &str = "\
// How often apt does what by itself, in days; see /usr/lib/apt/apt.systemd.daily.
APT::Periodic::Update-Package-Lists \"1\";
APT::Periodic::Unattended-Upgrade \"1\";
APT::Periodic::AutocleanInterval \"7\";
";

pub fn declare() -> Result<(), Error> {
    package::install("unattended-upgrades", &package::Options::default())?;
    let content = [file::Part::Text(PERIODIC.to_owned())];
    // After the 20auto-upgrades that the package may bring.
    file::write("/etc/apt/apt.conf.d/52stead-periodic", &content, &file::Attributes::default(), &[])?;
    Ok(())
}
