//! From projects as they are to projects as their files want them: one step each.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{Container, Engine, Fact, Found, Kept, Misfit, Record, Service, Set, State, Version, Wanted};
use super::{Compose, EngineName, Entry, Files, Project, Spec};
use crate::capability::{Declared, Desired, PlanError};
use crate::plan::{Change, Deferred, Diff, Step, Undo};

pub(super) fn diff(fact: &Fact, desired: &Desired<'_, Compose>) -> Result<Diff<Set>, PlanError> {
    let declared = declared(desired.specs)?;
    if fact.engine != Engine::Up {
        return without_docker(&fact.engine, &declared, desired);
    }
    let mut steps = Vec::new();
    for (project, declared) in in_order(desired.specs, &declared) {
        let impossible = |reason: String| PlanError::Impossible {
            resource: format!("compose {project}"),
            policy: declared.policy.clone(),
            reason,
        };
        let found = fact.projects.get(project).ok_or_else(|| impossible("was not observed".to_owned()))?;
        let wanted = found.wanted.as_ref().ok_or_else(|| impossible("its files were not read".to_owned()))?;
        let lacking = lacking(wanted);
        if !lacking.is_empty() {
            return Err(impossible(format!("apps/{project}: {}", lacking.join("; "))));
        }
        steps.extend(up(project, found, wanted));
    }
    let none = Found::default();
    let found = |set: &Set| fact.projects.get(&set.project).unwrap_or(&none);
    let projects = desired.pruned().filter(|(name, _)| name.parse::<Project>().is_ok());
    let mut leaving: Vec<_> = projects.filter_map(|(_, release)| release.as_ref()).collect();
    // Docker removes no network while somebody is in it.
    leaving.sort_by_key(|set| owns_what_others_use(found(set), fact));
    steps.extend(leaving.into_iter().filter_map(|set| prune(&set.project, found(set), &set.to).map(Step::leaving)));
    Ok(Diff { steps, ..Diff::default() })
}

/// The projects as they were first declared: one may need a network of one before, or what runs there.
fn in_order<'a>(
    specs: &'a [Declared<Spec>],
    declared: &BTreeMap<&'a Project, &'a Declared<Spec>>,
) -> Vec<(&'a Project, &'a Declared<Spec>)> {
    let mut seen = BTreeSet::new();
    let projects = specs.iter().map(|declared| &declared.spec.project).filter(|project| seen.insert(*project));
    projects.filter_map(|project| declared.get(project).map(|declared| (project, *declared))).collect()
}

/// Whether a network that another project has as an external one is this project's own.
fn owns_what_others_use(found: &Found, fact: &Fact) -> bool {
    let externals = |found: &Found| -> BTreeSet<String> {
        let networks = found.record.iter().flat_map(|record| &record.version.networks);
        networks.filter(|(_, kept)| kept.external).map(|(name, _)| name.clone()).collect()
    };
    fact.projects.values().any(|other| externals(other).iter().any(|name| found.networks.contains_key(name)))
}

/// What the project's engine does not carry, in words.
fn lacking(wanted: &Wanted) -> Vec<String> {
    let mut lacking = wanted.unsupported.clone();
    if wanted.version.engine != EngineName::Plugin {
        let hint =
            "not supported yet, but by the Compose plugin itself: say `engine = \"plugin\"` for it in stead.toml";
        lacking.extend(wanted.plugin_only.iter().map(|what| format!("{what}: {hint}")));
    }
    lacking
}

/// One spec a project.
fn declared(specs: &[Declared<Spec>]) -> Result<BTreeMap<&Project, &Declared<Spec>>, PlanError> {
    let mut projects: BTreeMap<&Project, &Declared<Spec>> = BTreeMap::new();
    for declared in specs {
        match projects.insert(&declared.spec.project, declared) {
            Some(earlier) if earlier.spec != declared.spec => {
                return Err(PlanError::Conflict {
                    resource: format!("compose {}", declared.spec.project),
                    first: earlier.policy.clone(),
                    second: declared.policy.clone(),
                    reason: "other variables, another health-timeout or another scale".to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(projects)
}

/// Docker may be on its way: then the projects are planned later. Otherwise somebody has to do something.
fn without_docker(
    engine: &Engine,
    declared: &BTreeMap<&Project, &Declared<Spec>>,
    desired: &Desired<'_, Compose>,
) -> Result<Diff<Set>, PlanError> {
    let deferred = |project: &str| Deferred { resource: project.to_owned(), reason: reason(engine).to_owned() };
    let wanted = declared.keys().map(|project| deferred(project.as_str()));
    if *engine == Engine::Recorded {
        let pruned = desired.pruned().filter(|(_, release)| release.is_some()).map(|(project, _)| deferred(project));
        return Ok(Diff { deferred: wanted.chain(pruned).collect(), ..Diff::default() });
    }
    let is_coming = desired.changed.iter().any(|changed| {
        changed.starts_with("package:")
            || changed.starts_with("service:docker.")
            || changed.starts_with("service:containerd.")
    });
    if is_coming {
        return Ok(Diff { deferred: wanted.collect(), ..Diff::default() });
    }
    if let Some((project, declared)) = declared.first_key_value() {
        let (resource, policy) = (format!("compose {project}"), declared.policy.clone());
        let reason = hint(engine);
        return Err(match engine {
            Engine::Down(_) => PlanError::NotReady { resource, policy, reason },
            _ => PlanError::Impossible { resource, policy, reason },
        });
    }
    match desired.pruned().find(|(_, release)| release.is_some()) {
        // Where there is no Docker, there is no container either.
        None => Ok(Diff::default()),
        Some(_) if *engine == Engine::NotInstalled => Ok(Diff::default()),
        Some((project, _)) => Err(PlanError::NotReady {
            resource: format!("compose {project}"),
            policy: "(none)".to_owned(),
            reason: hint(engine),
        }),
    }
}

fn reason(engine: &Engine) -> &'static str {
    match engine {
        Engine::NotInstalled => "Docker is not installed yet",
        Engine::Recorded => "there is no Docker to ask",
        Engine::NoPlugin => "the Compose plugin is not installed yet",
        Engine::Down(_) | Engine::Up => "Docker does not run yet",
    }
}

/// What is wrong with Docker, and what to do.
pub(super) fn hint(engine: &Engine) -> String {
    match engine {
        Engine::NotInstalled => "Docker is not installed: declare the package `docker.io`".to_owned(),
        Engine::NoPlugin => "the Compose plugin is not installed: declare the package `docker-compose-v2` (Ubuntu), \
                             `docker-compose` (Debian 13) or `docker-compose-plugin` (Docker's own repository)"
            .to_owned(),
        Engine::Down(why) => format!("Docker does not answer at {why}: see `systemctl status docker`"),
        Engine::Recorded | Engine::Up => "Docker is not what is missing".to_owned(),
    }
}

fn up(project: &Project, found: &Found, wanted: &Wanted) -> Option<Step<Set>> {
    let mut notes = file_notes(&found.files, &wanted.version.files);
    let before = found.record.as_ref().map(|record| record.version.engine).unwrap_or_default();
    if before != wanted.version.engine {
        notes.push(format!("engine: {}", wanted.version.engine));
    }
    notes.extend(service_notes(found, &wanted.version));
    notes.extend(network_notes(found, &wanted.version));
    let volumes = wanted.version.volumes.iter();
    let missing = volumes.filter(|(name, kept)| !kept.external && !found.volumes.contains(*name));
    notes.extend(missing.map(|(name, _)| format!("volume {name}: create")));
    if notes.is_empty() && found.record.as_ref().is_some_and(|record| is_same(&record.version, &wanted.version)) {
        return None;
    }
    let is_new = found.record.is_none() && found.containers.is_empty();
    let change = if is_new { Change::Create } else { Change::Update };
    let set = |to| Set { project: project.clone(), to };
    let (release, undo) = way_back(found, &wanted.version);
    let undo = undo.map_or_else(Undo::Impossible, |state| Undo::Action(set(state)));
    let step = Step::new(change, project.to_string(), set(State::Up(Box::new(wanted.version.clone()))), set(release));
    let idle = wanted.idle.iter().map(|words| format!("left out: {words}"));
    let step = notes.into_iter().chain(idle).fold(Step { undo, ..step }, Step::note);
    Some(match &found.record {
        None if !is_new => step.note("docker compose started it; stead takes it over"),
        _ => step,
    })
}

/// Whether a record needs no new one.
fn is_same(record: &Version, wanted: &Version) -> bool {
    let said = |version: &Version| (version.environment.clone(), version.secrets.clone(), version.health_timeout);
    record.files == wanted.files && said(record) == said(wanted)
}

/// How to give the project up, and how to take this step back.
fn way_back(found: &Found, wanted: &Version) -> (State, Result<State, String>) {
    match &found.record {
        Some(record) => (State::Down, Ok(State::Up(Box::new(former(record, found))))),
        None if found.containers.is_empty() => (State::Down, Ok(State::Down)),
        None if service_notes(found, wanted).is_empty() => (State::Unmanaged, Ok(State::Unmanaged)),
        None => {
            let reason = "stead did not start the project, so it does not know how its containers were made";
            (State::Unmanaged, Err(reason.to_owned()))
        }
    }
}

/// What stead last brought up, with the files and images that are there now.
fn former(record: &Record, found: &Found) -> Version {
    let mut version = record.version.clone();
    version.files =
        record.version.files.keys().filter_map(|name| Some((name.clone(), found.files.get(name)?.clone()))).collect();
    for container in &found.containers {
        if let Some(service) = version.services.get_mut(&container.service) {
            service.image_id = Some(container.image_id.clone());
        }
    }
    version
}

fn file_notes(is: &Files, to: &Files) -> Vec<String> {
    let names: BTreeSet<_> = is.keys().chain(to.keys()).collect();
    let note = |name: &String| {
        let what = match (is.get(name), to.get(name)) {
            (None, Some(_)) => "add",
            (Some(_), None) => "remove",
            (Some(Entry::File { digest: a, .. }), Some(Entry::File { digest: b, .. })) if a == b => "mode",
            _ => "change",
        };
        (is.get(name) != to.get(name)).then(|| format!("file {name}: {what}"))
    };
    names.into_iter().filter_map(note).collect()
}

fn service_notes(found: &Found, to: &Version) -> Vec<String> {
    let orphans: BTreeSet<_> = found.containers.iter().map(|container| &container.service).collect();
    let orphans = orphans.into_iter().filter(|service| !to.services.contains_key(*service));
    let anew = recreated(found, to);
    let declared = to.services.iter().flat_map(|(name, service)| {
        service_note(found, name, service, &anew).into_iter().map(move |what| format!("service {name}: {what}"))
    });
    declared.chain(orphans.map(|service| format!("service {service}: remove"))).collect()
}

/// The services of which a container is made anew, those among them that share something with such a one.
fn recreated<'a>(found: &Found, to: &'a Version) -> BTreeSet<&'a str> {
    let mut anew: BTreeSet<&str> = BTreeSet::new();
    loop {
        let known = anew.len();
        for (name, service) in &to.services {
            let of_it = |container: &&Container| container.service == *name;
            let mut there = found.containers.iter().filter(of_it).peekable();
            let is_there = there.peek().is_some();
            let misfits = there.any(|container| !container.misfits(service).is_empty());
            let shares = service.shares.iter().any(|other| anew.contains(other.as_str()));
            if is_there && (misfits || shares || found.networks_moved(service)) {
                anew.insert(name);
            }
        }
        if anew.len() == known {
            return anew;
        }
    }
}

fn service_note(found: &Found, name: &str, service: &Service, anew: &BTreeSet<&str>) -> Vec<String> {
    let there: Vec<_> = found.containers.iter().filter(|container| container.service == name).collect();
    let completed = found.record.as_ref().is_some_and(|record| record.completed.contains(name));
    let mut notes = Vec::new();
    let count = u32::try_from(there.len()).unwrap_or(u32::MAX);
    let mut misfits: Vec<Misfit> = there.iter().flat_map(|container| container.misfits(service)).collect();
    if service.shares.iter().any(|other| anew.contains(other.as_str())) {
        misfits.push(Misfit::Detached);
    }
    let moved = found.networks_moved(service);
    if there.is_empty() && service.replicas > 0 {
        let times = if service.replicas == 1 { String::new() } else { format!("{} times ", service.replicas) };
        notes.push(format!("create {times}from {}", service.image));
    } else if count != service.replicas {
        notes.push(format!("scale from {count} to {}", service.replicas));
    }
    if !misfits.is_empty() || moved {
        let how = match &service.stop_first {
            None if !moved => "started first".to_owned(),
            Some(why) if !moved => format!("stopped first: {why}"),
            _ => "stopped first: its network is made anew".to_owned(),
        };
        notes.push(format!("recreate, because of {}; {how}", why(found, name, service, &misfits, moved)));
    } else if there.iter().any(|container| !container.is_up(service, completed)) {
        notes.push("start".to_owned());
    }
    if service.image_id.is_none() && !notes.is_empty() {
        let how = if service.build.is_some() { "build" } else { "pull" };
        notes.push(format!("{how} {}{}", service.image, short_digest(service)));
    }
    notes
}

/// An image's digest in its registry, or its id, as far as it is known, as `docker images` shortens it.
fn short_digest(service: &Service) -> String {
    let digest = service.image_digest.as_deref().and_then(|name| name.rsplit('@').next());
    let short = |digest: &str| format!(" ({})", digest.chars().take("sha256:".len() + 12).collect::<String>());
    digest.or(service.image_id.as_deref()).map(short).unwrap_or_default()
}

/// The keys that changed, as far as they are known.
fn why(found: &Found, name: &str, service: &Service, misfits: &[Misfit], moved: bool) -> String {
    let mut reasons = BTreeSet::new();
    if misfits.contains(&Misfit::Config) {
        let record = found.record.as_ref().and_then(|record| record.version.services.get(name));
        let none = BTreeMap::new();
        let before = record.map_or(&none, |record| &record.keys);
        let names: BTreeSet<_> = before.keys().chain(service.keys.keys()).collect();
        let changed = names.into_iter().filter(|key| before.get(*key) != service.keys.get(*key));
        match record {
            Some(_) => reasons.extend(changed.cloned()),
            None => drop(reasons.insert("its configuration".to_owned())),
        }
        if reasons.is_empty() {
            reasons.insert("another version of the Compose plugin, or a change by hand".to_owned());
        }
    }
    if misfits.contains(&Misfit::Image) {
        reasons.insert(match service.is_outdated {
            true if service.build.is_some() => "what its image is built from".to_owned(),
            true => format!("a new image in its registry{}", short_digest(service)),
            false => format!("a new image{}", short_digest(service)),
        });
    }
    if misfits.contains(&Misfit::Mounted) {
        reasons.insert("files that it mounts".to_owned());
    }
    if misfits.contains(&Misfit::Detached) {
        reasons.insert("what it shares with another container".to_owned());
    }
    if moved {
        reasons.insert("its network".to_owned());
    }
    Vec::from_iter(reasons).join(", ")
}

fn network_notes(found: &Found, to: &Version) -> Vec<String> {
    let missing = to.networks.iter().filter_map(|(name, kept)| match found.networks.get(name) {
        _ if kept.external => None,
        None => Some(format!("network {name}: create")),
        Some(is) => is_moved(is.as_ref(), kept).then(|| format!("network {name}: recreate, because of its settings")),
    });
    let unused = found.networks.keys().filter(|name| !to.networks.contains_key(*name));
    missing.chain(unused.map(|name| format!("network {name}: remove"))).collect()
}

fn is_moved(is: Option<&crate::digest::Digest>, to: &Kept) -> bool {
    is.is_some_and(|is| *is != to.settings)
}

impl Found {
    fn networks_moved(&self, service: &Service) -> bool {
        let Some(wanted) = &self.wanted else { return false };
        service.networks.iter().any(|name| match (self.networks.get(name), wanted.version.networks.get(name)) {
            (Some(is), Some(to)) => is_moved(is.as_ref(), to),
            _ => false,
        })
    }
}

fn prune(project: &Project, found: &Found, to: &State) -> Option<Step<Set>> {
    if found.record.is_none() && (found.containers.is_empty() && found.networks.is_empty() || *to == State::Unmanaged) {
        return None;
    }
    let set = |to: State| Set { project: project.clone(), to };
    let undo = match &found.record {
        Some(record) => Undo::Action(set(State::Up(Box::new(former(record, found))))),
        None => Undo::Impossible("stead has no record of how it was brought up".to_owned()),
    };
    let step = Step::new(Change::Delete, project.to_string(), set(to.clone()), set(to.clone()));
    let step = Step { undo, ..step };
    if *to == State::Unmanaged {
        return Some(step.note("its containers were there before stead, and stay"));
    }
    let services: BTreeSet<_> = found.containers.iter().map(|container| &container.service).collect();
    let notes = services.into_iter().map(|service| format!("service {service}: remove"));
    let notes = notes.chain(found.networks.keys().map(|network| format!("network {network}: remove")));
    let notes = notes.chain(found.volumes.iter().map(|volume| format!("volume {volume}: stays")));
    Some(notes.fold(step, Step::note))
}
