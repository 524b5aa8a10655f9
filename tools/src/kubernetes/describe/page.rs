//! An indented text that is written line by line.

use crate::kubernetes::LookError;

/// An indented text that is written line by line.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// A line, two spaces a level in. Further lines of the text are indented below it.
    pub(crate) fn line(&mut self, level: usize, text: impl AsRef<str>) {
        for (index, line) in text.as_ref().lines().enumerate() {
            let spaces = level * 2 + if index == 0 { 0 } else { 2 };
            self.0.extend(std::iter::repeat_n(' ', spaces));
            self.0.push_str(line.trim_end());
            self.0.push('\n');
        }
    }

    /// A line `name: value`, where there is a value.
    pub(crate) fn field(&mut self, level: usize, name: &str, value: impl AsRef<str>) {
        if !value.as_ref().is_empty() {
            self.line(level, format!("{name}: {}", value.as_ref()));
        }
    }

    /// A heading and its lines, at most `most`; what is left out is counted. Without lines, `none` where it is said.
    pub(crate) fn section(&mut self, title: &str, lines: &[String], most: usize, none: Option<&str>) {
        if lines.is_empty() {
            if let Some(none) = none {
                self.line(0, format!("{title}: {none}"));
            }
            return;
        }
        self.line(0, format!("{title}:"));
        for line in lines.iter().take(most) {
            self.line(1, line);
        }
        if lines.len() > most {
            self.line(1, format!("… {} more left out …", lines.len() - most));
        }
    }

    /// What was read, or nothing and a line on why it couldn't be seen.
    pub(crate) fn seen<T>(&mut self, what: &str, read: Result<T, LookError>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                self.line(0, format!("{what}: could not be seen: {error}"));
                None
            }
        }
    }

    /// The text.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}
