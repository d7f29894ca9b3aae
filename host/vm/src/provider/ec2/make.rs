//! The call that makes an instance.

use base64::Engine;
use sha2::{Digest, Sha256};

use super::{Cause, Ec2, ProviderError, instance};
use crate::machine::Vm;
use crate::request::{Market, Network, Request};

/// Made of the request's own words, so that the same call is known again, and another size is another call.
fn token(ec2: &Ec2, request: &Request, size: &str, region: &str) -> String {
    let mut sha = Sha256::new();
    let market = format!("{:?}", request.market);
    for part in [ec2.installation.as_str(), request.name.as_str(), &request.image, size, region, &market] {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part);
    }
    hex::encode(sha.finalize())
}

pub(super) async fn make(ec2: &Ec2, request: &Request, size: &str, region: &str) -> Result<Vm, ProviderError> {
    if request.network == Network::Closed {
        let words = "EC2 closes a network by security groups: name one in the settings, and ask for an open network";
        return Err(ProviderError::new(Cause::Invalid, words));
    }
    let parameters = parameters(ec2, request, size, region);
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let body = ec2.api.ask(region, "RunInstances", &parameters).await?;
    let made = instance::made(&body, region);
    let unreadable = || ProviderError::new(Cause::TimedOut, "EC2 made an instance and did not describe it");
    Ok(ec2.reached(made.ok_or_else(unreadable)?))
}

fn parameters(ec2: &Ec2, request: &Request, size: &str, region: &str) -> Vec<(String, String)> {
    let user_data = base64::engine::general_purpose::STANDARD.encode(request.user_data.reveal());
    let mut all: Vec<(String, String)> = [
        ("ImageId", request.image.as_str()),
        ("InstanceType", size),
        ("MinCount", "1"),
        ("MaxCount", "1"),
        ("ClientToken", &token(ec2, request, size, region)),
        ("UserData", &user_data),
        // The machine ends itself by powering off, and then nothing of it is to be paid for.
        ("InstanceInitiatedShutdownBehavior", "terminate"),
        // A page that a job can be tricked into fetching does not get the metadata; containers in the machine neither.
        ("MetadataOptions.HttpTokens", "required"),
        ("MetadataOptions.HttpPutResponseHopLimit", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    if request.market == Market::Spot {
        all.push(("InstanceMarketOptions.MarketType".into(), "spot".into()));
        all.push(("InstanceMarketOptions.SpotOptions.SpotInstanceType".into(), "one-time".into()));
    }
    let groups = ec2.settings.security_groups.iter().enumerate();
    all.extend(groups.map(|(at, group)| (format!("SecurityGroupId.{}", at + 1), group.clone())));
    all.extend(ec2.settings.subnet.iter().map(|subnet| ("SubnetId".to_owned(), subnet.clone())));
    let mut labels = request.name.labels(&ec2.installation);
    labels.insert("Name".to_owned(), request.name.to_string());
    for (at, kind) in ["instance", "volume"].into_iter().enumerate() {
        all.push((format!("TagSpecification.{}.ResourceType", at + 1), kind.to_owned()));
        for (tag, (key, value)) in labels.iter().enumerate() {
            all.push((format!("TagSpecification.{}.Tag.{}.Key", at + 1, tag + 1), key.clone()));
            all.push((format!("TagSpecification.{}.Tag.{}.Value", at + 1, tag + 1), value.clone()));
        }
    }
    all
}
