use std::path::Path;

use anyhow::{Context, Result, bail};

use super::*;
use crate::policy::{ByteSize, Limits};

const GOOD: &str = r#"
[host.web1]
address = "root@203.0.113.7"
policies = ["server", "app"]
[host.web1.config.server]
ssh = { port = 2222 }
[host.box]
policies = ["server"]
[policy.server]
source = "policies/server"
[policy.server.config]
ssh = { port = 22, root = false }
since = 2026-01-01
[policy.server.limits]
memory = "64MiB"
wall = "90s"
[policy.server.grant.sysctl]
keys = ["net.ipv4.*"]
[policy.app]
component = "app.wasm"
[secrets]
recipients = ["age1"]
"#;

fn parse(text: &str) -> Result<Repo, RepoError> {
    Repo::parse(Path::new("/repo"), text.to_owned())
}

/// The error as one line: what is pointed at, the message, the hint.
fn wrong(text: &str) -> Result<String> {
    let Err(RepoError::Invalid(invalid)) = parse(text) else { bail!("it is right: {text}") };
    let (start, length) = invalid.place.at;
    let pointed = text.get(start..start + length).context("the place is not in the text")?;
    let hint = invalid.problem.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    Ok(format!("{pointed:?}: {}{hint}", invalid.problem))
}

/// A policy `p` on a host `h`, with more lines in the policy.
fn with(lines: &str) -> String {
    format!("[host.h]\npolicies = [\"p\"]\n[policy.p]\nsource = \"p\"\n{lines}\n")
}

#[test]
fn reads_all_of_it() -> Result<()> {
    let repo = parse(GOOD)?;
    let web1 = repo.host("web1").context("web1")?;
    assert_eq!(web1.address.as_ref().map(Address::as_str), Some("root@203.0.113.7"));
    let policies = repo.policies_of(web1);
    assert_eq!(policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>(), ["server", "app"]);
    let server = &policies[0];
    assert_eq!(
        serde_json::to_value(&server.config)?,
        serde_json::json!({"ssh": {"port": 2222, "root": false}, "since": "2026-01-01"})
    );
    assert_eq!(server.limits.memory, ByteSize(64 << 20));
    assert_eq!(server.limits.wall.as_secs(), 90);
    assert_eq!(server.limits.cpu, Limits::default().cpu);
    assert!(server.grants.has("sysctl") && !policies[1].grants.has("sysctl"));
    assert_eq!(repo.component(server), Path::new("/repo/.stead/build/server.wasm"));
    assert_eq!(repo.component(&policies[1]), Path::new("/repo/app.wasm"));
    let other = repo.policies_of(repo.host("box").context("box")?);
    assert_eq!(other[0].config["ssh"]["port"], 22);
    Ok(())
}

/// A text and what is said of it: the place between quotes, the problem, the hint.
const WRONG: &[(&str, &str)] = &[
    ("[host.web1\n", r#""": this is not TOML: unclosed table, expected `]`"#),
    ("[hots.web1]\npolicies = []\n", r#""hots": there is no key `hots` here (did you mean `host`?)"#),
    (
        "[host.h]\nadress = \"h\"\npolicies = []\n",
        r#""adress": there is no key `adress` here (did you mean `address`?)"#,
    ),
    (
        "[host.h]\npolicies = []\n",
        r#""[]": a host needs at least one policy (add policies = ["NAME"], or remove the host)"#,
    ),
    (
        "[host.h]\n",
        r#""[host.h]": the table `host.h` is empty (an empty table says nothing: remove the line, or fill it)"#,
    ),
    ("host = 1\n", r#""1": invalid type: integer `1`, expected a table"#),
    ("[host]\nh = 1\n", r#""1": `host.h` must be a table (write it as [host.h])"#),
    ("[host.h]\naddress = \"root@h\"\n", r#""[host.h]": the key `policies` is missing (add policies = …)"#),
    (
        "[host.h]\naddress = \"-oX=y\"\npolicies = [\"p\"]\n",
        r#""\"-oX=y\"": "-oX=y" is not an address: write what ssh(1) takes, `root@203.0.113.7`, `ssh://root@server:2222` or an alias"#,
    ),
    (
        "[host.h]\npolicies = [\"sevrer\"]\n[policy.server]\nsource = \"x\"\n",
        r#""\"sevrer\"": no policy is called `sevrer` (did you mean `server`?)"#,
    ),
    (
        "[host.\"a b\"]\npolicies = []\n",
        r#""\"a b\"": "a b" is not a name: use letters, digits, `-`, `_` and `.`, begin with a letter or digit, at most 63 bytes"#,
    ),
    (
        "[policy.p]\nsource = \"x\"\ncomponent = \"y\"\n",
        r#""[policy.p]": policy `p` has both `source` and `component` (keep the one that it comes from)"#,
    ),
    (
        "[policy.p.limits]\nwall = \"1s\"\n",
        r#""p": policy `p` has neither `source` nor `component` (add source = "policies/p", source = "oci://HOST/REPOSITORY:TAG", or component = "PATH.wasm")"#,
    ),
];

/// The same with the lines put into a policy.
const WRONG_POLICY: &[(&str, &str)] = &[
    (
        "[policy.p.limits]\nmemory = \"256MB\"",
        r#""\"256MB\"": "256MB" is not a size such as "256 MiB": a whole number with B, KiB, MiB or GiB"#,
    ),
    (
        "[policy.p.limits]\nwall = \"2h\"",
        r#""\"2h\"": "2h" is not a time such as "30 s": a whole number with ms, s or min"#,
    ),
    (
        "[policy.p.limits]\ntime = \"2s\"",
        r#""time": there is no key `time` here (the keys are `memory`, `cpu`, `wall`)"#,
    ),
    (
        "[policy.p.config]",
        r#""[policy.p.config]": the table `policy.p.config` is empty (an empty table says nothing: remove the line, or fill it)"#,
    ),
    ("[policy.p.config]\nx = nan", r#""nan": JSON has no such number"#),
    ("config = 1", r#""1": `policy.p.config` must be a table (write it as [policy.p.config])"#),
    ("grant = 1", r#""1": `policy.p.grant` must be a table (write it as [policy.p.grant])"#),
    (
        "[policy.p.grant]",
        r#""[policy.p.grant]": the table `policy.p.grant` is empty (an empty table says nothing: remove the line, or fill it)"#,
    ),
    (
        "[policy.p.grant.sysctl]",
        r#""[policy.p.grant.sysctl]": the table `policy.p.grant.sysctl` is empty (an empty grant grants nothing: remove the line, or add what is granted)"#,
    ),
    ("[policy.p.grant.sysctl]\nkey = [\"net.*\"]", r#""key": there is no key `key` here (did you mean `keys`?)"#),
    (
        "[policy.p.grant.sysctl]\nkeys = []",
        r#""[]": an empty list grants nothing: remove the key, or name what is granted"#,
    ),
    ("[policy.p.grant.sysctl]\nkeys = [\"a\", 7]", r#""7": invalid type: integer `7`, expected a string"#),
    (
        "[policy.p.grant]\nsysctl = true",
        r#""true": `policy.p.grant.sysctl` must be a table (write it as [policy.p.grant.sysctl])"#,
    ),
    (
        "[policy.p.grant.sysclt]\nkeys = [\"net.*\"]",
        r#""sysclt": there is no capability `sysclt` (did you mean `sysctl`?)"#,
    ),
    (
        "[policy.p.grants.sysctl]\nkeys = [\"net.*\"]",
        r#""grants": there is no key `grants` here (did you mean `grant`?)"#,
    ),
    (
        "[host.h.config.q]\nx = 1",
        r#""q": policy `q` is not one of this host's policies, so this would configure nothing (this host's policies are `p`)"#,
    ),
    (
        "[host.h.config.p]",
        r#""[host.h.config.p]": the table `host.h.config.p` is empty (an empty table says nothing: remove the line, or fill it)"#,
    ),
    (
        "[secrets]",
        r#""[secrets]": the table `secrets` is empty (an empty table says nothing: remove the line, or fill it)"#,
    ),
    ("[secrets]\npath = \"x\"", r#""path": there is no key `path` here (the keys are `file`, `recipients`)"#),
];

const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcwEzy8WhBAZhLs/ewi7H544AmfUlejuqCye97ZYfVPbdlm67Bzkk0Lmmyfg1kjuA3l6/T0iVaUOo28pMWBChqg==";

#[test]
fn a_policy_comes_from_a_registry_with_the_keys_that_hold_for_it() -> Result<()> {
    let text = format!(
        "[policy.a]\nsource = \"oci://registry.example.com/team/a:1\"\n[policy.b]\nsource = \"oci://localhost:5000/b:1\"\n\
         signed-by = [\"{KEY}\"]\n[registry.\"registry.example.com\"]\nsigned-by = [\"{KEY}\"]\ncredentials = \"login\"\nplain-http = true\n"
    );
    let repo = parse(&text)?;
    let of = |name: &str| repo.policies().find(|policy| policy.name.as_str() == name).context("no such policy");
    assert_eq!(of("a")?.origin, Origin::Registry("registry.example.com/team/a:1".parse()?));
    assert_eq!(of("a")?.signed_by, of("b")?.signed_by);
    assert_eq!(of("a")?.signed_by.len(), 1);
    let table = repo.registry("registry.example.com").context("no table")?;
    assert_eq!((table.plain_http, table.credentials.as_ref().map(Name::as_str)), (Some(true), Some("login")));
    let pinned = repo.read_component(of("a")?).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(pinned, "policy a is not pulled: stead.lock does not say what registry.example.com/team/a:1 is");
    Ok(())
}

#[test]
fn what_is_wrong_with_a_registry_is_told_with_its_place() -> Result<()> {
    for (text, pointed, reason) in [
        ("[policy.p]\nsource = \"oci://team/p:1\"", "oci://team/p:1", "does not begin with the name of a registry"),
        ("[policy.p]\nsource = \"oci://ghcr.io/p\"", "oci://ghcr.io/p", "neither a tag nor a digest"),
        ("[policy.p]\nsource = \"p\"\nsigned-by = [\"KEY\"]", "KEY", "only what comes from a registry is signed"),
        ("[policy.p]\nsource = \"oci://ghcr.io/p:1\"\nsigned-by = []", "[]", "lists no key"),
        ("[registry.\"ghcr.io\"]\nsigned-by = [\"AAAA\"]", "AAAA", "no public key of ECDSA P-256"),
        ("[registry.\"ghcr.io/team\"]\nplain-http = true", "ghcr.io/team", "is not the HOST of a registry"),
        ("[registry.\"ghcr.io\"]\ninsecure = true", "insecure", "there is no key `insecure`"),
    ] {
        let said = wrong(&text.replace("KEY", KEY))?;
        anyhow::ensure!(said.contains(reason), "{said}");
        let escaped = format!("{:?}", pointed.replace("KEY", KEY));
        anyhow::ensure!(said.contains(escaped.trim_matches('"')), "{escaped} is not in {said}");
    }
    Ok(())
}

#[test]
fn nothing_wrong_is_ignored() -> Result<()> {
    for (text, said) in WRONG {
        assert_eq!(wrong(text)?, *said);
    }
    for (lines, said) in WRONG_POLICY {
        assert_eq!(wrong(&with(lines))?, *said);
    }
    let twice = with("").replace("[\"p\"]", "[\"p\", \"p\"]");
    assert_eq!(wrong(&twice)?, "\"\\\"p\\\"\": policy `p` is named twice (name it once)");
    let unknown = wrong(&with("[policy.p.grant.dns]\nkeys = [\"a\"]"))?;
    assert!(unknown.starts_with("\"dns\": there is no capability `dns` (the capabilities are `"), "{unknown}");
    Ok(())
}

#[test]
fn finds_the_file_upwards() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let inner = folder.path().join("policies/server/src");
    std::fs::create_dir_all(&inner)?;
    assert!(matches!(Repo::open(&inner), Err(RepoError::NotFound { .. })));
    std::fs::write(folder.path().join(FILE), GOOD)?;
    assert_eq!(Repo::open(&inner)?.folder(), folder.path());
    Ok(())
}

#[test]
fn a_word_stands_for_one_host() -> Result<()> {
    let repo = parse(GOOD)?;
    let said = |word: Option<&str>, hostname: &str| match repo.target(word, hostname) {
        Ok(Target { host, location: Location::Local }) => host,
        Ok(Target { host, location: Location::Ssh(address) }) => format!("{host} at {address}"),
        Err(error) => format!("{error} ({})", error.hint()),
    };
    assert_eq!(said(None, "laptop"), "box");
    assert_eq!(said(None, "web1.example.org"), "web1");
    assert_eq!(said(Some("web1"), "laptop"), "web1 at root@203.0.113.7");
    assert_eq!(said(Some("box"), "laptop"), "box");
    assert_eq!(said(Some("admin@203.0.113.7"), "laptop"), "web1 at admin@203.0.113.7");
    assert_eq!(said(Some("root@web1"), "laptop"), "web1 at root@web1");
    assert_eq!(said(Some("ssh://root@198.51.100.1:2222"), "laptop"), "box at ssh://root@198.51.100.1:2222");
    assert_eq!(said(Some("wbe1"), "laptop"), "no host is called `wbe1` (did you mean `web1`?)");
    Ok(())
}

#[test]
fn a_table_with_an_address_is_not_this_machine() -> Result<()> {
    let repo = parse("[host.web1]\naddress = \"root@a\"\npolicies = [\"p\"]\n[policy.p]\nsource = \"p\"\n")?;
    let none = repo.target(None, "laptop");
    assert!(matches!(none, Err(TargetError::NotThisMachine { .. })), "{none:?}");
    let other = repo.target(Some("root@b"), "laptop")?;
    assert_eq!(other.host, "web1", "a server that is named takes the only table");
    let two = format!("{}[host.web2]\naddress = \"root@c\"\npolicies = [\"p\"]\n", repo.text());
    let neither = parse(&two)?.target(Some("root@b"), "laptop");
    assert!(matches!(neither, Err(TargetError::NotAt { .. })), "{neither:?}");
    assert!(matches!(parse("[secrets]\nfile = \"x\"\n")?.target(None, "x"), Err(TargetError::NoHosts)));
    Ok(())
}
