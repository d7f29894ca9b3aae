//! The table as an administrator reads it, and where it comes from at boot.

use anyhow::Result;

use super::{server, specs};
use crate::capability::firewall::compile::compile;
use crate::capability::firewall::state::Boot;
use crate::digest::Digest;

#[test]
fn a_server_behind_a_default_deny() -> Result<()> {
    let mut declared = server()?;
    declared.extend(specs(
        r#"specs = [
            { rule = { chain = "input", input-interface = "wg0", traffic = "any", verdict = "accept", comment = "admins" } },
            { rule = { chain = "input", source = ["10.0.0.0/8", "2001:db8::/32"], traffic = { udp = [53, "60000-61000"] }, verdict = "reject" } },
            { default = { chain = "output", verdict = "accept" } },
        ]"#,
    )?);
    insta::assert_snapshot!(compile(&declared)?.to_string());
    Ok(())
}

#[test]
fn the_unit_that_brings_it_back() {
    insta::assert_snapshot!(Boot::by(Digest::public(b"")).unit.unwrap_or_default());
}
