//! A server that is reached over a network is reached over TLS, and only when it is the one that was meant.

use anyhow::{Result, ensure};
use stead_queue::*;
use stead_tests::postgres::Postgres;

#[test]
fn the_certificate_and_the_name_of_the_server_are_verified() -> Result<()> {
    let (server, tls) = Postgres::start_with_tls()?;
    let open = |host: &str, rest: &str| {
        let place = format!("postgres://stead@{host}:{}/postgres?{rest}", tls.port).parse()?;
        Queue::open(&place, Settings::default())
    };
    let root = format!("sslrootcert={}", tls.certificate.display());
    for (host, rest) in [
        ("localhost", "sslmode=require".to_owned()),
        ("localhost", String::new()),
        ("127.0.0.1", format!("sslmode=verify-full&{root}")),
        ("localhost", "sslmode=verify-full&sslrootcert=/nonexistent.pem".to_owned()),
    ] {
        let opened = open(host, &rest);
        ensure!(matches!(opened, Err(QueueError::Connect(_) | QueueError::Open { .. })), "{host} {rest}: {opened:?}");
    }
    let _queue = open("localhost", &format!("sslmode=verify-full&{root}"))?;
    let safe = server.psql(
        "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'stead'",
    )?;
    ensure!(safe.trim() == "t", "{safe}");
    Ok(())
}
