//! Room for evidence: when all of it has as much as it may have, what is least cited goes first.

use marple_core::{EvidenceId, IncidentId};
use sqlx::SqliteConnection;

use super::column::Columns;
use super::fault::Fault;

/// How much room is made at a time beyond what is needed, as a part of all: one in so many. Looking for what may go reads
/// all rows, so it must be rare.
const AHEAD: i64 = 20;

/// How many texts one write lets go of at most: intake waits behind it.
const TEXTS: u32 = 2_000;

/// Lets go of texts until so many bytes more fit into `most`; gives whether they do.
///
/// Only of incidents that have ended, first those that no conclusion cites, of them those of the incidents that ended
/// first. Titles and views stay.
pub(super) async fn make(connection: &mut SqliteConnection, bytes: i64, most: i64) -> Result<bool, Fault> {
    let taken = taken(connection).await?;
    if taken.saturating_add(bytes) <= most {
        return Ok(true);
    }
    let wanted = most.saturating_sub(bytes).saturating_sub(most / AHEAD).max(0);
    let rows = sqlx::query(
        "SELECT evidence.rowid AS id, length(contents.packed) AS bytes FROM evidence \
             JOIN incidents ON incidents.id = evidence.incident \
             JOIN contents ON contents.digest = evidence.content_digest \
         WHERE incidents.status IN ('resolved', 'merged') \
         ORDER BY evidence.cited > 0, incidents.updated_at, evidence.cited, evidence.number LIMIT ?",
    )
    .bind(TEXTS)
    .fetch_all(&mut *connection)
    .await?;
    let mut left = taken;
    for row in &rows {
        if left <= wanted {
            break;
        }
        sqlx::query("UPDATE evidence SET content_digest = NULL WHERE rowid = ?")
            .bind(Columns(row).number("id")?)
            .execute(&mut *connection)
            .await?;
        metrics::counter!("marple_evidence_let_go_total").increment(1);
        left = self::taken(connection).await?;
    }
    Ok(left.saturating_add(bytes) <= most)
}

/// Notes how often an incident's conclusion cites each of its pieces.
pub(super) async fn cite(
    connection: &mut SqliteConnection,
    incident: IncidentId,
    cited: &[EvidenceId],
) -> Result<(), Fault> {
    let incident = incident.to_string();
    sqlx::query("UPDATE evidence SET cited = 0 WHERE incident = ? AND cited > 0")
        .bind(incident.as_str())
        .execute(&mut *connection)
        .await?;
    for piece in cited {
        sqlx::query("UPDATE evidence SET cited = cited + 1 WHERE incident = ? AND number = ?")
            .bind(incident.as_str())
            .bind(i64::from(piece.0))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn taken(connection: &mut SqliteConnection) -> Result<i64, Fault> {
    let row = sqlx::query("SELECT bytes FROM evidence_room WHERE id = 1").fetch_one(connection).await?;
    Columns(&row).number("bytes")
}
