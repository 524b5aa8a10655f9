//! Redirections, here-documents among them.

use super::heredoc::Heredoc;
use super::place::{Place, Refused};
use super::scan::Scanner;
use crate::command::mask::{BEGINS, ENDS, unmask};

impl Scanner<'_> {
    pub(super) fn redirect(&mut self, letter: char) -> Result<(), Refused> {
        self.needs_shell = true;
        self.command.drop_number();
        self.end_word()?;
        self.syntax(letter);
        if self.peek() == Some('(') {
            self.next();
            self.syntax('(');
            self.command.word().expands = true;
            self.enter(Place::Substitution);
            return Ok(());
        }
        self.command.redirects();
        if letter == '<' && self.rest.starts_with('<') && !self.rest.starts_with("<<") && self.place() != Place::Test {
            self.next();
            self.syntax('<');
            let tabs = self.peek() == Some('-');
            if tabs {
                self.next();
                self.syntax('-');
            }
            self.command.redirected();
            return self.announce(tabs);
        }
        while let Some(more @ ('<' | '>' | '&' | '|')) = self.peek() {
            self.next();
            self.syntax(more);
        }
        Ok(())
    }

    /// Reads the word that ends a here-document.
    fn announce(&mut self, tabs: bool) -> Result<(), Refused> {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.next();
        }
        let end = self.rest.find(|letter: char| " \t\n;|&<>()".contains(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.chars().any(|letter| matches!(letter, BEGINS | ENDS) || unmask(letter).is_some()) {
            return Err(Refused::Letters { place: "as the name of a here-document" });
        }
        self.script.push_str(word);
        self.rest = rest;
        let literal = word.contains(['\'', '"', '\\']);
        let delimiter: String = word.chars().filter(|letter| !matches!(letter, '\'' | '"' | '\\')).collect();
        self.heredocs.push(Heredoc { delimiter, literal, tabs });
        Ok(())
    }

    pub(super) fn read_heredocs(&mut self) -> Result<(), Refused> {
        for heredoc in std::mem::take(&mut self.heredocs) {
            let body = heredoc.body(self.rest)?;
            self.masked |= body.masked;
            self.script.push_str(&body.script);
            self.rest = body.rest;
        }
        Ok(())
    }
}
