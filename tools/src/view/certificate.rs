//! When a certificate is valid, read of its public part.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The longest certificate that is read, in bytes of its text.
const LIMIT: usize = 256 << 10;

/// DER tags (X.690).
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// From when until when the first certificate of a base64 text of PEM is valid; nothing where it is none.
///
/// Only the two times are read (RFC 5280, 4.1): names and keys are nobody's business here.
pub(crate) fn validity(encoded: &str) -> Option<(Timestamp, Timestamp)> {
    if encoded.len() > LIMIT {
        return None;
    }
    let pem = String::from_utf8(base64(encoded.bytes())?).ok()?;
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let der = base64(body.bytes().filter(|byte| !byte.is_ascii_whitespace()))?;
    let (tag, certificate, _) = element(&der)?;
    let (inner, to_be_signed, _) = element(certificate)?;
    let mut rest = (tag == SEQUENCE && inner == SEQUENCE).then_some(to_be_signed)?;
    // The version is optional; serial number, algorithm and issuer come before the validity.
    if rest.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest)?;
    let (from_tag, from, rest) = element(validity)?;
    let (until_tag, until, _) = element(rest)?;
    Some((time(from_tag, from)?, time(until_tag, until)?))
}

/// The tag, the content and what follows of the first element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (digits, after) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(digits, _)| digits.len() <= 4)?;
        length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

/// `YYMMDDHHMMSSZ` of 1950 to 2049, or the same with four digits of the year (RFC 5280, 4.1.2.5).
fn time(tag: u8, content: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let whole = match tag {
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", &whole).ok()?;
    time.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
}

/// Base64 of the standard alphabet, padded or not.
fn base64(text: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0u32, 0u32);
    for letter in text.take_while(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits).to_le_bytes().first().copied()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A self-signed certificate of `shop.example`, valid for the first two days of 2020, in base64 of its PEM.
    const EXPIRED: &str = include_str!("expired.crt.base64");

    #[test]
    fn the_two_times_are_read() {
        let (from, until) = validity(EXPIRED.trim()).unwrap();
        assert_eq!(
            (from.to_string().as_str(), until.to_string().as_str()),
            ("2020-01-01T00:00:00Z", "2020-01-03T00:00:00Z")
        );
    }

    proptest! {
        #[test]
        fn what_is_no_certificate_has_none_and_does_no_harm(text in "[A-Za-z0-9+/=]{0,200}", cut in 0usize..400, flip in 0usize..1000) {
            prop_assert_eq!(validity(&text), None);
            let whole = EXPIRED.trim();
            let _ = validity(whole.get(..cut).unwrap_or(whole));
            let mut bytes = whole.as_bytes().to_vec();
            let at = flip % bytes.len();
            bytes[at] = b'A';
            let _ = validity(std::str::from_utf8(&bytes).unwrap());
        }
    }
}
