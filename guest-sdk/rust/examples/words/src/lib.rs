//! Counts the words of files, in a machine of its own: the same job in every language.

use serde::{Deserialize, Serialize};
use stead_guest::job::{Failure, run};
use stead_guest::{artifact, clock, info, progress, vm};

const MACHINE: &str = "counter";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    image: String,
    /// Names of artifacts.
    files: Vec<String>,
}

#[derive(Serialize)]
struct Output {
    began: String,
    files: Vec<Counted>,
    total: u32,
}

#[derive(Serialize)]
struct Counted {
    name: String,
    words: u32,
}

fn work(input: Input) -> Result<Output, Failure> {
    let mut output = Output { began: clock::now(), files: Vec::new(), total: 0 };
    let mut request = request(input.image);
    request.lifetime = Some(600);
    vm::launch(MACHINE, &request)?;
    vm::wait_ready(&[MACHINE.to_owned()])?;
    info!("{MACHINE} is there");
    for (done, name) in input.files.iter().enumerate() {
        let path = format!("/srv/{name}");
        vm::upload(MACHINE, &vm::Content::Artifact(name.clone()), &path)?;
        let printed = run(MACHINE, &format!("wc -w < {path}"))?;
        let words: u32 = printed.trim().parse().map_err(|_| Failure::new(format!("{name}: no number: {printed}")))?;
        output.total += words;
        output.files.push(Counted { name: name.clone(), words });
        progress::report((1000 * (done + 1) / input.files.len()) as u16, name);
    }
    let lines: String = output.files.iter().map(|file| format!("{} {}\n", file.words, file.name)).collect();
    artifact::put("counts", lines.as_bytes())?;
    vm::destroy(MACHINE)?;
    Ok(output)
}

fn request(image: String) -> vm::Request {
    vm::Request {
        provider: None,
        image,
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
