//! A job that does what its input says.

use serde::{Deserialize, Serialize};
use stead_guest::http::{self, Hidden, Value};
use stead_guest::job::{Failure, run};
use stead_guest::retry::Cause;
use stead_guest::{artifact, clock, config, info, progress, vm};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Input {
    /// What is run, side by side, each on the machine.
    scripts: Vec<String>,
    /// What they are given.
    secrets: Vec<String>,
    image: String,
    machines: u32,
    /// Instance types that would all do.
    types: Vec<String>,
    lifetime: u32,
    /// The length of a result.
    result: usize,
    seconds: u32,
    loops: bool,
    /// Called by no name.
    misnamed: bool,
    ask: Option<Ask>,
}

/// A request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    url: String,
    /// The secret that is sent along.
    token: Option<String>,
    /// The artifact that its body goes into.
    keep: Option<String>,
    #[serde(default)]
    post: bool,
    timeout: Option<u32>,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            scripts: Vec::new(),
            secrets: Vec::new(),
            image: "any".to_owned(),
            machines: 0,
            types: Vec::new(),
            lifetime: 600,
            result: 0,
            seconds: 0,
            loops: false,
            misnamed: false,
            ask: None,
        }
    }
}

/// What the operator may change while a job runs, which is wrong.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    detour: bool,
}

#[derive(Default, Serialize)]
struct Output {
    outputs: Vec<String>,
    artifacts: Vec<String>,
    padding: String,
    began: String,
    /// Which instance types were served.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    served: Vec<u32>,
    #[serde(skip_serializing_if = "String::is_empty")]
    answer: String,
}

fn work(input: Input) -> Result<Output, Failure> {
    if config::parse::<Config>()?.detour {
        artifact::names();
    }
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
    if let Some(ask) = &input.ask {
        output.answer = answer(ask)?;
    }
    let names: Vec<_> = (0..input.machines).map(|number| format!("m{number}")).collect();
    for name in &names {
        let name = if input.misnamed { "not a name" } else { name };
        if input.types.is_empty() {
            vm::launch(name, &request(&input, None))?;
        } else {
            let requests: Vec<_> = input.types.iter().map(|size| request(&input, Some(size))).collect();
            output.served.push(vm::launch_any(name, &requests)?);
        }
    }
    if let [first, ..] = names.as_slice() {
        vm::wait_ready(&names)?;
        progress::report(100, "the machine is there");
        output.outputs = on(first, &input)?;
        vm::destroy(first)?;
    }
    artifact::put("done", b"all of it")?;
    output.artifacts = artifact::names();
    info!("it ends");
    Ok(output)
}

fn request(input: &Input, size: Option<&String>) -> vm::Request {
    let (image, lifetime) = (input.image.clone(), Some(input.lifetime));
    vm::Request { image, lifetime, instance_type: size.cloned(), ..vm::Request::default() }
}

fn answer(ask: &Ask) -> Result<String, Failure> {
    let token = |name: &String| Value::Secret(Hidden { prefix: "Bearer ".to_owned(), name: name.clone() });
    let headers = ask.token.iter().map(|name| ("authorization".to_owned(), token(name))).collect();
    let request = http::Request {
        method: if ask.post { http::Method::Post } else { http::Method::Get },
        url: ask.url.clone(),
        headers,
        timeout: ask.timeout,
        ..http::Request::default()
    };
    let response = match &ask.keep {
        Some(artifact) => http::download(&request, artifact)?,
        None => http::send(&request)?,
    };
    let body = String::from_utf8_lossy(&response.body).into_owned();
    if response.status >= 500 {
        return Err(Failure::again(Cause::Temporary, format!("status {}", response.status)));
    }
    Ok(format!("{} {body}", response.status))
}

/// An artifact goes there and back, and the scripts run side by side.
fn on(machine: &str, input: &Input) -> Result<Vec<String>, Failure> {
    if artifact::names().iter().any(|name| name == "tile") {
        vm::upload(machine, &vm::Content::Artifact("tile".to_owned()), "/srv/in/tile")?;
        run(machine, "tr a-z A-Z < /srv/in/tile > /srv/in/result")?;
        vm::download(machine, "/srv/in/result", "result")?;
    }
    let started = input.scripts.iter().map(|script| match input.secrets.as_slice() {
        [] => vm::start(machine, &script.as_str().into()),
        secrets => vm::start_with_secrets(machine, &script.as_str().into(), secrets),
    });
    let mut running = started.collect::<Result<Vec<_>, _>>()?;
    let all = running.clone();
    while !running.is_empty() {
        let ended = vm::wait_any(&running)?;
        running.retain(|number| *number != ended);
    }
    let outputs = all.into_iter().map(|number| Ok(vm::wait(number)?.output));
    outputs.collect()
}

stead_guest::job!(work);
