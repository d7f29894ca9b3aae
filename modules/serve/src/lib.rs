//! `stead serve` as a service of systemd: works on jobs, whose machines outlive its upgrades. Where it is asked for, `stead follow`
//! as another.
//!
//! The program is the one that applies: an operator who upgrades stead upgrades the services by the next apply. The repo is there
//! already. Secrets that the repo's `stead.toml` names are handed over as credentials, so that no key lies on the server that
//! could open all of them.

use serde::Deserialize;
use stead_guest::{Error, file, service};

/// What `stead serve --print-unit` prints, before the paths are filled in.
const UNIT: &str = include_str!("stead.service");
const NAME: &str = "stead.service";
/// What `stead follow --print-unit` prints.
const FOLLOW_UNIT: &str = include_str!("stead-follow.service");
const FOLLOW_NAME: &str = "stead-follow.service";
/// In a unit, this is the program that applies.
const THIS: &str = "stead";
/// This is, too, as soon as the apply is over. What makes the apply cannot be restarted by it.
const LAST: &str = "/usr/local/bin/stead";
const FOLDER: &str = "/etc/stead";

stead_guest::policy!(configure);

/// `[policy.serve.config]`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// Where the program lies; `stead` is the one that applies.
    program: String,
    /// Where the repo lies.
    repo: String,
    /// Where the queue, the files and the machines lie.
    state: String,
    /// The names of secrets that the service gets.
    credentials: Vec<String>,
    /// The group of the service, and of the socket on which it may listen: that of the proxy in front; root's when absent.
    group: Option<String>,
    /// Where the repo lies whose remote is followed; nothing is when absent.
    follow: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            program: THIS.to_owned(),
            repo: "/srv/stead".to_owned(),
            state: "/var/lib/stead".to_owned(),
            credentials: Vec::new(),
            group: None,
            follow: None,
        }
    }
}

fn configure() -> Result<(), Error> {
    let config: Config = stead_guest::config::parse()?;
    let program = Some(&config.program).filter(|program| *program != THIS);
    let mut paths = [&config.repo, &config.state].into_iter().chain(program).chain(&config.follow);
    if let Some(path) =
        paths.find(|path| !path.starts_with('/') || path.contains([' ', '%', '$', '"', '\'', '\\', '\n']))
    {
        return Err(Error::new(format!("{path:?} is no path that a unit can name")));
    }
    let is_name = |group: &String| group.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if let Some(group) = config.group.iter().find(|group| group.is_empty() || !is_name(group)) {
        return Err(Error::new(format!("{group:?} is no name of a group")));
    }
    let mut depends_on = Vec::new();
    if !config.credentials.is_empty() {
        let attributes = file::Attributes { mode: Some(0o700), ..file::Attributes::default() };
        file::directory(FOLDER, &attributes)?;
    }
    for name in &config.credentials {
        let path = format!("{FOLDER}/{name}");
        file::write(&path, &[file::Part::Secret(name.clone())], &file::Attributes::default(), &[])?;
        depends_on.push(format!("file:{path}"));
    }
    service::unit_file(NAME, &unit(&config))?;
    let state = service::State {
        enabled: Some(true),
        running: Some(true),
        depends_on,
        on_change: service::OnChange::Restart,
        ..service::State::default()
    };
    service::unit(NAME, &state)?;
    match &config.follow {
        Some(repo) => follow(&config, repo),
        None => Ok(()),
    }
}

fn follow(config: &Config, repo: &str) -> Result<(), Error> {
    let program = if config.program == THIS { LAST } else { &config.program };
    service::unit_file(FOLLOW_NAME, &filled(FOLLOW_UNIT, program, repo, &config.state))?;
    let state = service::State {
        enabled: Some(true),
        running: Some(true),
        on_change: service::OnChange::Reload,
        ..service::State::default()
    };
    service::unit(FOLLOW_NAME, &state)?;
    Ok(())
}

fn filled(unit: &str, program: &str, repo: &str, state: &str) -> String {
    unit.replace("{program}", program).replace("{repo}", repo).replace("{state}", state)
}

fn unit(config: &Config) -> String {
    let unit = filled(UNIT, &config.program, &config.repo, &config.state);
    let credential = |name: &String| format!("LoadCredential={name}:{FOLDER}/{name}\n");
    let credentials: String = config.credentials.iter().map(credential).collect();
    let group = config.group.as_ref().map(|group| format!("Group={group}\n")).unwrap_or_default();
    unit.replacen("\n[Install]", &format!("{credentials}{group}\n[Install]"), 1)
}
