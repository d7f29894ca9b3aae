//! The tables, by version, in a schema of their own. A later version only adds to the list of migrations.

use postgres::Client;

use super::connection::database;
use crate::QueueError;

const MIGRATIONS: &[&str] = &[
    "
create table lane (
    id bigint generated always as identity primary key,
    name text not null,
    key text not null,
    most bigint,
    running bigint not null default 0,
    head_priority bigint,
    head_job bigint,
    unique (name, key)
);
create index lane_open on lane (head_priority desc, head_job)
    where head_job is not null and (most is null or running < most);

create table job (
    id bigint generated always as identity primary key,
    name text not null,
    lane bigint not null references lane (id),
    state text not null,
    priority bigint not null,
    idempotency text,
    concurrency text,
    submitted bigint not null,
    not_before bigint not null,
    timeout bigint,
    most_attempts bigint not null,
    ready bigint not null,
    paused_until bigint,
    tries bigint not null default 0,
    attempt bigint not null default 0,
    run bigint not null default 1,
    lease_until bigint,
    deadline bigint,
    cancelled bigint not null default 0,
    next_line bigint not null default 0,
    log_bytes bigint not null default 0,
    next_entry bigint not null default 0,
    progress bigint,
    progress_message text,
    ended bigint
);
create index job_ready on job (lane, priority desc, id) where ready = 1;
create index job_paused on job (paused_until) where paused_until is not null;
create index job_leased on job (lease_until) where lease_until is not null;
create index job_ended on job (ended, id) where ended is not null;
create unique index job_idempotency on job (name, idempotency) where idempotency is not null;
create index job_name on job (name, state, id);
create index job_state on job (state, id);

create table input (job bigint primary key, bytes bytea not null);
create table result (job bigint primary key, bytes bytea not null);
create table attempt (
    job bigint not null,
    number bigint not null,
    run bigint not null,
    worker text not null,
    started bigint not null,
    ended bigint,
    ending text,
    message text,
    primary key (job, number)
);
create table entry (
    job bigint not null,
    run bigint not null,
    sequence bigint not null,
    attempt bigint not null,
    at bigint not null,
    phase text not null,
    call text not null,
    request bytea not null,
    answer bytea not null,
    primary key (job, run, sequence)
);
create table line (
    job bigint not null,
    number bigint not null,
    at bigint not null,
    stream text not null,
    bytes bytea not null,
    primary key (job, number)
);
create table artifact (
    job bigint not null,
    run bigint not null,
    name text not null,
    size bigint not null,
    digest bytea not null,
    place text not null,
    primary key (job, run, name)
);
create table tally (
    name text not null,
    state text not null,
    jobs bigint not null,
    primary key (name, state)
);
",
    "
create table spending (
    job bigint not null,
    run bigint not null,
    machine text not null,
    name text not null,
    currency text not null,
    day bigint not null,
    micros bigint not null,
    rate bigint not null,
    at bigint not null,
    primary key (job, run, machine)
);
create index spending_day on spending (name, currency, day);
create index spending_at on spending (at);
create index artifact_place on artifact (place);
",
    "
create table schedule (
    name text not null,
    rule text not null,
    until bigint not null,
    primary key (name, rule)
);
",
    "
alter table job add column server text;
alter table job add column held bigint not null default 0;
create index job_held on job (server, id) where held = 1;
create table content (place text primary key, at bigint not null, size bigint);
create index content_at on content (at);
create table piece (
    place text not null,
    number bigint not null,
    bytes bytea not null,
    primary key (place, number)
);
create table installation (name text not null);
",
];

/// Brings the tables to this version and makes them those of the connection. Several processes may try at once.
pub(super) fn migrate(client: &mut Client) -> Result<(), QueueError> {
    let mut transaction = client.transaction().map_err(database)?;
    transaction
        .batch_execute(
            "select pg_advisory_xact_lock(7598238160401658217);
             set client_min_messages to warning;
             create schema if not exists stead_queue;
             set search_path to stead_queue;
             -- Who stops in the midst of a transaction must not stop all others.
             set idle_in_transaction_session_timeout to '5s';
             create table if not exists version (number bigint not null)",
        )
        .map_err(database)?;
    let found = transaction.query_opt("select number from version", &[]).map_err(database)?;
    let found = found.map_or(0, |row| u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX));
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(QueueError::Newer { found, known });
    }
    if found < known {
        for migration in MIGRATIONS.iter().skip(found as usize) {
            transaction.batch_execute(migration).map_err(database)?;
        }
        let version = format!("delete from version; insert into version values ({known})");
        transaction.batch_execute(&version).map_err(database)?;
    }
    transaction.commit().map_err(database)
}
