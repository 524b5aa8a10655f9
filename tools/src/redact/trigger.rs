//! Where a secret may stand.
//!
//! Almost no place of a text is one. So at every second letter three are looked up in a table of 4 KiB, which tells
//! whether a trigger may begin there or one letter before; only then it is compared.

use std::iter::Peekable;

use super::{Source, vendor};

/// What a secret may stand at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// What is redacted already.
    Placeholder,
    /// The first line of a key.
    KeyBlock,
    /// The same in base64.
    EncodedKey,
    /// The `://` of a URL.
    Url,
    /// The `@` of the address that Go's database drivers take.
    Driver,
    /// A user on a command line.
    User,
    /// A password's hash.
    Hash,
    /// The address of a chat's webhook.
    Webhook,
    /// The kind of a Secret's manifest.
    Manifest,
    /// SQL's `IDENTIFIED BY`.
    Identified,
    /// The scheme `Basic` of a header.
    Basic,
    /// A token of Telegram.
    Telegram,
    /// The beginning of a vendor's token.
    Token,
    /// A name that tells of a secret, or a part of it.
    Name,
}

/// A trigger that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) trigger: Trigger,
}

/// Letters that are a trigger where they stand.
#[derive(Clone, Copy, Debug)]
struct Literal {
    letters: &'static str,
    trigger: Trigger,
    any_case: bool,
    /// Whether no letter, digit or `_` may stand before.
    begins: bool,
    /// Whether none may stand behind.
    ends: bool,
}

const fn exactly(letters: &'static str, trigger: Trigger) -> Literal {
    Literal { letters, trigger, any_case: false, begins: false, ends: false }
}

const fn word(letters: &'static str, trigger: Trigger) -> Literal {
    Literal { letters, trigger, any_case: true, begins: false, ends: false }
}

const fn name(letters: &'static str) -> Literal {
    word(letters, Trigger::Name)
}

/// A name's last word, or one before a separator.
const fn last(letters: &'static str) -> Literal {
    Literal { ends: true, ..name(letters) }
}

/// Longer ones stand before the shorter ones that they begin with.
const LITERALS: &[Literal] = &[
    exactly("[redacted:", Trigger::Placeholder),
    exactly("-----BEGIN ", Trigger::KeyBlock),
    exactly("://", Trigger::Url),
    exactly("$2a$", Trigger::Hash),
    exactly("$2b$", Trigger::Hash),
    exactly("$2y$", Trigger::Hash),
    exactly("$argon2", Trigger::Hash),
    exactly("$6$", Trigger::Hash),
    exactly("@tcp(", Trigger::Driver),
    exactly("@unix(", Trigger::Driver),
    exactly("hooks.slack.com/services/", Trigger::Webhook),
    exactly("discord.com/api/webhooks/", Trigger::Webhook),
    exactly("discordapp.com/api/webhooks/", Trigger::Webhook),
    exactly("LS0tLS1CRUdJTi", Trigger::EncodedKey),
    word("kind", Trigger::Manifest),
    word("identified by", Trigger::Identified),
    word(" -u ", Trigger::User),
    word(" -u=", Trigger::User),
    word(" --user ", Trigger::User),
    word(" --user=", Trigger::User),
    word("\t-u ", Trigger::User),
    word("\t-u=", Trigger::User),
    word("\t--user ", Trigger::User),
    word("\t--user=", Trigger::User),
    Literal { begins: true, ..word("basic ", Trigger::Basic) },
    exactly(":AA", Trigger::Telegram),
    name("passw"),
    name("passphrase"),
    name("passcode"),
    last("pass"),
    name("pwd"),
    name("secret"),
    name("token"),
    last("creds"),
    last("cred"),
    name("credential"),
    last("authorization"),
    last("auth"),
    name("cookie"),
    name("jwt"),
    name("session_id"),
    name("sessionid"),
    last("key"),
    last("signature"),
    last("sig"),
    name("bearer"),
];

/// How many classes of letters there are: five bits.
const CLASSES: usize = 32;

/// All windows of three classes.
const WINDOWS: usize = CLASSES * CLASSES * CLASSES;

/// The class of each letter: those of the alphabet whatever their case, and what triggers have besides.
const CLASS: [u16; 256] = {
    let mut classes = [0; 256];
    let mut byte: usize = 0;
    while byte < 256 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::indexing_slicing,
            reason = "the loop's bound is the array's"
        )]
        {
            classes[byte] = match byte as u8 {
                letter @ b'a'..=b'z' => (letter - b'a') as u16 + 1,
                letter @ b'A'..=b'Z' => (letter - b'A') as u16 + 1,
                b':' | b'/' => 27,
                b'[' | b'$' | b'@' => 28,
                b'-' | b'_' | b'.' => 29,
                b'0'..=b'9' => 30,
                b' ' | b'\t' => 31,
                _ => 0,
            };
        }
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> usize {
    usize::from(CLASS.get(usize::from(byte)).copied().unwrap_or_default())
}

/// Three letters as a number.
fn window(first: u8, second: u8, third: u8) -> usize {
    (class(first) << 10 | class(second) << 5 | class(third)) & (WINDOWS - 1)
}

/// Letters that are looked at before it is asked whether a trigger may be among them: four windows.
const BLOCK: usize = 8;

/// Finds triggers.
pub(super) struct Triggers {
    /// A bit for each window that stands at the start of a trigger, or one letter behind it.
    near: Box<[u64; WINDOWS / 64]>,
    /// By the window with which they begin, which of the groups.
    group: Vec<u8>,
    groups: Vec<Vec<Literal>>,
}

impl std::fmt::Debug for Triggers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Triggers")
    }
}

impl Triggers {
    pub(super) fn new() -> Self {
        let mut triggers =
            Self { near: Box::new([0; WINDOWS / 64]), group: vec![0; WINDOWS], groups: vec![Vec::new()] };
        let token = |prefix| Literal { begins: true, ..exactly(prefix, Trigger::Token) };
        for literal in LITERALS.iter().copied().chain(vendor::prefixes().map(token)) {
            triggers.add(literal);
        }
        triggers
    }

    fn add(&mut self, literal: Literal) {
        let [first, second, third, rest @ ..] = literal.letters.as_bytes() else { return };
        let begins = window(*first, *second, *third);
        self.mark(begins);
        match rest {
            [fourth, ..] => self.mark(window(*second, *third, *fourth)),
            // Any letter may follow, or none.
            [] => (0..CLASSES).for_each(|any| self.mark((window(0, *second, *third) << 5 | any) & (WINDOWS - 1))),
        }
        let Some(group) = self.group.get_mut(begins) else { return };
        if *group == 0 {
            *group = u8::try_from(self.groups.len()).unwrap_or_default();
            self.groups.push(Vec::new());
        }
        if let Some(literals) = self.groups.get_mut(usize::from(*group)) {
            literals.push(literal);
        }
    }

    fn mark(&mut self, window: usize) {
        if let Some(bits) = self.near.get_mut(window / 64) {
            *bits |= 1 << (window % 64);
        }
    }

    /// 1 where a trigger may be near.
    fn is_near(&self, first: u8, second: u8, third: u8) -> u64 {
        let window = window(first, second, third);
        self.near.get(window / 64).copied().unwrap_or_default() >> (window % 64) & 1
    }

    /// The same, but what is known to be quiet is passed over.
    pub(super) fn find_but(
        &self,
        source: &Source<'_>,
        from: usize,
        quiet: &mut Peekable<impl Iterator<Item = (usize, usize)>>,
    ) -> Option<Found> {
        let mut at = from;
        loop {
            while quiet.next_if(|(_, end)| *end <= at).is_some() {}
            let Some((start, end)) = quiet.peek().copied() else { return self.find(source, at) };
            if let Some(found) = self.find_before(source, at, start) {
                return Some(found);
            }
            at = at.max(end);
        }
    }

    /// The first trigger that begins at `from` or later.
    pub(super) fn find(&self, source: &Source<'_>, from: usize) -> Option<Found> {
        self.find_before(source, from, source.len())
    }

    /// The first trigger that begins at `from` or later, and before `to`.
    fn find_before(&self, source: &Source<'_>, from: usize, to: usize) -> Option<Found> {
        // Two letters more, for the window at the last one.
        let rest = source.bytes_from(from);
        let rest = rest.get(..to.saturating_sub(from).saturating_add(2)).unwrap_or(rest);
        let mut at = from;
        for &[a, b, c, d, e, f, g, h, i] in rest.array_windows::<{ BLOCK + 1 }>().step_by(BLOCK) {
            let near = self.is_near(a, b, c)
                | self.is_near(c, d, e) << 1
                | self.is_near(e, f, g) << 2
                | self.is_near(g, h, i) << 3;
            if near != 0 {
                for start in (at..).step_by(2).take(4).enumerate().filter(|(bit, _)| near >> bit & 1 == 1) {
                    if let Some(found) = self.within(source, from, start.1, (start.1 + 1).min(to)) {
                        return Some(found);
                    }
                }
            }
            at += BLOCK;
        }
        self.within(source, from, at, to)
    }

    /// The first trigger that begins in this stretch, or one letter before it.
    fn within(&self, source: &Source<'_>, from: usize, start: usize, end: usize) -> Option<Found> {
        (start.saturating_sub(1).max(from)..end).find_map(|at| self.at(source, at))
    }

    fn at(&self, source: &Source<'_>, start: usize) -> Option<Found> {
        let [first, second, third, ..] = source.bytes_from(start) else { return None };
        let group = *self.group.get(window(*first, *second, *third))?;
        if group == 0 {
            return None;
        }
        let literals = self.groups.get(usize::from(group))?;
        let (literal, end) =
            literals.iter().find_map(|literal| literal.end(source, start).map(|end| (literal, end)))?;
        Some(Found { start, end, trigger: literal.trigger })
    }
}

const fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Literal {
    /// Where the trigger ends, if it stands there.
    fn end(&self, source: &Source<'_>, start: usize) -> Option<usize> {
        let end = start + self.letters.len();
        let there = if self.any_case {
            source.has(start, self.letters)
        } else {
            source.bytes_from(start).starts_with(self.letters.as_bytes())
        };
        if !there
            || self.begins && source.before(start).is_some_and(in_word)
            || self.ends && source.at(end).is_some_and(in_word)
        {
            return None;
        }
        match self.trigger {
            Trigger::Manifest => manifest(source, end),
            Trigger::Telegram => {
                let stop =
                    source.skip_at_most(end, 33, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
                (stop - end == 33).then_some(stop)
            }
            _ => Some(end),
        }
    }
}

/// Whether a text shows a Secret's manifest, or something like it.
pub(super) fn shows_a_secret(text: &str) -> bool {
    let source = Source::new(text);
    memchr::memchr2_iter(b'k', b'K', text.as_bytes())
        .any(|at| source.has(at, "kind") && manifest(&source, at + 4).is_some())
}

/// How many escapes and blanks may stand between a kind and its name.
const SLASHES: usize = 8;
const BLANKS: usize = 12;

/// Where `: Secret` ends after `kind`, in YAML or JSON, also in a string of JSON.
fn manifest(source: &Source<'_>, kind: usize) -> Option<usize> {
    let quote = |at: usize| at + usize::from(matches!(source.at(at), Some(b'"' | b'\'')));
    let slashes = |at: usize| source.skip_at_most(at, SLASHES, |byte| byte == b'\\');
    let blanks = |at: usize| source.skip_at_most(at, BLANKS, |byte| matches!(byte, b' ' | b'\t'));
    let colon = blanks(quote(slashes(kind)));
    if source.at(colon) != Some(b':') {
        return None;
    }
    let value = quote(slashes(blanks(colon + 1)));
    let end = ["SecretList", "Secret"].iter().find_map(|name| source.has(value, name).then_some(value + name.len()))?;
    (!source.at(end).is_some_and(in_word)).then_some(end)
}
