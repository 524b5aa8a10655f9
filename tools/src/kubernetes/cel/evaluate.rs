//! What an expression gives for an object, within a number of steps.

use jiff::Timestamp;
use serde_json::Value;

use super::Fault;
use super::operation::{Operation, call};
use super::parse::{Each, Node};
use super::term::Term;

/// The most steps for one object: some thousand items of lists, looked at a few times each.
pub(super) const STEPS: usize = 50_000;

/// Letters of a text that are a step.
const LETTERS: usize = 64;

pub(super) fn holds(node: &Node, object: &Value, now: Timestamp) -> Result<bool, Fault> {
    let mut run = Run { object, now, left: STEPS, names: Vec::new() };
    match run.value(node)? {
        Term::Bool(flag) => Ok(flag),
        other => Err(Fault::Unfit(format!("it gives {} and not true or false", other.kind()))),
    }
}

pub(super) fn told(node: &Node, object: &Value, now: Timestamp) -> Result<String, Fault> {
    let mut run = Run { object, now, left: STEPS, names: Vec::new() };
    let term = run.value(node)?;
    run.weigh(&term)?;
    Ok(term.written())
}

struct Run<'a> {
    object: &'a Value,
    now: Timestamp,
    left: usize,
    /// The names that `exists` and its like give to items, the innermost last.
    names: Vec<(&'a str, Term<'a>)>,
}

impl<'a> Run<'a> {
    fn pay(&mut self, steps: usize) -> Result<(), Fault> {
        self.left = self.left.checked_sub(steps).ok_or(Fault::TooLong)?;
        Ok(())
    }

    fn value<'n: 'a>(&mut self, node: &'n Node) -> Result<Term<'a>, Fault> {
        self.pay(1)?;
        Ok(match node {
            Node::Null => Term::Null,
            Node::Bool(flag) => Term::Bool(*flag),
            Node::Int(number) => Term::Int(*number),
            Node::Float(number) => Term::Float(*number),
            Node::Text(text) => Term::Text(text.as_str().into()),
            Node::List(nodes) => Term::List(nodes.iter().map(|node| self.value(node)).collect::<Result<_, _>>()?),
            Node::Name(name) => self.named(name)?,
            Node::Field(on, field) => {
                let on = self.value(on)?;
                member(&on, field)?.ok_or_else(|| Fault::Missing(path(node)))?
            }
            Node::Has(on, field) => match self.value(on) {
                Ok(on) => Term::Bool(member(&on, field)?.is_some()),
                Err(Fault::Missing(_)) => Term::Bool(false),
                Err(fault) => return Err(fault),
            },
            Node::Index(on, index) => {
                let (on, index) = (self.value(on)?, self.value(index)?);
                at(&on, &index)?.ok_or_else(|| Fault::Missing(path(node)))?
            }
            Node::Not(node) => Term::Bool(!self.flag(node)?),
            Node::Negative(node) => match self.value(node)? {
                Term::Int(number) => Term::Int(number.checked_neg().unwrap_or(i64::MAX)),
                Term::Float(number) => Term::Float(-number),
                other => return Err(Fault::Unfit(format!("`-` does not fit {}", other.kind()))),
            },
            Node::And(left, right) => Term::Bool(self.either(left, right, false)?),
            Node::Or(left, right) => Term::Bool(self.either(left, right, true)?),
            Node::Choice(condition, then, otherwise) => {
                let wanted = if self.flag(condition)? { then } else { otherwise };
                self.value(wanted)?
            }
            Node::Operation(operation, left, right) => self.operation(*operation, left, right)?,
            Node::Matches(on, pattern) => match self.value(on)? {
                Term::Text(text) => {
                    self.pay(text.len() / LETTERS)?;
                    Term::Bool(pattern.is_match(&text))
                }
                other => return Err(Fault::Unfit(format!("matches does not fit {}", other.kind()))),
            },
            Node::Call(name, arguments) => {
                let values = arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>, _>>()?;
                for value in &values {
                    self.weigh(value)?;
                }
                // A pattern that must be made first is dear.
                self.pay(if name == "matches" { STEPS / 100 } else { 0 })?;
                call(name, &values)?
            }
            Node::Each(each, list, variable, body) => self.each(*each, list, variable, body)?,
        })
    }

    fn flag<'n: 'a>(&mut self, node: &'n Node) -> Result<bool, Fault> {
        match self.value(node)? {
            Term::Bool(flag) => Ok(flag),
            other => Err(Fault::Unfit(format!("{} stands where true or false is wanted", other.kind()))),
        }
    }

    /// `&&` and `||`: one side that decides is enough, whatever the other is.
    fn either<'n: 'a>(&mut self, left: &'n Node, right: &'n Node, decides: bool) -> Result<bool, Fault> {
        match self.flag(left) {
            Ok(flag) if flag == decides => Ok(decides),
            Ok(_) => self.flag(right),
            Err(Fault::TooLong) => Err(Fault::TooLong),
            Err(fault) => match self.flag(right) {
                Ok(flag) if flag == decides => Ok(decides),
                _ => Err(fault),
            },
        }
    }

    fn named(&self, name: &str) -> Result<Term<'a>, Fault> {
        if let Some((_, term)) = self.names.iter().rev().find(|(known, _)| *known == name) {
            return Ok(term.clone());
        }
        match name {
            "object" | "self" => Ok(Term::of(self.object)),
            "now" => Ok(Term::Time(self.now)),
            field => self.object.get(field).map(Term::of).ok_or_else(|| Fault::Missing(field.to_owned())),
        }
    }

    fn operation<'n: 'a>(&mut self, operation: Operation, left: &'n Node, right: &'n Node) -> Result<Term<'a>, Fault> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        self.weigh(&left)?;
        self.weigh(&right)?;
        operation.of(&left, &right)
    }

    /// What it costs to go through a value.
    fn weigh(&mut self, term: &Term<'_>) -> Result<(), Fault> {
        self.pay(match term {
            Term::Text(text) => text.len() / LETTERS,
            Term::List(items) => items.len(),
            Term::Json(value) => weight(value, self.left),
            _ => 0,
        })
    }

    fn each<'n: 'a>(
        &mut self,
        each: Each,
        list: &'n Node,
        variable: &'n str,
        body: &'n Node,
    ) -> Result<Term<'a>, Fault> {
        let list = self.value(list)?;
        self.pay(match &list {
            Term::Json(Value::Array(items)) => items.len(),
            Term::Json(Value::Object(fields)) => fields.len(),
            Term::List(items) => items.len(),
            _ => 0,
        })?;
        let items = list.items().ok_or_else(|| Fault::Unfit(format!("{} has no items to go through", list.kind())))?;
        let (mut count, mut kept, mut fault) = (0, Vec::new(), None);
        for item in items {
            self.names.push((variable, item.clone()));
            let given = self.value(body);
            self.names.pop();
            match (each, given) {
                (_, Err(Fault::TooLong)) => return Err(Fault::TooLong),
                (Each::All, Ok(Term::Bool(false))) => return Ok(Term::Bool(false)),
                (Each::Exists, Ok(Term::Bool(true))) => return Ok(Term::Bool(true)),
                (Each::ExistsOne, Ok(Term::Bool(true))) => count += 1,
                (Each::Filter, Ok(Term::Bool(true))) => kept.push(item),
                (Each::Map, Ok(given)) => kept.push(given),
                (_, Ok(Term::Bool(_))) => {}
                (_, Ok(other)) => {
                    fault = Some(Fault::Unfit(format!("{} stands where true or false is wanted", other.kind())));
                }
                // An item without the field says nothing against another that decides.
                (_, Err(other)) => fault = Some(other),
            }
        }
        match (each, fault) {
            (Each::Filter, Some(Fault::Missing(_))) | (_, None) => Ok(match each {
                Each::All => Term::Bool(true),
                Each::Exists => Term::Bool(false),
                Each::ExistsOne => Term::Bool(count == 1),
                Each::Filter | Each::Map => Term::List(kept),
            }),
            (_, Some(fault)) => Err(fault),
        }
    }
}

/// How many values a value has, counted up to `most`.
fn weight(value: &Value, most: usize) -> usize {
    let mut count = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        count += 1;
        if count > most {
            break;
        }
        match value {
            Value::Array(items) => open.extend(items.iter().take(most)),
            Value::Object(fields) => open.extend(fields.values().take(most)),
            Value::String(text) => count += text.len() / LETTERS,
            _ => {}
        }
    }
    count
}

fn at<'a>(on: &Term<'a>, index: &Term<'a>) -> Result<Option<Term<'a>>, Fault> {
    match (on, index) {
        (Term::Json(Value::Array(items)), Term::Int(place)) => {
            Ok(usize::try_from(*place).ok().and_then(|place| items.get(place)).map(Term::of))
        }
        (Term::List(items), Term::Int(place)) => {
            Ok(usize::try_from(*place).ok().and_then(|place| items.get(place)).cloned())
        }
        (on, Term::Text(field)) => member(on, field),
        (on, index) => Err(Fault::Unfit(format!("{} has no [{}]", on.kind(), index.kind()))),
    }
}

fn member<'a>(on: &Term<'a>, field: &str) -> Result<Option<Term<'a>>, Fault> {
    match on {
        Term::Json(Value::Object(fields)) => Ok(fields.get(field).map(Term::of)),
        Term::Null => Ok(None),
        other => Err(Fault::Unfit(format!("{} has no field {field}", other.kind()))),
    }
}

/// What is missing, as it was written.
fn path(node: &Node) -> String {
    match node {
        Node::Name(name) => name.clone(),
        Node::Field(on, field) => format!("{}.{field}", path(on)),
        Node::Index(on, index) => match index.as_ref() {
            Node::Int(place) => format!("{}[{place}]", path(on)),
            Node::Text(key) => format!("{}['{key}']", path(on)),
            _ => format!("{}[…]", path(on)),
        },
        _ => "…".to_owned(),
    }
}
