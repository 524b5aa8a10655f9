//! A case made of an incident that was concluded wrongly.

use std::fs;
use std::path::{Path, PathBuf};

use marple_core::{Conclusion, Incident, Member, SignalSource, Verdict};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{AcceptedCause, Ask, AskError, BUNDLE_FILE, CASE_FILE, Case, CaseError, Difficulty};
use crate::bundle::{Bundle, BundleError};

/// Words of ids: they tell nothing of what happened.
const FIRST: [&str; 16] = [
    "amber", "brisk", "coral", "dusky", "early", "faint", "green", "hazel", "ivory", "jolly", "keen", "lunar", "mossy",
    "noble", "olive", "pale",
];
const SECOND: [&str; 16] = [
    "quay", "reed", "slope", "tarn", "urn", "vale", "wharf", "yard", "aspen", "brook", "cliff", "delta", "elm",
    "fjord", "grove", "heath",
];

/// A case could not be made of an incident. Trying again helps only for `Write`.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The recording can't be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The recording is of something else.
    #[error("the recording does not hold this incident: {0}")]
    Another(#[source] AskError),
    /// The case would not be accepted.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The suite has a case of this name.
    #[error("{} is there already: choose another --id", .0.display())]
    There(PathBuf),
    /// A file could not be written.
    #[error("write {}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// An incident with what was concluded of it, and what a person says is right.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The incident.
    pub incident: Incident,
    /// Its signals.
    pub members: Vec<Member>,
    /// What was concluded.
    pub conclusion: Option<Conclusion>,
    /// What is right.
    pub verdict: Verdict,
    /// The causes that are right; of a fault at least one.
    pub causes: Vec<AcceptedCause>,
    /// What the person said about it.
    pub note: Option<String>,
}

impl Draft {
    /// Writes the case with its recording into a new folder of a suite, and gives the folder. Without an id, one is made of
    /// the recording's digest.
    pub fn write(&self, recording: &Path, suite: &Path, id: Option<&str>) -> Result<PathBuf, DraftError> {
        let bundle = Bundle::read(recording)?;
        // It was read as a bundle, and so is no larger than one.
        let bytes = fs::read(recording).map_err(|source| BundleError::Read { path: recording.to_owned(), source })?;
        let ask = self.ask(&bundle)?;
        let text = self.yaml(&ask);
        let folder = suite.join(id.map_or_else(|| neutral(&bytes), str::to_owned));
        let file = folder.join(CASE_FILE);
        // What is written has to be read again.
        Case::from_yaml(&text, &file)?;
        if folder.exists() {
            return Err(DraftError::There(folder));
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| DraftError::Write { path, source }
        };
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        fs::write(folder.join(BUNDLE_FILE), &bytes).map_err(failed(&folder))?;
        fs::write(&file, text).map_err(failed(&file))?;
        Ok(folder)
    }

    /// What the incident was about: its one alert, all of its signals, or its object where there are none.
    fn ask(&self, bundle: &Bundle) -> Result<Ask, DraftError> {
        let ask = match self.members.as_slice() {
            [] => Ask::Question(format!("What is wrong with {}?", self.subject())),
            [alert] if alert.source == SignalSource::Alertmanager => Ask::Alert(alert.labels.clone()),
            _ => Ask::Incident(true),
        };
        ask.over(bundle).map_err(DraftError::Another)?;
        Ok(ask)
    }

    fn subject(&self) -> String {
        self.incident.subject.as_ref().map_or_else(|| self.incident.title.clone(), ToString::to_string)
    }

    /// The case, with comments that say what is left to a person.
    fn yaml(&self, ask: &Ask) -> String {
        let mut text = format!("# Of incident {}, opened {:.0}.\n", self.incident.id.short(), self.incident.opened_at);
        if let Some(conclusion) = &self.conclusion {
            let cause =
                conclusion.cause.as_ref().map_or_else(|| "no cause".to_owned(), |cause| cause.object.to_string());
            text.push_str(&comment(&format!("Concluded wrongly: {cause}. {}", conclusion.summary)));
        }
        if let Some(note) = &self.note {
            text.push_str(&comment(&format!("Said about it: {note}")));
        }
        let field = |name: &str, value: serde_json::Value| format!("{name}: {value}\n");
        text.push_str(&field("title", json!(self.incident.title)));
        text.push_str(&field("ask", json!(ask)));
        text.push_str(&field("verdict", json!(self.verdict)));
        text.push_str(&field("causes", json!(self.causes)));
        text.push_str("# What an answer has to say, as - {means: \"…\", any: [\"regular expression\"]}; then must_not and remedy.\n");
        text.push_str("must: []\nmust_not: []\n");
        text.push_str(&field("difficulty", json!(Difficulty::Medium)));
        text.push_str("# From the symptom to the cause.\nhops: 1\ntags: []\n");
        text
    }
}

/// One line of a comment: what others wrote ends no comment.
fn comment(text: &str) -> String {
    format!("# {}\n", text.split(char::is_control).collect::<Vec<_>>().join(" "))
}

/// An id that tells nothing, the same for the same recording.
fn neutral(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut places = digest.iter().map(|byte| usize::from(*byte));
    let mut word = |words: &[&'static str]| {
        let place = places.next().unwrap_or_default() % words.len().max(1);
        words.get(place).copied().unwrap_or("case")
    };
    let (first, second) = (word(&FIRST), word(&SECOND));
    format!("{first}-{second}-{}", places.next().unwrap_or_default() % 100)
}
