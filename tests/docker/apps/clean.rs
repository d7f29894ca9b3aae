//! `stead app clean`: only what no revision that counts, and nothing else, needs.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::repo::Repo;

const FILE: &str = "services: { web: { image: '{image}', command: [sleep, '1000'], stop_grace_period: 0s } }";

/// Names of images that would go.
fn waste(repo: &Repo, options: &str) -> Result<Vec<String>> {
    let said: Value = serde_json::from_str(repo.stead(&format!("app clean --json {options}"), 0)?.trim())?;
    let names = said["images"].as_array().into_iter().flatten().flat_map(|image| image["names"].as_array());
    let mut names: Vec<_> = names.flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}

#[test]
fn images_of_the_last_revisions_stay_and_so_does_what_others_use() -> Result<()> {
    let repo = Repo::new("stead-tidy", FILE)?;
    // Each an image of its own, and one that stead has never heard of.
    let tar = stead_tests::docker::busybox_tar()?;
    for tag in ["1", "2", "3", "4", "theirs"] {
        let change = format!("LABEL n={tag}");
        let name = format!("stead-tidy:{tag}");
        repo.engine.docker(["import", "--change", &change, &tar.to_string_lossy(), &name])?.ok()?;
    }
    for tag in ["1", "2", "3", "4"] {
        repo.write("compose.yaml", &FILE.replace("{image}", &format!("stead-tidy:{tag}")))?;
        repo.up()?;
    }
    assert_eq!(waste(&repo, "--keep 4")?, [""; 0]);
    assert_eq!(waste(&repo, "--keep 2")?, ["stead-tidy:1", "stead-tidy:2"]);
    repo.declare("keep-images = 3", "")?;
    assert_eq!(waste(&repo, "box")?, ["stead-tidy:1"]);
    // A stopped container of somebody else needs one, and another one has a name that is not stead's.
    repo.engine.docker(["create", "--name", "stead-tidy-else", "stead-tidy:1", "true"])?.ok()?;
    repo.engine.docker(["tag", "stead-tidy:2", "stead-tidy-mine:2"])?.ok()?;
    let held = waste(&repo, "--keep 1")?;
    repo.engine.docker(["rm", "stead-tidy-else"])?.ok()?;
    assert_eq!(held, ["stead-tidy:3"]);
    repo.engine.docker(["rmi", "stead-tidy-mine:2"])?.ok()?;

    ensure!(repo.alone("app clean --keep 2", 64)?.contains("add --yes"), "nobody agreed");
    let said = repo.stead("app clean --keep 2 --yes", 0)?;
    ensure!(said.contains("image stead-tidy:1, ") && said.contains("removed 2 images"), "{said}");
    let left = repo.engine.docker(["images", "--format", "{{.Tag}}", "stead-tidy"])?.ok()?;
    let mut left: Vec<_> = left.split_whitespace().collect();
    left.sort_unstable();
    assert_eq!(left, ["3", "4", "theirs"]);
    ensure!(repo.stead("app clean --keep 2 --yes", 0)?.contains("nothing to remove"));
    ensure!(repo.stead("log", 0)?.contains("app clean  done"));
    repo.stead("rollback --yes 3", 0)?;
    ensure!(repo.inspect("stead-tidy-web-1", "{{.Config.Image}}")? == "stead-tidy:3");
    for tag in ["3", "4", "theirs"] {
        repo.engine.docker(["rmi", "-f", &format!("stead-tidy:{tag}")])?.ok()?;
    }
    Ok(())
}
