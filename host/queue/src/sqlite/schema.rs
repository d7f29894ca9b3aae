//! The tables, by version. A later version only adds to the list of migrations.

use rusqlite::{Connection, TransactionBehavior};

use super::connection::database;
use crate::QueueError;

const MIGRATIONS: &[&str] = &[
    "
create table lane (
    id integer primary key,
    name text not null,
    key text not null,
    most integer,
    running integer not null default 0,
    head_priority integer,
    head_job integer,
    unique (name, key)
);
create index lane_open on lane (head_priority desc, head_job)
    where head_job is not null and (most is null or running < most);

create table job (
    id integer primary key autoincrement,
    name text not null,
    lane integer not null references lane (id),
    state text not null,
    priority integer not null,
    idempotency text,
    concurrency text,
    submitted integer not null,
    not_before integer not null,
    timeout integer,
    most_attempts integer not null,
    ready integer not null,
    paused_until integer,
    tries integer not null default 0,
    attempt integer not null default 0,
    run integer not null default 1,
    lease_until integer,
    deadline integer,
    cancelled integer not null default 0,
    next_line integer not null default 0,
    log_bytes integer not null default 0,
    next_entry integer not null default 0,
    progress integer,
    progress_message text,
    ended integer
);
create index job_ready on job (lane, priority desc, id) where ready = 1;
create index job_paused on job (paused_until) where paused_until is not null;
create index job_leased on job (lease_until) where lease_until is not null;
create index job_ended on job (ended, id) where ended is not null;
create unique index job_idempotency on job (name, idempotency) where idempotency is not null;
create index job_name on job (name, state, id);
create index job_state on job (state, id);

create table input (job integer primary key, bytes blob not null);
create table result (job integer primary key, bytes blob not null);
create table attempt (
    job integer not null,
    number integer not null,
    run integer not null,
    worker text not null,
    started integer not null,
    ended integer,
    ending text,
    message text,
    primary key (job, number)
) without rowid;
create table entry (
    job integer not null,
    run integer not null,
    sequence integer not null,
    attempt integer not null,
    at integer not null,
    phase text not null,
    call text not null,
    request blob not null,
    answer blob not null,
    primary key (job, run, sequence)
);
create table line (
    job integer not null,
    number integer not null,
    at integer not null,
    stream text not null,
    bytes blob not null,
    primary key (job, number)
) without rowid;
create table artifact (
    job integer not null,
    run integer not null,
    name text not null,
    size integer not null,
    digest blob not null,
    place text not null,
    primary key (job, run, name)
) without rowid;
create table tally (
    name text not null,
    state text not null,
    jobs integer not null,
    primary key (name, state)
) without rowid;
create table clock (boot text not null, ahead integer not null);
",
    "
create table spending (
    job integer not null,
    run integer not null,
    machine text not null,
    name text not null,
    currency text not null,
    day integer not null,
    micros integer not null,
    rate integer not null,
    at integer not null,
    primary key (job, run, machine)
) without rowid;
create index spending_day on spending (name, currency, day);
create index spending_at on spending (at);
create index artifact_place on artifact (place);
",
    "
create table schedule (
    name text not null,
    rule text not null,
    until integer not null,
    primary key (name, rule)
) without rowid;
",
    "
alter table job add column server text;
alter table job add column held integer not null default 0;
create index job_held on job (server, id) where held = 1;
create table content (place text primary key, at integer not null, size integer) without rowid;
create index content_at on content (at);
create table piece (
    place text not null,
    number integer not null,
    bytes blob not null,
    primary key (place, number)
) without rowid;
create table installation (name text not null);
",
];

/// Brings the tables to this version. Several processes may try at once.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), QueueError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database)?;
    let found: u32 = transaction.query_row("pragma user_version", [], |row| row.get(0)).map_err(database)?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(QueueError::Newer { found, known });
    }
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration).map_err(database)?;
    }
    transaction.pragma_update(None, "user_version", known).map_err(database)?;
    transaction.commit().map_err(database)
}
