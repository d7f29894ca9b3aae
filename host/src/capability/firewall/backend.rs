//! nft(8).

use serde::{Deserialize, Serialize};

use super::compile::compile;
use super::elements::commands;
use super::namespace::Namespace;
use super::render::transaction;
use super::rivals::Others;
use super::state::{Boot, Fact, Set, State, Table, Wanted, boot_file};
use super::{Firewall, RESOURCE, Spec};
use crate::capability::{ApplyError, Declared, ObserveError};
use crate::digest::Digest;
use crate::machine::{Program, ProgramError, replace};

/// `--stateless`: without counters, which are no part of what is declared.
const LIST: [&str; 5] = ["--stateless", "list", "table", "inet", "stead"];

/// How nft listed a text the last time: so that a machine that is as declared costs one listing.
#[derive(Serialize, Deserialize)]
struct Remembered {
    text: Digest,
    nft: String,
    listing: String,
}

impl Firewall {
    pub(super) async fn read(&self, specs: &[Declared<Spec>]) -> Result<Fact, ObserveError> {
        let boot = self.boot()?;
        if !self.machine.has_kernel() {
            return Ok(self.without_kernel(specs, boot));
        }
        let mut rivals = self.enabled_rivals();
        let (version, table) = tokio::join!(version(), live());
        let Some(nft) = version? else {
            return Ok(Fact { is: State { table: None, boot }, rivals, ..Fact::default() });
        };
        let table = table?;
        // Specs that contradict each other have no table; `diff` says so.
        let wanted = match compile(specs) {
            Ok(ruleset) if !specs.is_empty() => Some(self.wanted(&Table::from(&ruleset), &nft, &table).await?),
            _ => None,
        };
        let mut stricter = Vec::new();
        if !matches!((&wanted, &table), (Some(Wanted::Taken { listing, .. }), Some(is)) if *listing == is.text) {
            let others = others().await?;
            stricter = others.stricter();
            if others.has_firewalld() && !rivals.iter().any(|rival| rival == "firewalld") {
                rivals.push("firewalld".to_owned());
            }
        }
        Ok(Fact { nft: Some(nft), is: State { table, boot }, wanted, rivals, stricter })
    }

    /// Of a machine that was recorded: nft is not asked what it makes of the rules, and no table is there.
    fn without_kernel(&self, specs: &[Declared<Spec>], boot: Boot) -> Fact {
        let taken = |table: Table| Wanted::Taken { boot: self.boots(&table), listing: table.text };
        let wanted = compile(specs).ok().filter(|_| !specs.is_empty()).map(|ruleset| taken(Table::from(&ruleset)));
        let is = State { table: None, boot };
        Fact { nft: Some(String::new()), is, wanted, rivals: self.enabled_rivals(), stricter: Vec::new() }
    }

    fn boots(&self, table: &Table) -> Digest {
        self.machine.key().digest(boot_file(table).as_bytes())
    }

    async fn wanted(&self, table: &Table, nft: &str, live: &Option<Table>) -> Result<Wanted, ObserveError> {
        match self.listing(&table.text, nft, live).await? {
            Ok(listing) => Ok(Wanted::Taken { listing, boot: self.boots(table) }),
            Err(words) => Ok(Wanted::Refused(words)),
        }
    }

    /// How nft lists a text once the kernel has taken it, or why it was refused. What is remembered counts only when it
    /// is what is live: any doubt costs 20 ms in a namespace and no wrong step.
    async fn listing(
        &self,
        text: &str,
        nft: &str,
        live: &Option<Table>,
    ) -> Result<Result<String, String>, ObserveError> {
        let digest = self.machine.key().digest(text.as_bytes());
        if let Some(known) = self.remembered()
            && known.text == digest
            && known.nft == nft
            && live.as_ref().is_some_and(|live| live.text == known.listing)
        {
            return Ok(Ok(known.listing));
        }
        let namespace = Namespace::new().await?;
        match namespace.program("nft").args(["-f", "-"]).input(text).run().await {
            Err(ProgramError::Failed { words, .. }) => return Ok(Err(words)),
            other => other?,
        };
        let listing = Table::listed(&namespace.program("nft").args(LIST).run().await?.text()).text;
        self.remember(&Remembered { text: digest, nft: nft.to_owned(), listing: listing.clone() })?;
        Ok(Ok(listing))
    }

    fn remembered(&self) -> Option<Remembered> {
        serde_json::from_slice(&std::fs::read(self.machine.state().join("firewall.json")).ok()?).ok()
    }

    fn remember(&self, known: &Remembered) -> Result<(), ObserveError> {
        let path = self.machine.state().join("firewall.json");
        let written =
            serde_json::to_vec(known).map_err(std::io::Error::other).and_then(|json| replace(&path, &json, 0o600));
        written.map_err(|source| ObserveError::File { path: path.display().to_string(), source })
    }

    /// The table first: it is what may be refused.
    pub(super) async fn write(&self, Set { to, within }: &Set) -> Result<(), ApplyError> {
        let text = self.transaction(to.table.as_ref(), within.as_deref()).await?;
        if !text.is_empty() {
            nft(["-f", "-"]).input(text).run().await.map_err(|error| match error {
                ProgramError::Failed { words, .. } => {
                    ApplyError::Refused { resource: RESOURCE.to_owned(), reason: words }
                }
                error => error.into(),
            })?;
        }
        self.put_boot(to)
    }

    /// What nft has to do. A table that is listed as `within` needs no more than what its elements differ in.
    async fn transaction(&self, table: Option<&Table>, within: Option<&str>) -> Result<String, ApplyError> {
        if let (Some(table), Some(within)) = (table, within)
            && let Some(live) = live().await?
            && live.text == within
        {
            return Ok(commands(&live.elements, &table.elements));
        }
        Ok(transaction(table))
    }
}

fn nft<const N: usize>(arguments: [&str; N]) -> Program {
    Program::new("nft").args(arguments)
}

/// `nftables v1.0.6 (Lester Gooch #5)` → `1.0.6`.
async fn version() -> Result<Option<String>, ProgramError> {
    match nft(["--version"]).run().await {
        Err(ProgramError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
        Ok(said) => Ok(said.text().split_whitespace().nth(1).map(|word| word.trim_start_matches('v').to_owned())),
    }
}

/// The live table; `None` when there is none.
async fn live() -> Result<Option<Table>, ProgramError> {
    match nft(LIST).run().await {
        Ok(listed) => Ok(Some(Table::listed(&listed.text()))),
        Err(ProgramError::Failed { words, .. }) if words.contains("No such file or directory") => Ok(None),
        Err(ProgramError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn others() -> Result<Others<'static>, ObserveError> {
    let listed = nft(["--json", "list", "chains"]).run().await?;
    Others::parse(&listed.stdout).map_err(|error| ObserveError::Unreadable {
        resource: "nft --json list chains".to_owned(),
        reason: error.to_string(),
    })
}
