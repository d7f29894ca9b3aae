//! What a grant covers, and what it does not.

use anyhow::{Result, ensure};

use super::specs;
use crate::capability::firewall::Scope;

/// `None`: granted. Otherwise the line that would allow it.
fn denied(scope: &str, spec: &str) -> Result<Option<String>> {
    let scope: Scope = toml::from_str(scope)?;
    let specs = specs(&format!("specs = [{spec}]"))?;
    Ok(specs
        .iter()
        .find_map(|declared| scope.check(&declared.spec).err())
        .map(|denied| format!("{} = {}", denied.key, denied.value)))
}

#[test]
fn opening_needs_the_port_the_interface_or_everything() -> Result<()> {
    let open = r#"{ open = { protocol = "tcp", port = 8080 } }"#;
    ensure!(denied("ports = [443, \"8000-8100\"]", open)?.is_none());
    ensure!(denied("ports = [443]", open)?.as_deref() == Some("ports = [8080]"));
    ensure!(denied("chains = [\"input\"]", open)?.as_deref() == Some("ports = [8080]"));
    ensure!(denied("accept-all = true", open)?.is_none());
    let range = r#"{ rule = { chain = "input", traffic = { udp = ["8000-8200", 53] }, verdict = "accept" } }"#;
    ensure!(denied("ports = [53, \"8000-8100\"]", range)?.as_deref() == Some("ports = [\"8000-8200\"]"));
    let wide = r#"{ rule = { chain = "input", input-interface = "wg0", traffic = "any", verdict = "accept" } }"#;
    ensure!(denied("ports = [53]", wide)?.as_deref() == Some("interfaces = [\"wg0\"]"));
    ensure!(denied("interfaces = [\"wg0\"]", wide)?.is_none());
    ensure!(denied("interfaces = [\"wg*\"]", wide)?.is_some());
    let all = r#"{ rule = { chain = "input", traffic = "any", verdict = "accept" } }"#;
    ensure!(denied("interfaces = [\"wg0\"]", all)?.as_deref() == Some("accept-all = true"));
    // `tcp` without ports means all of them.
    let tcp = r#"{ rule = { chain = "input", traffic = { tcp = [] }, verdict = "accept" } }"#;
    ensure!(denied("ports = [\"1-65535\"]", tcp)?.as_deref() == Some("accept-all = true"));
    Ok(())
}

#[test]
fn closing_needs_the_chain() -> Result<()> {
    let drop = r#"{ rule = { chain = "input", traffic = { tcp = [80] }, verdict = "drop" } }"#;
    ensure!(denied("accept-all = true", drop)?.as_deref() == Some("chains = [\"input\"]"));
    ensure!(denied("chains = [\"input\"]", drop)?.is_none());
    let default = r#"{ default = { chain = "forward", verdict = "drop" } }"#;
    ensure!(denied("chains = [\"input\"]", default)?.as_deref() == Some("chains = [\"forward\"]"));
    let forward = r#"{ rule = { chain = "forward", traffic = { tcp = [80] }, verdict = "accept" } }"#;
    ensure!(denied("ports = [80]", forward)?.as_deref() == Some("chains = [\"forward\"]"));
    ensure!(denied("ports = [80]\nchains = [\"forward\"]", forward)?.is_none());
    Ok(())
}

#[test]
fn translating_needs_the_chain_and_words_of_nft_a_grant_of_their_own() -> Result<()> {
    let dnat = r#"{ rule = { chain = "prerouting", traffic = { tcp = [80] }, verdict = { dnat = "10.0.0.2" } } }"#;
    ensure!(denied("accept-all = true", dnat)?.as_deref() == Some("chains = [\"prerouting\"]"));
    ensure!(denied("chains = [\"prerouting\"]", dnat)?.is_none());
    let raw = r#"{ raw = { chain = "input", rule = "accept" } }"#;
    ensure!(denied("accept-all = true\nchains = [\"input\"]", raw)?.as_deref() == Some("raw = true"));
    ensure!(denied("raw = true", raw)?.is_none());
    // Which ports a set will hold is not known here.
    let of_set = r#"{ rule = { chain = "input", traffic = { tcp = [] }, port-set = "doors", verdict = "accept" } }"#;
    ensure!(denied("ports = [\"1-65535\"]", of_set)?.as_deref() == Some("accept-all = true"));
    Ok(())
}

#[test]
fn an_empty_or_mistyped_table_is_an_error() {
    for table in [
        "",
        "ports = []",
        "port = [22]",
        "ports = [0]",
        "ports = [\"9-1\"]",
        "chains = [\"inputs\"]",
        "accept-all = false",
        "raw = false",
        "interfaces = [\"a b\"]",
    ] {
        assert!(toml::from_str::<Scope>(table).is_err(), "{table:?} was taken for a grant");
    }
}
