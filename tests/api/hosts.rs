//! What `stead follow` would have kept of three hosts, by its own types: one that waits, one that is away, one that is new.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use stead::digest::Digest;
use stead::follow::{Commit, Drift, Followee, Record, Standing, Unseen, Watched, folder};

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or_default()
}

/// Keeps them under this state folder, with `evil` wherever a host could put it.
pub(crate) fn write(state: &Path, evil: &str) -> Result<()> {
    let folder = folder(state);
    let at = now();
    let waiting = Standing::Waiting {
        at: at - 120_000,
        plan: Digest::public(b"plan"),
        because: BTreeSet::from([format!("sysctl net.ipv4.ip_forward: [follow] apply does not have it {evil}")]),
    };
    let found = Ok(vec!["file:/etc/motd".to_owned(), format!("file:{evil}")]);
    let hosts = [
        ("box", Followee { standing: waiting, drift: Some(Drift { at: at - 600_000, found }) }),
        ("fresh", Followee::default()),
        ("away", Followee { standing: Standing::Away { at, why: format!("no route to host {evil}") }, drift: None }),
    ];
    let record = Record {
        commit: Some(Commit::try_from("0123456789abcdef0123456789abcdef01234567".to_owned())?),
        refused: Some(format!("commit abc is not signed {evil}")),
        hosts: hosts.map(|(name, followee)| (name.to_owned(), followee)).into(),
    };
    record.keep(&folder)?;
    let look = serde_json::from_value(look(at, evil))?;
    let plan = format!(
        "~ file /etc/motd\n    @@ -1 +1 @@\n    -one\n    +two {evil}\n+ sysctl net.ipv4.ip_forward\n    running: 0 → 1\n    cannot be undone: {evil}\n\nPlan 01234567: 1 to create, 1 to change.\n"
    );
    Watched::change(&folder, "box", |watched| {
        *watched = Watched {
            look: Some(look),
            at: at - 30_000,
            waiting: Some(plan.clone()),
            mending: Some(plan),
            unseen: None,
        };
    })?;
    let unseen = Unseen { at, why: format!("no route to host\n{evil}") };
    Watched::change(&folder, "away", |watched| watched.unseen = Some(unseen))?;
    Ok(())
}

fn look(at: i64, evil: &str) -> Value {
    let container = |service: &str, state: &str, health: Option<&str>| {
        json!({ "service": service, "container": [format!("shop-{service}-1"), "a1"], "number": 1,
            "image": format!("shop/{service}:1 {evil}"), "state": state, "exit_code": null, "health": health,
            "ports": ["80->8080/tcp"], "since": "2026-11-26T09:00:00Z", "orphan": false, "one_off": false })
    };
    let peer = |name: &str, handshake: Option<u64>| {
        json!({ "name": name, "endpoint": "192.0.2.7:51820", "allowed-ips": ["10.8.0.2/32"], "handshake": handshake,
            "received": 5_000_000, "sent": 700_000 })
    };
    let run = |id: u64, state: &str, error: Option<&str>| {
        json!({ "id": id, "kind": "apply", "state": state, "host": "box", "commit": "0123456789abcdef0123456789abcdef01234567",
            "plan_hash": "00", "operator": format!("alice@laptop {evil}"), "started": at - 86_400_000, "ended": at,
            "error": error, "confirmed": true })
    };
    let row = |from: &str, to: &str, verdict: &str| json!({ "from": from, "by": "wg0", "to": to, "verdict": verdict, "policy": format!("central {evil}") });
    json!({
        "at": at, "version": "0.1.0",
        "revision": { "id": 7, "commit": "0123456789abcdef0123456789abcdef01234567", "at": at - 86_400_000, "policies": ["central", "serve"] },
        "at_work": format!("apply by alice@laptop {evil}"),
        "apps": { "Ok": [
            { "name": "shop", "owned": true, "instances": [
                container("db", "running", None), container("web", "running", Some("healthy")), container("worker", "running", Some("unhealthy")) ] },
            { "name": evil, "owned": false, "instances": [] } ] },
        "firewall": { "Ok": {
            "sections": [{ "chain": "input", "default": "drop by default (central)", "rows": [
                row("any", "tcp 443", "accept"), row("10.8.0.0/24", "tcp 8443", "accept"), row("any", evil, "drop") ] }],
            "doors": [
                { "port": "tcp 22", "program": "sshd", "who": ["10.8.0.0/24 by wg0"] },
                { "port": "tcp 443", "program": evil, "who": ["any"] },
                { "port": "tcp 9000", "program": null, "who": [] } ] } },
        "tunnels": { "Ok": [{ "name": "wg0", "driver": "kernel", "public-key": "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=", "listen-port": 51820,
            "peers": {
                "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=": peer("anna-laptop", Some(12)),
                "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=": peer(evil, None) } }] },
        "backups": [{ "name": "nightly", "made": at - 86_400_000 }, { "name": "hourly", "made": null, "failed": [at, format!("no repository {evil}")] }],
        "runs": [run(8, "undone", Some(evil)), run(7, "applied", None)],
        "last_plan": format!("+ file /etc/motd\n    one {evil}\n")
    })
}
