//! E-mail addresses and card numbers: no secrets of a system, but of people. Found where the configuration asks for it.

use memchr::memchr_iter;

use super::{Source, Span};

/// The longest name before the `@` (RFC 5321).
const NAME: usize = 64;

/// The longest domain.
const DOMAIN: usize = 255;

/// Every e-mail address.
pub(super) fn emails(source: &Source<'_>) -> Vec<Span> {
    memchr_iter(b'@', source.bytes_from(0)).filter_map(|at| email(source, at)).collect()
}

/// The address around an `@`. What follows `//` is a user of a host and not of a mailbox.
fn email(source: &Source<'_>, at: usize) -> Option<Span> {
    let start = source.skip_back(at, NAME, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
    });
    let name = source.slice(start, at).trim_start_matches(['.', '-', '\'', '%']);
    let end = source.skip_at_most(at + 1, DOMAIN, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let domain = source.slice(at + 1, end).trim_end_matches(['.', '-']);
    let (host, last) = domain.rsplit_once('.')?;
    let named = !name.is_empty() && !host.is_empty() && !domain.contains("..");
    let top = last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    let start = at - name.len();
    (named && top && !source.slice(0, start).ends_with("//")).then(|| Span::new(start, at + 1 + domain.len(), "email"))
}

/// In which groups card numbers are written.
const GROUPS: [&[usize]; 4] = [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];

/// Every card number: digits alone, or in groups between which a blank or a hyphen stands.
pub(super) fn cards(source: &Source<'_>) -> Vec<Span> {
    let digit = |byte: u8| byte.is_ascii_digit();
    let apart =
        |byte: Option<u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'-' | b'_'));
    let mut spans = Vec::new();
    let mut at = 0;
    loop {
        let start = source.skip(at, |byte| !digit(byte));
        if start >= source.len() {
            return spans;
        }
        at = source.skip(start, digit);
        let ends = [Some(at)].into_iter().chain(GROUPS.iter().map(|groups| grouped(source, start, groups)));
        let card = |end: &usize| apart(source.at(*end)) && is_card(source.slice(start, *end));
        if apart(source.before(start))
            && let Some(end) = ends.flatten().find(card)
        {
            spans.push(Span::new(start, end, "card"));
            at = end;
        }
    }
}

/// Where such groups of digits end, if they stand there with the same mark between them.
fn grouped(source: &Source<'_>, start: usize, groups: &[usize]) -> Option<usize> {
    let mark = source.at(start + 4).filter(|byte| matches!(byte, b' ' | b'-'))?;
    let mut at = start;
    for length in groups {
        if at > start {
            at += usize::from(source.at(at) == Some(mark));
        }
        let end = source.skip(at, |byte| byte.is_ascii_digit());
        if end - at != *length {
            return None;
        }
        at = end;
    }
    Some(at)
}

/// Whether an issuer gives out such numbers, and the check digit is right.
fn is_card(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').take(20).collect();
    let first = digits.iter().take(4).fold(0_u16, |number, digit| number * 10 + u16::from(*digit));
    let issued = match first {
        3000..=3059 | 3600..=3699 | 3800..=3899 => digits.len() == 14,
        3400..=3499 | 3700..=3799 => digits.len() == 15,
        4000..=4999 => matches!(digits.len(), 13 | 16 | 19),
        2221..=2720 | 3528..=3589 | 5100..=5599 => digits.len() == 16,
        5000..=5099 | 5600..=6999 => (16..=19).contains(&digits.len()),
        _ => false,
    };
    issued && luhn(&digits)
}

/// The check digit of ISO/IEC 7812: every second digit from the end is doubled.
fn luhn(digits: &[u8]) -> bool {
    let value = |(place, digit): (usize, &u8)| {
        let weighed = if place % 2 == 1 { digit * 2 } else { *digit };
        u32::from(if weighed > 9 { weighed - 9 } else { weighed })
    };
    digits.iter().rev().enumerate().map(value).sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(spans: &[Span], text: &str) -> Vec<String> {
        spans.iter().map(|span| text[span.start..span.end].to_owned()).collect()
    }

    #[test]
    fn addresses_are_found_and_hosts_with_a_user_are_not() {
        let text = "mail <bob.o'neil+x@mail.example.com>, 'ann@example.org'. ssh://git@github.com a@b x@y.1 @example.com \
                    image@sha256:9f86 user=eve@example.co.uk;";
        assert_eq!(
            found(&emails(&Source::new(text)), text),
            ["bob.o'neil+x@mail.example.com", "ann@example.org", "eve@example.co.uk"]
        );
    }

    #[test]
    fn card_numbers_are_told_by_issuer_length_and_check_digit() {
        let text = "4111111111111111 4111 1111 1111 1111, 5500-0000-0000-0004; 378282246310005 3782 822463 10005 \
                    4111111111111111 12/27 card=6011000990139424 \
                    4111111111111112 1767323045123456 order-4111111111111111 0x4111111111111111 2026-01-02 12:00 \
                    41111111111111111111 4111-1111 1111-1111";
        assert_eq!(
            found(&cards(&Source::new(text)), text),
            [
                "4111111111111111",
                "4111 1111 1111 1111",
                "5500-0000-0000-0004",
                "378282246310005",
                "3782 822463 10005",
                "4111111111111111",
                "6011000990139424"
            ]
        );
    }
}
