//! What a guest says, made safe to show on a terminal.

/// The longest piece of a guest's words that is shown, in bytes.
pub(super) const MOST: usize = 8 * 1024;

/// One line: control characters, and those that reorder text, are escaped; what is too long is cut.
pub fn printable(words: &str) -> String {
    let mut shown = String::with_capacity(words.len().min(MOST));
    for c in words.chars() {
        if shown.len() >= MOST {
            shown.push('…');
            break;
        }
        if c.is_control() || reorders(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// The same for a text of several lines.
pub fn printable_lines(words: &str) -> String {
    words.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// The characters of Unicode that change the direction of the text around them.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{MOST, printable};

    #[test]
    fn a_terminal_is_not_at_the_mercy_of_a_guest() {
        assert_eq!(printable("a\x1b[2Jb\nc\u{202e}d é"), "a\\u{1b}[2Jb\\nc\\u{202e}d é");
        assert_eq!(printable(&"x".repeat(MOST)).len(), MOST);
        let cut = printable(&"x".repeat(MOST + 1));
        assert!(cut.ends_with("x…") && cut.len() == MOST + '…'.len_utf8());
    }
}
