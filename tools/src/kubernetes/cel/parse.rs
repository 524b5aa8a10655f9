//! From the words of an expression to its tree.

use regex::Regex;

use super::operation::{Operation, pattern};
use super::word::{Word, words};

/// How deep brackets may nest, and how many parts may be joined: each is a call deeper when it is computed.
const DEPTH: usize = 30;
const JOINED: usize = 150;

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Name(String),
    Field(Box<Node>, String),
    /// `has(a.b)`.
    Has(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negative(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Choice(Box<Node>, Box<Node>, Box<Node>),
    Operation(Operation, Box<Node>, Box<Node>),
    /// `text.matches('…')` with a pattern that is known beforehand.
    Matches(Box<Node>, Regex),
    /// A function, with what it is called on first where it is a method.
    Call(String, Vec<Node>),
    /// As `list.exists(name, condition)`.
    Each(Each, Box<Node>, String, Box<Node>),
}

/// What is asked of each item of a list or each key of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Each {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

/// The tree of an expression.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut reader = Reader { words: words(text)?, next: 0, depth: 0, joined: 0 };
    let node = reader.choice()?;
    match reader.words.get(reader.next) {
        None => Ok(node),
        Some((at, word)) => Err(format!("{} at letter {} is not expected there", told(word), at + 1)),
    }
}

fn told(word: &Word) -> String {
    match word {
        Word::Name(name) => format!("`{name}`"),
        Word::Text(text) => format!("{text:?}"),
        Word::Int(number) => number.to_string(),
        Word::Float(number) => number.to_string(),
        Word::Sign("=") => "`=` (equality is `==`)".to_owned(),
        Word::Sign("&") => "`&` (and is `&&`)".to_owned(),
        Word::Sign(sign) => format!("`{sign}`"),
    }
}

struct Reader {
    words: Vec<(usize, Word)>,
    next: usize,
    depth: usize,
    joined: usize,
}

impl Reader {
    fn join(&mut self) -> Result<(), String> {
        self.joined += 1;
        if self.joined > JOINED { Err(format!("it has more than {JOINED} parts")) } else { Ok(()) }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.words.get(self.next), Some((_, Word::Sign(next))) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn wants(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(format!("`{sign}` is wanted {}", self.place())) }
    }

    fn place(&self) -> String {
        match self.words.get(self.next) {
            Some((at, word)) => format!("at letter {}, where {} stands", at + 1, told(word)),
            None => "at the end".to_owned(),
        }
    }

    fn choice(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("it nests more than {DEPTH} deep"));
        }
        let condition = self.or()?;
        let node = if self.takes("?") {
            let then = self.choice()?;
            self.wants(":")?;
            Node::Choice(Box::new(condition), Box::new(then), Box::new(self.choice()?))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(node)
    }

    fn or(&mut self) -> Result<Node, String> {
        let mut left = self.and()?;
        while self.takes("||") {
            self.join()?;
            left = Node::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Node, String> {
        let mut left = self.binary(0)?;
        while self.takes("&&") {
            self.join()?;
            left = Node::And(Box::new(left), Box::new(self.binary(0)?));
        }
        Ok(left)
    }

    /// Relations, sums and products, the loosest level first.
    fn binary(&mut self, level: usize) -> Result<Node, String> {
        let Some(operations) = Operation::LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operation) = self.operation(operations) {
            self.join()?;
            left = Node::Operation(operation, Box::new(left), Box::new(self.binary(level + 1)?));
        }
        Ok(left)
    }

    fn operation(&mut self, among: &[Operation]) -> Option<Operation> {
        let written = match &self.words.get(self.next)?.1 {
            Word::Sign(sign) => *sign,
            Word::Name(name) if name == "in" => "in",
            _ => return None,
        };
        let found = among.iter().copied().find(|operation| operation.sign() == written)?;
        self.next += 1;
        Some(found)
    }

    fn unary(&mut self) -> Result<Node, String> {
        let (mut not, mut negative) = (0, 0);
        loop {
            if self.takes("!") {
                not += 1;
            } else if self.takes("-") {
                negative += 1;
            } else {
                break;
            }
        }
        let mut node = self.member()?;
        if negative % 2 == 1 {
            node = Node::Negative(Box::new(node));
        }
        if not > 0 {
            node = Node::Not(Box::new(node));
        }
        if not > 0 && not % 2 == 0 { Ok(Node::Not(Box::new(node))) } else { Ok(node) }
    }

    fn member(&mut self) -> Result<Node, String> {
        let mut node = self.primary()?;
        loop {
            if self.takes(".") {
                let Some((_, Word::Name(name))) = self.words.get(self.next).cloned() else {
                    return Err(format!("a field's name is wanted {}", self.place()));
                };
                self.next += 1;
                node = if self.takes("(") { self.method(node, name)? } else { Node::Field(Box::new(node), name) };
            } else if self.takes("[") {
                let index = self.choice()?;
                self.wants("]")?;
                node = Node::Index(Box::new(node), Box::new(index));
            } else {
                return Ok(node);
            }
            self.join()?;
        }
    }

    fn method(&mut self, on: Node, name: String) -> Result<Node, String> {
        let each = match name.as_str() {
            "all" => Some(Each::All),
            "exists" => Some(Each::Exists),
            "exists_one" | "existsOne" => Some(Each::ExistsOne),
            "filter" => Some(Each::Filter),
            "map" => Some(Each::Map),
            _ => None,
        };
        let mut arguments = self.arguments()?;
        if let Some(each) = each {
            let (Some(body), Some(Node::Name(variable)), None) = (arguments.pop(), arguments.pop(), arguments.pop())
            else {
                return Err(format!("{name} wants a name and an expression, as in list.{name}(item, item > 1)"));
            };
            return Ok(Node::Each(each, Box::new(on), variable, Box::new(body)));
        }
        if let ("matches", [Node::Text(text)]) = (name.as_str(), arguments.as_slice()) {
            return Ok(Node::Matches(Box::new(on), pattern(text)?));
        }
        arguments.insert(0, on);
        Ok(Node::Call(name, arguments))
    }

    /// Up to the closing bracket; the opening one is read.
    fn arguments(&mut self) -> Result<Vec<Node>, String> {
        self.listed(")")
    }

    fn listed(&mut self, end: &str) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        while !self.takes(end) {
            if !nodes.is_empty() {
                self.wants(",")?;
            }
            nodes.push(self.choice()?);
        }
        Ok(nodes)
    }

    fn primary(&mut self) -> Result<Node, String> {
        let place = self.place();
        let word = self.words.get(self.next).map(|(_, word)| word.clone());
        self.next += 1;
        match word {
            Some(Word::Int(number)) => Ok(Node::Int(number)),
            Some(Word::Float(number)) => Ok(Node::Float(number)),
            Some(Word::Text(text)) => Ok(Node::Text(text)),
            Some(Word::Sign("(")) => {
                let node = self.choice()?;
                self.wants(")")?;
                Ok(node)
            }
            Some(Word::Sign("[")) => self.listed("]").map(Node::List),
            Some(Word::Name(name)) if self.takes("(") => {
                let mut arguments = self.arguments()?;
                match (name.as_str(), arguments.len()) {
                    ("has", 1) => match arguments.pop() {
                        Some(Node::Field(on, field)) => Ok(Node::Has(on, field)),
                        _ => Err("has wants a field, as in has(object.spec.replicas)".to_owned()),
                    },
                    _ => Ok(Node::Call(name, arguments)),
                }
            }
            Some(Word::Name(name)) => Ok(match name.as_str() {
                "true" => Node::Bool(true),
                "false" => Node::Bool(false),
                "null" => Node::Null,
                _ => Node::Name(name),
            }),
            _ => {
                self.next -= 1;
                Err(format!("a value is wanted {place}"))
            }
        }
    }
}
