//! Several servers of one queue, in PostgreSQL, and the schedules that they all know.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead_tests::postgres::{Postgres, Sync};
use stead_tests::run::run;
use stead_tests::serve::Server;
use stead_tests::wait;

use crate::client::Client;
use crate::service::{Repo, table};

const LIMIT: Duration = Duration::from_secs(30);
const PASSWORD: &str = "not-to-be-seen";

/// Each second: what is due often is soon due.
const SCHEDULE: &str = "[job.tick]\npolicy = \"works\"\nschedule = \"* * * * * *\"\ntime-zone = \"Asia/Kathmandu\"\n\
    input = { result = 1 }\nat-once = 2\n";

/// A database that a password opens, and the lines for `stead.toml`.
fn database(postgres: &Postgres) -> Result<String> {
    let address = postgres.database()?;
    postgres.psql(&format!("create role guarded superuser login password '{PASSWORD}'"))?;
    let rules = postgres.psql("show hba_file")?;
    let before = fs::read_to_string(rules.trim())?;
    fs::write(rules.trim(), format!("local all guarded scram-sha-256\n{before}"))?;
    postgres.psql("select pg_reload_conf()")?;
    let address = address.replace("stead@", "guarded@");
    Ok(format!("[queue]\naddress = \"{address}\"\npassword = \"queue-password\"\n"))
}

fn serve(repo: &Repo, number: u32) -> Result<Server> {
    let folder = repo.path();
    let mut command = Command::new(stead_tests::program::stead()?);
    command.arg("--state").arg(folder.join(format!("state{number}"))).arg("--repo").arg(folder);
    command.args(["serve", "--workers", "2", "--listen", "127.0.0.1:0"]);
    command.env("CREDENTIALS_DIRECTORY", folder.join("credentials"));
    Server::start(&mut command, &folder.join(format!("said{number}")))
}

#[test]
fn servers_share_a_queue_and_a_schedule_is_due_once() -> Result<()> {
    let postgres = Postgres::start(Sync::Off)?;
    let tokens = table("all", &["read", "submit", "cancel", "retry"], &["*"]);
    let repo = Repo::with(&[database(&postgres)?, SCHEDULE.to_owned(), tokens])?;
    fs::create_dir(repo.path().join("credentials"))?;
    fs::write(repo.path().join("credentials/queue-password"), PASSWORD)?;
    let servers = [serve(&repo, 1)?, serve(&repo, 2)?];
    let clients = servers.each_ref().map(|server| Client::of(server, "all"));
    let ticks = || -> Result<Vec<Value>> {
        let listed = clients[1].get("/v1/jobs?policy=works&limit=1000")?.is(200)?.json()?;
        Ok(listed["jobs"].as_array().context("no jobs")?.clone())
    };
    let made = wait::until("six ticks", LIMIT, || Ok(Some(ticks()?).filter(|ticks| ticks.len() >= 6)))?;
    let keys: BTreeSet<_> = made.iter().filter_map(|job| job["idempotency_key"].as_str()).collect();
    ensure!(keys.len() == made.len() && keys.iter().all(|key| key.starts_with("tick 20")), "{keys:?}");

    // A database that goes away for a moment ends no server.
    postgres.cut_connections()?;
    // What one took, all know, and each may work on it.
    let submit = || Ok(Some(clients[0].submit(json!({"result": 2}))?));
    let job = wait::until("a submission", LIMIT, submit)?;
    ensure!(clients[1].until(job, "succeeded")?["result"]["padding"] == "xx");
    let workers = wait::until("both at work", LIMIT, || {
        let mut workers = BTreeSet::new();
        for tick in ticks()? {
            let shown = clients[0].get(&format!("/v1/jobs/{}", tick["id"]))?.is(200)?.json()?;
            workers.extend(shown["history"][0]["worker"].as_str().map(str::to_owned));
        }
        Ok(Some(workers).filter(|workers| workers.len() == 2))
    });
    let said = servers.map(Server::end);
    for said in said {
        let said = said?;
        ensure!(!said.contains(PASSWORD), "{said}");
    }
    workers?;
    // The command line asks the same queue.
    let mut listing = repo.stead()?;
    listing.args(["job", "ls", "--most", "1"]).env("CREDENTIALS_DIRECTORY", repo.path().join("credentials"));
    ensure!(run(&mut listing, LIMIT)?.ok()?.lines().count() == 1);
    fs::write(repo.path().join("credentials/queue-password"), "another")?;
    let refused = run(&mut listing, LIMIT)?.ended_with(71)?;
    ensure!(refused.contains("queue") && !refused.contains("another"), "{refused}");
    Ok(())
}

#[test]
fn what_was_missed_is_made_up_for_once() -> Result<()> {
    let repo = Repo::with(&[SCHEDULE.to_owned(), table("all", &["read"], &["*"])])?;
    let ticks = |server: &Server| -> Result<usize> {
        let listed = Client::of(server, "all").get("/v1/jobs?limit=1000")?.is(200)?.json()?;
        Ok(listed["jobs"].as_array().context("no jobs")?.len())
    };
    let server = repo.serve()?;
    wait::until("a tick", LIMIT, || Ok((ticks(&server)? > 0).then_some(())))?;
    server.end()?;
    let before = run(repo.stead()?.args(["job", "ls", "--most", "1000"]), LIMIT)?.ok()?.lines().count();
    // Nobody is there for some of them; one of a minute is then due once, and what comes after has its turn.
    let text = fs::read_to_string(repo.path().join("stead.toml"))?;
    std::thread::sleep(Duration::from_secs(4));
    let server = repo.serve()?;
    let since = std::time::Instant::now();
    wait::until("the next tick", LIMIT, || Ok((ticks(&server)? > before).then_some(())))?;
    let (after, passed) = (ticks(&server)? - before, since.elapsed().as_secs() as usize);
    ensure!(after <= passed + 3, "{after} in {passed} s: those that were missed came, too");
    server.end()?;

    // A schedule that is new was never due.
    fs::write(
        repo.path().join("stead.toml"),
        text.replace("* * * * * *", "0 0 * * *").replace("job.tick", "job.daily"),
    )?;
    let server = repo.serve()?;
    std::thread::sleep(Duration::from_secs(2));
    let said = server.end()?;
    ensure!(!said.contains("daily"), "{said}");
    Ok(())
}

#[test]
fn what_is_wrong_is_told_and_a_password_is_not() -> Result<()> {
    for (lines, words) in [
        ("[job.tick]\npolicy = \"works\"\nschedule = \"every day\"\n", "is not a schedule"),
        ("[job.tick]\npolicy = \"works\"\nschedule = \"0 0 * * *\"\ntime-zone = \"Berlin\"\n", "Europe/Berlin"),
        ("[job.tick]\nschedule = \"0 0 * * *\"\n", "no policy is called `tick`"),
        ("[job.tick]\npolicy = \"works\"\n", "the key `schedule` is missing"),
        ("[queue]\naddress = \"queue.sqlite\"\n", "postgres://"),
        ("[queue]\naddress = \"postgres://stead:hunter2@localhost/stead\"\n", "make it a secret"),
    ] {
        let repo = Repo::with(&[lines.to_owned()])?;
        let said = run(repo.stead()?.args(["job", "ls"]), LIMIT)?.ended_with(65)?;
        ensure!(said.contains(words) && !said.contains("hunter2"), "{lines}\n{said}");
    }
    let repo = Repo::with(&[])?;
    let text = fs::read_to_string(repo.path().join("stead.toml"))?;
    let address = "queue = \"postgres://nobody@127.0.0.1:1/stead?sslmode=disable\"\n";
    fs::write(repo.path().join("stead.toml"), format!("{address}{text}"))?;
    let said = run(repo.stead()?.args(["job", "ls"]), LIMIT)?.ended_with(71)?;
    ensure!(said.contains("cannot connect to the queue's database"), "{said}");
    Ok(())
}
