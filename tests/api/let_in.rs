//! Who may ask for what.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use stead_tests::run::run;
use stead_tests::serve::Server;

use crate::client::Client;
use crate::service::{POLICIES, Repo, table, token};

#[test]
fn a_token_opens_what_it_is_for() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let nobody = Client { at: server.at, token: String::new() };
    let unknown = nobody.get("/v1/jobs")?;
    assert_eq!(unknown.problem(401)?, "unauthorized");
    assert_eq!(unknown.header("www-authenticate"), Some("bearer realm=\"stead\""));
    let guessed = Client { at: server.at, token: format!("{}x", token("all")) }.get("/v1/jobs")?;
    assert_eq!(guessed.problem(401)?, "unauthorized");
    ensure!(guessed.head.contains("error=\"invalid_token\""), "{}", guessed.head);
    ensure!(!guessed.text().contains("test-token") && !guessed.head.contains("test-token"));

    let reader = Client::of(&server, "reader");
    let refused = reader.post("/v1/jobs", &json!({"policy": "works"}))?;
    assert_eq!(refused.problem(403)?, "insufficient-scope");
    ensure!(refused.head.contains("scope=\"submit\"") && refused.text().contains("`submit`"), "{}", refused.text());
    assert_eq!(reader.get("/metrics")?.problem(403)?, "insufficient-scope");
    assert_eq!(Client::of(&server, "scraper").get("/v1/jobs")?.problem(403)?, "insufficient-scope");

    // What is not a token's is not there.
    let (all, works) = (Client::of(&server, "all"), Client::of(&server, "works"));
    assert_eq!(works.post("/v1/jobs", &json!({"policy": "other"}))?.problem(403)?, "not-of-this-token");
    all.post("/v1/jobs", &json!({"policy": "other"}))?.is(201)?;
    for path in ["", "/logs", "/logs/stream", "/artifacts", "/artifacts/done"] {
        let path = format!("/v1/jobs/1{path}");
        let (hidden, absent) = (works.get(&path)?, works.get(&path.replace("/1", "/99"))?);
        assert_eq!((hidden.problem(404)?, absent.problem(404)?), ("not-found".to_owned(), "not-found".to_owned()));
        assert_eq!(hidden.text().replace("job 1", "job 99"), absent.text());
    }
    assert_eq!(works.post("/v1/jobs/1/cancel", &json!({}))?.problem(404)?, "not-found");
    ensure!(works.get("/v1/jobs")?.json()?["jobs"] == json!([]));

    // These tell nothing, and need no token.
    nobody.get("/healthz")?.is(200)?;
    nobody.get("/openapi.json")?.is(200)?;
    let said = server.end()?;
    ensure!(!said.contains("test-token"), "{said}");
    Ok(())
}

#[test]
fn stead_toml_is_read_anew_and_a_wrong_one_changes_nothing() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let (reader, path) = (Client::of(&server, "reader"), repo.path().join("stead.toml"));
    reader.get("/v1/jobs")?.is(200)?;
    std::fs::write(&path, "[serve.token.reader]\nscopes = 7\n")?;
    server.hang_up("goes on with what it had")?;
    reader.get("/v1/jobs")?.is(200)?;
    let tables = [table("all", &["read", "submit"], &["*"])];
    std::fs::write(&path, format!("{POLICIES}{}", tables.concat()).replace("[policy.other", "[policy.third"))?;
    server.hang_up("was read again")?;
    assert_eq!(reader.get("/v1/jobs")?.problem(401)?, "unauthorized");
    let all = Client::of(&server, "all");
    assert_eq!(all.post("/v1/jobs", &json!({"policy": "other"}))?.problem(404)?, "no-such-policy");
    let made = all.post("/v1/jobs", &json!({"policy": "third"}))?.is(201)?.json()?;
    all.until(made["id"].as_u64().unwrap_or_default(), "succeeded").map(drop)
}

#[test]
fn a_token_may_be_a_secret_or_a_credential_of_systemd() -> Result<()> {
    let tables = ["repo", "systemd"]
        .map(|name| format!("[serve.token.{name}]\nsecret = \"{name}-token\"\nscopes = [\"read\"]\njobs = [\"*\"]\n"));
    let repo = Repo::with(&tables)?;
    let folder = repo.path();
    let shell = |line: &str| {
        let mut sh = Command::new("sh");
        sh.args(["-c", line]).current_dir(folder).env("STEAD_IDENTITY", folder.join("identity"));
        run(&mut sh, Duration::from_secs(30))?.ok()
    };
    let stead = stead_tests::program::stead()?.display().to_string();
    shell(&format!("{stead} secret keygen && printf %s {} | {stead} secret set repo-token", token("repo")))?;
    std::fs::create_dir(folder.join("credentials"))?;
    std::fs::write(folder.join("credentials/systemd-token"), format!("{}\n", token("systemd")))?;
    let mut serve = repo.stead()?;
    serve.args(["serve", "--listen", "127.0.0.1:0"]).env("STEAD_IDENTITY", folder.join("identity"));
    serve.env("CREDENTIALS_DIRECTORY", folder.join("credentials"));
    let server = Server::start(&mut serve, &folder.join("said"))?;
    for name in ["repo", "systemd"] {
        Client::of(&server, name).get("/v1/jobs")?.is(200)?;
    }
    Client::of(&server, "nobody").get("/v1/jobs")?.problem(401)?;
    Ok(())
}

#[test]
fn stead_token_makes_one_that_works() -> Result<()> {
    let made = Command::new(stead_tests::program::stead()?).args(["token", "ci"]).output()?;
    let (token, lines) = (String::from_utf8(made.stdout)?, String::from_utf8(made.stderr)?);
    ensure!(!lines.contains(token.trim()) && token.starts_with("stead_"), "{lines}");
    let repo = Repo::with(&[lines.replace("POLICY", "works"), table("all", &["read"], &["*"])])?;
    let server = repo.serve()?;
    Client { at: server.at, token: token.trim().to_owned() }.post("/v1/jobs", &json!({"policy": "works"}))?.is(201)?;
    Ok(())
}

#[test]
fn what_is_wrong_with_the_tables_is_told_with_its_place() -> Result<()> {
    let token = |rest: &str| format!("[serve.token.ci]\n{rest}\n");
    let digest = format!("digest = \"sha256:{}\"", "0".repeat(64));
    for (table, words) in [
        (token("digest = \"sha256:1234\"\nscopes = [\"read\"]\njobs = [\"*\"]"), "64 hexadecimal digits"),
        (token("scopes = [\"read\"]\njobs = [\"*\"]"), "either digest"),
        (token(&format!("{digest}\nsecret = \"a\"\nscopes = [\"read\"]\njobs = [\"*\"]")), "either digest"),
        (token(&format!("{digest}\nscopes = [\"raed\"]\njobs = [\"*\"]")), "raed"),
        (token(&format!("{digest}\nscopes = []\njobs = [\"*\"]")), "without scopes"),
        (token(&format!("{digest}\nscopes = [\"read\"]")), "needs jobs"),
        ("[serve]\nlisten = \"everywhere\"\n".to_owned(), "neither ADDRESS:PORT nor unix:/PATH"),
    ] {
        let repo = Repo::with(std::slice::from_ref(&table))?;
        let said = run(repo.stead()?.args(["serve"]), Duration::from_secs(30))?.ended_with(65)?;
        ensure!(said.contains(words) && said.contains("[stead.toml:"), "{table}\n{said}");
    }
    Ok(())
}
