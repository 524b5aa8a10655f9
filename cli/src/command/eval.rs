//! `marple eval`: measures an investigator on recorded incidents of which the cause is known.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use jiff::Timestamp;
use marple_core::{Incident, Member, Verdict};
use marple_evals::case::{AcceptedCause, AcceptedObject, Draft};
use marple_evals::investigator::CommandInvestigator;
use marple_evals::judge::{Judge, Labels};
use marple_evals::report::{self, Results};
use marple_evals::run::{Entrant, RunError, RunOptions};
use marple_evals::trial::{Trial, TrialFolder};
use marple_evals::{Case, Investigator, Suite};
use marple_runner::config::Config;
use marple_runner::store::Concluded;
use reqwest::Method;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::incident::plain;
use super::investigate::model_of_environment;
use crate::arguments::{AddCase, Eval, EvalCommand, Measured, Said, read_object};
use crate::exit::Exit;
use crate::investigator::Marple;
use crate::progress::Shown;
use crate::server::ask;
use crate::{connect, environment};

pub(super) async fn run(arguments: Eval, cancel: CancellationToken) -> Exit {
    match arguments.command {
        Some(EvalCommand::AddCase(wanted)) => {
            match Box::pin(cancel.run_until_cancelled(add_case(*wanted, &cancel))).await {
                None => Exit::Interrupted,
                Some(Ok(exit)) => exit,
                Some(Err(error)) => Exit::Failed(error),
            }
        }
        Some(EvalCommand::Schema) => match serde_json::to_string_pretty(&Case::schema()) {
            Ok(schema) => {
                println!("{schema}");
                Exit::Done
            }
            Err(error) => Exit::Failed(error.into()),
        },
        None => measure(arguments, cancel).await,
    }
}

/// What is to be measured, read and checked.
struct Measuring {
    suite: Suite,
    labels: Labels,
    entrants: Vec<Entrant>,
    judge: Option<Judge>,
    other: Option<Results>,
}

async fn measure(arguments: Eval, cancel: CancellationToken) -> Exit {
    let measuring = match prepared(&arguments) {
        Ok(measuring) => measuring,
        Err(error) => return Exit::Configuration(error),
    };
    match measured(&arguments, measuring, &cancel).await {
        Ok(exit) => exit,
        Err(_) if cancel.is_cancelled() => Exit::Interrupted,
        Err(error) => Exit::Failed(error),
    }
}

fn prepared(arguments: &Eval) -> anyhow::Result<Measuring> {
    let folder = arguments.suite.as_deref().context("name the folder of a suite")?;
    let suite = Suite::open(folder, arguments.only.as_deref())?;
    let config = configured(arguments)?;
    let build = environment::build()?;
    let rules: Arc<dyn Investigator> = Arc::new(Marple::rules(&config, &build));
    let kind = match (arguments.investigator, &arguments.program) {
        (Some(Measured::Rules | Measured::Agent), Some(_)) => bail!("--command is for --investigator command"),
        (Some(kind), _) => kind,
        (None, Some(_)) => Measured::Command,
        (None, None) if config.model.is_some() => Measured::Agent,
        (None, None) => Measured::Rules,
    };
    let investigator: Arc<dyn Investigator> = match kind {
        Measured::Rules => Arc::clone(&rules),
        Measured::Agent => Arc::new(Marple::agent(&config, &build)?),
        Measured::Command => {
            let line = arguments.program.as_deref().context("--investigator command needs --command")?;
            Arc::new(CommandInvestigator::new(line, &build)?)
        }
    };
    let mut entrants = vec![Entrant { investigator, trials: arguments.trials }];
    if kind != Measured::Rules {
        // They always say the same.
        entrants.push(Entrant { investigator: rules, trials: NonZeroU32::MIN });
    }
    let judge = match (arguments.judge, connect::model(&config)?) {
        (false, _) => None,
        (true, Some(model)) => Some(Judge::new(model, connect::prompts(&config)?)),
        (true, None) => bail!("--judge needs a model: set OPENAI_API_KEY, or name a configuration by --config"),
    };
    let other = arguments.compare.as_deref().map(Results::read).transpose().context("--compare")?;
    let labels = Labels::of(&suite)?;
    Ok(Measuring { suite, labels, entrants, judge, other })
}

/// The configuration that is named, with the model of the environment and of the arguments.
fn configured(arguments: &Eval) -> anyhow::Result<Config> {
    let mut config = environment::configuration(arguments.config.as_deref())?;
    if config.model.is_none() {
        config.model = model_of_environment()?;
    }
    match (&mut config.model, &arguments.model) {
        (Some(model), Some(name)) => match config.models.get(name) {
            Some(named) => model.clone_from(named),
            None => model.name.clone_from(name),
        },
        (None, Some(name)) => {
            bail!(
                "--model {name}: set OPENAI_API_KEY (and OPENAI_BASE_URL), or name a configuration with `model` by --config"
            )
        }
        (_, None) => {}
    }
    if let Some(model) = &mut config.model {
        // One model is measured: where it fails, the trial has.
        model.fallback.clear();
        model.hedge_after = None;
    }
    Ok(config)
}

async fn measured(arguments: &Eval, measuring: Measuring, cancel: &CancellationToken) -> anyhow::Result<Exit> {
    let Measuring { suite, labels, entrants, judge, other } = measuring;
    let processors = std::thread::available_parallelism().ok().and_then(|count| NonZeroU32::try_from(count).ok());
    let options = RunOptions {
        jobs: arguments.jobs.or(processors).unwrap_or(NonZeroU32::MIN),
        deadline: arguments.timeout.duration(),
        folder: TrialFolder::open(&arguments.out.join("trials"))?,
        judge,
        prometheus: environment::program("prometheus"),
    };
    let shown = Shown::new();
    let trials = match marple_evals::run::run(&suite.cases, &entrants, &options, &|what| shown.tell(what), cancel).await
    {
        Ok(trials) => trials,
        Err(error @ RunError::Cancelled) => {
            eprintln!("\n{error}");
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(error.into()),
    };
    let judgements = arguments.out.join("judgements");
    let people = labels.measure(options.judge.as_ref(), &judgements, cancel).await;
    let measured = entrants
        .iter()
        .map(|entrant| report::Measured::of(entrant.investigator.identity(), &suite.cases, &trials))
        .collect::<Vec<_>>();
    let comparison = other.as_ref().and_then(|other| report::compare(measured.first()?, other));
    let results = Results {
        version: report::VERSION,
        program: concat!("marple ", env!("CARGO_PKG_VERSION")).to_owned(),
        suite: name(&suite.folder),
        at: Timestamp::now(),
        measured,
        comparison,
        people,
    };
    report::write(&results, &trials, &arguments.out)?;
    println!("{}", report::table(&results));
    println!("Reports: {}", arguments.out.display());
    ended(&results, &trials, arguments.fail_under)
}

/// How the command ends: where nobody answered at all, nothing was measured.
fn ended(results: &Results, trials: &[Trial], fail_under: Option<u8>) -> anyhow::Result<Exit> {
    let first = results.measured.first().context("nobody was measured")?;
    let name = &first.investigator.name;
    let mut own = trials.iter().filter(|trial| trial.investigator == *name);
    if let Some(why) = own.clone().next().and_then(Trial::failure)
        && own.all(|trial| trial.failure().is_some())
    {
        bail!("no trial of {name} came to an answer; the first: {why}");
    }
    let passed = first.summary.pass.map_or(0.0, |share| share.share * 100.0);
    Ok(match fail_under {
        Some(wanted) if passed < f64::from(wanted) => {
            Exit::Below(format!("{name} passed {passed:.1} %, and --fail-under wants {wanted} %"))
        }
        _ => Exit::Done,
    })
}

/// The name of a suite's folder.
fn name(folder: &Path) -> String {
    let whole = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// What the API tells of one incident, as far as a case is made of it.
#[derive(Deserialize)]
struct Told {
    incident: Incident,
    members: Vec<Member>,
    conclusion: Option<Concluded>,
    #[serde(default)]
    feedback: Vec<Feedback>,
}

/// What a person said of a conclusion.
#[derive(Clone, Deserialize)]
struct Feedback {
    /// `right`, `wrong` or `partly`.
    verdict: String,
    /// What it was, in the person's words.
    was: Option<String>,
    by: String,
    at: Timestamp,
}

impl Feedback {
    /// The objects that are named as `ConfigMap/shop/settings`.
    fn objects(&self) -> Vec<AcceptedObject> {
        let ends = |letter: char| matches!(letter, ',' | '.' | ';' | ':' | '(' | ')' | '"' | '\'' | '`');
        let words = self.was.as_deref().unwrap_or_default().split_whitespace().map(|word| word.trim_matches(ends));
        let named = words.filter(|word| word.starts_with(|letter: char| letter.is_ascii_uppercase()));
        named.filter_map(|word| read_object(word).ok()).collect()
    }
}

/// Whether what is said to be right has what its verdict wants.
fn fits(wanted: &AddCase, causes: &[AcceptedObject], said: Option<&Feedback>) -> anyhow::Result<()> {
    match (wanted.verdict, causes.is_empty(), wanted.category.is_empty()) {
        (Said::Fault, false, false) | (Said::NoFault | Said::Inconclusive, true, true) => Ok(()),
        (Said::Fault, ..) => {
            let was = said.and_then(|said| Some(format!(". {} said that it was: {}", said.by, said.was.as_ref()?)));
            bail!(
                "a fault has a cause: say which object by --cause, as ConfigMap/shop/settings, and what is wrong with it by \
                 --category; or --verdict no_fault{}",
                was.unwrap_or_default()
            )
        }
        (Said::NoFault | Said::Inconclusive, ..) => bail!("only a fault has a --cause and a --category"),
    }
}

/// Makes a case of an incident that was concluded wrongly.
async fn add_case(wanted: AddCase, cancel: &CancellationToken) -> anyhow::Result<Exit> {
    let verdict = match wanted.verdict {
        Said::Fault => Verdict::Fault,
        Said::NoFault => Verdict::NoFault,
        Said::Inconclusive => Verdict::Inconclusive,
    };
    let path = format!("/api/incidents/{}", plain(wanted.incident()));
    let told = ask(&wanted.server, Method::GET, &path, None).await?;
    let Told { incident, members, conclusion, feedback } =
        serde_json::from_value(told).context("the answer is no incident")?;
    // Who spoke last knows most.
    let said = feedback.into_iter().max_by_key(|said| said.at);
    if let Some(Feedback { by, .. }) = said.as_ref().filter(|said| said.verdict == "right") {
        return Ok(Exit::Configuration(anyhow!(
            "{by} said that incident {} was concluded rightly: a case is made of what was concluded wrongly. Say by \
             `marple incident wrong` what was wrong with it",
            incident.id.short()
        )));
    }
    let mut objects = wanted.cause.clone();
    if objects.is_empty() && wanted.verdict == Said::Fault {
        objects = said.as_ref().map(Feedback::objects).unwrap_or_default();
    }
    if let Err(error) = fits(&wanted, &objects, said.as_ref()) {
        return Ok(Exit::Configuration(error));
    }
    let was =
        || said.as_ref().and_then(|said| Some(format!("{} ({}, by {})", said.was.as_ref()?, said.verdict, said.by)));
    let cause = |object| AcceptedCause { object, categories: wanted.category.clone() };
    let draft = Draft {
        incident,
        members,
        conclusion: conclusion.map(|concluded| concluded.conclusion),
        verdict,
        causes: objects.into_iter().map(cause).collect(),
        note: wanted.note.clone().or_else(was),
    };
    let folder = tempfile::TempDir::with_prefix("marple-case-").context("a folder for the recording")?;
    let bundle = if let Some(bundle) = &wanted.bundle {
        bundle.clone()
    } else {
        let out = folder.path().join("incident.bundle");
        super::record::recorded(&wanted.record(out.clone()), cancel).await?;
        out
    };
    let written = draft.write(&bundle, &wanted.suite, wanted.id.as_deref())?;
    println!(
        "{}: complete its case.yaml with what an answer must say, then run `marple eval {}`.",
        written.display(),
        written.display()
    );
    Ok(Exit::Done)
}
