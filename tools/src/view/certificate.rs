//! What the public part of a certificate says: when it is valid, for which names, and who issued it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The longest certificate that is read, in bytes of its text.
const LIMIT: usize = 256 << 10;

/// The most names that are told of one certificate, and the longest of them, in characters.
const NAMES: usize = 20;
const NAME: usize = 200;

/// DER tags (X.690).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
const OCTETS: u8 = 0x04;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// Tags of a certificate's extensions, and of the DNS names and addresses among the names of one (RFC 5280, 4.2.1.6).
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const ADDRESS: u8 = 0x87;

/// Object identifiers: of a common name, an organisation, and the other names of a subject.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
const OTHER_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// From when it is valid.
    pub(crate) from: Timestamp,
    /// Until when.
    pub(crate) until: Timestamp,
    /// Whose it is: the common name, else the organisation.
    pub(crate) subject: Option<String>,
    /// Who issued it.
    pub(crate) issuer: Option<String>,
    /// The DNS names and addresses that it is for.
    pub(crate) names: Vec<String>,
}

/// Reads the first certificate of a base64 text of PEM; nothing where it is none (RFC 5280, 4.1).
pub(crate) fn read(encoded: &str) -> Option<Certificate> {
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
    // The version is optional; serial number and algorithm come before the issuer.
    if rest.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    for _ in 0..2 {
        rest = element(rest)?.2;
    }
    let (_, issuer, rest) = element(rest)?;
    let (_, validity, rest) = element(rest)?;
    let (from_tag, from, after) = element(validity)?;
    let (until_tag, until, _) = element(after)?;
    let (_, subject, rest) = element(rest)?;
    Some(Certificate {
        from: time(from_tag, from)?,
        until: time(until_tag, until)?,
        subject: called(subject),
        issuer: called(issuer),
        names: names(rest),
    })
}

/// The elements that stand one after the other.
fn elements(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, rest) = element(bytes)?;
        bytes = rest;
        Some((tag, content))
    })
}

/// The common name of a distinguished name, else its organisation.
fn called(name: &[u8]) -> Option<String> {
    let sets = || elements(name).filter(|(tag, _)| *tag == SET).flat_map(|(_, set)| elements(set));
    [COMMON_NAME, ORGANISATION].into_iter().find_map(|wanted| {
        sets().find_map(|(_, attribute)| {
            let mut parts = elements(attribute);
            let (tag, kind) = parts.next()?;
            let (_, text) = parts.next()?;
            (tag == OBJECT && kind == wanted).then(|| plain(text)).flatten()
        })
    })
}

/// The names among the extensions behind the public key.
fn names(behind: &[u8]) -> Vec<String> {
    let extensions = elements(behind).find(|(tag, _)| *tag == EXTENSIONS).map(|(_, content)| content);
    let list = extensions.and_then(|content| element(content)).map(|(_, list, _)| list).unwrap_or_default();
    let of_names = elements(list).find_map(|(_, extension)| {
        let mut parts = elements(extension);
        let (tag, kind) = parts.next()?;
        // Whether it is critical may stand between.
        let (_, value) = parts.find(|(tag, _)| *tag == OCTETS)?;
        (tag == OBJECT && kind == OTHER_NAMES).then_some(value)
    });
    let inner = of_names.and_then(element).map(|(_, inner, _)| inner).unwrap_or_default();
    let each = elements(inner).filter_map(|(tag, content)| match (tag, content) {
        (DNS_NAME, name) => plain(name),
        (ADDRESS, &[a, b, c, d]) => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
        _ => None,
    });
    each.take(NAMES).collect()
}

/// A name of letters that can be shown.
fn plain(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let shown = !text.is_empty() && text.chars().count() <= NAME && !text.chars().any(char::is_control);
    shown.then(|| text.to_owned())
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

    /// Another of `web` for three names, in base64 of its PEM.
    const NAMED: &str = include_str!("named.crt.base64");

    #[test]
    fn its_times_and_names_are_read() {
        let certificate = read(EXPIRED.trim()).unwrap();
        assert_eq!(
            certificate,
            Certificate {
                from: "2020-01-01T00:00:00Z".parse().unwrap(),
                until: "2020-01-03T00:00:00Z".parse().unwrap(),
                subject: Some("shop.example".to_owned()),
                issuer: Some("shop.example".to_owned()),
                names: Vec::new(),
            }
        );
        let other = read(NAMED.trim()).unwrap();
        assert_eq!(other.subject.as_deref(), Some("web"));
        assert_eq!(other.names, ["shop.example", "*.shop.example", "10.0.0.7"]);
    }

    proptest! {
        #[test]
        fn what_is_no_certificate_has_none_and_does_no_harm(text in "[A-Za-z0-9+/=]{0,200}", cut in 0usize..400, flip in 0usize..1000) {
            prop_assert_eq!(read(&text), None);
            let whole = EXPIRED.trim();
            let _ = read(whole.get(..cut).unwrap_or(whole));
            let mut bytes = whole.as_bytes().to_vec();
            let at = flip % bytes.len();
            bytes[at] = b'A';
            let _ = read(std::str::from_utf8(&bytes).unwrap());
        }
    }
}
