//! Output of a program, in bounded memory.

use std::collections::VecDeque;

/// The first and the last bytes of an output, and how many there were between them.
#[derive(Debug)]
pub struct Captured {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    left_out: u64,
}

impl Captured {
    /// Keeps at most so many bytes.
    pub const fn new(most: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), half: most / 2, left_out: 0 }
    }

    /// Takes what came next.
    pub fn take(&mut self, bytes: &[u8]) {
        let for_head = (self.half - self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(for_head);
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let beyond = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..beyond);
        self.left_out += beyond as u64;
    }

    /// As text so far.
    pub(crate) fn text(&self) -> String {
        let Self { head, tail, half, left_out } = self;
        Self { head: head.clone(), tail: tail.clone(), half: *half, left_out: *left_out }.into_text()
    }

    /// As text. What was left out is told in its place.
    pub fn into_text(self) -> String {
        let Self { mut head, tail, left_out, .. } = self;
        if left_out > 0 {
            head.extend_from_slice(format!("\n… {left_out} bytes left out …\n").as_bytes());
        }
        head.extend(tail);
        match String::from_utf8(head) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_kept_whole_and_else_the_middle_is_told() {
        let text = |pieces: &[&str]| {
            let mut captured = Captured::new(8);
            for piece in pieces {
                captured.take(piece.as_bytes());
            }
            captured.into_text()
        };
        assert_eq!(text(&["abc", "", "defgh"]), "abcdefgh");
        assert_eq!(text(&["abcdefghi", "jkl"]), "abcd\n… 4 bytes left out …\nijkl");
    }
}
