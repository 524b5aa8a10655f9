//! Values as columns.

use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use marple_core::{IncidentStatus, Severity, SignalSource, SignalStatus};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::fault::Fault;

/// A value with a shape of its own, as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Fault> {
    Ok(serde_json::to_string(value)?)
}

/// The same where it is there.
pub(super) fn json_of<T: Serialize>(value: Option<&T>) -> Result<Option<String>, Fault> {
    value.map(json).transpose()
}

/// The word for a status. Rows by the thousand bear it, so it is shared.
pub(super) fn status(status: SignalStatus) -> Arc<str> {
    static WORDS: LazyLock<[Arc<str>; 2]> = LazyLock::new(|| ["firing", "resolved"].map(Arc::from));
    let [firing, resolved] = &*WORDS;
    Arc::clone(match status {
        SignalStatus::Firing => firing,
        SignalStatus::Resolved => resolved,
    })
}

/// The word for a source, shared.
pub(super) fn source(source: SignalSource) -> Arc<str> {
    static WORDS: LazyLock<[Arc<str>; 3]> = LazyLock::new(|| ["alertmanager", "forwarder", "person"].map(Arc::from));
    let [alertmanager, forwarder, person] = &*WORDS;
    Arc::clone(match source {
        SignalSource::Alertmanager => alertmanager,
        SignalSource::Forwarder => forwarder,
        SignalSource::Person => person,
    })
}

pub(super) const fn incident_status(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Open => "open",
        IncidentStatus::Acknowledged => "acknowledged",
        IncidentStatus::Resolved => "resolved",
        IncidentStatus::Merged => "merged",
    }
}

/// Severities are numbers where rows are sorted by them.
pub(super) const fn severity_rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

/// Reads columns, and says which one can't be read.
pub(super) struct Columns<'r>(pub(super) &'r SqliteRow);

impl Columns<'_> {
    pub(super) fn text(&self, name: &'static str) -> Result<String, Fault> {
        Ok(self.0.try_get(name)?)
    }

    pub(super) fn text_of(&self, name: &'static str) -> Result<Option<String>, Fault> {
        Ok(self.0.try_get(name)?)
    }

    pub(super) fn number(&self, name: &'static str) -> Result<i64, Fault> {
        Ok(self.0.try_get(name)?)
    }

    pub(super) fn count<N: TryFrom<i64>>(&self, name: &'static str) -> Result<N, Fault> {
        let number = self.number(name)?;
        N::try_from(number).map_err(|_| Fault::Damaged(format!("column {name} holds {number}")))
    }

    pub(super) fn bytes_of(&self, name: &'static str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.try_get(name)?)
    }

    pub(super) fn time(&self, name: &'static str) -> Result<Timestamp, Fault> {
        time(self.number(name)?)
    }

    pub(super) fn time_of(&self, name: &'static str) -> Result<Option<Timestamp>, Fault> {
        self.0.try_get::<Option<i64>, _>(name)?.map(time).transpose()
    }

    pub(super) fn parsed<T: FromStr>(&self, name: &'static str) -> Result<T, Fault> {
        let text = self.text(name)?;
        text.parse().map_err(|_| Fault::Damaged(format!("column {name} holds {text:?}")))
    }

    pub(super) fn parsed_of<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Fault> {
        let Some(text) = self.text_of(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Fault::Damaged(format!("column {name} holds {text:?}")))
    }

    pub(super) fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, Fault> {
        read(name, &self.text(name)?)
    }

    pub(super) fn json_of<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, Fault> {
        self.text_of(name)?.map(|text| read(name, &text)).transpose()
    }

    /// A word of an enumeration, as its serialised form.
    pub(super) fn word<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, Fault> {
        let text = self.text(name)?;
        serde_json::from_value(serde_json::Value::String(text))
            .map_err(|error| Fault::Damaged(format!("column {name}: {error}")))
    }

    pub(super) fn severity(&self, name: &'static str) -> Result<Severity, Fault> {
        match self.number(name)? {
            0 => Ok(Severity::Info),
            1 => Ok(Severity::Warning),
            2 => Ok(Severity::Critical),
            other => Err(Fault::Damaged(format!("column {name} holds {other}"))),
        }
    }
}

fn read<T: DeserializeOwned>(name: &'static str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Damaged(format!("column {name}: {error}")))
}

/// A time from its microseconds.
fn time(micros: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_microsecond(micros).map_err(|error| Fault::Damaged(error.to_string()))
}
