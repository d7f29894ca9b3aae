//! Segments an image tile with a model, in a virtual machine that is made for it and gone with it.
//!
//! The machine is what `[policy.predict.config]` says, the tile and the model are what the job's input says.

mod config;
mod fetch;
mod machine;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stead_guest::job::Failure;
use stead_guest::{artifact, info, progress};

use config::Config;
use machine::Machine;

stead_guest::job!(predict);

/// What is to be done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The image: the name of an attached file, or a URL.
    tile: String,
    /// The model: the same.
    model: String,
}

/// What came of it. The files are artifacts of the job.
#[derive(Serialize)]
struct Output {
    /// The share of each class, and how sure the model is.
    result: Value,
    /// The tile beside its classes, as a PNG.
    plot: &'static str,
    /// The class of each pixel, as a PNG of one channel.
    classes: &'static str,
}

/// Artifacts that the job leaves.
const RESULT: &str = "result.json";
const PLOT: &str = "plot.png";
const CLASSES: &str = "classes.png";

fn predict(input: Input) -> Result<Output, Failure> {
    let config: Config = stead_guest::config::parse()?;
    progress::report(0, "fetching the tile and the model");
    let tile = fetch::obtain(&input.tile, "tile", None)?;
    let model = fetch::obtain(&input.model, "model", config.model_token.as_deref())?;
    progress::report(100, "waiting for a machine");
    let machine = Machine::launch(&config)?;
    progress::report(400, "preparing the machine");
    machine.prepare(&config)?;
    machine.give(&tile, "tile")?;
    machine.give(&model, "model")?;
    progress::report(600, "predicting");
    let said = machine.predict(&config)?;
    info!("{}", said.trim_end());
    progress::report(900, "collecting the results");
    for name in [RESULT, PLOT, CLASSES] {
        machine.take(name)?;
    }
    machine.destroy()?;
    let result = serde_json::from_slice(&artifact::get(RESULT)?)?;
    Ok(Output { result, plot: PLOT, classes: CLASSES })
}
