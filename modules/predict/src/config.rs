//! `[policy.predict.config]`: which machine is asked for, and what it needs.

use serde::Deserialize;
use stead_guest::vm::Request;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Config {
    /// A Debian or Ubuntu, as the provider names its images.
    image: String,
    provider: Option<String>,
    /// These would all do; the first that can be had is taken.
    #[serde(default)]
    instance_types: Vec<String>,
    /// The same, in this order for each instance type.
    #[serde(default)]
    regions: Vec<String>,
    #[serde(default)]
    spot: bool,
    /// Where machines are cut to measure: MiB.
    memory: Option<u32>,
    cpus: Option<u16>,
    /// Seconds that the machine may live.
    #[serde(default = "hour")]
    lifetime: u32,
    /// Seconds that the prediction may take.
    pub(crate) timeout: Option<u32>,
    /// Debian packages that it needs, and that the image may have already.
    #[serde(default = "packages")]
    pub(crate) packages: Vec<String>,
    /// The name of a secret: a bearer token for the server that the model lies on.
    pub(crate) model_token: Option<String>,
}

fn hour() -> u32 {
    3600
}

fn packages() -> Vec<String> {
    ["python3-numpy", "python3-pil"].map(str::to_owned).to_vec()
}

impl Config {
    /// Every machine that would do, the first choice first.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let any = |names: &[String]| match names {
            [] => vec![None],
            names => names.iter().cloned().map(Some).collect(),
        };
        let request = |(instance_type, region)| Request {
            provider: self.provider.clone(),
            image: self.image.clone(),
            instance_type,
            cpus: self.cpus,
            memory: self.memory,
            region,
            spot: Some(self.spot),
            lifetime: Some(self.lifetime),
            ..Request::default()
        };
        let regions = any(&self.regions);
        let types = any(&self.instance_types);
        types.iter().flat_map(|size| regions.iter().map(|at| request((size.clone(), at.clone())))).collect()
    }
}
