//! What nft(8) lists, without what packets change.

/// The listing of a table without the elements of sets that packets add to: those are no part of what is declared.
pub(super) fn declared(listing: &str) -> String {
    let mut text = String::with_capacity(listing.len());
    let mut lines = listing.split_inclusive('\n');
    while let Some(line) = lines.next() {
        text.push_str(line);
        if line.starts_with("\tset ") || line.starts_with("\tmap ") {
            let block: Vec<_> = lines.by_ref().take_while(|line| *line != "\t}\n").collect();
            let changes = block.iter().any(|line| {
                line.trim_start().strip_prefix("flags ").is_some_and(|flags| flags.split(',').any(is_of_packets))
            });
            let kept = block.iter().take_while(|line| !(changes && line.trim_start().starts_with("elements = ")));
            text.extend(kept.copied());
            text.push_str("\t}\n");
        }
    }
    text
}

fn is_of_packets(flag: &str) -> bool {
    matches!(flag.trim(), "dynamic" | "timeout")
}

#[cfg(test)]
mod tests {
    use super::declared;

    #[test]
    fn elements_stay_unless_packets_add_them() {
        let fixed = "table inet stead {\n\tset a {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 10.0.0.0/8,\n\t\t\t     192.0.2.1 }\n\t}\n\n\tchain x {\n\t}\n}\n";
        assert_eq!(declared(fixed), fixed);
        let with = "table inet stead {\n\tset a {\n\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 1m\n\t\telements = { 192.0.2.1 expires 3s,\n\t\t\t     192.0.2.2 expires 9s }\n\t}\n\tchain x {\n\t}\n}\n";
        let without = "table inet stead {\n\tset a {\n\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 1m\n\t}\n\tchain x {\n\t}\n}\n";
        assert_eq!(declared(with), without);
    }
}
