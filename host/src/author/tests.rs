//! What an author does: begin a repo, build its policy with the real compiler, look into the component, run it.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::{BuildError, Built, CargoError, InitError, InspectError, Source, Sources, build, init, inspect};
use crate::policy::{Policy, PolicyError, RunError, Runtime};
use crate::repo::Repo;

const CARGO: &str = "policies/server/Cargo.toml";
const LIB: &str = "policies/server/src/lib.rs";
const WORLD: &str = "policies/server/wit/world.wit";

fn server(repo: &Path) -> Result<Built, BuildError> {
    build(&Source { repo, name: "server", folder: &repo.join("policies/server") }, &mut |_| {})
}

fn edit(path: &Path, from: &str, to: &str) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    ensure!(text.contains(from), "{} does not hold {from:?}", path.display());
    Ok(std::fs::write(path, text.replace(from, to))?)
}

#[test]
fn init_writes_a_repo_and_overwrites_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repo = folder.path().join("infra");
    let files = init(&repo)?;
    for file in ["stead.toml", ".gitignore", "README.md", CARGO, LIB, WORLD, "apps/hello/compose.yaml"] {
        ensure!(files.iter().any(|written| written == Path::new(file)), "{file} is not among {files:?}");
        ensure!(repo.join(file).is_file(), "{file} was not written");
    }
    ensure!(repo.join(".stead/sdk/rust/src/lib.rs").is_file() && repo.join(".stead/wit/world.wit").is_file());

    std::fs::write(repo.join("stead.toml"), "# mine")?;
    std::fs::remove_file(repo.join("README.md"))?;
    ensure!(matches!(init(&repo), Err(InitError::Exists { .. })));
    assert_eq!(std::fs::read_to_string(repo.join("stead.toml"))?, "# mine");
    ensure!(!repo.join("README.md").exists(), "it wrote something although it refused");
    Ok(())
}

/// One test, because each build of the SDK with the real compiler takes half a minute.
#[tokio::test]
async fn a_policy_is_built_inspected_and_run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repo = folder.path().canonicalize()?;
    init(&repo)?;
    // What runs is what this host offers, so the policy of the test asks for one capability only.
    std::fs::write(repo.join(LIB), POLICY)?;
    let built = server(&repo)?;
    assert_eq!(built.path, repo.join(".stead/build/server.wasm"));
    assert_eq!(std::fs::read(&built.path)?, built.component);
    assert_eq!(Sources::built(&built.path), Some(Sources::of(&repo.join("policies/server"))?));

    shows_what_it_asks_for(&built)?;
    ensure!(!String::from_utf8_lossy(&built.component).contains(&*repo.to_string_lossy()), "it names this machine");
    runs_and_crashes_readably(&built, &repo).await?;
    assert_eq!(server(&repo)?.digest, built.digest, "another build of the same gives another component");
    refuses_more_than_the_world_says(&repo)?;
    passes_on_what_the_compiler_says(&repo)
}

const POLICY: &str = r#"
use stead_guest::{Error, config, firewall};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    port: u16,
}

fn configure() -> Result<(), Error> {
    let config: Config = config::parse()?;
    firewall::open(firewall::Protocol::Tcp, config.port, &[], None)?;
    stead_guest::info!("opened {}", config.port);
    assert!(config.port != 8080, "no port {}\nplease", config.port);
    Ok(())
}

stead_guest::policy!(configure);
"#;

fn shows_what_it_asks_for(built: &Built) -> Result<()> {
    let inspection = inspect(&built.component)?;
    assert_eq!(inspection.capabilities, ["firewall"]);
    assert_eq!(inspection.contract, ["0.1.0"]);
    assert_eq!(inspection.exports, ["stead:host/configure@0.1.0"]);
    assert_eq!(
        inspection.imports,
        ["config", "firewall", "log", "types"].map(|name| format!("stead:host/{name}@0.1.0"))
    );
    ensure!(inspection.languages.iter().any(|tool| tool.name == "Rust"), "{:?}", inspection.languages);
    assert_eq!((inspection.size.0, &inspection.digest), (built.component.len() as u64, &built.digest));
    Ok(())
}

async fn runs_and_crashes_readably(built: &Built, repo: &Path) -> Result<()> {
    let runtime = Runtime::open(&repo.join("cache"))?;
    let text = "[host.a]\npolicies = [\"server\"]\n[policy.server]\nsource = \"policies/server\"\n\
        [policy.server.grant.firewall]\nports = [22, 8080]\n";
    let parsed = Repo::parse(repo, text.to_owned())?;
    let host = parsed.hosts().next().context("no host")?;
    let policies = parsed.policies_of(host);
    let grants = &policies.first().context("no policy")?.grants;
    let run = async |config: serde_json::Value| {
        let policy = Policy {
            name: "server",
            component: &built.component,
            grants,
            config: &config,
            meshes: &Default::default(),
            engines: &Default::default(),
            backups: &Default::default(),
            limits: Default::default(),
        };
        runtime.configure(&policy, &Default::default()).await
    };
    let ran = run(serde_json::json!({ "port": 22 })).await?;
    assert_eq!(ran.log.first().map(|line| line.message.as_str()), Some("opened 22"));

    let failed = run(serde_json::json!({ "port": 8080 })).await.err().context("it did not crash")?.to_string();
    ensure!(failed.contains("panicked at src/lib.rs:14:5: no port 8080\nplease"), "{failed}");
    ensure!(failed.contains("\n  in configure, policies/server/src/lib.rs:14:5\n"), "{failed}");
    ensure!(!failed.contains("/rustc/"), "{failed}");

    let denied = run(serde_json::json!({ "port": 25 })).await;
    ensure!(matches!(denied, Err(PolicyError::Run { error: RunError::Denied { .. }, .. })), "{denied:?}");
    let wrong = run(serde_json::json!({ "prt": 22 })).await.err().context("a typo passed")?.to_string();
    assert_eq!(wrong, "policy server failed: config.prt: unknown field `prt`, expected `port`");
    Ok(())
}

fn refuses_more_than_the_world_says(repo: &Path) -> Result<()> {
    edit(&repo.join(WORLD), "    import stead:host/firewall@0.1.0;\n", "")?;
    let refused = server(repo).err().context("it asks for more than it says")?.to_string();
    ensure!(refused.ends_with("add\n    import stead:host/firewall@0.1.0;"), "{refused}");
    let world = std::fs::read(repo.join(WORLD))?;
    std::fs::remove_file(repo.join(WORLD))?;
    ensure!(server(repo).is_err_and(|error| error.to_string().contains("wit/world.wit")));
    Ok(std::fs::write(repo.join(WORLD), world)?)
}

fn passes_on_what_the_compiler_says(repo: &Path) -> Result<()> {
    edit(&repo.join(LIB), "use stead_guest", "use steadguest")?;
    let mut said = Vec::new();
    let folder = repo.join("policies/server");
    let source = Source { repo, name: "server", folder: &folder };
    let failed = build(&source, &mut |line| said.push(line.to_owned()));
    let Err(BuildError::Cargo(CargoError::Failed { words })) = failed else { anyhow::bail!("{failed:?}") };
    ensure!(words.contains("steadguest") && said.iter().any(|line| line.contains("steadguest")), "{words}");

    edit(&repo.join(LIB), "use steadguest", "use stead_guest")?;
    edit(&repo.join(CARGO), "crate-type = [\"cdylib\"]", "crate-type = [\"rlib\"]")?;
    ensure!(matches!(server(repo), Err(BuildError::Cargo(CargoError::NoModule))));
    std::fs::remove_file(repo.join(CARGO))?;
    ensure!(matches!(server(repo), Err(BuildError::NoPackage { .. })));
    ensure!(repo.join(".stead/build/server.wasm").is_file(), "the component of an earlier build is gone");
    Ok(())
}

#[test]
fn what_is_no_component_is_not_inspected() -> Result<()> {
    assert_eq!(inspect(b"hello"), Err(InspectError::NotWasm));
    assert_eq!(inspect(&wat::parse_str("(module)")?), Err(InspectError::CoreModule));
    let whole = wat::parse_str("(component (core module (func)))")?;
    inspect(&whole)?;
    let cut = inspect(whole.get(..whole.len() - 3).unwrap_or_default());
    ensure!(matches!(cut, Err(InspectError::Malformed { .. })), "{cut:?}");
    Ok(())
}
