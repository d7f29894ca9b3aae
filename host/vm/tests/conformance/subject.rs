//! What the kit needs of a provider under test.

use anyhow::Result;
use std::path::Path;
use std::time::{Duration, SystemTime};
use stead_vm::access::Keys;
use stead_vm::lease::Lease;
use stead_vm::name::{Installation, Owner, VmName};
use stead_vm::provider::Provider;
use stead_vm::request::{Market, Network, Request, Size};
use stead_vm::user_data::{Identity, user_data};

pub(crate) trait Subject {
    /// Whether two calls at the same time can be tried.
    const AT_ONCE: bool;
    const NETWORK: Network;

    /// A new one each time, as another process of this installation would have it.
    fn provider(&self, installation: &str) -> Result<Box<dyn Provider>>;

    /// A folder for keys.
    fn folder(&self) -> &Path;

    /// A small image, and a size in which it can be had.
    fn image(&self) -> (String, Size);

    /// Ends the machine behind the provider's back, as a crash of it would.
    fn lose(&self, name: &VmName) -> Result<()>;

    /// Everything that exists because of the provider, counted without it.
    fn everything(&self) -> Result<Vec<String>>;
}

pub(crate) fn name(job: &str, attempt: u32) -> VmName {
    VmName::new(&Owner { job: job.into(), attempt }, 1).expect("a name")
}

pub(crate) fn installation(name: &str) -> Installation {
    name.parse().expect("a name")
}

pub(crate) fn request<S: Subject>(subject: &S, name: &VmName) -> Result<Request> {
    let keys = Keys::obtain(&subject.folder().join(name.as_str()), name)?;
    let (image, size) = subject.image();
    let lifetime = Duration::from_secs(3600);
    let lease = Lease { renewal: Duration::from_secs(300), lifetime, created: SystemTime::now() };
    let identity = Identity { client: &keys.client, host: &keys.host, host_private: keys.host_private() };
    Ok(Request {
        name: name.clone(),
        image,
        size,
        region: None,
        network: S::NETWORK,
        market: Market::OnDemand,
        user_data: user_data(&identity, &lease),
        lifetime,
    })
}
