//! One simple command's words, as far as they decide what an argument may hold.

use super::Refused;

/// Commands that read a word of theirs as code, or as a name that may hold code.
const EVALUATORS: [&str; 22] = [
    ".",
    "alias",
    "declare",
    "eval",
    "export",
    "getopts",
    "let",
    "local",
    "mapfile",
    "parallel",
    "read",
    "readarray",
    "readonly",
    "rsh",
    "source",
    "ssh",
    "su",
    "trap",
    "typeset",
    "unset",
    "wait",
    "watch",
];

/// Those of them that may read as code what was put in a variable before, or let others do so.
const FAR: [&str; 11] = [".", "alias", "declare", "eval", "let", "rsh", "source", "ssh", "su", "trap", "typeset"];

/// Words that a command may stand behind.
const BEFORE: [&str; 13] =
    ["!", "builtin", "command", "do", "elif", "else", "exec", "if", "then", "time", "until", "while", "{"];

/// Shells and other languages: what follows `-c`, or `-e` and `-r` for some, is code.
const SHELLS: [&str; 15] = [
    "ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "node", "perl", "php", "python", "python3", "ruby", "sh",
    "zsh",
];

/// Words that only a shell knows, or knows as something else than the program of that name.
const BUILTINS: [&str; 33] = [
    "!", "[[", "bg", "builtin", "case", "cd", "command", "coproc", "disown", "do", "else", "exec", "exit", "fg", "for",
    "function", "if", "jobs", "popd", "pushd", "return", "select", "set", "shift", "shopt", "then", "time", "type",
    "ulimit", "umask", "until", "while", "{",
];

/// A word as it grows.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that was seen in the word, apart from the others")]
pub(super) struct Word {
    /// Its letters, as the program would get them; expansions as they are written.
    pub(super) text: String,
    /// Whether an argument's letters that are no plain ones are in it.
    masked: bool,
    /// Whether it begins with an argument's dash.
    dash: bool,
    /// Whether a shell expands something in it.
    pub(super) expands: bool,
    /// Whether the author wrote a bracket in it: before a `=`, an index that is evaluated.
    pub(super) bracket: bool,
}

impl Word {
    /// Takes an argument's letter.
    pub(super) fn take(&mut self, letter: char) {
        self.dash |= letter == '-' && self.text.is_empty();
        self.masked = true;
        self.text.push(letter);
    }
}

/// A simple command as it grows.
#[derive(Clone, Debug, Default)]
pub(super) struct Command {
    words: Vec<String>,
    pub(super) word: Option<Word>,
    /// Whether the next word is where something is redirected to.
    redirects: bool,
}

impl Command {
    /// The word that grows; a new one where none does.
    pub(super) fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    /// Whether the next letter would begin a word.
    pub(super) const fn at_start(&self) -> bool {
        self.word.is_none()
    }

    /// Lets go of the number before a redirection: it is no word.
    pub(super) fn drop_number(&mut self) {
        self.word.take_if(|word| word.text.bytes().all(|letter| letter.is_ascii_digit()));
    }

    /// What comes next is where something is redirected to.
    pub(super) const fn redirects(&mut self) {
        self.redirects = true;
    }

    /// It has come.
    pub(super) const fn redirected(&mut self) {
        self.redirects = false;
    }

    /// Whether the next letter would begin the word that says what is run.
    pub(super) fn at_program(&self) -> bool {
        self.at_start() && !self.redirects && self.words.iter().all(|before| leads(before))
    }

    /// Whether no word has ended yet: the one that grows is the program, or is set before it.
    pub(super) const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether its words so far may be read as code, so that what they enclose may be too.
    pub(super) fn evaluates(&self) -> bool {
        let code = |word: &String| EVALUATORS.contains(&base(word)) || SHELLS.contains(&base(word));
        self.words.iter().any(code)
    }

    /// Ends the word that grows. The answer says whether nothing in the whole script may be an argument's but plain letters.
    pub(super) fn end_word(&mut self) -> Result<Option<&'static str>, Refused> {
        let Some(word) = self.word.take() else { return Ok(None) };
        let mut fragile = None;
        let program = self.words.iter().all(|before| leads(before));
        if program && FAR.contains(&word.text.as_str()) {
            fragile = Some("beside a command that evaluates its words");
        }
        let put_together =
            word.expands || self.words.iter().any(|before| base(before) == "xargs") || word.text.contains("{}");
        if self.is_code() && put_together {
            fragile = Some("beside a shell's code that is put together");
        }
        if word.masked {
            if word.dash && !self.words.iter().any(|before| before == "--") {
                return Err(Refused::Option { word: word.text });
            }
            let index = word.bracket.then_some("in an index");
            let code = (self.is_code() || self.words.iter().any(|before| EVALUATORS.contains(&base(before))))
                .then_some("in a shell's code");
            let name = (self.words.iter().any(|before| before == "-v")
                && self.words.first().is_some_and(|first| ["[", "printf", "test"].contains(&base(first))))
            .then_some("as a variable's name");
            if let Some(place) = index.or(code).or(name) {
                return Err(Refused::Letters { place });
            }
        }
        if !std::mem::take(&mut self.redirects) {
            self.words.push(word.text);
        }
        Ok(fragile)
    }

    /// Ends the command. The answer is that of [`Self::end_word`].
    pub(super) fn end(&mut self) -> Result<Option<&'static str>, Refused> {
        let fragile = self.end_word()?;
        let words = std::mem::take(&mut self.words);
        let last = words.iter().rfind(|word| !word.starts_with('-'));
        let reads = last.is_some_and(|word| SHELLS.contains(&base(word)));
        Ok(fragile.or(reads.then_some("beside a shell that reads its code")))
    }

    /// Whether the word that would come next is a shell's code: behind `sh -c`.
    fn is_code(&self) -> bool {
        let Some(shell) = self.words.iter().position(|word| SHELLS.contains(&base(word))) else { return false };
        let mut after = self.words.iter().skip(shell + 1);
        let flag =
            |word: &&String| word.starts_with('-') && !word.starts_with("--") && word.ends_with(['c', 'e', 'r', 'E']);
        after.find(flag).is_some() && after.all(|word| word.starts_with('-'))
    }

    /// The words, once all have ended.
    pub(super) fn into_words(self) -> Vec<String> {
        self.words
    }

    /// Whether its program is one that only a shell knows, or can't be told apart from an assignment.
    pub(super) fn needs_shell(&self) -> bool {
        self.words.first().is_none_or(|program| {
            BUILTINS.contains(&program.as_str()) || EVALUATORS.contains(&program.as_str()) || program.contains('=')
        })
    }
}

/// The program's name without its folder.
fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// Whether what is run may still follow the word.
fn leads(word: &str) -> bool {
    is_assignment(word) || BEFORE.contains(&word)
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}
