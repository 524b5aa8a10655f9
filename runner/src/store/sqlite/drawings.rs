//! What pieces of evidence look like.

use marple_core::{EvidenceId, IncidentId};
use marple_tools::EvidenceError;

use super::SqliteStore;
use super::column::Columns;
use super::evidence::{packed, unpacked};
use super::fault::Fault;
use crate::store::Drawing;

/// Adds a drawing to a piece that has none, and counts it with the room of its incident.
pub(super) async fn draw(
    store: &SqliteStore,
    incident: IncidentId,
    id: EvidenceId,
    svg: String,
) -> Result<(), EvidenceError> {
    let doing = "keeping a drawing";
    let kept = async {
        let drawing = packed(&svg).map_err(|fault| fault.during(doing))?;
        let (incident, number) = (incident.to_string(), i64::from(id.0));
        store
            .writer()
            .write(doing, move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "UPDATE evidence SET drawing = ?1, room = room + length(?1) \
                         WHERE incident = ?2 AND number = ?3 AND drawing IS NULL",
                    )
                    .bind(drawing)
                    .bind(incident)
                    .bind(number)
                    .execute(connection)
                    .await?;
                    Ok(())
                })
            })
            .await
    };
    kept.await.map_err(|error| EvidenceError { doing: "could not be drawn", source: Box::new(error), full: false })
}

/// The drawing that shows an incident best: of evidence that is cited, else the first.
pub(super) async fn best(store: &SqliteStore, incident: IncidentId) -> Result<Option<Drawing>, Fault> {
    let row = sqlx::query(
        "SELECT number, title, drawing FROM evidence WHERE incident = ? AND drawing IS NOT NULL \
         ORDER BY cited = 0, number LIMIT 1",
    )
    .bind(incident.to_string())
    .fetch_optional(store.readers())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns(&row);
    Ok(Some(Drawing {
        evidence: EvidenceId(columns.count("number")?),
        title: columns.text("title")?,
        svg: unpacked(&columns.bytes_of("drawing")?.unwrap_or_default())?,
    }))
}

/// The drawing of a piece, where it has one.
pub(super) async fn drawing(
    store: &SqliteStore,
    incident: IncidentId,
    id: EvidenceId,
) -> Result<Option<String>, Fault> {
    let row = sqlx::query("SELECT drawing FROM evidence WHERE incident = ? AND number = ?")
        .bind(incident.to_string())
        .bind(i64::from(id.0))
        .fetch_optional(store.readers())
        .await?;
    let Some(row) = row else { return Ok(None) };
    Columns(&row).bytes_of("drawing")?.map(|bytes| unpacked(&bytes)).transpose()
}
