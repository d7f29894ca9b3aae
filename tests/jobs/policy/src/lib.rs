//! A job that does what its input says.

use serde::{Deserialize, Serialize};
use stead_guest::job::{Failure, run};
use stead_guest::{artifact, clock, info, progress, vm};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Input {
    /// What is run, side by side, each on the machine.
    scripts: Vec<String>,
    image: String,
    machines: u32,
    lifetime: u32,
    /// The length of a result.
    result: usize,
    seconds: u32,
    loops: bool,
    /// Called by no name.
    misnamed: bool,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            scripts: Vec::new(),
            image: "any".to_owned(),
            machines: 0,
            lifetime: 600,
            result: 0,
            seconds: 0,
            loops: false,
            misnamed: false,
        }
    }
}

#[derive(Default, Serialize)]
struct Output {
    outputs: Vec<String>,
    artifacts: Vec<String>,
    padding: String,
    began: String,
}

fn work(input: Input) -> Result<Output, Failure> {
    let mut output = Output { began: clock::now(), padding: "x".repeat(input.result), ..Output::default() };
    info!("it begins");
    if input.loops {
        loop {
            std::hint::black_box(0);
        }
    }
    if input.seconds > 0 {
        clock::sleep(input.seconds);
    }
    let names: Vec<_> = (0..input.machines).map(|number| format!("m{number}")).collect();
    for name in &names {
        let request = vm::Request { image: input.image.clone(), lifetime: Some(input.lifetime), ..request() };
        vm::launch(if input.misnamed { "not a name" } else { name }, &request)?;
    }
    if let [first, ..] = names.as_slice() {
        vm::wait_ready(&names)?;
        progress::report(100, "the machine is there");
        output.outputs = on(first, &input.scripts)?;
        vm::destroy(first)?;
    }
    artifact::put("done", b"all of it")?;
    output.artifacts = artifact::names();
    info!("it ends");
    Ok(output)
}

/// An artifact goes there and back, and the scripts run side by side.
fn on(machine: &str, scripts: &[String]) -> Result<Vec<String>, Failure> {
    if artifact::names().iter().any(|name| name == "tile") {
        vm::upload(machine, &vm::Content::Artifact("tile".to_owned()), "/srv/in/tile")?;
        run(machine, "tr a-z A-Z < /srv/in/tile > /srv/in/result")?;
        vm::download(machine, "/srv/in/result", "result")?;
    }
    let started = scripts.iter().map(|script| vm::start(machine, &script.as_str().into()));
    let mut running = started.collect::<Result<Vec<_>, _>>()?;
    let all = running.clone();
    while !running.is_empty() {
        let ended = vm::wait_any(&running)?;
        running.retain(|number| *number != ended);
    }
    let outputs = all.into_iter().map(|number| Ok(vm::wait(number)?.output));
    outputs.collect()
}

fn request() -> vm::Request {
    vm::Request {
        provider: None,
        image: String::new(),
        instance_type: None,
        cpus: None,
        memory: None,
        disk: None,
        region: None,
        spot: None,
        network: None,
        lifetime: None,
    }
}

stead_guest::job!(work);
