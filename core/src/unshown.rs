//! What is told of a value that is not shown.

use crate::FieldChange;

const BYTES: &str = " bytes, digest ";

impl FieldChange {
    /// What stands for a value that was never read.
    pub const UNREAD: &str = "(a value)";

    /// What stands for a value that is long, or is not to be shown: the beginning of its digest tells whether two are the
    /// same, as `(12 bytes, digest 0123abcd)`.
    pub fn unshown(bytes: usize, digest: u64) -> String {
        format!("({bytes}{BYTES}{:08x})", digest >> 32)
    }

    /// Whether a text is one of these, so that it holds no value.
    pub fn is_unshown(text: &str) -> bool {
        let sized = || {
            let (bytes, digest) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(BYTES)?;
            let number = !bytes.is_empty() && bytes.bytes().all(|byte| byte.is_ascii_digit());
            let digits = digest.len() == 8 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            Some(number && digits)
        };
        text == Self::UNREAD || sized().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_value_is_known_and_what_may_hold_one_is_not() {
        assert_eq!(FieldChange::unshown(12, 0x0123_abcd << 32), "(12 bytes, digest 0123abcd)");
        for text in [FieldChange::UNREAD, &FieldChange::unshown(0, 0), &FieldChange::unshown(1 << 20, u64::MAX)] {
            assert!(FieldChange::is_unshown(text), "{text}");
        }
        for text in
            ["", "(a secret)", "(hunter2 bytes, digest 00000000)", "(1 bytes, digest hunter22)", "(1 bytes, digest 0)"]
        {
            assert!(!FieldChange::is_unshown(text), "{text}");
        }
    }
}
