//! Answers in words that people have judged: what a judge, and the exact rules, are measured by.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Agreement, Judge, Judgement};
use crate::case::{CASE_FILE, Case, CaseError, Suite, SuiteCase, read};
use crate::investigator::{Answer, Attempt};
use crate::score::score;

/// The file of a suite's folder that holds them.
pub const LABELS_FILE: &str = "labels.yaml";

/// An answer in words, with what a person says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "an answer that a person has judged")]
pub struct Label {
    /// The id of the case that it answers.
    pub case: String,
    /// The answer, whole.
    pub answer: String,
    /// What the person says of it.
    pub judgement: Judgement,
}

/// How far the exact rules and the judge agree with people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithPeople {
    /// Answers that people have judged.
    pub answers: u32,
    /// The exact rules.
    pub rules: Opinion,
    /// The judge, where there is one; of the answers that it judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<Opinion>,
}

/// How far one of them agrees with people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    /// In how many questions.
    pub agreement: Agreement,
    /// The questions in which it doesn't, as `amber-quay: cause`.
    pub differs: Vec<String>,
}

/// The answers of a suite that people have judged; of the cases that were opened.
#[derive(Clone, Debug, Default)]
pub struct Labels(Vec<(SuiteCase, Label)>);

impl Labels {
    /// Reads those of a suite; none where its folder has no [`LABELS_FILE`].
    pub fn of(suite: &Suite) -> Result<Self, CaseError> {
        let path = suite.folder.join(LABELS_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(CaseError::Read { path, source }),
        };
        let labels: Vec<Label> = read(&text, &path, "the labels")?;
        let wrong = |at: String, what: String| CaseError::Field { path: path.clone(), at, what };
        let mut known = Vec::with_capacity(labels.len());
        for (place, label) in labels.into_iter().enumerate() {
            let Some(case) = suite.cases.iter().find(|case| case.id == label.case) else {
                if suite.folder.join(&label.case).join(CASE_FILE).is_file() {
                    continue;
                }
                return Err(wrong(format!("[{place}].case"), format!("there is no case {:?}", label.case)));
            };
            label.judgement.fits(&case.case).map_err(|what| wrong(format!("[{place}].judgement"), what))?;
            known.push((case.clone(), label));
        }
        Ok(Self(known))
    }

    /// The JSON Schema of [`LABELS_FILE`], for editors.
    pub fn schema() -> Value {
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Vec<Label>>().to_value()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Measures the exact rules by them, and the judge where there is one; what it says is kept in `folder` and not asked
    /// again. None where there are no labels, or where it is cancelled.
    pub async fn measure(
        &self,
        judge: Option<&Judge>,
        folder: &Path,
        cancel: &CancellationToken,
    ) -> Option<WithPeople> {
        if self.is_empty() {
            return None;
        }
        let mut measured = WithPeople { judge: judge.map(|_| Opinion::default()), ..WithPeople::default() };
        for (SuiteCase { id, case, .. }, label) in &self.0 {
            measured.answers += 1;
            let exact = score(case, &Attempt::of(Answer::Prose(label.answer.clone())));
            measured.rules.add(id, case, &label.judgement, &Judgement::from(&exact));
            if let Some((judge, opinion)) = judge.zip(measured.judge.as_mut()) {
                match cancel.run_until_cancelled(judged(judge, case, &label.answer, folder)).await {
                    None => return None,
                    Some(Some(judgement)) => opinion.add(id, case, &label.judgement, &judgement),
                    Some(None) => {}
                }
            }
        }
        Some(measured)
    }
}

impl Opinion {
    fn add(&mut self, id: &str, case: &Case, person: &Judgement, other: &Judgement) {
        let compared = person.compared(other, case);
        self.agreement.add(Agreement::of(&compared));
        let differing = compared.into_iter().filter(|(_, same)| !same);
        self.differs.extend(differing.map(|(question, _)| format!("{id}: {question}")));
    }
}

/// What the judge says of an answer, or has said before; nothing where it failed.
async fn judged(judge: &Judge, case: &Case, answer: &str, folder: &Path) -> Option<Judgement> {
    let path: PathBuf = folder.join(format!("{}.json", judge.key(case, answer)));
    let kept = fs::read(&path).ok().and_then(|kept| serde_json::from_slice::<Judgement>(&kept).ok());
    if kept.as_ref().is_some_and(|kept| kept.fits(case).is_ok()) {
        return kept;
    }
    match judge.judge(case, answer).await {
        Ok(judgement) => {
            let text = serde_json::to_vec_pretty(&judgement).unwrap_or_default();
            if let Err(error) = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)) {
                tracing::warn!(%error, path = %path.display(), "a judgement is not kept");
            }
            Some(judgement)
        }
        Err(error) => {
            tracing::warn!(%error, "an answer that people judged is not judged");
            None
        }
    }
}
