//! The elements of fixed sets and maps: kept apart from the table, so that one of a hundred thousand can change alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The elements of each set and map, by its name: as nft(8) reads them, sorted.
pub(super) type Elements = BTreeMap<String, Vec<String>>;

/// How many elements a plan names.
const SHOWN: usize = 8;

/// The text of a table with its sets and maps filled.
pub(super) fn filled(text: &str, elements: &Elements) -> String {
    let mut filled =
        String::with_capacity(text.len() + elements.values().flatten().map(|one| one.len() + 9).sum::<usize>());
    let mut within = None;
    for line in text.split_inclusive('\n') {
        if let Some(name) = opened(line) {
            within = elements.get(name).filter(|all| !all.is_empty());
        }
        if let (true, Some(all)) = (line == "\t}\n", within) {
            filled.push_str("\t\telements = { ");
            filled.push_str(&all.join(",\n\t\t\t     "));
            filled.push_str(" }\n");
            within = None;
        }
        filled.push_str(line);
    }
    filled
}

/// The name of the set or map that this line begins.
pub(super) fn opened(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("\tset ").or_else(|| line.strip_prefix("\tmap "))?;
    rest.trim_end().strip_suffix(" {")
}

/// Commands for nft(8), one transaction, that make of one set of elements the other; empty when they are the same.
pub(super) fn commands(from: &Elements, to: &Elements) -> String {
    let mut text = String::new();
    for change in changes(from, to) {
        for (command, elements) in [("delete", change.gone), ("add", change.new)] {
            if !elements.is_empty() {
                let _ = writeln!(text, "{command} element inet stead {} {{ {} }}", change.name, elements.join(", "));
            }
        }
    }
    text
}

/// What a plan says of the change, a line for each set or map.
pub(super) fn notes(from: &Elements, to: &Elements) -> Vec<String> {
    let some = |sign: &str, elements: &[&str]| {
        let shown = elements.iter().take(SHOWN).map(|element| format!("{sign} {element}"));
        let more = elements.len().saturating_sub(SHOWN);
        shown.chain((more > 0).then(|| format!("{sign} {more} more"))).collect::<Vec<_>>()
    };
    let note = |change: Change<'_>| {
        let all: Vec<_> = some("-", &change.gone).into_iter().chain(some("+", &change.new)).collect();
        format!("elements of {}: {}", change.name, all.join(", "))
    };
    changes(from, to).map(note).collect()
}

struct Change<'a> {
    name: &'a str,
    gone: Vec<&'a str>,
    new: Vec<&'a str>,
}

fn changes<'a>(from: &'a Elements, to: &'a Elements) -> impl Iterator<Item = Change<'a>> {
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    names.into_iter().filter_map(|name| {
        let (old, new) = (from.get(name).map_or(&[][..], Vec::as_slice), to.get(name).map_or(&[][..], Vec::as_slice));
        (old != new).then(|| Change { name, gone: without(old, new), new: without(new, old) })
    })
}

/// Those of `these` that are not among `others`.
fn without<'a>(these: &'a [String], others: &[String]) -> Vec<&'a str> {
    let others: BTreeSet<&str> = others.iter().map(String::as_str).collect();
    these.iter().map(String::as_str).filter(|one| !others.contains(one)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Elements, commands, filled, notes};

    fn elements(of: &[(&str, &[&str])]) -> Elements {
        of.iter().map(|(name, all)| ((*name).to_owned(), all.iter().map(|one| (*one).to_owned()).collect())).collect()
    }

    #[test]
    fn sets_are_filled_by_name() {
        let text = "table inet stead {\n\tset a {\n\t\ttype ipv4_addr\n\t}\n\n\tset b {\n\t\ttype ipv4_addr\n\t}\n\n\tchain a {\n\t}\n}\n";
        let with = elements(&[("a", &["192.0.2.1", "192.0.2.2"]), ("b", &[]), ("c", &["192.0.2.3"])]);
        insta::assert_snapshot!(filled(text, &with), @r"
        table inet stead {
        	set a {
        		type ipv4_addr
        		elements = { 192.0.2.1,
        			     192.0.2.2 }
        	}

        	set b {
        		type ipv4_addr
        	}

        	chain a {
        	}
        }
        ");
    }

    #[test]
    fn only_what_differs_is_said() {
        let from = elements(&[("a", &["1", "2", "3"]), ("b", &["9"])]);
        let to = elements(&[("a", &["1", "3", "4"]), ("b", &["9"])]);
        assert_eq!(commands(&from, &to), "delete element inet stead a { 2 }\nadd element inet stead a { 4 }\n");
        assert_eq!(notes(&from, &to), ["elements of a: - 2, + 4"]);
        assert_eq!(commands(&to, &to), "");
        let many: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let many = Elements::from([("a".to_owned(), many)]);
        assert_eq!(
            notes(&Elements::new(), &many),
            ["elements of a: + 0, + 1, + 2, + 3, + 4, + 5, + 6, + 7, + 12 more"]
        );
    }
}
