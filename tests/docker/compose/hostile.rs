//! Files that are meant to do harm: they cost a clear error, and neither the memory of the machine nor its time.

use anyhow::{Result, ensure};

use super::host::{Host, block};

/// What reading a file fails with.
fn refused(project: &str, file: &str) -> Result<String> {
    block(async {
        let host = Host::new(project, file)?;
        Ok(host.plan(&[host.spec()]).await.err().map(|error| error.to_string()).unwrap_or_default())
    })
}

#[test]
fn names_that_stand_for_millions_of_values_are_not_followed() -> Result<()> {
    let mut file = "x-0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let names = vec![format!("*a{}", level - 1); 9].join(", ");
        file.push_str(&format!("x-{level}: &a{level} [{names}]\n"));
    }
    let error = refused("stead-bomb", &(file + "services: { web: { image: x } }\n"))?;
    ensure!(error.contains("anchors that name each other"), "{error}");
    Ok(())
}

#[test]
fn deep_nesting_and_includes_of_themselves_are_refused() -> Result<()> {
    let deep = format!("x-a: {}{}\nservices: {{ web: {{ image: x }} }}\n", "[".repeat(20_000), "]".repeat(20_000));
    let error = refused("stead-deep", &deep)?;
    ensure!(error.contains("depth"), "{error}");
    let round = "include: [compose.yaml]\nservices: { web: { image: x } }\n";
    ensure!(refused("stead-round", round)?.contains("include cycle"));
    Ok(())
}

#[test]
fn more_services_than_a_server_can_run_are_refused() -> Result<()> {
    let services: String = (0..10_000).map(|number| format!("  s{number}: {{ image: x }}\n")).collect();
    let error = refused("stead-many", &format!("services:\n{services}"))?;
    ensure!(error.contains("10000 services"), "{error}");
    Ok(())
}
