//! From what policies asked for to the table: stead's own rules, theirs in order, and the guard of published ports.

use std::collections::BTreeMap;

use super::RESOURCE;
use super::ruleset::{Base, ChainBody, Hook, Line, Match, Ruleset, Then};
use super::spec::{Chain, Default, Fallback, Family, Rule, Spec, Traffic, Verdict};
use super::words::{Interface, Ports, Prefixes};
use crate::capability::{Declared, PlanError};

mod own;

const ACCEPT: Then = Then::Verdict(Verdict::Accept);
const DROP: Then = Then::Verdict(Verdict::Drop);
/// The rules of policies for `input`: a chain of its own, because the guard of published ports asks it as well.
const DECLARED: &str = "declared";

/// Makes the table.
///
/// # Errors
/// When two policies want different default verdicts for one chain.
pub(super) fn compile(specs: &[Declared<Spec>]) -> Result<Ruleset, PlanError> {
    let asked = Asked { specs, defaults: defaults(specs)? };
    let mut chains = Vec::new();
    if asked.shapes(Chain::Input) {
        chains.extend([own::network(), asked.declared()]);
        if asked.guards() {
            chains.extend([own::direct(), own::published()]);
        }
        chains.push(asked.input());
    }
    if asked.shapes(Chain::Forward) || asked.guards() {
        chains.push(asked.forward());
    }
    if asked.shapes(Chain::Output) {
        chains.push(asked.output());
    }
    Ok(Ruleset { chains })
}

fn defaults(specs: &[Declared<Spec>]) -> Result<BTreeMap<Chain, Fallback>, PlanError> {
    let mut defaults: BTreeMap<Chain, (&str, Fallback)> = BTreeMap::new();
    for Declared { policy, spec } in specs {
        let Spec::Default(Default { chain, verdict }) = spec else { continue };
        match defaults.insert(*chain, (policy, *verdict)) {
            Some((first, earlier)) if earlier != *verdict => {
                return Err(PlanError::Conflict {
                    resource: RESOURCE.to_owned(),
                    first: first.to_owned(),
                    second: policy.clone(),
                    reason: format!("{} and {} by default in {chain}", earlier.name(), verdict.name()),
                });
            }
            _ => {}
        }
    }
    Ok(defaults.into_iter().map(|(chain, (_, verdict))| (chain, verdict)).collect())
}

struct Asked<'a> {
    specs: &'a [Declared<Spec>],
    defaults: BTreeMap<Chain, Fallback>,
}

impl Asked<'_> {
    /// Whether anything is said of the chain.
    fn shapes(&self, chain: Chain) -> bool {
        self.specs.iter().any(|declared| match &declared.spec {
            Spec::Rule(rule) => rule.chain == chain,
            Spec::Default(default) => default.chain == chain,
            Spec::Open(_) => chain == Chain::Input,
        })
    }

    /// Whether published ports are guarded: on a host whose `input` drops by default.
    fn guards(&self) -> bool {
        self.base(Hook::Input, Chain::Input).policy == Fallback::Drop
    }

    fn base(&self, hook: Hook, chain: Chain) -> Base {
        Base { hook, policy: self.defaults.get(&chain).copied().unwrap_or(Fallback::Accept) }
    }

    fn declared(&self) -> ChainBody {
        let line = |declared: &Declared<Spec>| match &declared.spec {
            Spec::Rule(rule) if rule.chain == Chain::Input => lines(&declared.policy, rule),
            Spec::Open(open) => lines(&declared.policy, &open.rule()),
            _ => Vec::new(),
        };
        let rules = self.specs.iter().flat_map(line).collect();
        ChainBody { name: DECLARED, comment: Some("the policies' rules for input"), base: None, rules }
    }

    fn input(&self) -> ChainBody {
        let mut rules = own::beginning(Match::InputInterface(Interface::known("lo")));
        rules.extend([jump(own::NETWORK), jump(DECLARED)]);
        self.chain(Chain::Input, Hook::Input, rules)
    }

    fn forward(&self) -> ChainBody {
        let mut rules = own::tracked();
        rules.extend(self.rules(Chain::Forward));
        if self.guards() {
            // The guard has let it through before its destination was translated.
            rules.push(Line::new(vec![Match::Translated], ACCEPT));
            let past = |name| Line::new(vec![Match::OutputInterface(Interface::known(name))], Then::Jump(own::DIRECT));
            rules.extend(own::BRIDGES.map(past));
        } else {
            rules.extend(self.opened());
        }
        self.chain(Chain::Forward, Hook::Forward, rules)
    }

    /// Opened ports that containers publish, for a `forward` that drops by default without a guard before it.
    fn opened(&self) -> Vec<Line> {
        let lines = |declared: &Declared<Spec>| {
            let Spec::Open(open) = &declared.spec else { return Vec::new() };
            let untranslated = Rule { traffic: open.protocol.traffic(Ports::default()), ..open.rule() };
            let mut lines = lines(&declared.policy, &untranslated);
            for line in &mut lines {
                line.matches.extend([Match::Translated, Match::OriginalPort(open.port.get())]);
            }
            lines
        };
        self.specs.iter().flat_map(lines).collect()
    }

    fn output(&self) -> ChainBody {
        let mut rules = own::beginning(Match::OutputInterface(Interface::known("lo")));
        rules.extend(own::outgoing());
        rules.extend(self.rules(Chain::Output));
        self.chain(Chain::Output, Hook::Output, rules)
    }

    fn rules(&self, chain: Chain) -> Vec<Line> {
        let line = |declared: &Declared<Spec>| match &declared.spec {
            Spec::Rule(rule) if rule.chain == chain => lines(&declared.policy, rule),
            _ => Vec::new(),
        };
        self.specs.iter().flat_map(line).collect()
    }

    fn chain(&self, chain: Chain, hook: Hook, rules: Vec<Line>) -> ChainBody {
        ChainBody { name: chain.name(), comment: None, base: Some(self.base(hook, chain)), rules }
    }
}

fn jump(chain: &'static str) -> Line {
    Line::new(Vec::new(), Then::Jump(chain))
}

/// A rule in nft's terms: one line, or one for each family when addresses are named.
fn lines(policy: &str, rule: &Rule) -> Vec<Line> {
    if rule.source.is_any() && rule.destination.is_any() {
        return vec![line(policy, rule, Prefixes::default(), Prefixes::default())];
    }
    let of = |family: Family| Some(line(policy, rule, rule.source.of(family)?, rule.destination.of(family)?));
    rule.families().into_iter().filter_map(of).collect()
}

fn line(policy: &str, rule: &Rule, source: Prefixes, destination: Prefixes) -> Line {
    let named = |prefixes: Prefixes, name: fn(Prefixes) -> Match| (!prefixes.is_any()).then(|| name(prefixes));
    let matches = [
        rule.input_interface.clone().map(Match::InputInterface),
        rule.output_interface.clone().map(Match::OutputInterface),
        named(source, Match::Source),
        named(destination, Match::Destination),
        (rule.traffic != Traffic::Any).then(|| Match::Traffic(rule.traffic.clone())),
    ];
    Line {
        matches: matches.into_iter().flatten().collect(),
        then: Then::Verdict(rule.verdict),
        comment: Some(comment(policy, rule)),
    }
}

/// Names the policy in the kernel's own ruleset. Names are the operator's and may hold what nft(8) cannot quote.
fn comment(policy: &str, rule: &Rule) -> String {
    const LONGEST_POLICY: usize = 60;
    let mut name: String = policy.chars().map(|c| if c.is_control() || c == '"' { '_' } else { c }).collect();
    while name.len() > LONGEST_POLICY {
        name.pop();
    }
    match &rule.comment {
        Some(comment) => format!("{name}: {comment}"),
        None => name,
    }
}
