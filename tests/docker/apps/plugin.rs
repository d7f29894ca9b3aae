//! A project that the Compose plugin drives: planned, guarded, applied and taken back as any other.

use anyhow::{Result, ensure};

use super::repo::{Repo, in_order};

const FILE: &str = "
services:
  web:
    image: {image}
    command: [sleep, '1000']
    stop_grace_period: 0s
    environment: { LEVEL: \"${LEVEL:-low}\", PRICE: '5$$' }
    volumes: ['./conf:/conf:ro']
    depends_on: { setup: { condition: service_completed_successfully } }
  setup: { image: '{image}', command: ['true'] }
";

fn repo(app: &str, file: &str) -> Result<Repo> {
    let repo = Repo::new(app, file)?;
    repo.write("conf/a", "one\n")?;
    repo.declare("", &format!("[app.{app}]\nengine = \"plugin\""))?;
    Ok(repo)
}

#[test]
fn docker_compose_brings_it_up_changes_it_and_takes_it_down() -> Result<()> {
    let repo = repo("stead-driven", FILE)?;
    let said = repo.up()?;
    in_order(&said, &["engine: docker compose", "service setup: create", "service web: create"])?;
    let id = |name: &str| repo.inspect(&format!("stead-driven-{name}-1"), "{{.Id}}");
    let (web, setup) = (id("web")?, id("setup")?);
    let labels = repo.inspect("stead-driven-web-1", "{{json .Config.Labels}}")?;
    ensure!(!labels.contains("stead.") && labels.contains("com.docker.compose.config-hash"), "made by stead: {labels}");
    repo.stead("plan", 0)?;
    repo.stead("drift", 0)?;

    let changed = FILE.replace("LEVEL:-low", "LEVEL:-high");
    repo.write("compose.yaml", &changed)?;
    repo.write("conf/a", "two\n")?;
    let said = repo.up()?;
    let note = "service web: recreate, because of environment; stopped first: docker compose does so";
    in_order(&said, &["file compose.yaml: change", "file conf/a: change", note])?;
    ensure!(id("web")? != web && id("setup")? == setup);
    let environment = repo.inspect("stead-driven-web-1", "{{json .Config.Env}}")?;
    ensure!(environment.contains("\"LEVEL=high\"") && environment.contains("\"PRICE=5$\""), "{environment}");
    assert_eq!(repo.stead("app exec stead-driven web cat /conf/a", 0)?, "two\n");
    // docker compose itself has nothing to do.
    let before = id("web")?;
    let file = repo.path("state/apps/stead-driven/compose.yaml");
    repo.compose("stead-driven", &file, &["up", "-d"])?;
    assert_eq!(before, id("web")?);

    repo.engine.docker(["rm", "-f", "stead-driven-web-1"])?.ok()?;
    ensure!(repo.stead("drift", 2)?.contains("service web: create"));
    repo.stead("rollback --yes 1", 0)?;
    ensure!(repo.inspect("stead-driven-web-1", "{{.Config.Env}}")?.contains("LEVEL=low"));
    assert_eq!(repo.stead("app exec stead-driven web cat /conf/a", 0)?, "one\n");
    repo.stead("rollback --yes 0", 0)?;
    ensure!(repo.listed()?.is_null(), "something is left");
    Ok(())
}

#[test]
fn what_does_not_become_healthy_is_taken_back() -> Result<()> {
    let repo = repo("stead-driven-ill", FILE)?;
    repo.up()?;
    let ill = FILE.replace("[sleep, '1000']", "[sh, -c, 'echo cannot open the database; exit 4']");
    repo.write("compose.yaml", &ill)?;
    let said = repo.stead("apply --yes", 79)?;
    in_order(&said, &["ended with exit code 4", "cannot open the database", "everything was taken back"])?;
    ensure!(repo.inspect("stead-driven-ill-web-1", "{{.State.Running}}")? == "true");
    repo.stead("drift", 0)?;
    let stuck = FILE.replace("command: ['true']", "command: ['false']");
    repo.write("compose.yaml", &stuck)?;
    let said = repo.stead("apply --yes", 79)?;
    ensure!(said.contains("setup"), "{said}");
    ensure!(repo.inspect("stead-driven-ill-web-1", "{{.State.Running}}")? == "true");
    repo.stead("drift", 0).map(drop)
}

#[test]
fn the_guard_is_the_same_and_the_table_must_be_right() -> Result<()> {
    let repo = repo("stead-driven-guard", &FILE.replace("'./conf:/conf:ro'", "'/etc:/conf:ro'"))?;
    let said = repo.stead("plan", 66)?;
    ensure!(said.contains("service web, key volumes: bind /etc"), "{said}");
    repo.declare("", "[app.stead-driven-guard]\nengine = \"podman\"")?;
    ensure!(repo.stead("plan", 65)?.contains("podman"));
    repo.declare("", "[app.elsewhere]\nengine = \"plugin\"")?;
    ensure!(repo.stead("plan", 65)?.contains("there is no folder apps/elsewhere"));
    Ok(())
}
