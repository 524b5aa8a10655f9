//! One question to one name server.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

/// How long one try may take, and how many there are: the C library waits 5 s twice, on-call people have less.
const TRY: Duration = Duration::from_secs(2);
const TRIES: u32 = 2;

/// The largest answer that UDP brings.
const DATAGRAM: usize = 4096;

/// Which records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum Kind {
    A,
    #[serde(rename = "AAAA")]
    Aaaa,
    #[serde(rename = "CNAME")]
    Cname,
    #[serde(rename = "SRV")]
    Srv,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Srv => "SRV",
        })
    }
}

impl Kind {
    const fn code(self) -> TYPE {
        match self {
            Self::A => TYPE::A,
            Self::Aaaa => TYPE::AAAA,
            Self::Cname => TYPE::CNAME,
            Self::Srv => TYPE::SRV,
        }
    }
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Records, each as `10.0.0.1 (TTL 30 s)`; a chain of CNAMEs comes before what it leads to.
    Records(Vec<String>),
    /// The name exists, without records of this type.
    NoSuchRecord,
    /// NXDOMAIN: there is no such name.
    NoSuchName,
    /// It could not or would not answer, as `SERVFAIL`.
    Failed(&'static str),
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DnsFault {
    #[error("no answer in {} s ({TRIES} tries): the server is away, or something drops packets to it", TRY.as_secs() * u64::from(TRIES))]
    Timeout,
    #[error("the server's port is closed")]
    Closed,
    #[error("not reached: {0}")]
    Unreachable(String),
    #[error("its answer can't be read: {0}")]
    Garbled(String),
    #[error("not asked: this is no name that can be asked for")]
    Name,
}

/// Asks a server for the records of a whole name.
pub(super) async fn ask(server: SocketAddr, name: &str, kind: Kind) -> Result<Said, DnsFault> {
    let id = u16::try_from(RandomState::new().build_hasher().finish() & 0xffff).unwrap_or_default();
    let question = question(id, name, kind)?;
    let mut fault = DnsFault::Timeout;
    for _ in 0..TRIES {
        match by_udp(server, &question, id).await {
            Ok(answer) => {
                let whole = Packet::parse(&answer).map(|packet| !packet.has_flags(PacketFlag::TRUNCATION));
                if whole.map_err(|error| DnsFault::Garbled(error.to_string()))? {
                    return read(&answer, kind);
                }
                let answer = timeout(TRY, by_tcp(server, &question)).await.map_err(|_| DnsFault::Timeout)?;
                return read(&answer.map_err(|error| broken(&error))?, kind);
            }
            Err(now) => fault = now,
        }
    }
    Err(fault)
}

fn question(id: u16, name: &str, kind: Kind) -> Result<Vec<u8>, DnsFault> {
    if name.is_empty() || name.contains('\\') || name.split('.').any(str::is_empty) {
        return Err(DnsFault::Name);
    }
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(|_| DnsFault::Name)?;
    packet.questions.push(Question::new(name, kind.code().into(), CLASS::IN.into(), false));
    packet.build_bytes_vec().map_err(|_| DnsFault::Name)
}

/// Only what comes from the server and answers the question counts: anyone can send a datagram.
async fn by_udp(server: SocketAddr, question: &[u8], id: u16) -> Result<Vec<u8>, DnsFault> {
    let here: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let deadline = Instant::now() + TRY;
    let exchange = async {
        let socket = UdpSocket::bind(here).await?;
        socket.connect(server).await?;
        socket.send(question).await?;
        let mut answer = vec![0; DATAGRAM];
        loop {
            let length = socket.recv(&mut answer).await?;
            let read = answer.get(..length).unwrap_or_default();
            if answers(read, question, id) {
                answer.truncate(length);
                return Ok(answer);
            }
        }
    };
    match timeout_at(deadline, exchange).await {
        Ok(answer) => answer.map_err(|error: std::io::Error| broken(&error)),
        Err(_) => Err(DnsFault::Timeout),
    }
}

async fn by_tcp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).unwrap_or_default();
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn broken(error: &std::io::Error) -> DnsFault {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => DnsFault::Closed,
        _ => DnsFault::Unreachable(error.to_string()),
    }
}

fn answers(answer: &[u8], question: &[u8], id: u16) -> bool {
    let (Ok(answer), Ok(question)) = (Packet::parse(answer), Packet::parse(question)) else {
        // A server's own garbled answer is told; who is connected to is the only one that is heard.
        return answer.get(..2) == Some(&id.to_be_bytes());
    };
    let same = |one: &Question<'_>, other: &Question<'_>| {
        one.qtype == other.qtype && one.qname.to_string().eq_ignore_ascii_case(&other.qname.to_string())
    };
    answer.id() == id
        && answer.has_flags(PacketFlag::RESPONSE)
        && answer.questions.iter().zip(&question.questions).all(|(one, other)| same(one, other))
}

fn read(answer: &[u8], kind: Kind) -> Result<Said, DnsFault> {
    let packet = Packet::parse(answer).map_err(|error| DnsFault::Garbled(error.to_string()))?;
    Ok(match packet.rcode() {
        RCODE::NoError => {
            let wanted = packet.answers.iter().any(|record| record.rdata.type_code() == kind.code());
            let records: Vec<String> =
                packet.answers.iter().filter_map(|record| told(&record.rdata, record.ttl)).collect();
            if wanted || !records.is_empty() { Said::Records(records) } else { Said::NoSuchRecord }
        }
        RCODE::NameError => Said::NoSuchName,
        RCODE::ServerFailure => Said::Failed("SERVFAIL"),
        RCODE::Refused => Said::Failed("REFUSED"),
        RCODE::FormatError => Said::Failed("FORMERR"),
        RCODE::NotImplemented => Said::Failed("NOTIMP"),
        _ => Said::Failed("an error of its own"),
    })
}

fn told(data: &RData<'_>, ttl: u32) -> Option<String> {
    let data = match data {
        RData::A(four) => std::net::Ipv4Addr::from(four.address).to_string(),
        RData::AAAA(six) => std::net::Ipv6Addr::from(six.address).to_string(),
        RData::CNAME(name) => format!("CNAME {}", name.0),
        RData::SRV(service) => {
            format!("{}:{} priority {} weight {}", service.target, service.port, service.priority, service.weight)
        }
        _ => return None,
    };
    Some(format!("{data} (TTL {ttl} s)"))
}

#[cfg(test)]
pub(crate) mod double;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::double::{Answer, NameServer};
    use super::*;

    #[tokio::test]
    async fn each_type_is_read() {
        let server = NameServer::start(&[
            ("cart.shop.svc", "A", Answer::Addresses(&["10.96.3.4", "10.96.3.5"])),
            ("cart.shop.svc", "AAAA", Answer::Nothing),
            ("www.example.com", "A", Answer::Alias("edge.example.net", &["93.184.216.34"])),
            ("_redis._tcp.cart.shop.svc", "SRV", Answer::Service("cart-0.cart.shop.svc", 6379)),
        ])
        .await;
        let ask = async |name: &str, kind| ask(server.address, name, kind).await;
        let records = |texts: &[&str]| Ok(Said::Records(texts.iter().map(|text| (*text).to_owned()).collect()));
        assert_eq!(ask("cart.shop.svc", Kind::A).await, records(&["10.96.3.4 (TTL 5 s)", "10.96.3.5 (TTL 5 s)"]));
        assert_eq!(ask("cart.shop.svc", Kind::Aaaa).await, Ok(Said::NoSuchRecord));
        assert_eq!(
            ask("www.example.com", Kind::A).await,
            records(&["CNAME edge.example.net (TTL 5 s)", "93.184.216.34 (TTL 5 s)"])
        );
        assert_eq!(
            ask("_redis._tcp.cart.shop.svc", Kind::Srv).await,
            records(&["cart-0.cart.shop.svc:6379 priority 10 weight 50 (TTL 5 s)"])
        );
        assert_eq!(ask("nothing.shop.svc", Kind::A).await, Ok(Said::NoSuchName));
    }

    #[tokio::test]
    async fn a_failure_a_silence_and_a_closed_port_are_told_apart() {
        let server =
            NameServer::start(&[("fails.svc", "A", Answer::Failure), ("silent.svc", "A", Answer::Silence)]).await;
        assert_eq!(ask(server.address, "fails.svc", Kind::A).await, Ok(Said::Failed("SERVFAIL")));
        let closed = {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            socket.local_addr().unwrap()
        };
        assert_eq!(ask(closed, "a.svc", Kind::A).await, Err(DnsFault::Closed));
        tokio::time::pause();
        assert_eq!(ask(server.address, "silent.svc", Kind::A).await, Err(DnsFault::Timeout));
        assert_eq!(server.asked(), ["fails.svc A", "silent.svc A", "silent.svc A"]);
    }

    #[tokio::test]
    async fn a_long_answer_is_fetched_by_tcp() {
        let server = NameServer::start(&[("many.svc", "A", Answer::Truncated(&["10.0.0.1"]))]).await;
        let said = ask(server.address, "many.svc", Kind::A).await;
        assert_eq!(said, Ok(Said::Records(vec!["10.0.0.1 (TTL 5 s)".to_owned()])));
        assert_eq!(server.asked(), ["many.svc A", "many.svc A by TCP"]);
    }

    #[tokio::test]
    async fn what_answers_another_question_is_not_believed() {
        let server = NameServer::start(&[("cart.svc", "A", Answer::Forged("10.6.6.6", "10.0.0.1"))]).await;
        let said = ask(server.address, "cart.svc", Kind::A).await;
        assert_eq!(said, Ok(Said::Records(vec!["10.0.0.1 (TTL 5 s)".to_owned()])));
    }

    proptest! {
        #[test]
        fn no_answer_can_do_harm(answer in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&answer, Kind::A);
            let _ = answers(&answer, &question(7, "a.b", Kind::A).unwrap(), 7);
        }

        #[test]
        fn names_are_asked_for_as_they_are_or_not_at_all(name in "[a-z0-9._*-]{0,80}") {
            if let Ok(packet) = question(7, &name, Kind::A) {
                prop_assert_eq!(Packet::parse(&packet).unwrap().questions[0].qname.to_string(), name);
            }
        }
    }
}
