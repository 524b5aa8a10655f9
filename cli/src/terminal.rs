//! Asks the person at the terminal whether a call may be made.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use async_trait::async_trait;
use marple_runner::render::clean;
use marple_tools::gate::{Approval, Approve, ApproveError, Request};
use tokio::sync::{Mutex, mpsc};

use crate::environment;

/// Lines that were typed ahead: none of them is an answer to a question that comes later.
const TYPED: usize = 8;

/// The person at the terminal; nobody where input or standard error is no terminal.
pub(crate) fn person() -> Option<Arc<dyn Approve>> {
    on_a_terminal().then(|| Arc::new(Terminal::new()) as Arc<dyn Approve>)
}

fn on_a_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Who types.
pub(crate) struct Terminal {
    by: String,
    /// Held while a question stands: two at a time could not be told apart.
    lines: Mutex<mpsc::Receiver<String>>,
}

impl Terminal {
    /// Begins to read standard input. One for a process: another would get the other half of the lines.
    pub(crate) fn new() -> Self {
        let by = environment::variable("USER").unwrap_or_else(|| "the person at the terminal".to_owned());
        Self { by, lines: Mutex::new(typed(std::io::stdin())) }
    }

    /// The next line; nothing at the end.
    pub(crate) async fn line(&self) -> Option<String> {
        self.lines.lock().await.recv().await
    }

    /// The same person, to be asked whether a call may be made; nobody where this is no terminal.
    pub(crate) fn person(self: &Arc<Self>) -> Option<Arc<dyn Approve>> {
        on_a_terminal().then(|| Arc::clone(self) as Arc<dyn Approve>)
    }
}

/// Lines as they are typed. The thread ends with the program, for nothing ends a read of a terminal.
fn typed(input: std::io::Stdin) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(TYPED);
    std::thread::spawn(move || {
        for line in input.lines().map_while(Result::ok) {
            // What is typed or piped beyond the bound waits where it is.
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

#[async_trait]
impl Approve for Terminal {
    async fn approve(&self, request: &Request) -> Result<Approval, ApproveError> {
        let mut lines = self.lines.lock().await;
        while lines.try_recv().is_ok() {}
        let mut error = std::io::stderr();
        let gone = |error: std::io::Error| ApproveError(format!("the terminal is gone: {error}"));
        write!(error, "{}", question(request)).and_then(|()| error.flush()).map_err(gone)?;
        let answer = lines.recv().await.ok_or_else(|| ApproveError("the terminal gives no more input".to_owned()))?;
        Ok(if means_yes(&answer) {
            Approval::Approved { by: self.by.clone() }
        } else {
            Approval::Denied { by: self.by.clone(), why: None }
        })
    }
}

/// What the person is shown.
fn question(request: &Request) -> String {
    let shown = match &request.preview {
        Some(preview) => {
            let diff = preview.diff.lines().map(|line| format!("    {}\n", clean(line))).collect::<String>();
            format!("  ? {}\n{diff}", clean(&preview.title))
        }
        None => format!("  ? {} {}\n", clean(&request.tool), clean(&request.arguments.to_string())),
    };
    format!("{shown}  Do it? [y/N] ")
}

/// Anything but a yes is a no.
fn means_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use marple_tools::{Effect, Preview};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, wanted) in
            [("y", true), (" YES ", true), ("", false), ("n", false), ("yeah", false), ("yy", false)]
        {
            assert_eq!(means_yes(answer), wanted, "{answer:?}");
        }
    }

    #[test]
    fn the_question_shows_what_would_change_and_nothing_that_moves_the_cursor() {
        let request = Request {
            actor: "marple".to_owned(),
            tool: "kubernetes_scale".to_owned(),
            arguments: json!({}),
            effect: Effect::Write,
            preview: Some(Preview {
                title: "scale Deployment shop/cart from 2 to 3".to_owned(),
                object: None,
                diff: "-  replicas: 2\n+  replicas: 3\u{1b}[2J\n".to_owned(),
                basis: String::new(),
            }),
        };
        let shown = question(&request);
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        assert!(
            shown.starts_with("  ? scale Deployment shop/cart from 2 to 3\n    -  replicas: 2\n    +  replicas: 3"),
            "{shown}"
        );
        assert!(shown.ends_with("\n  Do it? [y/N] "), "{shown}");
    }
}
