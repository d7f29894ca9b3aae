//! What a compose file asks of the host is held against the grant, on the resolved model.

use anyhow::{Result, ensure};

use super::host::{Host, block, compose};

const POWERS: &str = "
services:
  web:
    image: {image}
    ports: ['18380:80']
    privileged: true
    pid: host
    cap_add: [SYS_ADMIN]
    devices: [/dev/null]
    volumes: ['/etc/../srv:/srv', '/var/run/docker.sock:/s', 'sly:/sly', './link/x:/x']
volumes:
  sly: { driver_opts: { type: none, o: bind, device: /root } }
";

#[test]
fn every_power_needs_its_grant() -> Result<()> {
    block(async {
        let host = Host::new("stead-guard", POWERS)?;
        let fact = host.observe(&[host.spec()]).await?;
        let mut grant = toml::Table::from_iter([("projects".to_owned(), toml::Value::from(vec!["stead-*"]))]);
        let mut asked = Vec::new();
        loop {
            let table = toml::Value::Table(grant.clone()).to_string();
            let scope = compose()?.scope(toml::de::ValueDeserializer::parse(&table)?)?;
            let Err(denied) = compose()?.check_fact(scope.as_ref(), &host.spec(), &fact)? else { break };
            let words = denied.grant("base");
            let added: toml::Table = words.lines().skip(1).collect::<Vec<_>>().join("\n").parse()?;
            asked.push(denied.asked);
            for (key, value) in added {
                match (grant.get_mut(&key), value) {
                    (Some(toml::Value::Array(had)), toml::Value::Array(more)) => had.extend(more),
                    (_, value) => drop(grant.insert(key, value)),
                }
            }
            ensure!(asked.len() < 20, "pasting what is offered does not help: {asked:#?}");
        }
        assert_eq!(
            asked,
            [
                "service web, key image: run the image stead-guard:1",
                "service web, key privileged: be privileged",
                "service web, key pid: share the host's pid namespace",
                "service web, key devices: use the device /dev/null",
                "service web, key cap_add: gain SYS_ADMIN",
                "service web, key ports: publish port 18380",
                "service web, key volumes: bind /srv",
                "service web, key volumes: use the Docker socket, which is root on this host,",
                "service web, key volumes: bind /root",
            ]
        );
        Ok(())
    })
}

#[test]
fn a_link_out_of_the_folder_is_followed_to_its_end() -> Result<()> {
    block(async {
        let host = Host::new("stead-sly", "services: { web: { image: '{image}', volumes: ['./data/x:/x'] } }")?;
        host.observe(&[host.spec()]).await?;
        // As a container could have left it.
        std::fs::create_dir_all(host.lasting())?;
        std::os::unix::fs::symlink("/etc", host.lasting().join("data"))?;
        let fact = host.observe(&[host.spec()]).await?.to_string();
        ensure!(fact.contains("\"real\":\"/etc/x\""), "{fact}");
        std::os::unix::fs::symlink("/etc", host.staged().join("link"))?;
        let error = host.observe(&[host.spec()]).await.expect_err("it was read").to_string();
        ensure!(error.contains("link is a symbolic link that leads out"), "{error}");
        Ok(())
    })
}

#[test]
fn without_docker_there_is_a_hint() -> Result<()> {
    block(async {
        let host = Host::new("stead-down", "services: {}")?;
        std::fs::remove_file(host.machine()?.path("/var/run/docker.sock"))?;
        let error = host.plan(&[host.spec()]).await.expect_err("it was planned").to_string();
        ensure!(error.contains("declare the package `docker.io`"), "{error}");
        std::fs::create_dir_all(host.machine()?.path("/usr/bin"))?;
        std::fs::write(host.machine()?.path("/usr/bin/dockerd"), "")?;
        let error = host.plan(&[host.spec()]).await.expect_err("it was planned").to_string();
        ensure!(error.contains("systemctl status docker"), "{error}");
        Ok(())
    })
}
