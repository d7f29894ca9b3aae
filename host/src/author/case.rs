//! Tests of a policy, as data: a file of TOML says what the policy is given, and what it then asks for.
//!
//! The policy runs as it does for a plan, and nothing else does: no machine is looked at.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::given::Given;
use super::{FileError, planned};
use crate::policy::{Policy, Recorded, Run, Runtime};
use crate::repo::{self, Repo, RepoError};

/// One case.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    facts: Given,
    /// Instead of the config of `stead.toml`.
    config: Option<Map<String, Value>>,
    /// Instead of the grants of `stead.toml`.
    grant: Option<toml::Table>,
    pub expect: Outcome,
}

/// What a policy asked for, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outcome {
    /// Each call to a capability, in order: `{ CAPABILITY = SPEC }`, with `refused` when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<Vec<Map<String, Value>>>,
    /// The steps of a plan for a machine that has nothing yet, in order: `+ file /etc/motd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Vec<String>>,
    /// In what words it ended badly. In a case, a part of them is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A case cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path}: {reason}")]
    Wrong { path: String, reason: String },
    #[error(transparent)]
    Grant(#[from] RepoError),
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    /// When the file is none.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        let text = std::fs::read_to_string(path).map_err(FileError::at(path))?;
        toml::from_str(&text)
            .map_err(|error| CaseError::Wrong { path: path.display().to_string(), reason: error.to_string() })
    }

    /// Runs the policy on it.
    ///
    /// # Errors
    /// When its grants are wrong. How the policy ends is an outcome.
    pub async fn run(&self, runtime: &Runtime, policy: &repo::Policy, component: &[u8]) -> Result<Outcome, CaseError> {
        let grants = match &self.grant {
            Some(grant) => granted(policy.name.as_str(), grant)?.grants,
            None => policy.grants.clone(),
        };
        let config = Value::Object(self.config.clone().unwrap_or_else(|| policy.config.clone()));
        let name = policy.name.as_str();
        let given = Policy {
            name,
            component,
            grants: &grants,
            config: &config,
            meshes: &Default::default(),
            engines: &Default::default(),
            backups: &Default::default(),
            limits: policy.limits,
        };
        Ok(match runtime.configure(&given, &self.facts.clone().into()).await {
            Ok(run) => self.outcome(name, run).await,
            Err(error) => Outcome { error: Some(error.to_string()), ..Outcome::default() },
        })
    }

    /// What the case wants to know of a run that ended well: its calls, unless only its plan is expected.
    async fn outcome(&self, policy: &str, mut run: Run) -> Outcome {
        let calls = std::mem::take(&mut run.calls);
        let wanted = self.expect.calls.is_some() || self.expect.plan.is_none();
        let calls = wanted.then(|| calls.into_iter().filter_map(asked).collect());
        if self.expect.plan.is_none() {
            return Outcome { calls, ..Outcome::default() };
        }
        match planned::plan(policy, run, self.facts.clone().into()).await {
            Ok(plan) => Outcome { calls, plan: Some(plan), error: None },
            Err(error) => Outcome { error: Some(error), ..Outcome::default() },
        }
    }
}

impl Outcome {
    /// Whether it is what a case expects. Calls of a policy that ended badly are of no use to anybody.
    pub fn is(&self, expected: &Self) -> bool {
        match (&self.error, &expected.error) {
            (None, None) => {
                let calls = |outcome: &Self| outcome.calls.clone().unwrap_or_default();
                calls(self) == calls(expected) && self.plan == expected.plan
            }
            (Some(error), Some(part)) => error.contains(part.as_str()),
            _ => false,
        }
    }

    /// As a case has it.
    pub fn text(&self) -> String {
        // A line a call, so that a difference is one of lines.
        let call = |call: &Map<String, Value>| Some(format!("    {},\n", toml::Value::try_from(call).ok()?));
        let calls = self.calls.as_ref().map(|calls| calls.iter().filter_map(call).collect::<String>());
        let steps = |steps: &Vec<String>| {
            steps.iter().map(|step| format!("    {},\n", toml::Value::String(step.clone()))).collect::<String>()
        };
        let calls = calls.map(|lines| format!("calls = [\n{lines}]\n")).unwrap_or_default();
        let plan = self.plan.as_ref().map(|plan| format!("plan = [\n{}]\n", steps(plan))).unwrap_or_default();
        let error = |error: &String| format!("error = {}\n", toml::Value::String(error.clone()));
        match &self.error {
            Some(words) => format!("[expect]\n{}", error(words)),
            None => format!("[expect]\n{calls}{plan}"),
        }
    }
}

/// Facts, config and log are what a policy is given and says, not what it asks for.
fn asked(call: Recorded) -> Option<Map<String, Value>> {
    if matches!(call.capability.as_str(), "facts" | "config" | "log") {
        return None;
    }
    let mut asked = Map::new();
    // An argument that was none has no spec.
    asked.insert(call.capability, given(call.spec).unwrap_or_else(|| Value::String(String::new())));
    asked.extend(call.refused.map(|refused| ("refused".to_owned(), Value::String(refused))));
    Some(asked)
}

/// Without what is absent, for which TOML has no word.
fn given(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(values) => Some(values.into_iter().filter_map(given).collect()),
        Value::Object(fields) => Some(
            fields.into_iter().filter_map(|(name, value)| Some((name, given(value)?))).collect::<Map<_, _>>().into(),
        ),
        value => Some(value),
    }
}

/// A policy with these grants, as `stead.toml` would have them.
fn granted(name: &str, grant: &toml::Table) -> Result<repo::Policy, RepoError> {
    let mut policy = toml::Table::from_iter([("component".to_owned(), "none.wasm".into())]);
    policy.insert("grant".to_owned(), grant.clone().into());
    let policies = toml::Table::from_iter([(name.to_owned(), policy.into())]);
    let document = toml::Table::from_iter([("policy".to_owned(), toml::Value::from(policies))]);
    let repo = Repo::parse(Path::new("."), document.to_string())?;
    repo.policies().next().cloned().ok_or(RepoError::NotFound { start: Path::new(".").to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{Case, Outcome, given};

    #[test]
    fn what_is_absent_is_left_out() {
        let spec = serde_json::json!({ "name": "web", "version": null, "list": [null, { "a": null }] });
        assert_eq!(given(spec), Some(serde_json::json!({ "name": "web", "list": [{}] })));
    }

    #[test]
    fn an_outcome_is_written_as_a_case_has_it() -> anyhow::Result<()> {
        let text = "[facts]\nhost-name = \"web1\"\nos = { id = \"debian\" }\n[config]\nport = 22\n\
            [grant.sysctl]\nkeys = [\"vm.*\"]\n[expect]\ncalls = [\n    \
            { sysctl = { key = \"vm.swappiness\", value = \"10\" } },\n    \
            { refused = \"sysctl: it is not granted\", sysctl = { key = \"a.b\", value = \"1\" } },\n]\n";
        let case: Case = toml::from_str(text)?;
        assert!(text.ends_with(&case.expect.text()), "{}", case.expect.text());
        let failed = Outcome { error: Some("policy p failed: no \"port\"\n22".to_owned()), ..Outcome::default() };
        let read: Case = toml::from_str(&failed.text())?;
        assert!(failed.is(&read.expect) && !failed.is(&case.expect) && case.expect.is(&case.expect));
        assert!(failed.is(&Outcome { error: Some("no \"port\"".to_owned()), ..Outcome::default() }));
        assert!(toml::from_str::<Case>("[facts]\nhostname = \"web1\"").is_err());
        Ok(())
    }
}
