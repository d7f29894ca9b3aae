//! What is applied is what is read back, and every way leads back.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};

use super::lab::Lab;
use super::{Host, diff, server, specs};
use crate::capability::firewall::state::{
    Boot, COPY_FILE, ENABLED_LINK, RULESET_FILE, State, Table, UNIT_FILE, Wanted,
};
use crate::capability::firewall::{Fact, RESOURCE, Set};
use crate::capability::{Capability, Owned};
use crate::plan::Change;

#[test]
fn applies_undoes_and_leaves_other_tables_alone() -> Result<()> {
    let lab = Lab::new()?;
    lab.nft("table ip other { chain input { type filter hook input priority 5; policy accept; }; }")?;
    let other = lab.command("nft list ruleset")?;
    lab.block_on(|| async {
        let host = Host::new()?;
        let first = host.apply(&server()?).await?;
        ensure!(first.change == Change::Create);
        host.firewall.apply(&first.action).await?;
        host.is_as_declared(&server()?).await?;

        let mut more = server()?;
        more.extend(specs(
            r#"specs = [{ rule = { chain = "output", traffic = { tcp = [25] }, verdict = "reject" } }]"#,
        )?);
        let second = host.apply(&more).await?;
        ensure!(second.change == Change::Update);
        for _ in 0..2 {
            host.undo(&second).await?;
            host.is_as_declared(&server()?).await?;
        }
        for _ in 0..2 {
            host.undo(&first).await?;
            ensure!(
                host.firewall.observe(&[], &Owned::from([(RESOURCE.to_owned(), None)])).await?.is == State::default()
            );
        }
        Ok(())
    })?;
    ensure!(lab.command("nft list ruleset")? == other, "another table was touched");
    Ok(())
}

#[test]
fn prefixes_that_adjoin_are_undone_to_the_same_listing() -> Result<()> {
    let lab = Lab::new()?;
    lab.block_on(|| async {
        let host = Host::new()?;
        let adjoining = specs(
            r#"specs = [
                { open = { protocol = "tcp", port = 1, source = ["0.0.0.0/2", "64.0.0.0/4", "2001:db8::/33", "2001:db8:8000::/34"] } },
                { open = { protocol = "tcp", port = 2, source = ["10.0.0.0/8", "11.0.0.0/9", "192.0.2.0/24"] } },
            ]"#,
        )?;
        host.apply(&adjoining).await?;
        let swap = host.apply(&server()?).await?;
        host.undo(&swap).await?;
        host.is_as_declared(&adjoining).await
    })
}

#[test]
fn prune_brings_back_a_table_that_was_there_before() -> Result<()> {
    let lab = Lab::new()?;
    lab.nft(
        "table inet stead { set seen { type ipv4_addr; flags dynamic; }; chain x { ip saddr @seen counter drop; }; }",
    )?;
    let before = lab.command("nft -s list table inet stead")?;
    lab.block_on(|| async {
        let host = Host::new()?;
        let step = host.apply(&server()?).await?;
        ensure!(step.change == Change::Update);
        let release = step.releases.get(RESOURCE).cloned();
        let owned = Owned::from([(RESOURCE.to_owned(), release)]);
        let pruned = host.plan(&[], &owned).await?.steps.pop().context("nothing is pruned")?;
        host.firewall.apply(&pruned.action).await?;
        ensure!(host.plan(&[], &owned).await?.steps.is_empty());
        Ok(())
    })?;
    ensure!(lab.command("nft -s list table inet stead")? == before);
    Ok(())
}

#[test]
fn drift_of_table_and_files_is_found() -> Result<()> {
    let lab = Lab::new()?;
    lab.block_on(|| async {
        let host = Host::new()?;
        host.apply(&server()?).await?;
        let root = host.machine.path("/");
        for (what, path) in
            [("ruleset", RULESET_FILE), ("copy", COPY_FILE), ("unit", UNIT_FILE), ("link", ENABLED_LINK)]
        {
            std::fs::remove_file(host.machine.path(path))?;
            host.apply(&server()?).await.with_context(|| what)?;
        }
        let mode = std::fs::metadata(root.join(&UNIT_FILE[1..]))?.permissions().mode();
        ensure!(
            mode & 0o777 == 0o644 && host.machine.path(ENABLED_LINK).read_link()? == std::path::Path::new(UNIT_FILE)
        );
        Ok(())
    })
}

#[test]
fn a_rule_added_by_hand_is_drift() -> Result<()> {
    let lab = Lab::new()?;
    lab.block_on(|| async {
        let host = Host::new()?;
        host.apply(&server()?).await?;
        lab.command("nft add rule inet stead declared tcp dport 9 accept")?;
        let step = host.apply(&server()?).await?;
        ensure!(format!("{:?}", step.detail).contains("tcp dport 9 accept"));
        lab.command("nft delete table inet stead")?;
        ensure!(host.apply(&server()?).await?.change == Change::Create);
        Ok(())
    })
}

#[test]
fn the_boot_file_loads_by_itself_and_twice() -> Result<()> {
    let lab = Lab::new()?;
    lab.block_on(|| async {
        let host = Host::new()?;
        host.apply(&server()?).await?;
        let file = host.machine.path(RULESET_FILE).display().to_string();
        lab.command("nft flush ruleset")?;
        for _ in 0..2 {
            lab.command(&format!("nft -f {file}"))?;
            host.is_as_declared(&server()?).await?;
        }
        Ok(())
    })
}

#[test]
fn what_nft_refuses_fails_in_the_plan_in_its_own_words() -> Result<()> {
    let fact = Fact {
        nft: Some("1.0.6".to_owned()),
        wanted: Some(Wanted::Refused("-:3:4-5: Error: No such thing".to_owned())),
        ..Fact::default()
    };
    let error = diff(&fact, &server()?, &Owned::new()).err().context("it was planned")?;
    ensure!(error.to_string().contains("No such thing"), "{error}");
    let lab = Lab::new()?;
    lab.block_on(|| async {
        let host = Host::new()?;
        let refused = Set {
            to: State {
                table: Some(Table { text: "table inet stead { chain x { bogus; } }".to_owned(), ..Table::default() }),
                boot: Boot::default(),
            },
            within: None,
        };
        let error = host.firewall.apply(&refused).await.err().context("nft took it")?;
        ensure!(error.to_string().contains("bogus"), "{error}");
        Ok(())
    })
}

#[test]
fn rivals_are_named() -> Result<()> {
    let lab = Lab::new()?;
    lab.nft("table ip filter { chain INPUT { type filter hook input priority 0; policy drop; }; }")?;
    lab.block_on(|| async {
        let host = Host::new()?;
        ensure!(host.firewall.observe(&server()?, &Owned::new()).await?.stricter == ["ip filter"]);
        for (path, content) in [("/usr/sbin/ufw", ""), ("/etc/ufw/ufw.conf", "# x\nENABLED=yes\n")] {
            let path = host.machine.path(path);
            std::fs::create_dir_all(path.parent().context("no parent")?)?;
            std::fs::write(path, content)?;
        }
        let error = host.plan(&server()?, &Owned::new()).await.err().context("ufw went unseen")?;
        ensure!(error.to_string().contains("ufw disable"), "{error}");
        Ok(())
    })?;
    lab.nft("table inet firewalld { chain filter_INPUT { type filter hook input priority 10; policy accept; }; }")?;
    lab.block_on(|| async {
        let fact = Host::new()?.firewall.observe(&server()?, &Owned::new()).await?;
        ensure!(fact.rivals == ["firewalld"], "{fact:?}");
        Ok(())
    })
}

#[test]
fn nothing_declared_or_owned_reads_nothing() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let fact = runtime.block_on(async { anyhow::Ok(Host::new()?.firewall.observe(&[], &Owned::new()).await?) })?;
    ensure!(fact == Fact::default());
    Ok(())
}

#[test]
fn one_element_changes_alone() -> Result<()> {
    let lab = Lab::new()?;
    let ruleset = |elements: &str, ports: &str| {
        specs(&format!(
            r#"specs = [
                {{ set = {{ name = "office", element-type = "ipv4-addr", elements = [{elements}] }} }},
                {{ map = {{ name = "doors", key-type = "inet-service", value-type = "verdict", elements = [{ports}] }} }},
                {{ raw = {{ chain = "input", rule = "ip saddr @office counter" }} }},
                {{ raw = {{ chain = "input", rule = "tcp dport vmap @doors" }} }},
            ]"#
        ))
    };
    // Every table that is made has a handle of its own.
    let handle =
        || lab.command("nft --handle list table inet stead").map(|listed| listed.lines().next().map(str::to_owned));
    for (from, to) in [
        (r#""192.0.2.1", "192.0.2.2""#, r#""192.0.2.2", "192.0.2.3""#),
        (r#""10.0.0.0/8", "192.0.2.1""#, r#""10.0.0.0/9", "192.0.2.1", "198.51.100.0/24""#),
        (r#""10.0.0.0-10.0.0.9", "10.0.0.20-10.0.0.30""#, r#""10.0.0.0-10.0.0.30""#),
    ] {
        let (first, second) = (
            ruleset(from, r#"["22", "accept"], ["80-90", "drop"]"#)?,
            ruleset(to, r#"["22", "drop"], ["80-85", "drop"], ["443", "accept"]"#)?,
        );
        let step = lab.block_on(|| async {
            let host = Host::new()?;
            host.apply(&first).await?;
            let first_handle = handle()?;
            let step = host.apply(&second).await?;
            host.firewall.apply(&step.action).await?;
            host.undo(&step).await?;
            host.is_as_declared(&first).await?;
            ensure!(handle()? == first_handle, "the table was made anew");
            // Whatever else was changed meanwhile: the state is set all the same.
            lab.command("nft add rule inet stead declared drop")?;
            host.firewall.apply(&step.action).await?;
            host.is_as_declared(&second).await?;
            ensure!(handle()? != first_handle, "the table was kept with a rule too many");
            Ok(step)
        })?;
        ensure!(format!("{:?}", step.detail).contains("elements of doors"), "{:?}", step.detail);
        lab.command("nft flush ruleset")?;
    }
    Ok(())
}
