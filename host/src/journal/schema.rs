//! The tables, by version. A later version only adds to the list of migrations.

use rusqlite::Connection;

use super::JournalError;

const MIGRATIONS: &[&str] = &[
    "
create table run (
    id integer primary key,
    kind text not null,
    state text not null,
    host text not null,
    commit_id text,
    plan_hash text not null,
    plan text not null,
    operator text not null,
    started integer not null,
    ended integer,
    error text,
    confirmed integer not null default 0
);
create table step (
    run integer not null references run(id),
    seq integer not null,
    planned text not null,
    state text not null,
    at integer not null,
    error text,
    primary key (run, seq)
);
create table revision (
    id integer primary key,
    run integer not null references run(id),
    commit_id text,
    plan_hash text not null,
    policies text not null,
    specs text not null,
    ownership text not null,
    at integer not null,
    apps text not null
);
",
    "
create table operation (
    id integer primary key,
    what text not null,
    resource text not null,
    operator text not null,
    started integer not null,
    ended integer,
    error text
);
",
];

/// Brings the tables to this version.
pub(super) fn migrate(connection: &Connection) -> Result<(), JournalError> {
    let found: u32 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(JournalError::Newer { found, known });
    }
    for (version, migration) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
        connection.execute_batch(&format!("begin immediate; {migration} pragma user_version = {version}; commit;"))?;
    }
    Ok(())
}
