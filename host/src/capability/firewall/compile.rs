//! From what policies asked for to the table: stead's own rules, theirs in order, and the guard of published ports.

use std::collections::BTreeMap;

use super::RESOURCE;
use super::ruleset::{Base, ChainBody, Hook, Line, Match, Ruleset, Then};
use super::spec::{Chain, Default, Fallback, Rule, Spec};
use super::verdict::Verdict;
use super::words::{Interface, Ports};
use crate::capability::{Declared, PlanError};

mod line;
mod named;
mod own;

pub(super) use line::conditions;
use named::Sets;

const ACCEPT: Then = Then::Verdict(Verdict::Accept);
const DROP: Then = Then::Verdict(Verdict::Drop);
/// The rules of policies for `input`: a chain of its own, because the guard of published ports asks it as well.
const DECLARED: &str = "declared";

/// Makes the table.
///
/// # Errors
/// When two policies want different default verdicts for one chain or different sets of one name, or a rule names a set
/// that is not there or holds something else.
pub(super) fn compile(specs: &[Declared<Spec>]) -> Result<Ruleset, PlanError> {
    let (named, sets) = named::collect(specs)?;
    let asked = Asked { specs, defaults: defaults(specs)?, sets };
    asked.check()?;
    let mut chains = Vec::new();
    if asked.shapes(Chain::Input) {
        chains.extend([own::network(), asked.declared()]);
        if asked.guards() {
            chains.extend([own::direct(), own::published(), own::unguarded()]);
        }
        chains.push(asked.input());
    }
    if asked.shapes(Chain::Forward) || asked.guards() {
        chains.push(asked.forward());
    }
    if asked.shapes(Chain::Output) {
        chains.push(asked.output());
    }
    let translating = [(Chain::Prerouting, Hook::Dstnat), (Chain::Postrouting, Hook::Srcnat)];
    for (chain, hook) in translating.into_iter().filter(|(chain, _)| asked.shapes(*chain)) {
        chains.push(asked.chain(chain, hook, asked.rules(chain)));
    }
    Ok(Ruleset { named, chains })
}

/// The default verdicts that policies want.
///
/// # Errors
/// When two want different ones for one chain.
pub(super) fn defaults(specs: &[Declared<Spec>]) -> Result<BTreeMap<Chain, Fallback>, PlanError> {
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
    sets: Sets<'a>,
}

impl Asked<'_> {
    /// Whether anything is said of the chain.
    fn shapes(&self, chain: Chain) -> bool {
        self.specs.iter().any(|declared| match &declared.spec {
            Spec::Rule(rule) => rule.chain == chain,
            Spec::Default(default) => default.chain == chain,
            Spec::Raw(raw) => raw.chain == chain,
            Spec::Open(_) => chain == Chain::Input,
            Spec::Set(_) | Spec::Map(_) => false,
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
        let rules = self.rules(Chain::Input);
        ChainBody { name: DECLARED, comment: Some("the policies' rules for input"), base: None, rules }
    }

    fn input(&self) -> ChainBody {
        let mut rules = own::beginning(Match::InputInterface(Interface::known("lo")));
        rules.extend(if self.guards() { own::past_the_guard() } else { own::judge() });
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
            let mut lines = self.sets.lines(&declared.policy, &untranslated);
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

    /// What policies say of the chain, in their order.
    fn rules(&self, chain: Chain) -> Vec<Line> {
        let lines = |declared: &Declared<Spec>| match &declared.spec {
            Spec::Rule(rule) if rule.chain == chain => self.sets.lines(&declared.policy, rule),
            Spec::Open(open) if chain == Chain::Input => self.sets.lines(&declared.policy, &open.rule()),
            Spec::Raw(raw) if raw.chain == chain => vec![line::raw(&declared.policy, raw)],
            _ => Vec::new(),
        };
        self.specs.iter().flat_map(lines).collect()
    }

    /// Sees that every set that a rule names is there and holds what the rule takes it for.
    fn check(&self) -> Result<(), PlanError> {
        for Declared { policy, spec } in self.specs {
            let Spec::Rule(rule) = spec else { continue };
            if let Err(reason) = self.sets.check(policy, rule) {
                return Err(PlanError::Impossible { resource: RESOURCE.to_owned(), policy: policy.clone(), reason });
            }
        }
        Ok(())
    }

    fn chain(&self, chain: Chain, hook: Hook, rules: Vec<Line>) -> ChainBody {
        ChainBody { name: chain.name(), comment: None, base: Some(self.base(hook, chain)), rules }
    }
}

fn jump(chain: &'static str) -> Line {
    Line::new(Vec::new(), Then::Jump(chain))
}
