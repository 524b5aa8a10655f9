//! Which deliveries of forwarders were taken in.

use jiff::Timestamp;
use marple_forwarder::Sequence;
use sqlx::SqliteConnection;

use super::fault::Fault;

/// Notes a delivery. False where it, or a later one of its stream, was taken in before.
pub(super) async fn advance(
    connection: &mut SqliteConnection,
    sequence: Option<Sequence>,
    at: Timestamp,
) -> Result<bool, Fault> {
    let Some(Sequence { stream, number }) = sequence else { return Ok(true) };
    let noted = sqlx::query(
        "INSERT INTO deliveries (stream, number, last_at) VALUES (?, ?, ?) \
         ON CONFLICT DO UPDATE SET number = excluded.number, last_at = excluded.last_at \
         WHERE excluded.number > deliveries.number",
    )
    .bind(stream.to_string())
    .bind(i64::try_from(number).unwrap_or(i64::MAX))
    .bind(at.as_microsecond())
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() > 0)
}
