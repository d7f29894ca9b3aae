//! Cuts a stream of bytes into lines, each with the offset after it. Whoever keeps that offset with the line can go on
//! from there in another process, and no line is lost, doubled or torn.

/// A line that is longer is given in pieces.
const LONGEST: usize = 64 << 10;

/// The bytes after the last whole line.
#[derive(Debug)]
pub struct Lines {
    rest: Vec<u8>,
    /// Of the first byte of `rest`.
    offset: u64,
}

impl Lines {
    /// `offset` is that of the first byte that will come.
    pub fn new(offset: u64) -> Self {
        Self { rest: Vec::new(), offset }
    }

    /// Gives `line` every line that is whole now, without its end, and the offset after it.
    pub fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8], u64)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.give(&mut line);
            }
            while self.rest.len() >= LONGEST {
                let tail = self.rest.split_off(LONGEST);
                self.give(&mut line);
                self.rest = tail;
            }
        }
    }

    /// Gives the last line when it has no end: the command has ended.
    pub fn finish(mut self, mut line: impl FnMut(&[u8], u64)) {
        if !self.rest.is_empty() {
            self.give(&mut line);
        }
    }

    fn give(&mut self, line: &mut impl FnMut(&[u8], u64)) {
        self.offset += self.rest.len() as u64;
        line(self.rest.strip_suffix(b"\n").unwrap_or(&self.rest), self.offset);
        self.rest.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<(String, u64)> {
        let mut cut = Vec::new();
        let mut take = |line: &[u8], end| cut.push((String::from_utf8_lossy(line).into_owned(), end));
        let mut lines = Lines::new(10);
        for piece in pieces {
            lines.push(piece, &mut take);
        }
        lines.finish(take);
        cut
    }

    #[test]
    fn lines_do_not_depend_on_how_the_bytes_come() {
        let expected =
            vec![("one".to_owned(), 14), (String::new(), 15), ("two".to_owned(), 19), ("end".to_owned(), 22)];
        assert_eq!(cut(&[b"one\n\ntwo\nend"]), expected);
        assert_eq!(cut(&[b"on", b"e", b"\n\nt", b"wo\n", b"", b"en", b"d"]), expected);
    }

    #[test]
    fn a_flood_without_an_end_of_line_is_given_in_pieces() {
        let cut = cut(&[&vec![b'x'; 2 * LONGEST + 1]]);
        assert_eq!(cut.iter().map(|(line, _)| line.len()).collect::<Vec<_>>(), [LONGEST, LONGEST, 1]);
    }
}
