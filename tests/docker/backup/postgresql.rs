//! `type = "postgresql"`, on the PostgreSQL of the build machine in a container.

use std::fs;

use anyhow::{Context, Result, ensure};
use stead_tests::wait;

use super::place::Place;

const COMPOSE: &str = "
services:
  db:
    image: {image}
    environment: { PATH: 'PROGRAMS:/bin:/usr/bin' }
    command:
      - sh
      - -c
      - |
        busybox mkdir -p /pg /var/run/postgresql && busybox chown postgres /pg /var/run/postgresql
        /usr/bin/setpriv --reuid=postgres --regid=postgres --clear-groups sh -c '
          initdb --pgdata=/pg/data --username=postgres --encoding=UTF8 --locale=C --no-sync > /dev/null &&
          exec postgres -D /pg/data -k /var/run/postgresql -h \"\" -F'
    stop_grace_period: 0s
    volumes: ['/usr:/usr:ro', '/lib:/lib:ro', '/lib64:/lib64:ro', '/etc/passwd:/etc/passwd:ro', '/etc/group:/etc/group:ro', 'data:/pg']
volumes: { data: {} }
";

const FILL: &str = "
create role shop login password 'quiet';
create database shop owner shop;
\\connect shop
set role shop;
create table note (id int primary key, words text);
insert into note values (0, 'DROP ROLE IF EXISTS postgres;'), (1, E'a\\tb\\nc \\\\. ünïcode');
insert into note select n, repeat(md5(n::text), 20) from generate_series(2, 5000) n;
";
const SUM: &str = "select count(*), md5(string_agg(words, '|' order by id)) from note";

#[test]
fn a_server_comes_back_with_roles_and_rows() -> Result<()> {
    let place = Place::with("stead-backup-pg", &COMPOSE.replace("PROGRAMS", &programs()?))?;
    place.up()?;
    let up = || Ok(place.inside("db", "pg_isready --quiet --username=postgres").is_ok().then_some(()));
    wait::until("PostgreSQL", std::time::Duration::from_secs(60), up)?;
    place.declare("type = \"postgresql\"\n", "")?;
    place.stead("apply --yes", 0)?;
    place.stead("backup init box", 0)?;
    fs::write(place.folder("data")?.join("fill.sql"), FILL)?;
    place.inside("db", "psql --username=postgres --quiet --set=ON_ERROR_STOP=1 --file=/pg/fill.sql")?;
    let sum = || place.inside("db", &format!("psql --username=postgres --dbname=shop -At -c \"{SUM}\""));
    let before = sum()?;
    ensure!(before.starts_with("5001|"), "{before}");
    place.stead("backup run box", 0)?;

    place.inside(
        "db",
        "psql --username=postgres --dbname=shop -c 'delete from note where id % 2 = 0; create table later ()'",
    )?;
    // A client that holds on to its database does not keep it from being restored.
    place.inside("db", "psql --username=postgres --dbname=shop -c 'select pg_sleep(1000)' > /dev/null 2>&1 &")?;
    place.stead("restore box stead-backup-pg/db --yes", 0)?;
    ensure!(sum()? == before, "not as it was");
    let later =
        place.inside("db", "psql --username=postgres --dbname=shop -At -c \"select to_regclass('later') is null\"")?;
    ensure!(later.trim() == "t", "{later}");
    let role = place.inside(
        "db",
        "psql --username=postgres -At -c \"select rolpassword is not null from pg_authid where rolname = 'shop'\"",
    )?;
    ensure!(role.trim() == "t", "{role}");

    // And onto a server that has nothing yet.
    place.inside("db", "psql --username=postgres -c 'drop database shop with (force)' -c 'drop role shop'")?;
    place.stead("restore box stead-backup-pg/db --yes", 0)?;
    ensure!(sum()? == before, "not as it was");
    Ok(())
}

/// Where the newest PostgreSQL of this machine has its programs.
fn programs() -> Result<String> {
    let versions = fs::read_dir("/usr/lib/postgresql")?.flatten();
    let newest = versions.filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok()).max();
    Ok(format!("/usr/lib/postgresql/{}/bin", newest.context("install postgresql")?))
}
