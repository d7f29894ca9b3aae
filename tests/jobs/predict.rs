//! The shipped policy `predict`: a tile and a model go in, classes and a plot come out.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead_queue::State;

use crate::place::{Place, why};

const STEAD: &str = r#"
[provider.containers.price]
measured = "0.10 EUR"

[policy.predict]
component = "predict.wasm"

[policy.predict.config]
image = "any"
lifetime = 1800

[policy.predict.grant.vm]
providers = ["containers"]
images = ["any"]
machines = 1
lifetime = "60 min"
price-per-job = "0.05 EUR"

[policy.predict.grant.http]
hosts = ["models.example.org"]
"#;

const WIDTH: usize = 64;
const HEIGHT: usize = 48;

/// A picture of water above a forest, with a single pixel of the other kind in each: what smoothing has to take away.
pub(crate) fn tile() -> Vec<u8> {
    let mut picture = format!("P6\n{WIDTH} {HEIGHT}\n255\n").into_bytes();
    for row in 0..HEIGHT {
        for column in 0..WIDTH {
            let is_speck = column == 20 && (row == 10 || row == 40);
            let is_water = (row < HEIGHT / 4) != is_speck;
            picture.extend(if is_water { [20, 60, 200] } else { [30, 150, 40] });
        }
    }
    picture
}

/// A mean over 3 × 3 pixels, then the difference of blue and green.
pub(crate) fn model() -> Value {
    let ninth = 1.0 / 9.0;
    let of = |value: f64| json!([[value, value, value], [value, value, value], [value, value, value]]);
    let mean = |channel: usize| (0..3).map(|input| of(if input == channel { ninth } else { 0.0 })).collect::<Vec<_>>();
    json!({
        "scale": 255,
        "layers": [
            {"weight": [mean(0), mean(1), mean(2)], "bias": [0, 0, 0]},
            {"weight": [[[[0]], [[-8]], [[8]]], [[[0]], [[8]], [[-8]]]], "bias": [0, 0]},
        ],
        "classes": [{"name": "water", "colour": "#3060c0"}, {"name": "forest", "colour": "#208030"}],
    })
}

/// What must have come out.
pub(crate) fn is_right(result: &Value, plot: &Path, classes: &Path) -> Result<()> {
    assert_eq!(result["result"]["classes"], json!({"water": 0.25, "forest": 0.75}));
    ensure!(result["result"]["confidence"].as_f64().is_some_and(|sure| sure > 0.9), "{result}");
    let (plot, classes) = (fs::read(plot)?, fs::read(classes)?);
    assert_eq!(size(&plot)?, (2 * WIDTH + 8, HEIGHT + 8 + 2 * 16));
    assert_eq!(size(&classes)?, (WIDTH, HEIGHT));
    Ok(())
}

/// The size of a PNG (its specification, 5.2 and 11.2.1).
fn size(png: &[u8]) -> Result<(usize, usize)> {
    ensure!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "no PNG");
    let number = |at: usize| {
        let bytes: [u8; 4] = png.get(at..at + 4).context("too short")?.try_into()?;
        Ok::<_, anyhow::Error>(usize::try_from(u32::from_be_bytes(bytes))?)
    };
    Ok((number(16)?, number(20)?))
}

#[tokio::test]
async fn a_tile_is_segmented_in_a_machine_of_its_own() -> Result<()> {
    let place = Place::with("predict", "modules/predict", STEAD)?;
    let service = place.service()?;
    let (tile, model) = (tile(), serde_json::to_vec(&model())?);
    let attached: [(&str, &[u8]); 2] = [("tile.ppm", &tile), ("model.json", &model)];
    let job = place.submit(&service, json!({"tile": "tile.ppm", "model": "model.json"}), &attached).await?;
    let ended = place.work(&service, job).await?;
    ensure!(ended.state == State::Succeeded, "{}", why(&service, job).await?);
    let result = service.store.queue.result(job).await?.context("no result")?;
    let artifacts = service.store.queue.artifacts(job).await?;
    let path = |name: &str| {
        let found = artifacts.iter().find(|(_, artifact)| artifact.name.as_str() == name).context(name.to_owned());
        found.map(|(_, artifact)| service.store.files.path_of(&artifact.place))
    };
    is_right(&serde_json::from_slice(&result)?, &path("plot.png")?, &path("classes.png")?)?;
    ensure!(service.machines().await?.iter().all(|(_, left)| left.is_empty()), "a machine is left");
    // It lived for a minute or so, of the half hour that was reserved.
    let spent = service.store.queue.spent(job).await?;
    ensure!(spent.len() == 1 && spent[0].is_settled && (1..20_000).contains(&spent[0].micros), "{spent:?}");
    Ok(())
}
