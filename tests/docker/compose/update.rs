//! An update costs no request, and one that fails costs nothing.

use std::time::Duration;

use anyhow::{Result, ensure};
use stead::capability::ApplyError;

use super::host::{Host, block};

/// A server that ends as good servers do: what it began is answered first.
const SERVED: &str = "
services:
  web:
    image: {image}
    command: [sh, -c, 'sleep 1; busybox httpd -f -p 80 -h /etc & trap \"sleep 1; kill $$!; sleep 1; exit 0\" TERM; wait']
    healthcheck: { test: [CMD, wget, -q, -O, /dev/null, 'http://127.0.0.1/passwd'], interval: 500ms, retries: 20 }
    environment: { VERSION: '1' }
  asks:
    image: {image}
    stop_grace_period: 0s
    depends_on: { web: { condition: service_healthy } }
    command:
      - sh
      - -c
      - |
        while true; do
          failed=yes
          for at in $$(busybox nslookup web 127.0.0.11 | busybox awk '/^Address/ && !/:53$$/ {print $$NF}'); do
            if busybox timeout 5 wget -q -O /dev/null http://$$at/passwd; then failed=no; break; fi
          done
          echo $$failed
        done
";

/// How many requests were answered, and how many were not.
fn asked(host: &Host) -> Result<(usize, usize)> {
    let said = host.engine.docker(["logs", &format!("{}-asks-1", host.project)])?.ok()?;
    let count = |word: &str| said.lines().filter(|line| *line == word).count();
    Ok((count("no"), count("yes")))
}

async fn until_asked(host: &Host, more: usize) -> Result<()> {
    let before = asked(host)?.0;
    let limit = tokio::time::Instant::now() + Duration::from_secs(60);
    while asked(host)?.0 < before + more {
        ensure!(tokio::time::Instant::now() < limit, "nobody answers: {:?}", asked(host)?);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

#[test]
fn an_update_that_starts_first_fails_no_request() -> Result<()> {
    block(async {
        let mut host = Host::new("stead-zero", SERVED)?;
        host.up().await?;
        until_asked(&host, 20).await?;
        let before = host.ids()?;
        for version in ["'2'", "'3'"] {
            host.write("compose.yaml", &SERVED.replace("'1'", version))?;
            let notes = host.up().await?;
            ensure!(
                notes.contains(&"service web: recreate, because of environment; started first".to_owned()),
                "{notes:?}"
            );
            until_asked(&host, 20).await?;
        }
        let after = host.ids()?;
        ensure!(before["stead-zero-web-1"] != after["stead-zero-web-1"] && after.len() == 2, "{after:?}");
        assert_eq!(before["stead-zero-asks-1"], after["stead-zero-asks-1"]);
        let (answered, failed) = asked(&host)?;
        ensure!(failed == 0, "{failed} of {answered} requests failed");
        ensure!(host.up().await?.is_empty());
        let before = host.ids()?;
        host.compose(["up", "--detach"])?;
        assert_eq!(before, host.ids()?, "it is as docker compose would have made it");
        Ok(())
    })
}

#[test]
fn one_that_starts_first_and_fails_leaves_the_former_alone() -> Result<()> {
    block(async {
        let mut host = Host::new("stead-first", SERVED)?;
        host.up().await?;
        until_asked(&host, 5).await?;
        let before = host.ids()?;
        let ill = SERVED.replace("sleep 1; busybox httpd", "echo no database; exit 4; busybox httpd");
        host.write("compose.yaml", &ill)?;
        let error = host.failed().await?;
        ensure!(matches!(error, ApplyError::Unhealthy { .. }), "{error:?}");
        ensure!(error.to_string().contains("no database"), "{error}");
        assert_eq!(before, host.ids()?);
        until_asked(&host, 5).await?;
        assert_eq!(asked(&host)?.1, 0);
        Ok(())
    })
}

#[test]
fn one_that_is_stopped_first_comes_back() -> Result<()> {
    block(async {
        let file = "
services:
  web:
    image: {image}
    command: [httpd, -f, -p, '80', -h, /etc]
    ports: ['18780:80']
    stop_grace_period: 0s
";
        let mut host = Host::new("stead-back", file)?;
        host.up().await?;
        let before = host.ids()?;
        host.write("compose.yaml", &file.replace("/etc", "/nowhere"))?;
        let plan = format!("{:?}", host.plan(&[host.spec()]).await?);
        ensure!(plan.contains("stopped first: it publishes port 18780"), "{plan}");
        let error = host.failed().await?;
        ensure!(matches!(error, ApplyError::Unhealthy { .. }), "{error:?}");
        assert_eq!(before, host.ids()?);
        host.engine
            .exec("wget -q -O - http://127.0.0.1:18780/passwd || busybox wget -q -O - http://127.0.0.1:18780/passwd")?
            .ok()?;
        Ok(())
    })
}

#[test]
fn what_an_image_is_built_from_counts() -> Result<()> {
    block(async {
        let file = "services: { web: { build: ./web, stop_grace_period: 0s } }";
        let mut host = Host::new("stead-build", file)?;
        host.write("web/Dockerfile", "FROM {image}\nCOPY page /page\nCMD [\"sleep\", \"1000\"]\n")?;
        host.write("web/.dockerignore", "*.log\n")?;
        host.write("web/page", "one\n")?;
        host.write("web/a.log", "one\n")?;
        let notes = host.up().await?;
        ensure!(notes.contains(&"service web: build stead-build-web".to_owned()), "{notes:?}");
        ensure!(host.up().await?.is_empty());
        let before = host.ids()?;
        host.write("web/a.log", "two\n")?;
        host.up().await?;
        assert_eq!(before, host.ids()?, "what is ignored is no part of it");
        host.write("web/page", "two\n")?;
        let notes = host.up().await?;
        let why = "service web: recreate, because of what its image is built from; started first";
        ensure!(notes.contains(&why.to_owned()), "{notes:?}");
        let page = host.engine.docker(["exec", "stead-build-web-1", "cat", "/page"])?.ok()?;
        assert_eq!(page, "two\n");
        let before = host.ids()?;
        let named = || host.engine.docker(["image", "inspect", "--format", "{{.Id}}", "stead-build-web"])?.ok();
        let image = named()?;
        host.write("web/Dockerfile", "FROM {image}\nCMD [\"false\"]\n")?;
        host.fail().await?;
        assert_eq!((before.clone(), image), (host.ids()?, named()?), "what was built is taken back, and its name too");
        host.write("web/Dockerfile", "FROM {image}\nRUN echo no compiler && exit 3\n")?;
        let error = host.failed().await?.to_string();
        ensure!(error.contains("cannot build image stead-build-web") && error.contains("exit code: 3"), "{error}");
        ensure!(error.contains("its last lines:\nno compiler"), "{error}");
        assert_eq!(before, host.ids()?);
        host.write("compose.yaml", "services: { web: { build: ../elsewhere } }")?;
        let error = host.plan(&[host.spec()]).await.expect_err("it was planned").to_string();
        ensure!(error.contains("service web, key build") && error.contains("not in the project's folder"), "{error}");
        Ok(())
    })
}

#[test]
fn what_services_share_is_built_once_and_its_steps_are_told() -> Result<()> {
    block(async {
        let service = "{ build: ./app, image: 'stead-shared:2', stop_grace_period: 0s }";
        let mut host = Host::new("stead-shared", &format!("services: {{ web: {service}, worker: {service} }}"))?;
        host.write("app/Dockerfile", "FROM {image}\nRUN echo \u{7} > /page\nCMD [\"sleep\", \"1000\"]\n")?;
        host.up().await?;
        let told = host.told.lock().expect("nobody panicked").clone();
        let steps: Vec<_> = told.iter().filter(|words| words.contains("RUN echo")).collect();
        ensure!(steps.len() == 1 && steps[0].starts_with("building stead-shared:2: ["), "{told:?}");
        ensure!(!steps[0].contains('\u{7}'), "{steps:?}");
        let image = |container: &str| Ok::<_, anyhow::Error>(host.inspect(container)?["Image"].clone());
        assert_eq!(image("stead-shared-web-1")?, image("stead-shared-worker-1")?);
        ensure!(host.up().await?.is_empty());
        host.clean()?;
        host.engine.docker(["rmi", "stead-shared:2"])?.ok().map(drop)
    })
}
