//! Which addresses lie inside: on this machine, in its network, or where clouds hand out credentials.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Where clouds tell a machine its credentials, besides what link-local addresses they use for it.
///
/// Azure's is a public address, Alibaba's and Oracle's are not link-local, AWS's and Google's have one of IPv6 each.
const METADATA: [IpAddr; 10] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Why an address is no ordinary one of the Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    Metadata,
    Unspecified,
    Loopback,
    LinkLocal,
    Multicast,
    Reserved,
    Private,
}

impl fmt::Display for Inside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Metadata => "a cloud's metadata service",
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Multicast => "a multicast address",
            Self::Reserved => "a reserved address",
            Self::Private => "a private address",
        })
    }
}

/// Whether a connection to the address may be made: to one of the Internet, to one in these networks, and to private
/// ones where `private` says so; never to a metadata service. The error says what it is.
pub(crate) fn permitted(address: IpAddr, networks: &[IpNet], private: bool) -> Result<(), Inside> {
    let address = canonical(address);
    let Some(inside) = inside(address) else { return Ok(()) };
    let listed = inside != Inside::Metadata && networks.iter().any(|network| network.contains(&address));
    if listed || private && inside == Inside::Private { Ok(()) } else { Err(inside) }
}

/// The IPv4 address that an IPv6 one stands for, where it does: the packets end there.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let four = |high: u16, low: u16| {
        let ([one, two], [three, last]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(one, two, three, last))
    };
    match six.segments() {
        // `::` and `::1` are addresses of their own; the rest of `::/96` is IPv4-compatible (RFC 4291).
        [0, 0, 0, 0, 0, 0, 0, 0..=1] => address,
        // Mapped (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052).
        // 6to4 (RFC 3056) in the last.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => four(high, low),
        _ => address,
    }
}

/// What the address is, or nothing for one of the Internet. From the registries of RFC 6890.
fn inside(address: IpAddr) -> Option<Inside> {
    if METADATA.contains(&address) {
        return Some(Inside::Metadata);
    }
    match address {
        IpAddr::V4(four) => inside_four(four),
        IpAddr::V6(six) => inside_six(six),
    }
}

fn inside_four(address: Ipv4Addr) -> Option<Inside> {
    Some(match address.octets() {
        [0, ..] => Inside::Unspecified,
        [127, ..] => Inside::Loopback,
        [169, 254, ..] => Inside::LinkLocal,
        // The last is that of carriers' and clusters' own NAT (RFC 6598).
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Inside::Private,
        [224..=239, ..] => Inside::Multicast,
        // Protocol assignments, documentation, 6to4 relays, benchmarks, the future, broadcast.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Inside::Reserved
        }
        [240..=255, ..] => Inside::Reserved,
        _ => return None,
    })
}

fn inside_six(address: Ipv6Addr) -> Option<Inside> {
    let segments = address.segments();
    Some(match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Inside::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Inside::Loopback,
        [0xfe80..=0xfebf, ..] => Inside::LinkLocal,
        // Unique local (RFC 4193), site-local, and NAT64 within one network (RFC 8215).
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Inside::Private,
        [0xff00..=0xffff, ..] => Inside::Multicast,
        // All that is given out is in 2000::/3; of that, Teredo and other protocols', and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Inside::Reserved,
        [0x2000..=0x3fff, ..] => return None,
        _ => Inside::Reserved,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_inside_is_known_for_what_it_is() {
        for (wanted, texts) in [
            (Inside::Metadata, "169.254.169.254 168.63.129.16 100.100.100.200 fd00:ec2::254 ::ffff:169.254.169.254"),
            (Inside::Unspecified, "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0"),
            (
                Inside::Loopback,
                "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::",
            ),
            (Inside::LinkLocal, "169.254.1.1 fe80::1 febf::1 ::ffff:0:169.254.1.1"),
            (
                Inside::Private,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 fc00::1 fdff::1 fec0::1 64:ff9b:1::1",
            ),
            (Inside::Private, "::ffff:10.0.0.1 64:ff9b::a00:1 2002:c0a8:101::1"),
            (Inside::Multicast, "224.0.0.1 239.255.255.255 ff02::1"),
            (
                Inside::Reserved,
                "192.0.0.1 192.0.2.1 198.18.0.1 203.0.113.9 240.0.0.1 255.255.255.255 2001::1 2001:db8::1 100::1",
            ),
        ] {
            for text in texts.split(' ') {
                assert_eq!(permitted(ip(text), &[], false), Err(wanted), "{text}");
            }
        }
        for text in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert_eq!(permitted(ip(text), &[], false), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_listed_network_is_let_through_in_whatever_form_and_a_metadata_service_never() {
        let networks = ["127.0.0.0/8".parse().unwrap(), "169.254.0.0/16".parse().unwrap()];
        assert_eq!(permitted(ip("::ffff:127.0.0.1"), &networks, false), Ok(()));
        assert_eq!(permitted(ip("169.254.1.1"), &networks, false), Ok(()));
        assert_eq!(permitted(ip("169.254.169.254"), &networks, true), Err(Inside::Metadata));
        assert_eq!(permitted(ip("10.0.0.1"), &networks, false), Err(Inside::Private));
        assert_eq!(permitted(ip("10.0.0.1"), &networks, true), Ok(()));
        assert_eq!(permitted(ip("::1"), &networks, true), Err(Inside::Loopback));
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_judged_alike_however_ipv6_wraps_it(four: u32) {
            let four = Ipv4Addr::from(four);
            let [high, low] = [four.to_bits() >> 16, four.to_bits() & 0xffff].map(|half| u16::try_from(half).unwrap());
            let plain = permitted(IpAddr::V4(four), &[], false);
            for wrapped in [
                four.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            ] {
                prop_assert_eq!(permitted(IpAddr::V6(wrapped), &[], false), plain, "{}", wrapped);
            }
        }
    }
}
