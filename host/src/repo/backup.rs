//! `[backup.NAME]`: what is backed up, of which hosts, where to and when.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::error::{Fault, Problem};
use super::parse::{Item, read};
use super::{Host, Name};
use crate::capability::backup::{
    Backups, Calendar, Contents, Database, Keep, NotABackup, Repository, Spec, Variable, Volume,
};
use crate::machine::inode::Pathname;

/// `[backup.NAME]`.
#[derive(Clone, Debug)]
pub struct BackupTable {
    /// Not empty, no duplicates.
    pub hosts: Vec<Name>,
    repository: Repository,
    password: Name,
    environment: BTreeMap<Variable, Name>,
    at: Calendar,
    keep: Keep,
    pub contents: Contents,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    hosts: Spanned<Vec<Spanned<Name>>>,
    repository: Repository,
    password: Name,
    #[serde(default)]
    environment: BTreeMap<Variable, Name>,
    at: Calendar,
    keep: Option<Spanned<Keep>>,
    #[serde(default)]
    volume: Vec<Volume>,
    #[serde(default)]
    database: Vec<Database>,
    #[serde(default)]
    paths: Vec<Pathname>,
}

/// Reads one table.
pub(super) fn backup(item: &Item<'_>, all: &BTreeMap<Name, Host>) -> Result<BackupTable, Fault> {
    let table: Table = read(item)?;
    let hosts = hosts(&table.hosts, all)?;
    let keep = table.keep.as_ref().map(|keep| (*keep.get_ref(), keep.span()));
    let value = |at, error: NotABackup| Fault::new(at, Problem::Value(error.to_string()));
    if let Some((_, at)) = keep.as_ref().filter(|(keep, _)| keep.options().is_empty()) {
        return Err(value(at.clone(), NotABackup::KeepNothing));
    }
    let contents = Contents { volumes: table.volume, databases: table.database, paths: table.paths };
    contents.check().map_err(|error| value(item.span(), error))?;
    let Table { repository, password, environment, at, .. } = table;
    let keep = keep.map(|(keep, _)| keep).unwrap_or_default();
    Ok(BackupTable { hosts, repository, password, environment, at, keep, contents })
}

fn hosts(said: &Spanned<Vec<Spanned<Name>>>, all: &BTreeMap<Name, Host>) -> Result<Vec<Name>, Fault> {
    let mut hosts: Vec<Name> = Vec::new();
    for host in said.get_ref() {
        let name = host.get_ref();
        if !all.contains_key(name) {
            let known = all.keys().map(ToString::to_string).collect();
            return Err(Fault::new(host.span(), Problem::UnknownHost { name: name.to_string(), known }));
        }
        if hosts.contains(name) {
            return Err(Fault::new(host.span(), Problem::Value(NotABackup::Twice(name.to_string()).to_string())));
        }
        hosts.push(name.clone());
    }
    match hosts.is_empty() {
        true => Err(Fault::new(said.span(), Problem::Value("a backup is of at least one host".to_owned()))),
        false => Ok(hosts),
    }
}

/// Those of one host.
pub(super) fn on(tables: &BTreeMap<Name, BackupTable>, host: &Name) -> Backups {
    let ours = tables.iter().filter(|(_, table)| table.hosts.contains(host));
    ours.map(|(name, table)| (name.clone(), table.spec(name, host))).collect()
}

impl BackupTable {
    fn spec(&self, name: &Name, host: &Name) -> Spec {
        Spec {
            name: name.clone(),
            host: host.clone(),
            repository: self.repository.clone(),
            password: self.password.clone(),
            environment: self.environment.clone(),
            at: self.at.clone(),
            keep: self.keep,
            contents: self.contents.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::{Context, Result};

    use crate::repo::{Repo, RepoError};

    const HEAD: &str = "[host.central]\npolicies = [\"backup\"]\n[policy.backup]\nsource = \"x\"\n[backup.nightly]\n";
    const WHOLE: &str = r#"hosts = ["central"]
repository = "sftp:backup@10.8.0.9:/srv/restic"
password = "backup-password"
environment = { AWS_SECRET_ACCESS_KEY = "s3-key" }
at = "03:30"
keep = { daily = 7, weekly = 5 }
paths = ["/srv/www"]
volume = [{ app = "files", name = "data" }]
database = [{ app = "postgres", service = "postgres", type = "postgresql" }]
"#;

    fn parse(table: &str) -> Result<Repo, RepoError> {
        Repo::parse(Path::new("/srv/repo"), format!("{HEAD}{table}"))
    }

    /// What is wrong, and the text that it points to.
    fn wrong(from: &str, to: &str) -> Result<String> {
        let table = WHOLE.replace(from, to);
        anyhow::ensure!(table != WHOLE, "{from} is not there");
        let RepoError::Invalid(invalid) = parse(&table).err().context("it is not wrong")? else {
            anyhow::bail!("other")
        };
        let (at, length) = invalid.place.at;
        let text = invalid.place.text.get(at..at + length).unwrap_or_default();
        Ok(format!("{} at {}", invalid.problem, text.lines().next().unwrap_or_default()))
    }

    #[test]
    fn a_whole_table() -> Result<()> {
        let repo = parse(WHOLE)?;
        let backups = repo.backups_on(repo.host("central").context("no host")?);
        let spec = &backups["nightly"];
        assert_eq!(spec.contents.labels(), ["files/data", "postgres/postgres", "/srv/www"]);
        assert_eq!(spec.keep.options(), ["--keep-daily=7", "--keep-weekly=5"]);
        assert_eq!(spec.contents.databases[0].dump[0], "pg_dumpall");
        assert_eq!(serde_json::from_value::<super::Spec>(serde_json::to_value(spec)?)?, *spec);
        Ok(())
    }

    #[test]
    fn what_is_wrong_has_its_place() -> Result<()> {
        let said = [
            wrong("central", "centrall")?,
            wrong("sftp:backup@10.8.0.9:/srv/restic", "rest:https://me:secret@host/x")?,
            wrong("sftp:backup@10.8.0.9:/srv/restic", "restic")?,
            wrong("daily = 7, weekly = 5", "dayly = 7")?,
            wrong("daily = 7, weekly = 5", "daily = 0")?,
            wrong("03:30", "half past three!")?,
            wrong("AWS_SECRET_ACCESS_KEY", "RESTIC_PASSWORD")?,
            wrong("password =", "pasword =")?,
            wrong(", type = \"postgresql\"", "")?,
            wrong(", type = \"postgresql\"", ", type = \"mysql\"")?,
            wrong("name = \"data\"", "name = \"../x\"")?,
            wrong("name = \"data\"", "name = \"data\" }, { app = \"files\", name = \"data\"")?,
            wrong("/srv/www", "srv/www")?,
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        no host here is called `centrall` at "centrall"
        a password would be in the repo for everybody to read: name a secret in `environment` at "rest:https://me:secret@host/x"
        "restic" is no repository: an absolute path, or sftp:, rest:, s3:, b2:, azure:, gs:, swift: or rclone: as restic(1) has it at "restic"
        there is no key `dayly` here at dayly
        invalid value: integer `0`, expected a nonzero u32 at 0
        "half past three!" is no OnCalendar= of systemd.time(7), such as "03:30" or "Sun 04:00" at "half past three!"
        RESTIC_PASSWORD is set by stead itself at RESTIC_PASSWORD
        there is no key `pasword` here at pasword
        a database has `type = "postgresql"`, or both `dump` and `restore` at [{ app = "postgres", service = "postgres" }]
        unknown variant `mysql`, expected `postgresql` at "mysql"
        "../x" is no name of a volume or a service at [{ app = "files", name = "../x" }]
        files/data is named twice at [backup.nightly]
        "srv/www" is not absolute at ["srv/www"]
        "#);
        Ok(())
    }
}
