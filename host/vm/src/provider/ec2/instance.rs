//! Instances, volumes and instance types, as EC2 describes them.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use roxmltree::Node;

use super::api::Api;
use super::{ProviderError, answer};
use crate::machine::{Offer, State, Vm};
use crate::name::{INSTALLATION, Installation, VmName};

/// The most that one page can have.
const PAGE: &str = "1000";
const SSH: u16 = 22;

/// An instance that carries our tags.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) region: String,
    pub(super) private_address: Option<IpAddr>,
    pub(super) vm: Vm,
}

/// A disk that carries our tags.
#[derive(Clone, Debug)]
pub(super) struct Volume {
    pub(super) id: String,
    pub(super) region: String,
    pub(super) vm: Vm,
}

/// Which ones to describe.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    name: String,
    value: String,
}

impl Filter {
    pub(super) fn installation(installation: &Installation) -> Self {
        Self { name: format!("tag:{INSTALLATION}"), value: installation.as_str().to_owned() }
    }

    pub(super) fn name(name: &VmName) -> Self {
        Self { name: "tag:Name".to_owned(), value: name.as_str().to_owned() }
    }
}

impl Instance {
    /// It is gone, or on its way: it costs nothing any more and cannot be used.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.vm.state, State::Ended | State::Preempted)
    }
}

pub(super) async fn describe(api: &Api, region: &str, filters: &[Filter]) -> Result<Vec<Instance>, ProviderError> {
    let mut all = Vec::new();
    for page in pages(api, region, "DescribeInstances", filters).await? {
        all.extend(answer::items(&page, "reservationSet", |reservation| {
            answer::children(reservation, "instancesSet").filter_map(|item| instance(item, region)).collect()
        }));
    }
    Ok(all)
}

/// Reads the answer of `RunInstances`.
pub(super) fn made(body: &str, region: &str) -> Option<Instance> {
    answer::items(body, "instancesSet", |item| instance(item, region).into_iter().collect()).into_iter().next()
}

/// Volumes without a machine; those of one come and go with it.
pub(super) async fn volumes(api: &Api, region: &str, filters: &[Filter]) -> Result<Vec<Volume>, ProviderError> {
    let mut filters = filters.to_vec();
    filters.push(Filter { name: "status".to_owned(), value: "available".to_owned() });
    let mut all = Vec::new();
    for page in pages(api, region, "DescribeVolumes", &filters).await? {
        all.extend(answer::items(&page, "volumeSet", |item| volume(item, region).into_iter().collect()));
    }
    Ok(all)
}

pub(super) async fn offers(api: &Api, region: &str) -> Result<Vec<Offer>, ProviderError> {
    let mut all = Vec::new();
    for page in pages(api, region, "DescribeInstanceTypes", &[]).await? {
        all.extend(answer::items(&page, "instanceTypeSet", |item| offer(item, region).into_iter().collect()));
    }
    all.sort_by(|one: &Offer, other| one.size.cmp(&other.size));
    Ok(all)
}

pub(super) async fn console(api: &Api, machine: &Instance) -> Result<Option<String>, ProviderError> {
    use base64::Engine;
    let body = api.ask(&machine.region, "GetConsoleOutput", &[("InstanceId", machine.id.as_str())]).await?;
    let text = answer::text_of(&body, &["output"]).unwrap_or_default();
    let text: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
    Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

async fn pages(api: &Api, region: &str, action: &str, filters: &[Filter]) -> Result<Vec<String>, ProviderError> {
    let mut pages = Vec::new();
    let mut next = None;
    loop {
        let mut parameters = Vec::new();
        for (at, filter) in filters.iter().enumerate() {
            parameters.push((format!("Filter.{}.Name", at + 1), filter.name.clone()));
            parameters.push((format!("Filter.{}.Value.1", at + 1), filter.value.clone()));
        }
        match next.take() {
            Some(token) => parameters.push(("NextToken".to_owned(), token)),
            None if action == "DescribeInstanceTypes" => {}
            None => parameters.push(("MaxResults".to_owned(), PAGE.to_owned())),
        }
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value)).collect();
        let page = api.ask(region, action, &parameters).await?;
        next = answer::text_of(&page, &["nextToken"]).filter(|token| !token.is_empty());
        pages.push(page);
        if next.is_none() {
            return Ok(pages);
        }
    }
}

/// None for what has no name of ours: somebody else put our tag on it.
fn instance(item: Node<'_, '_>, region: &str) -> Option<Instance> {
    let address = |field| answer::text(item, &[field]).and_then(|text| text.parse::<IpAddr>().ok());
    let vm = Vm {
        name: answer::tag(item, "Name")?.parse().ok()?,
        state: state(item),
        created: time(&answer::text(item, &["launchTime"])?)?,
        address: address("ipAddress").map(|ip| SocketAddr::new(ip, SSH)),
        size: answer::text(item, &["instanceType"]).unwrap_or_default(),
        region: Some(region.to_owned()),
        price: None,
    };
    let id = answer::text(item, &["instanceId"])?;
    Some(Instance { id, region: region.to_owned(), private_address: address("privateIpAddress"), vm })
}

fn state(item: Node<'_, '_>) -> State {
    let reason = answer::text(item, &["stateReason", "code"]).unwrap_or_default();
    match answer::text(item, &["instanceState", "name"]).as_deref() {
        Some("pending") => State::Starting,
        Some("running") => State::Running,
        _ if reason.starts_with("Server.Spot") => State::Preempted,
        // Machines end for good when they power off; one that is only stopped still has a disk that costs.
        Some("stopping" | "stopped") => State::Remains,
        _ => State::Ended,
    }
}

fn volume(item: Node<'_, '_>, region: &str) -> Option<Volume> {
    let vm = Vm {
        name: answer::tag(item, "Name")?.parse().ok()?,
        state: State::Remains,
        created: time(&answer::text(item, &["createTime"])?)?,
        address: None,
        size: answer::text(item, &["size"]).map(|size| format!("{size} GiB")).unwrap_or_default(),
        region: Some(region.to_owned()),
        price: None,
    };
    Some(Volume { id: answer::text(item, &["volumeId"])?, region: region.to_owned(), vm })
}

fn offer(item: Node<'_, '_>, region: &str) -> Option<Offer> {
    Some(Offer {
        size: answer::text(item, &["instanceType"])?,
        region: Some(region.to_owned()),
        cpus: answer::text(item, &["vCpuInfo", "defaultVCpus"])?.parse().ok()?,
        memory_mib: answer::text(item, &["memoryInfo", "sizeInMiB"])?.parse().ok()?,
        price: None,
    })
}

fn time(text: &str) -> Option<SystemTime> {
    super::super::time::read(text).map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}
