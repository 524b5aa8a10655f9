//! A name server that answers from a script, for tests.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use simple_dns::rdata::{A, AAAA, CNAME, RData, SRV};
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, ResourceRecord};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use super::{Kind, Said, ask};

#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Addresses(&'static [&'static str]),
    /// The first of these at the first question, the next at the next, and the last from then on.
    Turns(&'static [&'static str]),
    Alias(&'static str, &'static [&'static str]),
    Service(&'static str, u16),
    Nothing,
    Failure,
    Silence,
    /// Cut short by UDP, whole by TCP.
    Truncated(&'static [&'static str]),
    /// First an address in answer to another question, then the true one.
    Forged(&'static str, &'static str),
}

/// A name server. A name that is not in its script does not exist. It ends when it is dropped.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

type Script = HashMap<(String, String), Answer>;

impl NameServer {
    pub(crate) async fn start(script: &[(&str, &str, Answer)]) -> Self {
        let script: Script =
            script.iter().map(|(name, kind, answer)| (((*name).to_owned(), (*kind).to_owned()), *answer)).collect();
        let (udp, tcp) = bound().await;
        let address = udp.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(by_udp(udp, script.clone(), Arc::clone(&asked)));
        tasks.spawn(by_tcp(tcp, script, Arc::clone(&asked)));
        Self { address, asked, _tasks: tasks }
    }

    /// The addresses of a name, asked for as any client would.
    pub(crate) async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        match ask(self.address, name, Kind::A).await {
            Ok(Said::Records(records)) => {
                records.iter().filter_map(|record| record.split(' ').next()?.parse().ok()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Every question, as `cart.svc A`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Both of one port.
async fn bound() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

async fn by_udp(socket: UdpSocket, script: Script, asked: Arc<Mutex<Vec<String>>>) {
    let mut packet = [0; 1500];
    loop {
        let (length, from) = socket.recv_from(&mut packet).await.unwrap();
        for answer in answers(&packet[..length], &script, &asked, "") {
            socket.send_to(&answer, from).await.unwrap();
        }
    }
}

async fn by_tcp(listener: TcpListener, script: Script, asked: Arc<Mutex<Vec<String>>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut question).await.unwrap();
        for answer in answers(&question, &script, &asked, " by TCP") {
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    }
}

fn answers(question: &[u8], script: &Script, asked: &Mutex<Vec<String>>, by: &str) -> Vec<Vec<u8>> {
    let question = Packet::parse(question).unwrap();
    assert!(question.has_flags(PacketFlag::RECURSION_DESIRED) && !question.has_flags(PacketFlag::RESPONSE));
    let [Question { qname, qtype: simple_dns::QTYPE::TYPE(kind), .. }] = question.questions.as_slice() else {
        panic!("one question of one type is wanted");
    };
    let line = format!("{qname} {kind:?}{by}");
    let before = asked.lock().unwrap().iter().filter(|earlier| **earlier == line).count();
    asked.lock().unwrap().push(line);
    let mut reply = question.clone().into_reply();
    let address = |text: &str| match text.parse().unwrap() {
        IpAddr::V4(four) => RData::A(A::from(four)),
        IpAddr::V6(six) => RData::AAAA(AAAA::from(six)),
    };
    let addresses = |texts: &[&str]| texts.iter().map(|text| address(text)).collect::<Vec<_>>();
    let data = match script.get(&(qname.to_string(), format!("{kind:?}"))) {
        Some(Answer::Silence) => return Vec::new(),
        Some(Answer::Turns(texts)) => vec![address(texts[before.min(texts.len() - 1)])],
        Some(Answer::Alias(name, texts)) => {
            let alias = RData::CNAME(CNAME(Name::new(name).unwrap()));
            std::iter::once(alias).chain(addresses(texts)).collect()
        }
        Some(Answer::Service(target, port)) => {
            let target = Name::new(target).unwrap();
            vec![RData::SRV(SRV { priority: 10, weight: 50, port: *port, target })]
        }
        Some(Answer::Nothing) => Vec::new(),
        Some(Answer::Failure) => {
            *reply.rcode_mut() = RCODE::ServerFailure;
            Vec::new()
        }
        Some(Answer::Truncated(_)) if by.is_empty() => {
            reply.set_flags(PacketFlag::TRUNCATION);
            Vec::new()
        }
        Some(Answer::Addresses(texts) | Answer::Truncated(texts)) => addresses(texts),
        Some(Answer::Forged(forged, truth)) => {
            let mut other = reply.clone();
            other.questions =
                vec![Question::new(Name::new("other.svc").unwrap(), (*kind).into(), CLASS::IN.into(), false)];
            other.answers = vec![ResourceRecord::new(qname.clone(), CLASS::IN, 5, address(forged))];
            reply.answers = vec![ResourceRecord::new(qname.clone(), CLASS::IN, 5, address(truth))];
            return vec![other.build_bytes_vec().unwrap(), reply.build_bytes_vec().unwrap()];
        }
        None => {
            // A name has all types or none.
            let exists = script.keys().any(|(name, _)| *name == qname.to_string());
            *reply.rcode_mut() = if exists { RCODE::NoError } else { RCODE::NameError };
            Vec::new()
        }
    };
    reply.answers = data.into_iter().map(|data| ResourceRecord::new(qname.clone(), CLASS::IN, 5, data)).collect();
    vec![reply.build_bytes_vec().unwrap()]
}
