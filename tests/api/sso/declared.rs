//! What `[serve.sso]` may say.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use stead_tests::run::run;

use super::LIMIT;
use crate::issuer::REDIRECT;
use crate::service::Repo;

#[test]
fn a_table_that_contradicts_itself_is_refused() -> Result<()> {
    let is = |key: &str, value: Value| {
        let mut table = json!({"issuer": "https://sso.example.org", "client-id": "stead", "secret": "sso-client", "redirect": REDIRECT});
        table[key] = value;
        let lines = table.as_object().into_iter().flatten().map(|(key, value)| format!("{key} = {value}\n"));
        format!("[serve.sso]\n{}", lines.collect::<String>())
    };
    for (table, expected) in [
        (is("issuer", json!("http://sso.example.org")), "begins with https://"),
        (is("redirect", json!("https://jobs.example.org/")), "/sso/callback"),
        (is("group", json!("admins")), "expected a table"),
        (is("groups", json!("admins")), "no key"),
        (is("client-id", json!("a")) + "[serve.sso.group.a]\nscopes = []\n", "without scopes"),
        (is("client-id", json!("a")) + "[serve.sso.group.a]\nscopes = [\"read\"]\n", "needs jobs"),
    ] {
        let repo = Repo::with(std::slice::from_ref(&table))?;
        let mut stead = repo.stead()?;
        stead.args(["serve", "--listen", "127.0.0.1:0"]).env("CREDENTIALS_DIRECTORY", repo.path());
        let output = run(&mut stead, LIMIT)?;
        ensure!(!output.status.success() && output.stderr.contains(expected), "{table}: {}", output.stderr);
    }
    Ok(())
}
