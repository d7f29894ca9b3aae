//! Reruns every figure that the docs publish, each beside its peer in the same run, and prints them as tables.
//!
//! `bench [policy] [languages] [apply] [ruleset] [peers] [curve] [apps] [http] [jobs]`: those parts, or all of them. The machine is shared and noisy, so
//! runs that are compared take turns, and a table gives ratios: trust those more than the times.

mod apply;
mod apps;
mod curve;
mod http;
mod jobs;
mod languages;
mod peers;
mod policy;
mod ruleset;
mod sample;
mod server;
mod site;
mod table;

use std::env;

use anyhow::{Result, ensure};

use site::Site;

/// Those of a server with the shipped policy.
const OF_SITE: [&str; 4] = ["policy", "languages", "apply", "peers"];
const OTHERS: [&str; 5] = ["ruleset", "apps", "curve", "http", "jobs"];

fn main() -> Result<()> {
    let asked: Vec<String> = env::args().skip(1).collect();
    let parts: Vec<_> = OF_SITE.into_iter().chain(OTHERS).collect();
    let unknown = asked.iter().find(|part| !parts.contains(&part.as_str()));
    ensure!(unknown.is_none(), "the parts are {}", parts.join(", "));
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|one| one == part);
    if wanted("ruleset") {
        for table in ruleset::measure()? {
            println!("{table}");
        }
    }
    if wanted("apps") {
        apps::measure()?;
    }
    if wanted("curve") {
        for table in curve::measure()? {
            println!("{table}");
        }
    }
    if wanted("http") {
        println!("{}", http::measure()?);
    }
    if wanted("jobs") {
        for table in jobs::measure()? {
            println!("{table}");
        }
    }
    if !OF_SITE.into_iter().any(wanted) {
        return Ok(());
    }
    eprintln!("Building the shipped policy…");
    let site = Site::make()?;
    if wanted("policy") {
        println!("{}", policy::measure(&site)?);
    }
    if wanted("languages") {
        for table in languages::measure(&site)? {
            println!("{table}");
        }
    }
    if wanted("apply") {
        println!("{}", apply::measure(&site)?);
    }
    if wanted("peers") {
        for table in peers::measure(&site)? {
            println!("{table}");
        }
    }
    Ok(())
}
