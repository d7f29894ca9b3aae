//! Runs a script in a machine of its own; the result is what it printed.

use serde::{Deserialize, Serialize};
use stead_guest::job::{Failure, run};
use stead_guest::{info, vm};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    image: String,
    script: String,
}

#[derive(Serialize)]
struct Output {
    printed: String,
}

fn work(input: Input) -> Result<Output, Failure> {
    let request = vm::Request {
        provider: None,
        image: input.image,
        instance_type: None,
        cpus: None,
        memory: None,
        disk: None,
        region: None,
        spot: None,
        network: None,
        lifetime: None,
    };
    vm::launch("worker", &request)?;
    vm::wait_ready(&["worker".to_owned()])?;
    info!("the machine is there");
    Ok(Output { printed: run("worker", &input.script)? })
}

stead_guest::job!(work);
