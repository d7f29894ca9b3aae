//! The rules as a person reads them: from where, by which way, to what, with which verdict, by which policy.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::compile::{conditions, defaults};
use super::listening::Listening;
use super::ruleset::Match;
use super::spec::{Chain, Fallback, Rule, Spec, Traffic, Transport};
use super::verdict::Verdict;
use crate::capability::{Declared, PlanError};

/// One chain of which something is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub chain: Chain,
    /// `drop by default (server)`.
    pub default: String,
    /// In the order in which they are tried.
    pub rows: Vec<Row>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub from: String,
    /// By which interfaces.
    pub by: String,
    pub to: String,
    pub verdict: String,
    /// The policy, and its comment.
    pub policy: String,
}

/// Who gets to a program that listens, or that something is open and nobody listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// `tcp 22`.
    pub port: String,
    /// `None`: nobody listens.
    pub program: Option<String>,
    /// Empty: nobody gets in.
    pub who: Vec<String>,
}

/// The chains, those of which nothing is said left out.
///
/// # Errors
/// When the specs contradict each other.
pub fn table(specs: &[Declared<Spec>]) -> Result<Vec<Section>, PlanError> {
    let defaults = defaults(specs)?;
    let by = |chain: Chain| {
        let said = |declared: &&Declared<Spec>| matches!(&declared.spec, Spec::Default(one) if one.chain == chain);
        specs.iter().find(said).map(|declared| format!(" ({})", declared.policy)).unwrap_or_default()
    };
    let section = |chain: Chain| {
        let rows: Vec<_> = specs.iter().filter_map(|declared| row(chain, declared)).collect();
        let default = defaults.get(&chain);
        (default.is_some() || !rows.is_empty()).then(|| Section {
            chain,
            default: format!("{} by default{}", default.map_or("accept", |default| default.name()), by(chain)),
            rows,
        })
    };
    Ok(Chain::ALL.into_iter().filter_map(section).collect())
}

fn row(chain: Chain, declared: &Declared<Spec>) -> Option<Row> {
    let Declared { policy, spec } = declared;
    match spec {
        Spec::Rule(rule) if rule.chain == chain => Some(of_rule(policy, rule)),
        Spec::Open(open) if chain == Chain::Input => Some(of_rule(policy, &open.rule())),
        Spec::Raw(raw) if raw.chain == chain => Some(Row {
            from: String::new(),
            by: String::new(),
            to: raw.rule.to_string(),
            verdict: String::new(),
            policy: policy.clone(),
        }),
        _ => None,
    }
}

fn of_rule(policy: &str, rule: &Rule) -> Row {
    let comment = rule.comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_default();
    Row {
        from: rule.source.to_string(),
        by: by(rule),
        to: to(rule),
        verdict: rule.verdict.to_string(),
        policy: format!("{policy}{comment}"),
    }
}

fn by(rule: &Rule) -> String {
    match (&rule.input_interface, &rule.output_interface) {
        (None, None) => "any".to_owned(),
        (Some(input), None) => input.to_string(),
        (None, Some(output)) => format!("→ {output}"),
        (Some(input), Some(output)) => format!("{input} → {output}"),
    }
}

fn to(rule: &Rule) -> String {
    let mut words = Vec::new();
    if !rule.destination.is_any() {
        words.push(rule.destination.to_string());
    }
    if rule.traffic == Traffic::Any {
        words.push(rule.traffic.to_string());
    }
    words.extend(conditions(rule).iter().map(|one| match one {
        Match::Traffic(traffic) => traffic.to_string(),
        other => other.to_string(),
    }));
    words.join(" ")
}

/// Every program that listens, and every port that is open to somebody.
///
/// # Errors
/// When the specs contradict each other.
pub fn doors(specs: &[Declared<Spec>], listening: &BTreeSet<Listening>) -> Result<Vec<Door>, PlanError> {
    let openings: Vec<Rule> = specs.iter().filter_map(opening).collect();
    let mut programs: Vec<(Transport, u16, BTreeSet<&str>)> = Vec::new();
    for one in listening {
        match programs.last_mut() {
            Some((protocol, port, names)) if *protocol == one.protocol && *port == one.port => {
                names.insert(&one.program);
            }
            _ => programs.push((one.protocol, one.port, BTreeSet::from([one.program.as_str()]))),
        }
    }
    let door = |(protocol, port, names): &(Transport, u16, BTreeSet<&str>)| {
        let names: Vec<_> = names.iter().copied().collect();
        let who = who_reaches(specs, *protocol, *port)?;
        Ok(Door { port: format!("{} {port}", protocol.name()), program: Some(names.join(", ")), who })
    };
    let mut doors = programs.iter().map(door).collect::<Result<Vec<_>, PlanError>>()?;
    let unheard = |rule: &&Rule| !programs.iter().any(|(protocol, port, _)| rule.is_for(*protocol, *port));
    let with_ports = openings.iter().filter(|rule| !rule.traffic.ports().is_empty());
    doors.extend(with_ports.filter(unheard).map(|rule| Door {
        port: rule.traffic.to_string(),
        program: None,
        who: vec![who(rule)],
    }));
    Ok(doors)
}

/// Who gets to a port, in words; nobody when there are none. Where an earlier rule may drop some of it, it is said so:
/// what becomes of one packet is for [`super::admits`].
///
/// # Errors
/// When the specs contradict each other.
pub fn who_reaches(specs: &[Declared<Spec>], protocol: Transport, port: u16) -> Result<Vec<String>, PlanError> {
    if defaults(specs)?.get(&Chain::Input) != Some(&Fallback::Drop) {
        return Ok(vec!["everybody, unless a rule says otherwise".to_owned()]);
    }
    let mut all = Vec::new();
    let mut sifted = "";
    for declared in specs {
        if let Some(rule) = opening(declared).filter(|rule| rule.is_for(protocol, port)) {
            all.push(format!("{}{sifted}", who(&rule)));
        }
        match closing(declared, protocol, port) {
            Some(Closing::All) => break,
            Some(Closing::Some) => sifted = ", unless an earlier rule drops it",
            None => {}
        }
    }
    all.dedup();
    Ok(all)
}

/// How much of what comes to a port a rule keeps from those after it.
enum Closing {
    All,
    Some,
}

fn closing(declared: &Declared<Spec>, protocol: Transport, port: u16) -> Option<Closing> {
    match &declared.spec {
        Spec::Raw(raw) if raw.chain == Chain::Input => Some(Closing::Some),
        Spec::Rule(rule) if rule.chain == Chain::Input && rule.is_for(protocol, port) => match rule.verdict {
            Verdict::Drop | Verdict::Reject if rule.has_no_condition() => Some(Closing::All),
            Verdict::Drop | Verdict::Reject => Some(Closing::Some),
            _ => None,
        },
        _ => None,
    }
}

/// What a policy lets in.
fn opening(declared: &Declared<Spec>) -> Option<Rule> {
    match &declared.spec {
        Spec::Open(open) => Some(open.rule()),
        Spec::Rule(rule) if rule.chain == Chain::Input && rule.verdict == Verdict::Accept => Some((**rule).clone()),
        _ => None,
    }
}

fn who(rule: &Rule) -> String {
    match &rule.input_interface {
        Some(interface) => format!("{} by {interface}", rule.source),
        None => rule.source.to_string(),
    }
}
