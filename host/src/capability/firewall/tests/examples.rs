//! The rulesets that the nftables project gives as examples, rule by rule, as `raw`.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::lab::Lab;
use super::{Host, Spec};
use crate::capability::firewall::spec::{Chain, Raw};
use crate::capability::{Capability, Declared};

/// Where Debian and Ubuntu put them. Systems without documentation have none.
const FOLDER: &str = "/usr/share/doc/nftables/examples";

/// A rule of an example and the chain that it is for.
struct Example {
    file: String,
    chain: Chain,
    rule: String,
}

#[test]
fn each_rule_is_taken_and_undone_or_refused_in_nft_s_own_words() -> Result<()> {
    let examples = examples()?;
    if examples.is_empty() {
        eprintln!("{FOLDER} is not there: nothing was tried");
        return Ok(());
    }
    let lab = Lab::new()?;
    let mut refused = Vec::new();
    for example in &examples {
        let place = || format!("{}: {}", example.file, example.rule);
        if let Some(words) = lab.block_on(|| there_and_back(example)).with_context(place)? {
            refused.push(format!("{}: {words}", place()));
        }
    }
    // What names an object that stead's table does not have (a helper, a label, a variable) cannot be taken, nor what
    // names an interface by its index: at boot there is none yet.
    let known = ["$", "helper", "secmark", "@", "Interface does not exist"];
    let strange: Vec<_> = refused.iter().filter(|line| !known.iter().any(|word| line.contains(word))).collect();
    ensure!(strange.is_empty(), "refused: {strange:#?}");
    ensure!(refused.len() * 2 < examples.len(), "{} of {} were refused", refused.len(), examples.len());
    eprintln!("{} of {} rules were taken", examples.len() - refused.len(), examples.len());
    Ok(())
}

/// Why it was refused; `None`: it was applied, read back and undone.
async fn there_and_back(example: &Example) -> Result<Option<String>> {
    let rule = match example.rule.clone().try_into() {
        Ok(rule) => rule,
        Err(invalid) => return Ok(Some(format!("{invalid}"))),
    };
    let spec = Spec::Raw(Raw { chain: example.chain, rule });
    let specs = [Declared { policy: "examples".to_owned(), spec }];
    let host = Host::new()?;
    let step = match host.step(&specs).await {
        Ok(step) => step,
        Err(error) if error.to_string().contains("nft refuses the ruleset") => return Ok(Some(error.to_string())),
        Err(error) => return Err(error),
    };
    host.firewall.apply(&step.action).await?;
    host.is_as_declared(&specs).await?;
    host.undo(&step).await?;
    Ok(None)
}

fn examples() -> Result<Vec<Example>> {
    let mut all = Vec::new();
    let Ok(folder) = std::fs::read_dir(FOLDER) else { return Ok(all) };
    for entry in folder {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "nft") {
            all.extend(rules(&path)?);
        }
    }
    all.sort_by(|a, b| (&a.file, &a.rule).cmp(&(&b.file, &b.rule)));
    Ok(all)
}

/// The rules of a file, each on one line, of chains that stead has too; a chain without a hook counts as `input`.
fn rules(path: &Path) -> Result<Vec<Example>> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path)?;
    let mut all = Vec::new();
    let (mut open, mut chain, mut table, mut line) = (0, None, "", String::new());
    for part in text.lines().map(str::trim).filter(|part| !part.starts_with('#') && !part.is_empty()) {
        if open == 0 {
            table = part.strip_prefix("table ").and_then(|rest| rest.split(' ').next()).unwrap_or(table);
        }
        line.push_str(part.trim_end_matches('\\').trim_end());
        line.push(' ');
        let depth = line.matches('{').count() as isize - line.matches('}').count() as isize;
        let begins = line.starts_with("table ") || line.starts_with("chain ");
        if part.ends_with('\\') || (depth > 0 && !begins) {
            continue;
        }
        let whole = std::mem::take(&mut line).trim().trim_end_matches(';').to_owned();
        if begins && depth > 0 {
            open += 1;
            chain = whole.starts_with("chain ").then_some(Chain::Input);
        } else if whole == "}" {
            open -= 1;
            chain = None;
        } else if whole.starts_with("type ") {
            let hook = |known: &Chain| whole.contains(&format!("hook {known}"));
            let fits = |known: &Chain| known.translates() == whole.contains("type nat");
            chain = Chain::ALL.into_iter().find(hook).filter(fits);
        } else if let (Some(chain), false) = (chain, ["arp", "bridge", "netdev"].contains(&table)) {
            let rule = if table == "ip" { of_both(&whole) } else { whole };
            all.push(Example { file: file.clone(), chain, rule });
        }
    }
    Ok(all)
}

/// A translation in a table of both versions of IP says which it is about.
fn of_both(rule: &str) -> String {
    let said = |rule: String, word: &str| match rule.contains(&format!("{word} to ")) {
        true => rule.replace(&format!("{word} to "), &format!("{word} ip to ")),
        false => rule.replace(&format!("{word} "), &format!("{word} ip to ")),
    };
    ["dnat", "snat"].into_iter().fold(rule.to_owned(), said)
}
