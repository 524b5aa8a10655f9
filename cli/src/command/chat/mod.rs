//! `marple chat`: questions one after the other, answered here or by a marple that serves.

mod here;
mod there;

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use marple_agent::Exchange;
use marple_runner::render::clean;
use tokio_util::sync::CancellationToken;

use super::investigate::configured;
use crate::arguments::Chat;
use crate::exit::Exit;
use crate::show::Steps;
use crate::terminal::Terminal;

use here::Here;
use there::There;

/// Exchanges that the next question is told of.
const EARLIER: usize = 20;

pub(super) async fn run(arguments: Chat, cancel: CancellationToken) -> Exit {
    let steps = if arguments.reach.json { Steps::Json } else { Steps::Words };
    let terminal = Arc::new(Terminal::new());
    let mut answers = match Answers::of(&arguments, &terminal).await {
        Ok(answers) => answers,
        Err(error) => return error,
    };
    let interactive = std::io::stdin().is_terminal() && steps == Steps::Words;
    if interactive {
        eprintln!("Ask about {}. An empty line or Ctrl-D ends it; /new begins anew.", answers.about());
    }
    loop {
        if interactive {
            eprint!("\n> ");
            // Nothing to be done where standard error is gone.
            let _ = std::io::stderr().flush();
        }
        let question = tokio::select! {
            () = cancel.cancelled() => return Exit::Interrupted,
            line = terminal.line() => line,
        };
        let Some(question) = question.filter(|line| !line.trim().is_empty()) else { return Exit::Done };
        if question.trim() == "/new" {
            answers.forget();
            continue;
        }
        match answers.to(&question, steps, &cancel).await {
            _ if cancel.is_cancelled() => return Exit::Interrupted,
            Ok(answer) if steps == Steps::Words => println!("{}", clean(&answer)),
            Ok(_) => {}
            // The next question may fare better where a person sees what went wrong.
            Err(error) if interactive => eprintln!("  ✗ {error:#}"),
            Err(error) => return Exit::Failed(error),
        }
    }
}

/// Who answers.
enum Answers {
    Here(Box<Here>),
    There(There),
}

impl Answers {
    async fn of(arguments: &Chat, terminal: &Arc<Terminal>) -> Result<Self, Exit> {
        if arguments.remote || arguments.incident.is_some() {
            let there = There::of(&arguments.server, arguments.incident.as_deref(), terminal.person()).await;
            let there = there.map_err(Exit::Failed)?;
            return Ok(Self::There(there));
        }
        let config = configured(&arguments.reach).map_err(Exit::Configuration)?;
        Ok(Self::Here(Box::new(Here::of(&config, terminal).await.map_err(Exit::Failed)?)))
    }

    fn about(&self) -> String {
        match self {
            Self::Here(_) => "the cluster".to_owned(),
            Self::There(there) => there.about(),
        }
    }

    fn forget(&mut self) {
        match self {
            Self::Here(here) => here.forget(),
            Self::There(there) => there.forget(),
        }
    }

    async fn to(&mut self, question: &str, steps: Steps, cancel: &CancellationToken) -> anyhow::Result<String> {
        match self {
            Self::Here(here) => here.answer(question, steps, cancel).await,
            Self::There(there) => there.answer(question, steps, cancel).await,
        }
    }
}

/// What was said before, as far as the next question is told of it.
#[derive(Default)]
struct Before(Vec<Exchange>);

impl Before {
    fn add(&mut self, question: &str, answer: &str) {
        self.0.push(Exchange { question: question.to_owned(), answer: answer.to_owned() });
        let beyond = self.0.len().saturating_sub(EARLIER);
        self.0.drain(..beyond);
    }
}
