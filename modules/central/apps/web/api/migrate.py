"""Changes of the tables, in order. A line is never changed once it was applied; a new version adds one."""

import psycopg

from place import DATABASE

STEPS = [
    """create table prediction (
        id bigint generated always as identity primary key,
        -- What makes its job the same one; an id may come again after a restore.
        key uuid not null default gen_random_uuid(),
        person text not null,
        tile text not null,
        model text not null,
        state text not null default 'queued',
        job bigint,
        result jsonb,
        plot bytea,
        created timestamptz not null default now())""",
]

with psycopg.connect(**DATABASE) as connection:
    # One at a time, and all or nothing: PostgreSQL takes back tables too.
    connection.execute("select pg_advisory_xact_lock(1)")
    connection.execute("create table if not exists migration (number int primary key)")
    done = {number for (number,) in connection.execute("select number from migration")}
    for number, step in enumerate(STEPS, 1):
        if number not in done:
            connection.execute(step)
            connection.execute("insert into migration values (%s)", (number,))
