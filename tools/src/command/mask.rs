//! Letters of arguments, told apart from an author's.
//!
//! In a template an argument's letters that a shell could read as more than a letter are replaced by private ones. So
//! whatever the template does with them, splitting and joining too, it is known of each letter whose it is: a quote of
//! the author's is syntax, one of an argument is a letter.

/// The first of 128 private letters that stand for those of ASCII.
const FIRST: u32 = 0x000F_0000;

/// Stands before what an expression of a template wrote.
pub(super) const BEGINS: char = '\u{F0080}';

/// Stands behind it.
pub(super) const ENDS: char = '\u{F0081}';

/// Whether a shell reads the letter as itself wherever it stands, as Python's `shlex.quote` has it.
pub(super) const fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(letter, '@' | '%' | '+' | '=' | ':' | ',' | '.' | '/' | '-' | '_')
        || !letter.is_ascii()
}

/// Whether a text holds letters that only masks may use, or the one that no program can be given.
pub(super) fn is_reserved(text: &str) -> bool {
    text.chars().any(|letter| letter == '\0' || (FIRST..=FIRST + 0xFF).contains(&u32::from(letter)))
}

/// An argument as a template is given it. A dash at its start is masked too: a program would read it as an option.
pub(super) fn mask(text: &str) -> String {
    let masked = |(index, letter): (usize, char)| {
        if is_plain(letter) && !(index == 0 && letter == '-') {
            letter
        } else {
            char::from_u32(FIRST + u32::from(letter)).unwrap_or(letter)
        }
    };
    text.chars().enumerate().map(masked).collect()
}

/// The letter that a masked one stands for.
pub(super) fn unmask(letter: char) -> Option<char> {
    let code = u32::from(letter).checked_sub(FIRST).filter(|code| *code < 0x80)?;
    char::from_u32(code)
}

/// A text with all its letters as they were, fit to be read.
pub(super) fn unmasked(text: &str) -> String {
    text.chars()
        .filter(|letter| !matches!(*letter, BEGINS | ENDS))
        .map(|letter| unmask(letter).unwrap_or(letter))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_letters_that_mean_themselves_stay() {
        let masked = mask("-a b'$(id)`\n-é");
        let syntax: Vec<char> = masked.chars().filter(char::is_ascii).collect();
        assert_eq!(syntax, ['a', 'b', 'i', 'd', '-']);
        assert_eq!(unmasked(&masked), "-a b'$(id)`\n-é");
    }
}
