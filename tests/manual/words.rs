//! Every key of `stead.toml`, and every function and field of the contract, stands in the manual. Nobody lists them here: the
//! program itself is asked, for it answers a key that it does not know with those that it knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::program;
use stead_tests::run::run;
use stead_vm::provider::{ec2, hetzner, qemu};
use wit_parser::{Interface, Resolve, TypeDefKind};

const LIMIT: Duration = Duration::from_secs(60);
const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");

/// A word that is no key of any table, and that no key is like.
const NO_KEY: &str = "zzzz-zzzz-zzzz";
const TOML: &str = "stead-toml.md";
const BACKUP: &str = "backup.md";
/// What `vpn.toml` and `stead.lock` lie beside.
const BESIDE: &str = "[policy.a]\ncomponent = \"a.wasm\"\n[host.a]\npolicies = [\"a\"]\n\
                      [vpn.wg0]\nnetworks = [\"10.8.0.0/24\"]\nhosts = [\"a\"]\n";

/// Each table of `stead.toml`, with `@` for a key that it has not, and the page that has its keys.
const TABLES: &[(&str, &str)] = &[
    (TOML, "@ = 1"),
    (TOML, "[host.a]\n@ = 1"),
    (TOML, "[policy.a]\n@ = 1"),
    (TOML, "[policy.a]\ncomponent = \"a.wasm\"\n[policy.a.limits]\n@ = 1"),
    (TOML, "[app.a]\n@ = 1"),
    (TOML, "[app.a]\nengine = \"@\""),
    (TOML, "[secrets]\n@ = 1"),
    (TOML, "[vpn.wg0]\n@ = 1"),
    (TOML, "[registry.\"registry.example\"]\n@ = 1"),
    (TOML, "[follow]\n@ = 1"),
    (TOML, "[serve]\n@ = 1"),
    (TOML, "[serve.token.a]\n@ = 1"),
    (TOML, "[serve.token.a]\nscopes = [\"@\"]"),
    (TOML, "[serve.sso]\n@ = 1"),
    (TOML, "[serve.sso.group.a]\n@ = 1"),
    (TOML, "[job.a]\n@ = 1"),
    (TOML, "[queue]\n@ = 1"),
    (TOML, "[retention]\n@ = 1"),
    (BACKUP, "[backup.a]\n@ = 1"),
    (BACKUP, "[[backup.a.volume]]\n@ = 1"),
    (BACKUP, "[[backup.a.database]]\n@ = 1"),
    (BACKUP, "[backup.a.keep]\n@ = 1"),
];

/// The same of the files beside it.
const FILES: &[(&str, &str)] = &[
    ("vpn.toml", "[wg0]\n@ = 1"),
    ("vpn.toml", "[wg0.peer.b]\n@ = 1"),
    ("stead.lock", "version = 1\n@ = 1"),
    ("stead.lock", "version = 1\n[[component]]\n@ = 1"),
];

/// The pages of interfaces that are no capability of a host.
const PAGES: &[(&str, &[&str])] = &[
    ("policies.md", &["types", "facts", "config", "log", "configure"]),
    ("backup.md", &["backup"]),
    ("jobs.md", &["run", "vm", "container", "http", "artifact", "clock", "progress", "retry"]),
];

#[test]
fn every_key_of_the_files_of_a_repo_is_there() -> Result<()> {
    let mut missing = Vec::new();
    for (page, table) in TABLES {
        missing.extend(lacking(page, table, &keys("stead.toml", table)?)?);
    }
    for (file, table) in FILES {
        missing.extend(lacking(TOML, &format!("{file}: {table}"), &keys(file, table)?)?);
    }
    nothing(&missing)
}

#[test]
fn every_key_of_grants_is_there() -> Result<()> {
    let of_policy = |rest: &str| format!("[policy.a]\ncomponent = \"a.wasm\"\n[policy.a.grant.{rest}");
    let grants = keys("stead.toml", &of_policy("@]\nx = 1"))?;
    let mut missing = lacking("grants.md", "[policy.NAME.grant]", &grants)?;
    for grant in &grants {
        let table = of_policy(&format!("{grant}]\n@ = 1"));
        let keys = keys("stead.toml", &table)?;
        missing.extend(lacking("grants.md", grant, &keys)?);
        if let Some(page) = page_of_capability(grant) {
            missing.extend(lacking(&page, grant, &keys)?);
        }
    }
    nothing(&missing)
}

#[test]
fn every_setting_of_providers_is_there() -> Result<()> {
    let settings = [
        ("qemu", settings(|text| toml::from_str::<qemu::Settings>(text).err())?),
        ("hetzner", settings(|text| toml::from_str::<hetzner::Settings>(text).err())?),
        ("ec2", settings(|text| toml::from_str::<ec2::Settings>(text).err())?),
        ("ec2", settings(|text| toml::from_str::<ec2::Credentials>(text).err())?),
    ];
    let mut missing = Vec::new();
    for (provider, keys) in &settings {
        missing.extend(lacking(&format!("providers/{provider}.md"), provider, keys)?);
    }
    for provider in stead_vm::provider::ALL {
        // This one is taken out before a provider sees its table.
        let price = BTreeSet::from(["price".to_owned()]);
        missing.extend(lacking(&format!("providers/{}.md", provider.name), provider.name, &price)?);
    }
    nothing(&missing)
}

#[test]
fn every_function_and_field_of_the_contract_is_there() -> Result<()> {
    let mut contract = Resolve::default();
    contract.push_dir(WIT)?;
    let mut missing = Vec::new();
    for (_, interface) in contract.interfaces.iter() {
        let name = interface.name.as_deref().context("an interface of the contract has no name")?;
        let elsewhere = || PAGES.iter().find(|(_, all)| all.contains(&name)).map(|(page, _)| (*page).to_owned());
        let page = page_of_capability(name).or_else(elsewhere);
        let page = page.with_context(|| format!("no page of the manual has the interface {name}"))?;
        missing.extend(lacking(&page, name, &words(&contract, interface))?);
    }
    nothing(&missing)
}

#[test]
fn a_word_counts_where_it_is_said_by_itself() {
    let page = "| `open(port)` | opens |\n## `[vpn.NAME]`\n`[queue]` has `address`, not `pass-word`";
    for said in ["open", "vpn", "queue", "address", "pass-word"] {
        assert!(says(page, said), "{said}");
    }
    for unsaid in ["port", "opens", "NAME", "pass", "word"] {
        assert!(!says(page, unsaid), "{unsaid}");
    }
}

/// The keys that stead knows of a table: it says so when it is shown one that it does not know.
fn keys(file: &str, table: &str) -> Result<BTreeSet<String>> {
    let repo = tempfile::tempdir()?;
    fs::write(repo.path().join("stead.toml"), BESIDE)?;
    fs::write(repo.path().join(file), table.replace('@', NO_KEY))?;
    let mut stead = Command::new(program::stead()?);
    stead.arg("--repo").arg(repo.path()).arg("--root").arg(repo.path());
    stead.arg("--state").arg(repo.path().join("state")).arg("plan");
    let said = run(&mut stead, LIMIT)?.ended_with(65)?;
    let keys = quoted(&said);
    ensure!(!keys.is_empty() && !said.contains("did you mean"), "no keys are named for\n{table}\n{said}");
    Ok(keys)
}

/// The same of a provider, which hides what a parser says of its table: it may hold a token.
fn settings(wrong: impl FnOnce(&str) -> Option<toml::de::Error>) -> Result<BTreeSet<String>> {
    let wrong = wrong(&format!("{NO_KEY} = 1")).context("a key that no provider has is taken")?;
    let keys = quoted(wrong.message());
    ensure!(!keys.is_empty(), "no keys are named: {wrong}");
    Ok(keys)
}

/// The words between back-ticks, but for the one that was asked.
fn quoted(said: &str) -> BTreeSet<String> {
    said.split('`').skip(1).step_by(2).filter(|word| *word != NO_KEY).map(str::to_owned).collect()
}

/// The functions of an interface, and the fields of its records.
fn words(contract: &Resolve, interface: &Interface) -> BTreeSet<String> {
    let mut words: BTreeSet<String> = interface.functions.keys().cloned().collect();
    for id in interface.types.values() {
        if let TypeDefKind::Record(record) = &contract.types[*id].kind {
            words.extend(record.fields.iter().map(|field| field.name.clone()));
        }
    }
    words
}

fn page_of_capability(name: &str) -> Option<String> {
    let page = format!("capabilities/{name}.md");
    Path::new(DOCS).join(&page).is_file().then_some(page)
}

/// The words of `what` that are not on the page.
fn lacking(page: &str, what: &str, words: &BTreeSet<String>) -> Result<Vec<String>> {
    let path = Path::new(DOCS).join(page);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let missing = words.iter().filter(|word| !says(&text, word));
    Ok(missing.map(|word| format!("docs/{page}: `{word}` of {}", what.replace('\n', " "))).collect())
}

/// Whether a page has the word in back-ticks: by itself, as the name of a function, or of a table.
fn says(text: &str, word: &str) -> bool {
    [format!("`{word}`"), format!("`{word}("), format!("`[{word}."), format!("`[{word}]")]
        .iter()
        .any(|form| text.contains(form))
}

fn nothing(missing: &[String]) -> Result<()> {
    ensure!(missing.is_empty(), "the manual lacks:\n{}", missing.join("\n"));
    Ok(())
}
