//! What takes secrets out.

/// Takes secrets out of text before it is kept or leaves.
pub trait Redact: Send + Sync {
    /// The text without secrets; the same secret gives the same placeholder.
    fn redact(&self, text: &str) -> String;

    /// The same, but nothing where the text has no secret: nearly all have none, and need not be copied.
    fn without_secrets(&self, text: &str) -> Option<String> {
        let clean = self.redact(text);
        (clean != text).then_some(clean)
    }

    /// Takes secrets out of a text that is too long to be held. Unless said otherwise each line is redacted alone: what
    /// finds secrets over several lines must do more.
    fn stream(&self) -> Box<dyn RedactStream + '_> {
        Box::new(ByLine { redact: |line: &str| self.redact(line), open: String::new() })
    }
}

/// Takes secrets out of a text that comes in pieces.
pub trait RedactStream: Send {
    /// Takes the next piece, wherever it ends, and adds to `into` what is known by it to be without secrets.
    fn push(&mut self, text: &str, into: &mut String);

    /// Adds the rest, for the text has ended.
    fn end(&mut self, into: &mut String);
}

struct ByLine<R> {
    redact: R,
    open: String,
}

impl<R: Fn(&str) -> String + Send> RedactStream for ByLine<R> {
    fn push(&mut self, text: &str, into: &mut String) {
        self.open.push_str(text);
        let end = self.open.rfind('\n').map_or(0, |feed| feed + 1);
        for line in self.open.get(..end).unwrap_or_default().split_inclusive('\n') {
            into.push_str(&(self.redact)(line));
        }
        self.open.drain(..end);
    }

    fn end(&mut self, into: &mut String) {
        into.push_str(&(self.redact)(&std::mem::take(&mut self.open)));
    }
}
