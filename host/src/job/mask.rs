//! Hides secrets in what commands write, before anything else sees it. As many asterisks as bytes take their place, so that
//! offsets stay what they are.
//!
//! It knows a secret by its bytes, and by what base64 makes of them wherever they stand in what is encoded: one that a command
//! writes in another form (hexadecimal, backwards, base64 with an end of line in it) is not found.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::secret::Secret;

/// What is shorter is found everywhere.
pub(super) const SHORTEST: usize = 4;
/// The same for what base64 makes of it.
const SHORTEST_ENCODED: usize = 5;

/// The secrets that commands of a job have been given so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Masks(Arc<Mutex<Vec<Secret<Vec<u8>>>>>);

/// Hides them in one stream of bytes.
#[derive(Debug)]
pub(super) struct Masking {
    masks: Masks,
    /// Bytes that may be the beginning of a secret.
    held: Vec<u8>,
    /// Which of them are to be hidden, whatever comes.
    hidden: Vec<bool>,
}

impl Masks {
    /// Each line of a secret by itself, for output is read by lines.
    pub(super) fn add(&self, secret: &Secret<String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = secret.reveal().lines().map(str::trim).filter(|line| line.len() >= SHORTEST);
        let forms = lines.flat_map(|line| [line.as_bytes().to_vec()].into_iter().chain(in_base64(line.as_bytes())));
        for form in forms.map(Secret::new) {
            if !all.contains(&form) {
                all.push(form);
            }
        }
    }

    /// Hides them in what is there as a whole.
    pub(super) fn hide(&self, bytes: &mut [u8]) {
        let mut hidden = vec![false; bytes.len()];
        self.mark(bytes, &mut hidden);
        bytes.iter_mut().zip(hidden).filter(|(_, hidden)| *hidden).for_each(|(byte, _)| *byte = b'*');
    }

    /// Marks every byte of every secret: one may be part of another, or overlap with it.
    fn mark(&self, bytes: &[u8], hidden: &mut [bool]) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in all.iter().map(Secret::reveal) {
            for (at, window) in bytes.windows(secret.len()).enumerate() {
                if window == secret.as_slice()
                    && let Some(marks) = hidden.get_mut(at..at + secret.len())
                {
                    marks.fill(true);
                }
            }
        }
    }

    fn longest(&self) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|secret| secret.reveal().len()).max().unwrap_or_default()
    }
}

/// The letters of base64 (RFC 4648, both alphabets) that follow from these bytes alone, for each place that the first of them
/// can have among three.
fn in_base64(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let text = [&[0; 2][..before], bytes].concat();
        // A letter has six bits: those at both ends may have some of other bytes.
        let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let letters = alphabet.encode(&text).into_bytes();
            let own = letters.get(first..last).filter(|own| own.len() >= SHORTEST_ENCODED);
            forms.extend(own.map(<[u8]>::to_vec));
        }
    }
    forms
}

impl Masking {
    pub(super) fn new(masks: Masks) -> Self {
        Self { masks, held: Vec::new(), hidden: Vec::new() }
    }

    /// What can be shown now: no secret goes beyond the end of a line, and none begins where it could not end any more.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let after_line = self.held.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let settled = self.held.len().saturating_sub(self.masks.longest().saturating_sub(1));
        self.show(after_line.max(settled))
    }

    /// The rest: nothing more will come.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.show(self.held.len())
    }

    fn show(&mut self, count: usize) -> Vec<u8> {
        self.hidden.resize(self.held.len(), false);
        self.masks.mark(&self.held, &mut self.hidden);
        let hidden = self.hidden.drain(..count);
        self.held.drain(..count).zip(hidden).map(|(byte, hidden)| if hidden { b'*' } else { byte }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(secrets: &[&str]) -> Masks {
        let masks = Masks::default();
        for secret in secrets {
            masks.add(&Secret::new((*secret).to_owned()));
        }
        masks
    }

    #[test]
    fn a_secret_is_hidden_however_its_bytes_come() {
        let secrets = ["hunter2", "hunter2hunter2x", "-----\nfirst line\n}\nlast line\n"];
        let text = "a hunter2 b\nhunter2hunter2x\nhunter2hunter2y fir st\nfirst line\n}\n  last line hunte";
        let expected = "a ******* b\n***************\n**************y fir st\n**********\n}\n  ********* hunte";
        for size in 1..text.len() {
            let mut masking = Masking::new(masks(&secrets));
            let mut shown: Vec<u8> = text.as_bytes().chunks(size).flat_map(|piece| masking.push(piece)).collect();
            shown.extend(masking.finish());
            assert_eq!(String::from_utf8_lossy(&shown), expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_secret_is_hidden_in_base64_wherever_it_stands() {
        let secret = "correct horse??>>";
        for before in ["", "a", "ab", "password=", "user:"] {
            for after in ["", "\n", "@host/"] {
                for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                    let text = alphabet.encode(format!("{before}{secret}{after}"));
                    let mut bytes = text.clone().into_bytes();
                    masks(&[secret]).hide(&mut bytes);
                    let shown = bytes.iter().filter(|byte| **byte != b'*').count();
                    // The letters at both ends are of others as well.
                    let others = (before.len() * 8).div_ceil(6) + (after.len() * 8).div_ceil(6) + 2;
                    assert!(
                        shown <= others && bytes.len() == text.len(),
                        "{text}: {}",
                        String::from_utf8_lossy(&bytes)
                    );
                }
            }
        }
    }

    #[test]
    fn whole_lines_are_shown_at_once() {
        let mut masking = Masking::new(masks(&["a long secret"]));
        assert_eq!(masking.push(b"one\ntwo\na long"), b"one\ntwo\n");
        assert_eq!(masking.push(b" secret\n"), b"*************\n");
        assert_eq!(Masking::new(Masks::default()).push(b"nothing is held"), b"nothing is held");
    }
}
