//! Rows of members and of incidents' stories: a storm brings them by the hundred, so they are written many at a time.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use marple_core::{IncidentId, Member};
use sqlx::SqliteConnection;

use super::column::{self, json, json_of};
use super::fault::Fault;
use super::rows::Rows;
use crate::correlate::Related;
use crate::store::Moment;

static MEMBERS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "INSERT INTO members (incident, fingerprint, source, name, status, severity, subject, related, reason, headline, \
             labels, generator_url, starts_at, ends_at, joined_at) VALUES",
        15,
        "ON CONFLICT (incident, fingerprint, source) DO UPDATE SET \
             status = excluded.status, severity = excluded.severity, related = excluded.related, \
             headline = excluded.headline, labels = excluded.labels, generator_url = excluded.generator_url, \
             starts_at = excluded.starts_at, ends_at = excluded.ends_at",
    )
});

static MOMENTS: LazyLock<Rows> =
    LazyLock::new(|| Rows::new("INSERT INTO timeline (incident, at, moment) VALUES", 3, ""));

/// A member as a row.
pub(super) struct MemberRow {
    incident: Arc<str>,
    fingerprint: i64,
    source: Arc<str>,
    name: String,
    status: Arc<str>,
    severity: i64,
    subject: Option<String>,
    related: Arc<str>,
    reason: String,
    headline: String,
    labels: String,
    generator_url: Option<String>,
    starts_at: i64,
    ends_at: Option<i64>,
    joined_at: i64,
}

/// A line of an incident's story as a row.
pub(super) struct MomentRow {
    incident: Arc<str>,
    at: i64,
    moment: String,
}

/// Makes rows, and shares what a row has in common with the one before: in a storm that is nearly always the incident
/// and what its objects belong to.
#[derive(Default)]
pub(super) struct Writing<'b> {
    incident: Option<(IncidentId, Arc<str>)>,
    related: Option<(&'b Related, Arc<str>)>,
}

impl<'b> Writing<'b> {
    pub(super) fn member(
        &mut self,
        incident: IncidentId,
        member: &Member,
        related: &'b Related,
        joined_at: Timestamp,
    ) -> Result<MemberRow, Fault> {
        Ok(MemberRow {
            incident: self.incident(incident),
            fingerprint: member.fingerprint.bits().cast_signed(),
            source: column::source(member.source),
            name: member.name.clone(),
            status: column::status(member.status),
            severity: column::severity_rank(member.severity),
            subject: json_of(member.subject.as_ref())?,
            related: self.related(related)?,
            reason: json(&member.reason)?,
            headline: member.headline.clone(),
            labels: json(&member.labels)?,
            generator_url: member.generator_url.clone(),
            starts_at: member.starts_at.as_microsecond(),
            ends_at: member.ends_at.map(Timestamp::as_microsecond),
            joined_at: joined_at.as_microsecond(),
        })
    }

    pub(super) fn moment(&mut self, incident: IncidentId, at: Timestamp, moment: &Moment) -> Result<MomentRow, Fault> {
        Ok(MomentRow { incident: self.incident(incident), at: at.as_microsecond(), moment: json(moment)? })
    }

    fn incident(&mut self, id: IncidentId) -> Arc<str> {
        let (_, text) = match self.incident.take() {
            Some(known) if known.0 == id => self.incident.insert(known),
            _ => self.incident.insert((id, id.to_string().into())),
        };
        Arc::clone(text)
    }

    fn related(&mut self, related: &'b Related) -> Result<Arc<str>, Fault> {
        let (_, text) = match self.related.take() {
            Some(known) if known.0 == related => self.related.insert(known),
            _ => self.related.insert((related, json(related)?.into())),
        };
        Ok(Arc::clone(text))
    }
}

/// Puts members in, or in the place of what they were.
pub(super) async fn put_members(connection: &mut SqliteConnection, rows: Vec<MemberRow>) -> Result<(), Fault> {
    let count = rows.len();
    let mut rows = rows.into_iter();
    for (sql, count) in MEMBERS.split(count) {
        let mut query = sqlx::query(sql);
        for row in rows.by_ref().take(count) {
            query = query
                .bind(row.incident)
                .bind(row.fingerprint)
                .bind(row.source)
                .bind(row.name)
                .bind(row.status)
                .bind(row.severity)
                .bind(row.subject)
                .bind(row.related)
                .bind(row.reason)
                .bind(row.headline)
                .bind(row.labels)
                .bind(row.generator_url)
                .bind(row.starts_at)
                .bind(row.ends_at)
                .bind(row.joined_at);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds lines to incidents' stories.
pub(super) async fn put_moments(connection: &mut SqliteConnection, rows: Vec<MomentRow>) -> Result<(), Fault> {
    let count = rows.len();
    let mut rows = rows.into_iter();
    for (sql, count) in MOMENTS.split(count) {
        let mut query = sqlx::query(sql);
        for row in rows.by_ref().take(count) {
            query = query.bind(row.incident).bind(row.at).bind(row.moment);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds a line to an incident's story.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    incident: IncidentId,
    at: Timestamp,
    moment: &Moment,
) -> Result<(), Fault> {
    put_moments(connection, vec![Writing::default().moment(incident, at, moment)?]).await
}
