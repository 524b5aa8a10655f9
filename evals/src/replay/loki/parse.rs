//! Reads the part of `LogQL` that can be answered rightly over a recording: selectors, line filters, filters of labels, and
//! the counts over them.

use regex::Regex;

use super::Failure;
use super::query::{Filter, Grouping, LogQuery, Matcher, Query, Sum, Sums};
use super::token::{Token, tokens};

/// What is answered.
const ANSWERED: &str = "over a recorded incident are answered: {label=\"…\"} with |= != |~ !~ and filters of labels, and \
                        count_over_time, rate, bytes_over_time, bytes_rate of them, also in sum and sum by";

/// The query of a text.
pub(super) fn query(text: &str) -> Result<Query, Failure> {
    let mut reading = Reading { tokens: tokens(text)?, at: 0 };
    let query = match reading.peek() {
        Some(Token::Sign("{")) => Query::Lines(reading.lines()?),
        Some(Token::Word(_)) => Query::Sums(reading.sums()?),
        _ => return Err(reading.unexpected()),
    };
    match reading.peek() {
        None => Ok(query),
        Some(_) => Err(reading.unexpected()),
    }
}

struct Reading {
    tokens: Vec<Token>,
    at: usize,
}

impl Reading {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    /// Whether the next word is this sign, which is taken then.
    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(found);
        found
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Failure> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn word(&mut self) -> Result<String, Failure> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(self.before()),
        }
    }

    fn text(&mut self) -> Result<String, Failure> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text),
            _ => Err(self.before()),
        }
    }

    fn before(&mut self) -> Failure {
        self.at = self.at.saturating_sub(1);
        self.unexpected()
    }

    fn unexpected(&self) -> Failure {
        let what = match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Word(word)) => word.clone(),
            Some(Token::Text(text)) => format!("{text:?}"),
            Some(Token::Sign(sign)) => (*sign).to_owned(),
        };
        Failure(format!("parse error: unexpected {what}; {ANSWERED}\n"))
    }

    fn lines(&mut self) -> Result<LogQuery, Failure> {
        self.expect("{")?;
        let mut matchers = vec![self.matcher()?];
        while self.takes(",") {
            matchers.push(self.matcher()?);
        }
        self.expect("}")?;
        if !matchers.iter().any(Matcher::narrows) {
            return Err(Failure(
                "parse error : queries require at least one regexp or equality matcher that does not have an \
                 empty-compatible value\n"
                    .to_owned(),
            ));
        }
        let mut filters = Vec::new();
        loop {
            let (wanted, is_pattern) = match self.peek() {
                Some(Token::Sign("|=")) => (true, false),
                Some(Token::Sign("|~")) => (true, true),
                Some(Token::Sign("!=")) => (false, false),
                Some(Token::Sign("!~")) => (false, true),
                Some(Token::Sign("|")) => {
                    self.at += 1;
                    let mut any = vec![self.matcher()?];
                    while self.takes_word("or") {
                        any.push(self.matcher()?);
                    }
                    filters.push(Filter::Labels(any));
                    continue;
                }
                _ => return Ok(LogQuery { matchers, filters }),
            };
            self.at += 1;
            let mut patterns = Vec::new();
            loop {
                let text = self.text()?;
                patterns.push(pattern(&if is_pattern { text } else { regex::escape(&text) })?);
                if !self.takes_word("or") {
                    break;
                }
            }
            filters.push(Filter::Line { patterns, wanted });
        }
    }

    fn matcher(&mut self) -> Result<Matcher, Failure> {
        let name = self.word()?;
        let Some(Token::Sign(operator)) = self.next() else { return Err(self.before()) };
        let text = self.text()?;
        let (text, wanted) = match operator {
            "=" | "==" => (regex::escape(&text), true),
            "!=" => (regex::escape(&text), false),
            "=~" => (text, true),
            "!~" => (text, false),
            _ => return Err(self.before()),
        };
        Ok(Matcher { name, pattern: pattern(&format!("^(?s:{text})$"))?, wanted })
    }

    fn sums(&mut self) -> Result<Sums, Failure> {
        let mut by = Grouping::Streams;
        let summed = self.takes_word("sum");
        if summed {
            by = Grouping::By(self.grouping()?.unwrap_or_default());
            self.expect("(")?;
        }
        let name = self.word()?;
        let (sum, per_second) = match name.as_str() {
            "count_over_time" => (Sum::Lines, false),
            "rate" => (Sum::Lines, true),
            "bytes_over_time" => (Sum::Bytes, false),
            "bytes_rate" => (Sum::Bytes, true),
            _ => return Err(self.before()),
        };
        self.expect("(")?;
        let of = self.lines()?;
        self.expect("[")?;
        let range = self.word()?;
        let range = promql_parser::util::parse_duration(&range)
            .ok()
            .and_then(|range| jiff::SignedDuration::try_from(range).ok())
            .filter(jiff::SignedDuration::is_positive)
            .ok_or_else(|| Failure(format!("parse error: {range:?} is no duration\n")))?;
        self.expect("]")?;
        self.expect(")")?;
        if summed {
            self.expect(")")?;
            if let Some(after) = self.grouping()? {
                by = Grouping::By(after);
            }
        }
        Ok(Sums { of, sum, per_second, range, by })
    }

    /// `by (a, b)`, where that follows.
    fn grouping(&mut self) -> Result<Option<Vec<String>>, Failure> {
        if !self.takes_word("by") {
            return Ok(None);
        }
        self.expect("(")?;
        let mut names = vec![self.word()?];
        while self.takes(",") {
            names.push(self.word()?);
        }
        self.expect(")")?;
        Ok(Some(names))
    }
}

fn pattern(text: &str) -> Result<Regex, Failure> {
    Regex::new(text).map_err(|error| Failure(format!("parse error: {error}\n")))
}
