//! A rule in the words of nft(8): one rule, which can be nothing else. What it means is for nft to say.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::policy::Invalid;

/// The text of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RawRule(String);

/// In bytes.
const LONGEST: usize = 4096;
/// What says something of the chain or of the file instead of being a rule.
const NO_RULES: [&str; 10] =
    ["type", "policy", "flags", "comment", "include", "define", "redefine", "undefine", "devices", "elements"];

impl RawRule {
    /// Whether it carries a comment of its own.
    pub fn has_comment(&self) -> bool {
        self.0.split(' ').any(|word| word == "comment")
    }
}

impl TryFrom<String> for RawRule {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let wrong = |reason: &str| Err(Invalid::new("rule", reason.to_owned()));
        let text = text.trim().to_owned();
        if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            return wrong("must be one line of 1 to 4096 bytes");
        }
        if text.split([' ', '=']).next().is_some_and(|word| NO_RULES.contains(&word)) {
            return wrong("is no rule: it says something of the chain or of the file");
        }
        let mut open = Vec::new();
        let mut quoted = false;
        for c in text.chars() {
            match c {
                '"' => quoted = !quoted,
                _ if quoted => {}
                ';' | '#' | '$' | '\\' => return wrong("must be one rule, without `;`, `#`, `$` and `\\`"),
                '{' => open.push('}'),
                '(' => open.push(')'),
                '[' => open.push(']'),
                '}' | ')' | ']' if open.pop() != Some(c) => return wrong("closes what it has not opened"),
                _ => {}
            }
        }
        if quoted || !open.is_empty() {
            return wrong("opens what it does not close");
        }
        Ok(Self(text))
    }
}

impl From<RawRule> for String {
    fn from(rule: RawRule) -> Self {
        rule.0
    }
}

impl fmt::Display for RawRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RawRule;

    #[test]
    fn only_one_rule_is_a_rule() {
        let is_rule = |text: &str| RawRule::try_from(text.to_owned()).is_ok();
        for rule in [
            "tcp dport 22 ct count over 10 reject",
            "ip saddr { 10.0.0.0/8, 192.0.2.1 } counter accept comment \"a; b }\"",
            "tcp flags & (fin | syn) == fin | syn drop",
            "add @seen { ip saddr timeout 1m }",
            "fib daddr . iif type != { local, broadcast } drop",
        ] {
            assert!(is_rule(rule), "{rule}");
        }
        for text in [
            "",
            " ",
            "accept; drop",
            "accept }",
            "accept } chain x {",
            "tcp dport { 22",
            "tcp dport ( 22 }",
            "accept \"",
            "accept # mine",
            "accept\ndrop",
            "ip saddr $x drop",
            "policy accept",
            "type filter hook input priority 0",
            "include \"/etc/shadow\"",
            "define x = 1",
        ] {
            assert!(!is_rule(text), "{text}");
        }
        assert!(!is_rule(&"x".repeat(4097)));
    }
}
