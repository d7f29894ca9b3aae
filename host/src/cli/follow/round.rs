//! One look at the remote and at the hosts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;

use super::super::asking::{Asked, ask, ask_showing, unexpected};
use super::super::planning::{self, Planned};
use super::super::progress::Progress;
use super::super::targets::{self, Machine};
use super::super::{Context, saved};
use crate::error::{Blame, Failure};
use crate::event::Event;
use crate::exit::Exit;
use crate::follow::{Commit, Drift, Followee, Mirror, MirrorError, Record, Standing, Unseen, Watched, questions};
use crate::look::shown;
use crate::policy::printable;
use crate::repo::{self, Repo};
use crate::session::{ApplyOptions, Goal, Request};

/// What is tried again without another commit.
const PASSING: [Exit; 3] = [Exit::Unreachable, Exit::Locked, Exit::Stale];

/// Follows.
#[derive(Debug)]
pub(super) struct Follower<'a> {
    /// Where it was started: whose keys count before there is a commit.
    origin: &'a Context,
    folder: PathBuf,
    mirror: Mirror,
    record: Record,
}

/// What a round came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) exit: Exit,
    /// When to look again.
    pub(super) every: Duration,
}

impl<'a> Follower<'a> {
    pub(super) async fn open(origin: &'a Context, folder: PathBuf) -> Result<Self, Failure> {
        let record = super::show::record(&folder)?;
        let mirror = Mirror::open(folder.clone()).await.map_err(|error| git_failure(&error))?;
        Ok(Self { origin, folder, mirror, record })
    }

    /// Whether somebody agreed to a plan.
    pub(super) fn is_agreed(&self) -> bool {
        let waits = |(host, followee): (&String, &Followee)| {
            matches!(followee.standing, Standing::Waiting { .. }) && agreed(&self.folder, host).exists()
        };
        self.record.hosts.iter().any(waits)
    }

    /// Looks once. What goes wrong with the remote or a host is in the record, and was said.
    ///
    /// # Errors
    /// When there is nothing to follow, or the record cannot be kept.
    pub(super) async fn round(&mut self) -> Result<Outcome, Failure> {
        let settings = self.settings().await?;
        match self.look(&settings).await {
            Ok(()) => self.record.refused = None,
            Err(failure) => {
                if self.record.refused.as_ref() != Some(&failure.message) {
                    self.origin.terminal.failure(None, &failure);
                }
                self.record.refused = Some(failure.message);
            }
        }
        self.keep()?;
        if self.record.commit.is_some() {
            // What it says now, which may be more than what it said before.
            let settings = self.settings().await?;
            self.hosts(&settings).await?;
        }
        Ok(Outcome { exit: self.exit(), every: settings.every })
    }

    /// The repo as it is trusted: that of the last commit, or where this was started.
    async fn settings(&self) -> Result<repo::Follow, Failure> {
        let repo = match &self.record.commit {
            // Anew each time: whatever became of the files meanwhile.
            Some(commit) => Repo::open(&self.mirror.check_out(commit).await.map_err(|error| git_failure(&error))?)?,
            None => Repo::open(&self.origin.repo)?,
        };
        repo.follow().cloned().ok_or_else(nothing_to_follow)
    }

    /// Fetches, and trusts what may be trusted.
    async fn look(&mut self, settings: &repo::Follow) -> Result<(), Failure> {
        let failed = |error: MirrorError| git_failure(&error);
        let tip = self.mirror.fetch(&settings.remote, &settings.branch).await.map_err(failed)?;
        if self.record.commit.as_ref() == Some(&tip) {
            return Ok(());
        }
        self.mirror.verify(&tip, &settings.signed_by, self.record.commit.as_ref()).await.map_err(failed)?;
        let tree = self.mirror.check_out(&tip).await.map_err(failed)?;
        is_sound(&tree, &tip)?;
        self.origin.terminal.say(&format!("{tip}: followed\n"));
        self.record.trust(tip);
        Ok(())
    }

    async fn hosts(&mut self, settings: &repo::Follow) -> Result<(), Failure> {
        let origin = self.origin;
        let context = Context { repo: self.mirror.tree(), place: origin.place.clone(), terminal: origin.terminal };
        let repo = Repo::open(&context.repo)?;
        let wanted =
            |host: &str| settings.hosts.as_ref().is_none_or(|hosts| hosts.iter().any(|one| one.as_str() == host));
        let mut machines = targets::all(&context, &repo)?;
        machines.retain(|(_, host)| wanted(host));
        self.record.hosts.retain(|host, _| machines.iter().any(|(_, name)| name == host));
        for (machine, host) in &machines {
            self.bring(&context, settings, machine, host).await?;
            self.compare(&context, settings, machine, host).await?;
        }
        self.watch(&machines).await
    }

    /// Looks at all hosts, for `stead serve` to show. One that cannot be seen stays as it was seen last.
    async fn watch(&self, machines: &[(Machine, String)]) -> Result<(), Failure> {
        let look = async |machine: &Machine| match ask_showing(machine, Request::Look, |_| {}).await? {
            Event::Look { look } => Ok(*look),
            _ => Err(unexpected()),
        };
        let looks = join_all(machines.iter().map(|(machine, _)| look(machine))).await;
        for ((_, host), look) in machines.iter().zip(looks) {
            self.show(host, |watched| match look {
                Ok(look) => (watched.look, watched.at, watched.unseen) = (Some(look), now(), None),
                Err(failure) => watched.unseen = Some(Unseen { at: now(), why: failure.message }),
            })?;
        }
        Watched::retain(&self.folder, |host| machines.iter().any(|(_, name)| name == host));
        Ok(())
    }

    fn show(&self, host: &str, change: impl FnOnce(&mut Watched)) -> Result<(), Failure> {
        Watched::change(&self.folder, host, change).map_err(|error| Failure::new(Blame::Host, Exit::State, &error))
    }

    /// Brings a host to what the commit says, unless somebody has to be asked.
    async fn bring(
        &mut self,
        context: &Context,
        settings: &repo::Follow,
        machine: &Machine,
        host: &str,
    ) -> Result<(), Failure> {
        let former = self.record.hosts.entry(host.to_owned()).or_default().standing.clone();
        let standing = match &former {
            Standing::Waiting { plan, .. } => match self.take_agreement(host) {
                Some(agreed) if agreed == plan.as_str() => self.apply_agreed(context, host).await,
                _ => return Ok(()),
            },
            standing if standing.is_due() => self.plan(context, settings, machine, host).await,
            _ => return Ok(()),
        };
        let standing = standing.unwrap_or_else(|failure| failed(&failure));
        if std::mem::discriminant(&standing) != std::mem::discriminant(&former) {
            self.origin.terminal.say(&format!("{host}: {}\n", said(&standing)));
        }
        self.record.hosts.entry(host.to_owned()).or_default().standing = standing;
        self.keep()
    }

    async fn plan(&self, context: &Context, settings: &repo::Follow, machine: &Machine, host: &str) -> Asked<Standing> {
        let planned = planned(context, machine, host, Goal::Bundle).await?;
        let at = now();
        if planned.plan.is_empty() && planned.recorded == Some(true) {
            return Ok(Standing::Applied { at, revision: planned.plan.base });
        }
        let because = questions(&planned.plan, &settings.apply);
        if because.is_empty() {
            return apply(context, planned).await;
        }
        let plan = planned.plan.hash.clone();
        saved::write(&self::plan(&self.folder, host), std::slice::from_ref(&planned))?;
        self.show(host, |watched| watched.waiting = Some(shown(&planned.plan)))?;
        Ok(Standing::Waiting { at, plan, because })
    }

    async fn apply_agreed(&self, context: &Context, host: &str) -> Asked<Standing> {
        let path = plan(&self.folder, host);
        let planned = saved::read(context, &path.to_string_lossy()).await?.pop().ok_or_else(unexpected)?;
        apply(context, planned).await
    }

    /// What somebody wrote down who agreed; it counts once.
    fn take_agreement(&self, host: &str) -> Option<String> {
        let path = agreed(&self.folder, host);
        let said = std::fs::read_to_string(&path).ok()?;
        std::fs::remove_file(&path).ok()?;
        Some(said)
    }

    /// Compares a host with what was applied to it, when it is time.
    async fn compare(
        &mut self,
        context: &Context,
        settings: &repo::Follow,
        machine: &Machine,
        host: &str,
    ) -> Result<(), Failure> {
        let followee = self.record.hosts.entry(host.to_owned()).or_default();
        let now = now();
        let is_due = |drift: &Drift| u128::from(now.abs_diff(drift.at)) >= settings.drift_every.as_millis();
        if !followee.drift.as_ref().is_none_or(is_due) {
            return Ok(());
        }
        let found = planned(context, machine, host, Goal::LastRevision).await;
        let mending = found.as_ref().ok().filter(|planned| !planned.plan.is_empty());
        let mending = mending.map(|planned| shown(&planned.plan));
        self.show(host, |watched| watched.mending = mending)?;
        let followee = self.record.hosts.entry(host.to_owned()).or_default();
        let found = found.map(|planned| planned.plan.changed().into_iter().collect::<Vec<_>>());
        let found = found.map_err(|failure| failure.message);
        if followee.drift.as_ref().map(|drift| &drift.found) != Some(&found) {
            match &found {
                Ok(found) if found.is_empty() => {}
                Ok(found) => self.origin.terminal.say(&format!("{host}: drifted: {}\n", printable(&found.join(", ")))),
                Err(why) => self.origin.terminal.say(&format!("{host}: cannot see drift: {}\n", printable(why))),
            }
        }
        followee.drift = Some(Drift { at: now, found });
        self.keep()
    }

    fn keep(&self) -> Result<(), Failure> {
        self.record.keep(&self.folder).map_err(|error| Failure::new(Blame::Host, Exit::State, &error))
    }

    fn exit(&self) -> Exit {
        let standings = || self.record.hosts.values().map(|followee| &followee.standing);
        let bad = |standing: &Standing| matches!(standing, Standing::Failed { .. } | Standing::Away { .. });
        if self.record.refused.is_some() || standings().any(bad) {
            return Exit::Undone;
        }
        let waits = |standing: &Standing| matches!(standing, Standing::Waiting { .. });
        if standings().any(waits) { Exit::Changes } else { Exit::Done }
    }
}

/// Where the plan of a host lies that waits for somebody.
pub(super) fn plan(folder: &Path, host: &str) -> PathBuf {
    folder.join(format!("{host}.stead"))
}

/// Where the plan is named that somebody agreed to.
pub(super) fn agreed(folder: &Path, host: &str) -> PathBuf {
    folder.join(format!("{host}.agreed"))
}

/// Whether a commit can be followed: it must be readable, and must not end what follows it.
fn is_sound(tree: &Path, commit: &Commit) -> Result<(), Failure> {
    let repo = Repo::open(tree)?;
    if repo.folder() != tree {
        let message = format!("commit {commit} has no {} in its root", repo::FILE);
        return Err(Failure::new(Blame::Operator, Exit::Input, &message));
    }
    if repo.follow().is_none() {
        let message = format!("commit {commit} has no [follow]: nothing would follow what comes after it");
        let failure = Failure::new(Blame::Operator, Exit::Input, &message);
        return Err(failure.help("to end it, stop the unit that runs `stead follow`"));
    }
    if !repo.directory().is_saved(repo.folder()) {
        let message = format!("commit {commit} has a vpn.toml that lacks something");
        return Err(
            Failure::new(Blame::Operator, Exit::Input, &message).help("run `stead vpn keys` and commit vpn.toml")
        );
    }
    Ok(())
}

async fn planned(context: &Context, machine: &Machine, host: &str, goal: Goal) -> Asked<Planned> {
    let (_, bundle) = planning::pack(context, &[host.to_owned()]).await?.pop().ok_or_else(unexpected)?;
    let request = Request::Plan { bundle: Box::new(bundle.clone()), goal };
    match ask(machine, request, Progress::new(context.terminal, Some(host.to_owned()))).await? {
        Event::Plan { plan, recorded } => {
            Ok(Planned { machine: machine.clone(), bundle, plan: *plan, recorded: Some(recorded) })
        }
        _ => Err(unexpected()),
    }
}

async fn apply(context: &Context, planned: Planned) -> Asked<Standing> {
    let Planned { machine, bundle, plan, .. } = planned;
    let progress = Progress::new(context.terminal, Some(plan.host.clone()));
    let (bundle, plan) = (Box::new(bundle), Box::new(plan));
    let request = Request::Apply { bundle, plan, options: ApplyOptions::default() };
    match ask(&machine, request, progress).await? {
        Event::Report { report } => Ok(Standing::Applied { at: now(), revision: report.revision }),
        _ => Err(unexpected()),
    }
}

fn failed(failure: &Failure) -> Standing {
    let help = failure.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let (at, why) = (now(), failure.message.clone() + &help);
    if PASSING.contains(&failure.exit) { Standing::Away { at, why } } else { Standing::Failed { at, why } }
}

fn said(standing: &Standing) -> String {
    let listed = |all: &BTreeSet<String>| all.iter().map(|one| format!("\n  {}", printable(one))).collect::<String>();
    match standing {
        Standing::New => "to be planned".to_owned(),
        Standing::Applied { revision: Some(revision), .. } => format!("applied, now at revision {revision}"),
        Standing::Applied { revision: None, .. } => "as declared".to_owned(),
        Standing::Waiting { because, .. } => format!("somebody has to agree, by `stead follow`:{}", listed(because)),
        Standing::Failed { why, .. } => format!("failed: {}", printable(why)),
        Standing::Away { why, .. } => format!("is tried again: {}", printable(why)),
    }
}

/// In milliseconds since 1970.
fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn nothing_to_follow() -> Failure {
    let failure = Failure::new(Blame::Operator, Exit::Usage, &"stead.toml has no table [follow]");
    failure.help("add [follow] with remote = \"git@HOST:PATH\" and signed-by = [\"ssh-ed25519 …\"]")
}

fn git_failure(error: &MirrorError) -> Failure {
    let exit = match error {
        MirrorError::Folder { .. } => Exit::State,
        MirrorError::Fetch { .. } => Exit::Unreachable,
        MirrorError::Unsigned { .. } | MirrorError::NotAfter { .. } | MirrorError::NotACommit(_) => Exit::Denied,
        MirrorError::Git(_) => Exit::Unavailable,
    };
    let failure = Failure::new(Blame::Operator, exit, error);
    match error {
        MirrorError::Unsigned { .. } => failure.help(
            "sign with `git commit -S` and gpg.format = ssh; a new key has to be added by a commit that a known one signed",
        ),
        MirrorError::NotAfter { .. } => failure.help("nothing older is applied: put a new commit on top, as `git revert` does"),
        _ => failure,
    }
}
