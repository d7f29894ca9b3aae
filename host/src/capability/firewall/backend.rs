//! nft(8), and the files that bring the table back at boot.

use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use super::compile::compile;
use super::listing;
use super::namespace::Namespace;
use super::render::transaction;
use super::rivals::Others;
use super::state::{Boot, COPY_FILE, ENABLED_LINK, Fact, RULESET_FILE, Set, State, UNIT_FILE, Wanted};
use super::{Firewall, RESOURCE, Spec};
use crate::capability::{ApplyError, Declared, ObserveError};
use crate::digest::Digest;
use crate::machine::{Program, ProgramError, remove, replace};

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
        let mut rivals = self.enabled_rivals();
        let (version, table) = tokio::join!(version(), live());
        let Some(nft) = version? else {
            return Ok(Fact { is: State { table: None, boot }, rivals, ..Fact::default() });
        };
        let table = table?;
        // Specs that contradict each other have no table; `diff` says so.
        let wanted = match compile(specs) {
            Ok(ruleset) if !specs.is_empty() => Some(self.canonical(&ruleset.to_string(), &nft, &table).await?),
            _ => None,
        };
        let mut stricter = Vec::new();
        if !matches!((&wanted, &table), (Some(Wanted::Listing(wanted)), Some(is)) if wanted == is) {
            let others = others().await?;
            stricter = others.stricter();
            if others.has_firewalld() && !rivals.iter().any(|rival| rival == "firewalld") {
                rivals.push("firewalld".to_owned());
            }
        }
        Ok(Fact { nft: Some(nft), is: State { table, boot }, wanted, rivals, stricter })
    }

    /// How nft lists a text once the kernel has taken it. What is remembered counts only when it is what is live:
    /// any doubt costs 20 ms in a namespace and no wrong step.
    async fn canonical(&self, text: &str, nft: &str, live: &Option<String>) -> Result<Wanted, ObserveError> {
        let digest = self.machine.key().digest(text.as_bytes());
        if let Some(known) = self.remembered()
            && known.text == digest
            && known.nft == nft
            && Some(&known.listing) == live.as_ref()
        {
            return Ok(Wanted::Listing(known.listing));
        }
        let namespace = Namespace::new().await?;
        match namespace.program("nft").args(["-f", "-"]).input(text).run().await {
            Err(ProgramError::Failed { words, .. }) => return Ok(Wanted::Refused(words)),
            other => other?,
        };
        let listing = listing::declared(&namespace.program("nft").args(LIST).run().await?.text());
        self.remember(&Remembered { text: digest, nft: nft.to_owned(), listing: listing.clone() })?;
        Ok(Wanted::Listing(listing))
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

    fn boot(&self) -> Result<Boot, ObserveError> {
        let text = |path: &str| match std::fs::read_to_string(self.machine.path(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ObserveError::File { path: path.to_owned(), source }),
        };
        Ok(Boot {
            ruleset: text(RULESET_FILE)?,
            copy: text(COPY_FILE)?,
            unit: text(UNIT_FILE)?,
            enabled: self.machine.path(ENABLED_LINK).symlink_metadata().is_ok(),
        })
    }

    /// The table first: it is what may be refused.
    pub(super) async fn write(&self, Set { to }: &Set) -> Result<(), ApplyError> {
        nft(["-f", "-"]).input(transaction(to.table.as_deref())).run().await.map_err(|error| match error {
            ProgramError::Failed { words, .. } => ApplyError::Refused { resource: RESOURCE.to_owned(), reason: words },
            error => error.into(),
        })?;
        self.put(RULESET_FILE, to.boot.ruleset.as_deref())?;
        self.put(COPY_FILE, to.boot.copy.as_deref())?;
        self.put(UNIT_FILE, to.boot.unit.as_deref())?;
        self.enable(to.boot.enabled).map_err(|source| ApplyError::File { path: ENABLED_LINK.to_owned(), source })
    }

    fn put(&self, path: &str, content: Option<&str>) -> Result<(), ApplyError> {
        let at = self.machine.path(path);
        let put = || match (content, at.parent()) {
            (Some(content), Some(folder)) => {
                std::fs::create_dir_all(folder)?;
                replace(&at, content.as_bytes(), 0o644)
            }
            _ => remove(&at),
        };
        put().map_err(|source| ApplyError::File { path: path.to_owned(), source })
    }

    /// As `systemctl enable` does: a link, which systemd follows at the next boot.
    fn enable(&self, enabled: bool) -> std::io::Result<()> {
        let link = self.machine.path(ENABLED_LINK);
        if !enabled {
            return gone(std::fs::remove_file(&link));
        }
        let Some(folder) = link.parent() else { return Err(ErrorKind::InvalidInput.into()) };
        std::fs::create_dir_all(folder)?;
        match std::os::unix::fs::symlink(UNIT_FILE, &link) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        std::fs::File::open(folder)?.sync_all()
    }
}

fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
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
async fn live() -> Result<Option<String>, ProgramError> {
    match nft(LIST).run().await {
        Ok(listed) => Ok(Some(listing::declared(&listed.text()))),
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
