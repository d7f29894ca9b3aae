//! Calls everything that a job can with values at the edge, and tells what it was answered: the same in every language.

use serde::{Deserialize, Serialize};
use stead_guest::job::{Failure, run, run_in};
use stead_guest::retry::{self, Cause};
use stead_guest::{artifact, clock, config, container, http, info, log, progress, vm};

mod told;

use told::{every, told};

/// Two, three and four bytes of UTF-8.
pub const EDGE: &str = "ü☃🦀";
/// What is no UTF-8.
pub const BYTES: [u8; 4] = [0, 128, 255, 10];

#[derive(Deserialize)]
struct Input {
    mode: String,
    #[serde(default)]
    about: String,
}

#[derive(Serialize)]
struct Output {
    word: String,
    most: u32,
    none: Option<u32>,
}

#[derive(Deserialize)]
struct Config {
    word: String,
    most: u32,
}

stead_guest::job!(work);

fn work(input: Input) -> Result<Output, Failure> {
    match input.mode.as_str() {
        "calls" => return calls(),
        "fails" => fails(&input.about)?,
        "again" => return Err(Failure::again(cause(&input.about), EDGE)),
        "because" => {
            retry::because(cause(&input.about));
            return Err(Failure::new("no ☃ today"));
        }
        "crash" => crash(&[]),
        "wasi" => info!("files: none, environment: 0, network: none, time: none, random: none"),
        other => return Err(Failure::new(format!("no mode {other}"))),
    }
    Err(Failure::new("it did not fail"))
}

fn crash(values: &[u32]) {
    assert!(!values.is_empty(), "nothing to take from");
}

fn cause(name: &str) -> Cause {
    match name {
        "temporary" => Cause::Temporary,
        "vm-lost" => Cause::VmLost,
        "no-capacity" => Cause::NoCapacity,
        _ => Cause::Preempted,
    }
}

/// Ends the job with what went wrong.
fn fails(what: &str) -> Result<(), Failure> {
    match what {
        "vm" => vm::launch("m", &vm::Request::default())?,
        "container" => container::remove(0)?,
        "http" => drop(http::send(&http::Request::default())?),
        "artifact" => artifact::put("", &[])?,
        "script" => drop(run(EDGE, "false")?),
        _ => drop(run_in("a", EDGE, &["false"])?),
    }
    Ok(())
}

fn calls() -> Result<Output, Failure> {
    let Config { word, most } = config::parse()?;
    log::log(log::Level::Info, &format!("config: {word} {most}"));
    for level in [log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error] {
        log::log(level, "a\u{1b}[2J ☃\0");
    }
    for text in ["", "\n", "a\n☃\u{2028}\n\nb\n"] {
        info!("{text}");
    }
    for (permille, message) in [(0, ""), (1000, EDGE), (u16::MAX, "a\u{1b}[2J")] {
        progress::report(permille, message);
    }
    log::log(log::Level::Info, &format!("clock.now: {} {}", clock::now(), clock::now()));
    clock::sleep(0);
    clock::sleep(u32::MAX);
    artifacts();
    machines();
    commands();
    containers();
    requests();
    Ok(Output { word, most, none: None })
}

fn artifacts() {
    told("artifact.put", artifact::put("", &[]));
    told("artifact.put", artifact::put(EDGE, &[255; 100_000]));
    every("artifact.put", || artifact::put(&"a".repeat(300), &BYTES));
    every("artifact.get", || artifact::get(EDGE));
    for _ in 0..2 {
        log::log(log::Level::Info, &format!("artifact.names: {}", artifact::names().join(",")));
    }
}

fn names() -> Vec<String> {
    (0..1000).map(|n| format!("m{n}")).collect()
}

fn numbers() -> Vec<u32> {
    (0..1000).chain([u32::MAX]).collect()
}

fn machines() {
    let empty = vm::Request::default();
    let full = vm::Request {
        provider: Some(String::new()),
        image: EDGE.to_owned(),
        instance_type: Some(EDGE.to_owned()),
        cpus: Some(u16::MAX),
        memory: Some(u32::MAX),
        disk: Some(0),
        region: Some("r".to_owned()),
        spot: Some(true),
        network: Some(false),
        lifetime: Some(u32::MAX),
    };
    told("vm.launch", vm::launch("", &empty));
    every("vm.launch", || vm::launch(EDGE, &full));
    told("vm.launch-any", vm::launch_any("", &[]));
    every("vm.launch-any", || vm::launch_any(EDGE, &[empty.clone(), full.clone()]));
    told("vm.wait-ready", vm::wait_ready(&[]));
    every("vm.wait-ready", || vm::wait_ready(&names()));
    told("vm.upload", vm::upload("", &vm::Content::Bytes(Vec::new()), ""));
    told("vm.upload", vm::upload("m", &vm::Content::Text(format!("{EDGE}\0")), "/ü"));
    told("vm.upload", vm::upload("m", &vm::Content::Artifact(String::new()), EDGE));
    every("vm.upload", || vm::upload(EDGE, &vm::Content::Bytes(BYTES.to_vec()), EDGE));
    every("vm.download", || vm::download(EDGE, "", EDGE));
    every("vm.destroy", || vm::destroy(EDGE));
}

fn commands() {
    let empty = vm::Command::default();
    let full = vm::Command {
        script: format!("{EDGE}\n"),
        environment: vec![(String::new(), String::new()), ("A".to_owned(), EDGE.to_owned())],
        timeout: Some(u32::MAX),
    };
    told("vm.start", vm::start("", &empty));
    every("vm.start", || vm::start(EDGE, &full));
    told("vm.start-with-secrets", vm::start_with_secrets("", &empty, &[]));
    every("vm.start-with-secrets", || vm::start_with_secrets(EDGE, &full, &[String::new(), EDGE.to_owned()]));
    every("vm.wait", || vm::wait(u32::MAX));
    told("vm.wait-any", vm::wait_any(&[]));
    every("vm.wait-any", || vm::wait_any(&numbers()));
}

fn containers() {
    let file = |path: &str, content| container::File { path: path.to_owned(), content };
    let full = container::Options {
        command: Some(Vec::new()),
        entrypoint: Some(vec![String::new(), EDGE.to_owned()]),
        environment: vec![("A".to_owned(), EDGE.to_owned())],
        secrets: vec![String::new(), EDGE.to_owned()],
        files: vec![
            file("", container::Content::Bytes(BYTES.to_vec())),
            file(EDGE, container::Content::Text(EDGE.to_owned())),
            file("/x", container::Content::Artifact(String::new())),
        ],
        user: Some(String::new()),
        working_dir: Some(EDGE.to_owned()),
        memory: Some(u32::MAX),
        millicpus: Some(0),
        timeout: Some(u32::MAX),
    };
    told("container.start", container::start("", "", &container::Options::default()));
    every("container.start", || container::start(EDGE, EDGE, &full));
    every("container.wait", || container::wait(u32::MAX));
    told("container.wait-any", container::wait_any(&[]));
    every("container.wait-any", || container::wait_any(&numbers()));
    every("container.download", || container::download(u32::MAX, "", EDGE));
    every("container.remove", || container::remove(u32::MAX));
}

fn requests() {
    use http::{Content, Hidden, Method, Request, Value};
    for method in [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete] {
        told("http.send", http::send(&Request { method, ..Default::default() }));
    }
    for body in [Content::Bytes(BYTES.to_vec()), Content::Text(format!("{EDGE}\0")), Content::Artifact(String::new())] {
        told("http.send", http::send(&Request { method: Method::Post, body: Some(body), ..Default::default() }));
    }
    let secret = |prefix: &str, name: &str| Value::Secret(Hidden { prefix: prefix.to_owned(), name: name.to_owned() });
    let full = Request {
        method: Method::Patch,
        url: EDGE.to_owned(),
        headers: vec![
            (String::new(), Value::Text(String::new())),
            ("Authorization".to_owned(), secret("Bearer ", EDGE)),
            (EDGE.to_owned(), secret("", "")),
        ],
        body: Some(Content::Text(String::new())),
        timeout: Some(u32::MAX),
    };
    every("http.send", || http::send(&full));
    every("http.download", || http::download(&full, EDGE));
}
