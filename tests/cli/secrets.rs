//! Secrets reach the file that they are for, and nothing else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use anyhow::{Result, ensure};

use crate::repo::{GRANTS, Repo};

const VALUE: &str = "correct-horse-battery-staple";

fn with_secret() -> Result<Repo> {
    let repo = Repo::new()?;
    repo.stead("secret keygen", 0)?;
    repo.stead_reads("secret set token", &format!("{VALUE}\n"), 0)?;
    repo.declare("token = \"token\"")?;
    Ok(repo)
}

#[test]
fn the_value_is_in_its_file_only() -> Result<()> {
    let repo = with_secret()?;
    let mut said = repo.stead("plan --out web.stead", 2)?;
    said += &repo.stead("plan --json --verbose", 2)?;
    said += &repo.stead("apply --yes --verbose", 0)?;
    said += &repo.stead("log 1 --json", 0)?;
    ensure!(repo.there("etc/token")? == VALUE);
    ensure!(!said.contains(VALUE), "{said}");
    for folder in ["state", "root/etc", "."] {
        let holds = holding(&repo.path(folder))?;
        let others: Vec<_> = holds.iter().filter(|path| !path.ends_with("root/etc/token")).collect();
        ensure!(others.is_empty(), "{others:?}");
    }
    repo.stead("plan", 0)?;
    repo.stead_reads("secret set token", "another\n", 0)?;
    let plan = repo.stead("plan", 2)?;
    ensure!(plan.contains("~ file /etc/token") && !plan.contains("another"), "{plan}");
    Ok(())
}

#[test]
fn a_policy_gets_no_secret_without_a_grant() -> Result<()> {
    let repo = with_secret()?;
    repo.write("token = \"token\"", &GRANTS.replace("tok*", "other"))?;
    let said = repo.stead("plan", 66)?;
    ensure!(said.contains("secrets = ["), "{said}");
    Ok(())
}

#[test]
fn a_secret_that_is_not_there_says_how_to_set_it() -> Result<()> {
    let repo = with_secret()?;
    repo.declare("token = \"tok-two\"")?;
    let said = repo.stead("plan", 65)?;
    ensure!(said.contains("stead secret set tok-two"), "{said}");
    Ok(())
}

#[test]
fn a_provider_is_told_the_secret_that_its_table_names() -> Result<()> {
    let repo = with_secret()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let provider = format!(
        "[provider.hetzner]\nendpoint = \"http://{}/v1\"\ntoken = {{ secret = \"token\" }}\n",
        listener.local_addr()?
    );
    repo.write("", &format!("{GRANTS}{provider}"))?;
    let asked = thread::spawn(move || -> std::io::Result<String> {
        let (mut stream, _) = listener.accept()?;
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head)?;
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        Ok(String::from_utf8_lossy(&head[..length]).into_owned())
    });
    let said = repo.stead("vm ls", 65)?;
    let asked = asked.join().expect("a thread panicked")?;
    ensure!(asked.contains(&format!("Bearer {VALUE}")), "{asked}");
    ensure!(said.contains("hetzner") && !said.contains(VALUE), "{said}");
    repo.write("", &format!("{GRANTS}{}", provider.replace("\"token\" }", "\"other\" }")))?;
    let said = repo.stead("vm ls", 64)?;
    ensure!(said.contains("no secret is called `other`"), "{said}");
    Ok(())
}

#[test]
fn names_are_listed_and_values_are_not() -> Result<()> {
    let repo = with_secret()?;
    ensure!(repo.stead("secret ls", 0)? == "token\n");
    repo.stead("secret set token", 64)?;
    ensure!(repo.stead("secret rm tokn", 64)?.contains("did you mean `token`?"));
    repo.stead("secret rm token", 0)?;
    ensure!(repo.stead("secret ls", 0)?.is_empty());
    repo.stead("secret keygen", 65)?;
    fs::remove_dir_all(repo.path("home"))?;
    ensure!(repo.stead("secret ls", 65)?.contains("stead secret keygen"));
    Ok(())
}

/// The files below `folder` that hold the value.
fn holding(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(holding(&entry.path())?);
        } else if fs::read(entry.path())?.windows(VALUE.len()).any(|window| window == VALUE.as_bytes()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
