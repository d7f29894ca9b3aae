//! A job that runs one-off containers, as its input says.

use serde::{Deserialize, Serialize};
use stead_guest::container::{self, Content, File, Options};
use stead_guest::job::Failure;
use stead_guest::{artifact, info};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Input {
    project: String,
    service: String,
    /// Scripts for sh(1), side by side.
    scripts: Vec<String>,
    secrets: Vec<String>,
    environment: Vec<(String, String)>,
    /// Artifacts that are put into `/in`.
    files: Vec<String>,
    memory: Option<u32>,
    millicpus: Option<u32>,
    timeout: Option<u32>,
    /// What is kept of each: the path, as the artifact `NUMBER`.
    keep: Option<String>,
    /// Containers are left to the host.
    leave: bool,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            project: "shop".to_owned(),
            service: "tool".to_owned(),
            scripts: Vec::new(),
            secrets: Vec::new(),
            environment: Vec::new(),
            files: Vec::new(),
            memory: None,
            millicpus: None,
            timeout: None,
            keep: None,
            leave: false,
        }
    }
}

#[derive(Serialize)]
struct Output {
    outputs: Vec<String>,
    outcomes: Vec<String>,
    artifacts: Vec<String>,
}

fn work(input: Input) -> Result<Output, Failure> {
    info!("it begins");
    let started = input.scripts.iter().map(|script| container::start(&input.project, &input.service, &options(&input, script)));
    let mut running = started.collect::<Result<Vec<_>, _>>()?;
    let all = running.clone();
    while !running.is_empty() {
        let ended = container::wait_any(&running)?;
        running.retain(|number| *number != ended);
    }
    let (mut outputs, mut outcomes) = (Vec::new(), Vec::new());
    for number in all {
        let ended = container::wait(number)?;
        outputs.push(ended.output);
        outcomes.push(format!("{:?}", ended.outcome));
        if let Some(path) = &input.keep {
            container::download(number, path, &number.to_string())?;
        }
        if !input.leave {
            container::remove(number)?;
        }
    }
    info!("it ends");
    Ok(Output { outputs, outcomes, artifacts: artifact::names() })
}

fn options(input: &Input, script: &str) -> Options {
    let file = |name: &String| File { path: format!("/in/{name}"), content: Content::Artifact(name.clone()) };
    Options {
        command: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
        environment: input.environment.clone(),
        secrets: input.secrets.clone(),
        files: input.files.iter().map(file).collect(),
        memory: input.memory,
        millicpus: input.millicpus,
        timeout: input.timeout,
        ..Options::default()
    }
}

stead_guest::job!(work);
