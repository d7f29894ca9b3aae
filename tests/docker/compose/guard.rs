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

/// Each brings content of a file into the project, without a mount.
const READERS: [&str; 3] = [
    "services: { web: { image: '{image}', env_file: ['{file}'] } }",
    "include: ['{file}']\nservices: { web: { image: '{image}' } }",
    "services: { web: { image: '{image}', extends: { file: '{file}', service: web } } }",
];

#[test]
fn files_outside_of_the_folder_cannot_be_read() -> Result<()> {
    block(async {
        let host = Host::new("stead-reach", "services: {}")?;
        let outside = host.state().join("apps/outside.yaml");
        std::fs::create_dir_all(host.state().join("apps"))?;
        std::fs::write(&outside, "services: { web: { environment: { KEY: s3cr3t } } }")?;
        let outside = outside.display().to_string();
        let paths = [outside.as_str(), "../outside.yaml", "/proc/1/root/etc/hostname", "/etc/hostname"];
        for (reader, file) in READERS.iter().flat_map(|reader| paths.map(|file| (reader, file))) {
            host.write("compose.yaml", &reader.replace("{file}", file))?;
            let error = host.observe(&[host.spec()]).await.err().map(|error| error.to_string()).unwrap_or_default();
            let name = file.trim_start_matches("../");
            ensure!(error.contains(name) && error.contains("its own folder, apps/stead-reach"), "{file}: {error}");
        }
        for reader in READERS {
            host.write("compose.yaml", &reader.replace("{file}", "in/file.yaml"))?;
            host.write("in/file.yaml", if reader.contains("env_file") { "A=1" } else { "services: { web: {} }" })?;
            // An included service of the same name is a conflict of the two files, which says that both were read.
            match host.observe(&[host.spec()]).await {
                Err(error) => ensure!(error.to_string().contains("conflicts with imported resource"), "{error}"),
                Ok(_) => ensure!(!reader.contains("include"), "it was not included"),
            }
        }
        Ok(())
    })
}

#[test]
fn a_link_that_a_container_left_leads_the_plugin_nowhere() -> Result<()> {
    block(async {
        let file = "services: { web: { image: '{image}', command: [sleep, '1000'], stop_grace_period: 0s, \
                    env_file: [{ path: data/env, required: false }] } }";
        let mut host = Host::new("stead-lure", file)?;
        std::fs::create_dir_all(host.lasting())?;
        std::fs::write(host.state().join("env"), "KEY=s3cr3t")?;
        std::os::unix::fs::symlink(host.state(), host.lasting().join("data"))?;
        host.up().await?;
        let web = host.inspect("stead-lure-web-1")?.to_string();
        ensure!(!web.contains("s3cr3t"), "{web}");
        Ok(())
    })
}

#[test]
fn a_file_that_a_container_left_is_not_read() -> Result<()> {
    block(async {
        let file = "services: { web: { image: '{image}', command: [sleep, '1000'], stop_grace_period: 0s } }";
        let mut host = Host::new("stead-left", file)?;
        host.up().await?;
        let more = "services: { web: { privileged: true, environment: { LEFT: yes } } }";
        std::fs::write(host.lasting().join("compose.override.yaml"), more)?;
        host.write("compose.yaml", &file.replace("1000", "2000"))?;
        host.up().await?;
        let web = host.inspect("stead-left-web-1")?;
        ensure!(web["HostConfig"]["Privileged"] == false && !web.to_string().contains("LEFT"), "{web}");
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
