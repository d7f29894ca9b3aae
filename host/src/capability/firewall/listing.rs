//! What nft(8) lists, without what packets change, and with the elements of fixed sets apart.

use super::elements::{Elements, opened};
use super::set::{ElementType, ValueType};
use super::state::Table;

impl Table {
    /// The table that nft lists so. Elements that packets add are no part of what is declared, and are left out.
    pub(super) fn listed(listing: &str) -> Self {
        let mut text = String::with_capacity(listing.len());
        let mut elements = Elements::new();
        let mut lines = listing.split_inclusive('\n');
        while let Some(line) = lines.next() {
            text.push_str(line);
            let Some(name) = opened(line) else { continue };
            let block: Vec<_> = lines.by_ref().take_while(|line| *line != "\t}\n").collect();
            let begin = block.iter().position(|line| line.trim_start().starts_with("elements = "));
            let (head, all) = block.split_at(begin.unwrap_or(block.len()));
            text.extend(head.iter().copied());
            if !head.iter().any(|line| is_of_packets(line)) {
                match of(head, all) {
                    Some(known) => drop(elements.insert(name.to_owned(), known)),
                    None => text.extend(all.iter().copied()),
                }
            }
            text.push_str("\t}\n");
        }
        Self { text, elements }
    }
}

fn is_of_packets(line: &str) -> bool {
    let flags = line.trim_start().strip_prefix("flags ");
    flags.is_some_and(|flags| flags.split(',').any(|flag| matches!(flag.trim(), "dynamic" | "timeout")))
}

/// The elements as stead writes them; `None`: there is something about them that stead does not write.
fn of(head: &[&str], all: &[&str]) -> Option<Vec<String>> {
    let kind = head.iter().find_map(|line| line.trim().strip_prefix("type "))?;
    let (key, value) = match kind.split_once(" : ") {
        Some((key, value)) => (ElementType::named(key)?, Some(ValueType::named(value)?)),
        None => (ElementType::named(kind)?, None),
    };
    let all = all.concat();
    let inner = match all.trim() {
        "" => return Some(Vec::new()),
        text => text.strip_prefix("elements = {")?.strip_suffix('}')?,
    };
    let mut sorted = Vec::new();
    for element in inner.split(',').map(str::trim) {
        let (first, rest) = match value {
            Some(value) => {
                element.split_once(" : ").and_then(|(first, to)| Some((first, Some(value.value(to).ok()?))))?
            }
            None => (element, None),
        };
        sorted.push((key.interval(first).ok()?, rest));
    }
    sorted.sort();
    Some(sorted.into_iter().map(|(interval, value)| key.element(interval, value.as_deref())).collect())
}

#[cfg(test)]
mod tests {
    use crate::capability::firewall::state::Table;

    fn listed(block: &str) -> (String, Vec<(String, Vec<String>)>) {
        let listing = format!("table inet stead {{\n\tset a {{\n{block}\t}}\n\n\tchain x {{\n\t}}\n}}\n");
        let Table { text, elements } = Table::listed(&listing);
        let block = text.strip_prefix("table inet stead {\n\tset a {\n").and_then(|rest| rest.split_once("\t}\n"));
        (block.map(|(block, _)| block.to_owned()).unwrap_or(text), elements.into_iter().collect())
    }

    #[test]
    fn elements_are_apart_and_written_one_way() {
        let head = "\t\ttype ipv4_addr\n\t\tflags interval\n";
        let (text, elements) =
            listed(&format!("{head}\t\telements = {{ 192.0.2.1, 10.0.0.0/8,\n\t\t\t     9.0.0.1-9.0.0.4 }}\n"));
        assert_eq!(text, head);
        let all = ["9.0.0.1-9.0.0.4", "10.0.0.0-10.255.255.255", "192.0.2.1"].map(str::to_owned).to_vec();
        assert_eq!(elements, [("a".to_owned(), all)]);
        assert_eq!(listed(head), (head.to_owned(), vec![("a".to_owned(), Vec::new())]));
    }

    #[test]
    fn what_packets_add_is_left_out() {
        let head = "\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 1m\n";
        let with = format!("{head}\t\telements = {{ 192.0.2.1 expires 3s,\n\t\t\t     192.0.2.2 expires 9s }}\n");
        assert_eq!(listed(&with), (head.to_owned(), Vec::new()));
    }

    #[test]
    fn what_somebody_else_wrote_stays_in_the_text() {
        for block in [
            "\t\ttype ipv4_addr . inet_service\n\t\telements = { 192.0.2.1 . 80 }\n",
            "\t\ttype ipv4_addr\n\t\telements = { 192.0.2.1 comment \"a, b\" }\n",
            "\t\ttype ether_addr\n\t\telements = { 00:00:5e:00:53:01 }\n",
        ] {
            assert_eq!(listed(block), (block.to_owned(), Vec::new()));
        }
    }
}
