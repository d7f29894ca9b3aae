//! A project that goes to Docker Swarm as a stack.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;
use stead_tests::docker::Engine;
use stead_tests::wait;

use super::repo::{Repo, in_order};

const FILE: &str = "
services:
  web:
    image: {image}
    command: [sleep, '1000']
    stop_grace_period: 1s
    environment: { LEVEL: low, PRICE: '5$$' }
    configs: [{ source: motd, target: /motd }]
    secrets: [key]
    volumes: ['./site:/site:ro', data:/data]
    networks: { front: { aliases: [www] } }
    depends_on: [db]
    deploy:
      replicas: 2
      update_config: { parallelism: 2, order: start-first, monitor: 1s }
      resources: { limits: { memory: 64M, cpus: '0.5' } }
  db: { image: '{image}', command: [sleep, '1000'], stop_grace_period: 1s, networks: [front] }
networks: { front: {} }
volumes: { data: {} }
configs: { motd: { file: ./motd } }
secrets: { key: { file: ./key } }
";

fn repo(app: &str, file: &str) -> Result<Repo> {
    let repo = Repo::on(Engine::swarm()?, app, file)?;
    for (name, content) in [("motd", "welcome\n"), ("key", "s3cr3t\n"), ("site/index", "one\n")] {
        repo.write(name, content)?;
    }
    drives(&repo)?;
    Ok(repo)
}

fn drives(repo: &Repo) -> Result<()> {
    repo.declare("", &format!("[app.{}]\nengine = \"swarm\"", repo.app))
}

fn service(repo: &Repo, name: &str) -> Result<Value> {
    let full = format!("{}_{name}", repo.app);
    let found: Value = serde_json::from_str(&repo.engine.docker(["service", "inspect", &full])?.ok()?)?;
    Ok(found[0].clone())
}

/// When a service was last touched by anybody.
fn version(repo: &Repo, name: &str) -> Result<String> {
    Ok(service(repo, name)?["UpdatedAt"].to_string())
}

#[test]
fn a_stack_is_brought_up_changed_mended_and_taken_down() -> Result<()> {
    let repo = repo("stead-stack", FILE)?;
    let said = repo.up()?;
    let created = ["service db: create from", "service web: create 2 times from", "network stead-stack_front: create"];
    in_order(&said, &[&["engine: Docker Swarm"], &created[..]].concat())?;
    is_a_stack(&repo)?;
    let db = version(&repo, "db")?;
    repo.stead("plan", 0)?;
    repo.stead("drift", 0)?;

    repo.write("compose.yaml", &FILE.replace("LEVEL: low", "LEVEL: high").replace("replicas: 2", "replicas: 3"))?;
    let said = repo.up()?;
    in_order(
        &said,
        &["service web: scale from 2 to 3", "service web: recreate, because of deploy, environment; started first"],
    )?;
    ensure!(version(&repo, "db")? == db, "db was touched");
    let web = service(&repo, "web")?;
    ensure!(web["Spec"]["Mode"]["Replicated"]["Replicas"] == 3 && web["UpdateStatus"]["State"] == "completed", "{web}");

    repo.write("motd", "welcome back\n")?;
    let said = repo.up()?;
    in_order(&said, &["file motd: change", "service web: recreate, because of files that it mounts; started first"])?;
    says(&repo, "welcome back\n")?;
    let configs =
        repo.engine.docker(["config", "ls", "--format", "{{.Name}}", "--filter", "name=stead-stack_"])?.ok()?;
    ensure!(configs.lines().count() == 1, "one content, one config: {configs}");

    what_is_changed_by_hand_is_mended(&repo)?;
    repo.stead("rollback --yes 1", 0)?;
    ensure!(service(&repo, "web")?["Spec"].to_string().contains("LEVEL=low"));
    says(&repo, "welcome\n")?;
    repo.stead("drift", 0)?;
    repo.stead("rollback --yes 0", 0)?;
    let left = ["stack ls", "network ls", "config ls", "secret ls"].map(|what| {
        let words: Vec<&str> = what.split(' ').collect();
        repo.engine.docker([words[0], words[1], "--format", "{{.Name}}"]).and_then(|said| said.ok())
    });
    for said in left {
        // Other tests have stacks on the same engine.
        let is_its_own = |line: &str| line == "stead-stack" || line.starts_with("stead-stack_");
        let said = said?;
        ensure!(!said.lines().any(is_its_own), "something is left: {said}");
    }
    let volumes = repo.engine.docker(["volume", "ls", "--format", "{{.Name}}"])?.ok()?;
    ensure!(volumes.contains("stead-stack_data"), "{volumes}");
    Ok(())
}

/// A former task may run for another moment beside the new ones.
fn says(repo: &Repo, motd: &str) -> Result<()> {
    wait::until("the new task", Duration::from_secs(20), || {
        Ok((repo.stead("app exec stead-stack web cat /motd", 0).is_ok_and(|said| said == motd)).then_some(()))
    })
}

/// As docker(1) sees it, and as its tasks see themselves.
fn is_a_stack(repo: &Repo) -> Result<()> {
    let stacks = repo.engine.docker(["stack", "ls", "--format", "{{.Name}} {{.Services}}"])?.ok()?;
    ensure!(stacks.contains("stead-stack 2"), "{stacks}");
    let listed =
        repo.engine.docker(["stack", "services", "--format", "{{.Name}} {{.Replicas}}", "stead-stack"])?.ok()?;
    ensure!(listed.contains("stead-stack_web 2/2") && listed.contains("stead-stack_db 1/1"), "{listed}");
    let tasks = repo.engine.docker(["stack", "ps", "--format", "{{.CurrentState}}", "stead-stack"])?.ok()?;
    ensure!(tasks.lines().count() == 3 && tasks.lines().all(|state| state.starts_with("Running")), "{tasks}");
    assert_eq!(
        repo.stead("app exec stead-stack web cat /motd /run/secrets/key /site/index", 0)?,
        "welcome\ns3cr3t\none\n"
    );
    let web = service(repo, "web")?["Spec"].to_string();
    ensure!(web.contains("PRICE=5$\"") && web.contains("\"MemoryBytes\":67108864") && web.contains("\"www\""), "{web}");
    let app = repo.listed()?;
    ensure!(app["owned"] == true && app["instances"].as_array().map(Vec::len) == Some(3), "{app}");
    let words = ["app", "exec", "stead-stack", "web", "sh", "-c", "busybox nslookup db && busybox nslookup www"];
    repo.words(&words, "", 0).map(drop)
}

fn what_is_changed_by_hand_is_mended(repo: &Repo) -> Result<()> {
    repo.engine.docker(["service", "scale", "-d", "stead-stack_web=1"])?.ok()?;
    ensure!(repo.stead("drift", 2)?.contains("service web: scale from 1 to 3"));
    repo.engine.docker(["service", "update", "-d", "--env-add", "LEVEL=mine", "stead-stack_db"])?.ok()?;
    let said = repo.stead("drift", 2)?;
    ensure!(
        said.contains("service db: recreate, because of another version of the Compose plugin, or a change by hand"),
        "{said}"
    );
    repo.engine
        .docker([
            "service",
            "create",
            "-d",
            "--name",
            "stead-stack_old",
            "-l",
            "com.docker.stack.namespace=stead-stack",
            "stead-stack:1",
            "sleep",
            "99",
        ])?
        .ok()?;
    ensure!(repo.stead("drift", 2)?.contains("service old: remove"));
    repo.up()?;
    ensure!(!service(repo, "db")?["Spec"].to_string().contains("LEVEL=mine"));
    repo.stead("drift", 0).map(drop)
}

#[test]
fn what_does_not_run_is_said_and_the_former_comes_back() -> Result<()> {
    let repo = repo("stead-stack-ill", &FILE.replace("start-first", "stop-first"))?;
    repo.up()?;
    let before = service(&repo, "web")?["Spec"]["TaskTemplate"]["ContainerSpec"].clone();
    let ill = FILE.replacen("[sleep, '1000']", "[sh, -c, 'echo cannot open the database; exit 4']", 1);
    repo.write("compose.yaml", &ill)?;
    let said = repo.stead("apply --yes", 79)?;
    in_order(&said, &["service web", "cannot open the database", "everything was taken back"])?;
    ensure!(service(&repo, "web")?["Spec"]["TaskTemplate"]["ContainerSpec"] == before, "it is not as before");
    repo.stead("drift", 0)?;
    let nowhere = FILE.replace(
        "      replicas: 2",
        "      replicas: 2\n      placement: { constraints: ['node.labels.disk == fast'] }",
    );
    repo.write("compose.yaml", &nowhere)?;
    let said = repo.stead("plan", 2)?;
    ensure!(!said.contains("left out"), "{said}");
    Ok(())
}

#[test]
fn what_a_swarm_lacks_is_refused_and_the_guard_is_the_same() -> Result<()> {
    let lacking = FILE.replacen("    stop_grace_period: 1s", "    cpuset: '0'\n    ports: ['127.0.0.1:80:80']", 1);
    let repo = repo("stead-stack-lacks", &lacking)?;
    let grants = std::fs::read_to_string(repo.path("stead.toml"))?.replace("projects =", "ports = [80]\nprojects =");
    std::fs::write(repo.path("stead.toml"), grants)?;
    let said = repo.stead("plan", 67)?;
    in_order(
        &said,
        &[
            "service web, key cpuset: a swarm has nothing of the kind",
            "key ports: a swarm publishes a port at every address",
        ],
    )?;
    repo.write("compose.yaml", &FILE.replace("./site", "/etc"))?;
    ensure!(repo.stead("plan", 66)?.contains("service web, key volumes: bind /etc"));
    Ok(())
}

#[test]
fn a_host_that_manages_no_swarm_is_told_so() -> Result<()> {
    let repo = Repo::new("stead-stack-none", "services: { web: { image: '{image}' } }")?;
    drives(&repo)?;
    let said = repo.stead("plan", 67)?;
    ensure!(said.contains("needs a manager of a swarm") && said.contains("docker swarm init"), "{said}");
    Ok(())
}

#[test]
fn a_project_moves_into_a_swarm_and_back() -> Result<()> {
    let file = "services: { web: { image: '{image}', command: [sleep, '1000'], stop_grace_period: 1s } }";
    let repo = Repo::on(Engine::swarm()?, "stead-stack-moves", file)?;
    repo.up()?;
    repo.inspect("stead-stack-moves-web-1", "{{.Id}}")?;
    drives(&repo)?;
    repo.up()?;
    ensure!(repo.inspect("stead-stack-moves-web-1", "{{.Id}}").is_err(), "the container is still there");
    service(&repo, "web")?;
    repo.stead("drift", 0)?;
    repo.stead("rollback --yes 1", 0)?;
    repo.inspect("stead-stack-moves-web-1", "{{.Id}}")?;
    ensure!(service(&repo, "web").is_err(), "the stack is still there");
    repo.stead("drift", 0).map(drop)
}
