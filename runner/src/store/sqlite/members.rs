//! Rows of members and of incidents' stories: a storm brings them by the hundred, so they are written many at a time.

use std::sync::LazyLock;

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
    incident: String,
    fingerprint: i64,
    source: &'static str,
    name: String,
    status: &'static str,
    severity: i64,
    subject: Option<String>,
    related: String,
    reason: String,
    headline: String,
    labels: String,
    generator_url: Option<String>,
    starts_at: i64,
    ends_at: Option<i64>,
    joined_at: i64,
}

impl MemberRow {
    pub(super) fn of(
        incident: IncidentId,
        member: &Member,
        related: &Related,
        joined_at: Timestamp,
    ) -> Result<Self, Fault> {
        Ok(Self {
            incident: incident.to_string(),
            fingerprint: member.fingerprint.bits().cast_signed(),
            source: column::source(member.source),
            name: member.name.clone(),
            status: column::status(member.status),
            severity: column::severity_rank(member.severity),
            subject: json_of(member.subject.as_ref())?,
            related: json(related)?,
            reason: json(&member.reason)?,
            headline: member.headline.clone(),
            labels: json(&member.labels)?,
            generator_url: member.generator_url.clone(),
            starts_at: member.starts_at.as_microsecond(),
            ends_at: member.ends_at.map(Timestamp::as_microsecond),
            joined_at: joined_at.as_microsecond(),
        })
    }
}

/// A line of an incident's story as a row.
pub(super) struct MomentRow {
    incident: String,
    at: i64,
    moment: String,
}

impl MomentRow {
    pub(super) fn of(incident: IncidentId, at: Timestamp, moment: &Moment) -> Result<Self, Fault> {
        Ok(Self { incident: incident.to_string(), at: at.as_microsecond(), moment: json(moment)? })
    }
}

/// Puts members in, or in the place of what they were.
pub(super) async fn put_members(connection: &mut SqliteConnection, rows: &[MemberRow]) -> Result<(), Fault> {
    for (sql, rows) in MEMBERS.split(rows) {
        let mut query = sqlx::query(sql);
        for row in rows {
            query = query
                .bind(row.incident.as_str())
                .bind(row.fingerprint)
                .bind(row.source)
                .bind(row.name.as_str())
                .bind(row.status)
                .bind(row.severity)
                .bind(row.subject.as_deref())
                .bind(row.related.as_str())
                .bind(row.reason.as_str())
                .bind(row.headline.as_str())
                .bind(row.labels.as_str())
                .bind(row.generator_url.as_deref())
                .bind(row.starts_at)
                .bind(row.ends_at)
                .bind(row.joined_at);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds lines to incidents' stories.
pub(super) async fn put_moments(connection: &mut SqliteConnection, rows: &[MomentRow]) -> Result<(), Fault> {
    for (sql, rows) in MOMENTS.split(rows) {
        let mut query = sqlx::query(sql);
        for row in rows {
            query = query.bind(row.incident.as_str()).bind(row.at).bind(row.moment.as_str());
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
    put_moments(connection, &[MomentRow::of(incident, at, moment)?]).await
}
