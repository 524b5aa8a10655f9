//! What is told of a value that is not shown.

/// Of one that was never read.
pub(super) const UNREAD: &str = "(a value)";

const BYTES: &str = " bytes, digest ";

/// Of one that is long, or is not to be shown: the beginning of the digest tells whether two are the same.
pub(super) fn sized(bytes: usize, digest: u64) -> String {
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
    text == UNREAD || sized().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_value_is_known_and_what_may_hold_one_is_not() {
        for text in [UNREAD, &sized(0, 0), &sized(1 << 20, u64::MAX)] {
            assert!(is_unshown(text), "{text}");
        }
        for text in
            ["", "(a secret)", "(hunter2 bytes, digest 00000000)", "(1 bytes, digest hunter22)", "(1 bytes, digest 0)"]
        {
            assert!(!is_unshown(text), "{text}");
        }
    }
}
