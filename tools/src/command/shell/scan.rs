//! Reads a rendered command once, letter by letter.

use super::command::Command;
use super::heredoc::Heredoc;
use super::place::{Place, Refused};
use crate::command::mask::{BEGINS, ENDS, unmask};

/// What a rendered command is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::command) enum Scanned {
    /// One program and its arguments: no shell is needed.
    Program(Vec<String>),
    /// A script for a shell, with all letters of arguments quoted.
    Script(String),
}

/// Reads a rendered command.
pub(in crate::command) fn scan(text: &str) -> Result<Scanned, Refused> {
    scan_for(text, false)
}

/// Reads a rendered script: a shell runs it whatever is in it.
pub(in crate::command) fn scan_script(text: &str) -> Result<Scanned, Refused> {
    scan_for(text, true)
}

fn scan_for(text: &str, needs_shell: bool) -> Result<Scanned, Refused> {
    let mut scanner = Scanner {
        rest: text.trim_matches(['\n', ' ', '\t']),
        script: String::with_capacity(text.len()),
        places: vec![Place::Command],
        command: Command::default(),
        outer: Vec::new(),
        heredocs: Vec::new(),
        masked: false,
        needs_shell,
        fragile: None,
    };
    while let Some(letter) = scanner.next() {
        scanner.step(letter)?;
    }
    scanner.end()
}

pub(super) struct Scanner<'a> {
    pub(super) rest: &'a str,
    pub(super) script: String,
    /// The place of the next letter is the last; the first is never left.
    places: Vec<Place>,
    /// The command that grows.
    pub(super) command: Command,
    /// Those that it stands in, the nearest last.
    outer: Vec<Command>,
    /// Announced in this line.
    pub(super) heredocs: Vec<Heredoc>,
    /// Whether an argument has letters that are no plain ones.
    pub(super) masked: bool,
    pub(super) needs_shell: bool,
    /// Why no such letters may be anywhere in the script.
    fragile: Option<&'static str>,
}

impl Scanner<'_> {
    pub(super) fn next(&mut self) -> Option<char> {
        loop {
            let letter = self.rest.chars().next()?;
            self.rest = self.rest.get(letter.len_utf8()..).unwrap_or_default();
            match letter {
                BEGINS => self.separate(),
                ENDS if self.rest.starts_with(['<', '>']) => self.part(),
                ENDS => {}
                letter => return Some(letter),
            }
        }
    }

    /// Parts an argument's plain letters from what stands before them, where a shell would read both as one: a variable's
    /// name would go on, and the first word of a command could be a keyword or set a variable.
    fn separate(&mut self) {
        let name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let of_variable = self.script.trim_end_matches(name).ends_with('$');
        if of_variable || (!self.rest.starts_with(ENDS) && self.command.at_program()) {
            self.part();
        }
    }

    /// Writes an empty pair of quotes, which is nothing beside or within double quotes.
    fn part(&mut self) {
        if matches!(self.place(), Place::Command | Place::Substitution | Place::Parentheses | Place::Double) {
            self.script.push_str("\"\"");
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().find(|letter| !matches!(*letter, BEGINS | ENDS))
    }

    pub(super) fn place(&self) -> Place {
        self.places.last().copied().unwrap_or(Place::Command)
    }

    /// An author's letter, which becomes part of a word.
    fn plain(&mut self, letter: char) {
        self.script.push(letter);
        self.command.word().text.push(letter);
    }

    /// An author's letter, which is syntax.
    pub(super) fn syntax(&mut self, letter: char) {
        self.script.push(letter);
    }

    pub(super) fn enter(&mut self, place: Place) {
        self.places.push(place);
        if matches!(place, Place::Substitution | Place::Parentheses) {
            self.outer.push(std::mem::take(&mut self.command));
        }
    }

    fn leave(&mut self) -> Result<(), Refused> {
        if matches!(self.place(), Place::Substitution | Place::Parentheses) {
            self.end_command()?;
            self.command = self.outer.pop().unwrap_or_default();
        }
        if self.places.len() > 1 {
            self.places.pop();
        }
        Ok(())
    }

    pub(super) fn end_word(&mut self) -> Result<(), Refused> {
        // The parentheses of its patterns have no beginning, so where it ends can't be told.
        if !self.outer.is_empty() && self.command.word.as_ref().is_some_and(|word| word.text == "case") {
            self.fragile("beside `case` in $(…) or (…)");
        }
        let fragile = self.command.end_word()?;
        self.fragile = self.fragile.or(fragile);
        Ok(())
    }

    fn end_command(&mut self) -> Result<(), Refused> {
        let fragile = self.command.end()?;
        self.fragile = self.fragile.or(fragile);
        Ok(())
    }

    fn fragile(&mut self, why: &'static str) {
        self.fragile.get_or_insert(why);
    }

    fn step(&mut self, letter: char) -> Result<(), Refused> {
        if let Some(letter) = unmask(letter) {
            return self.argument(letter);
        }
        match self.place() {
            Place::Command | Place::Substitution | Place::Parentheses | Place::Test => self.in_command(letter),
            Place::Double => self.in_double(letter),
            Place::Single => {
                if letter == '\'' {
                    self.syntax(letter);
                    self.leave()
                } else {
                    self.plain(letter);
                    Ok(())
                }
            }
            Place::Escaped => self.until(letter, '\''),
            Place::Backtick => self.until(letter, '`'),
            Place::Parameter => {
                if matches!(letter, '\'' | '"' | '`' | '{' | '(' | '$') {
                    self.fragile("beside ${…} with more than a name in it");
                }
                self.until(letter, '}')
            }
            Place::Arithmetic(open) => self.in_arithmetic(letter, open),
        }
    }

    /// An argument's letter: it stays one.
    fn argument(&mut self, letter: char) -> Result<(), Refused> {
        self.masked = true;
        if let Some(place) = self.places.iter().find_map(|place| place.refuses()) {
            return Err(Refused::Letters { place });
        }
        if self.outer.iter().any(Command::evaluates) {
            return Err(Refused::Letters { place: "in a shell's code" });
        }
        match (self.place(), letter) {
            (Place::Single, '\'') => self.script.push_str("'\\''"),
            (Place::Double, '$' | '`' | '"' | '\\') => self.script.extend(['\\', letter]),
            (Place::Single | Place::Double, _) => self.script.push(letter),
            (_, '\'') => self.script.push_str("\\'"),
            (_, _) => self.script.extend(['\'', letter, '\'']),
        }
        self.command.word().take(letter);
        Ok(())
    }

    fn in_command(&mut self, letter: char) -> Result<(), Refused> {
        if matches!(letter, ' ' | '\t' | '\n' | ';' | '|' | '&' | ')') {
            self.end_test();
        }
        let at_start = self.command.at_start();
        match letter {
            ' ' | '\t' => {
                self.end_word()?;
                self.syntax(letter);
            }
            '\n' => {
                self.needs_shell = true;
                self.end_command()?;
                self.syntax(letter);
                self.read_heredocs()?;
            }
            '\\' => self.escape()?,
            '\'' | '"' => {
                self.command.word();
                self.syntax(letter);
                self.enter(if letter == '"' { Place::Double } else { Place::Single });
            }
            '$' => self.dollar()?,
            '`' => self.backtick(),
            '#' if at_start => self.comment(),
            '&' if self.peek() == Some('>') => self.syntax(letter),
            '|' | '&' | ';' if self.place() != Place::Test => {
                self.needs_shell = true;
                self.end_command()?;
                self.syntax(letter);
            }
            '<' | '>' => self.redirect(letter)?,
            '(' => self.open(at_start)?,
            ')' => {
                self.needs_shell = true;
                self.syntax(letter);
                if matches!(self.place(), Place::Substitution | Place::Parentheses) {
                    self.leave()?;
                } else {
                    self.end_command()?;
                }
            }
            '[' if at_start && self.place() != Place::Test && self.opens_test() => {
                self.needs_shell = true;
                self.next();
                self.script.push_str("[[");
                self.enter(Place::Test);
            }
            '*' | '?' | '[' | ']' | '{' | '}' | '|' | '&' | ';' => {
                self.needs_shell = true;
                self.command.word().bracket |= letter == '[';
                self.plain(letter);
            }
            '~' | '!' => {
                self.needs_shell |= at_start;
                self.plain(letter);
            }
            '=' => {
                self.needs_shell |= self.command.is_empty();
                self.plain(letter);
            }
            _ => self.plain(letter),
        }
        Ok(())
    }

    /// Whether `[[` and a space stand here, of which the first is read.
    fn opens_test(&self) -> bool {
        self.rest.strip_prefix('[').is_some_and(|rest| rest.starts_with([' ', '\t', '\n']))
    }

    /// Leaves `[[ … ]]` behind its last word.
    fn end_test(&mut self) {
        if self.place() == Place::Test && self.command.word.as_ref().is_some_and(|word| word.text == "]]") {
            self.places.pop();
        }
    }

    fn in_double(&mut self, letter: char) -> Result<(), Refused> {
        match letter {
            '"' => {
                self.syntax(letter);
                self.leave()?;
            }
            '\\' => self.escape()?,
            '$' => self.dollar()?,
            '`' => self.backtick(),
            _ => self.plain(letter),
        }
        Ok(())
    }

    fn in_arithmetic(&mut self, letter: char, open: u32) -> Result<(), Refused> {
        if matches!(letter, '\'' | '"' | '`' | '$') {
            self.fragile("beside arithmetic with expansions");
        }
        self.syntax(letter);
        let open = match letter {
            '(' => open + 1,
            ')' => open.saturating_sub(1),
            _ => open,
        };
        if open == 0 {
            return self.leave();
        }
        if let Some(place) = self.places.last_mut() {
            *place = Place::Arithmetic(open);
        }
        Ok(())
    }

    /// A place that is passed over up to its end.
    fn until(&mut self, letter: char, end: char) -> Result<(), Refused> {
        self.syntax(letter);
        if letter == '\\' {
            match self.next() {
                Some(next) if unmask(next).is_none() => self.syntax(next),
                Some(_) => return Err(Refused::Letters { place: "behind a backslash" }),
                None => {}
            }
        } else if letter == end {
            return self.leave();
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Refused> {
        match self.next() {
            // A line that goes on in the next.
            Some('\n') => {
                self.script.push_str("\\\n");
                Ok(())
            }
            Some(letter) if unmask(letter).is_some() => Err(Refused::Letters { place: "behind a backslash" }),
            Some(letter) => {
                self.script.push('\\');
                if self.place() == Place::Double && !matches!(letter, '$' | '`' | '"' | '\\') {
                    self.command.word().text.push('\\');
                }
                self.plain(letter);
                Ok(())
            }
            None => Err(Refused::Unended { what: "a backslash" }),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "one of the steps, each of which may refuse")]
    fn dollar(&mut self) -> Result<(), Refused> {
        self.needs_shell = true;
        self.command.word().expands = true;
        self.plain('$');
        match self.peek() {
            Some('(') => {
                self.next();
                self.syntax('(');
                if self.peek() == Some('(') {
                    self.next();
                    self.syntax('(');
                    self.enter(Place::Arithmetic(2));
                } else {
                    self.enter(Place::Substitution);
                }
            }
            Some('{') => {
                self.next();
                self.syntax('{');
                self.enter(Place::Parameter);
            }
            Some('\'') if self.place() != Place::Double => {
                self.next();
                self.syntax('\'');
                self.enter(Place::Escaped);
            }
            _ => {}
        }
        Ok(())
    }

    fn backtick(&mut self) {
        self.needs_shell = true;
        self.fragile("beside backticks");
        self.command.word().expands = true;
        self.syntax('`');
        self.enter(Place::Backtick);
    }

    /// A comment, up to the end of its line. It is left out: an argument in it has no meaning.
    fn comment(&mut self) {
        self.needs_shell = true;
        while self.peek().is_some_and(|letter| letter != '\n') {
            self.next();
        }
    }

    fn open(&mut self, at_start: bool) -> Result<(), Refused> {
        self.needs_shell = true;
        self.syntax('(');
        if at_start && self.peek() == Some('(') {
            self.next();
            self.syntax('(');
            self.enter(Place::Arithmetic(2));
            return Ok(());
        }
        if self.place() != Place::Test {
            self.end_word()?;
        }
        self.enter(Place::Parentheses);
        Ok(())
    }

    fn end(mut self) -> Result<Scanned, Refused> {
        self.end_test();
        if self.places.len() > 1 {
            return Err(Refused::Unended { what: self.place().told() });
        }
        if !self.heredocs.is_empty() {
            return Err(Refused::Unended { what: "a here-document" });
        }
        self.end_word()?;
        if !self.needs_shell && !self.command.needs_shell() {
            return Ok(Scanned::Program(self.command.into_words()));
        }
        self.end_command()?;
        match self.fragile {
            Some(place) if self.masked => Err(Refused::Letters { place }),
            _ => Ok(Scanned::Script(self.script)),
        }
    }
}
