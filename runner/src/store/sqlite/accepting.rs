//! Signals that wait for their commit. Those that wait together are written together: a statement costs more than a row.

use std::sync::Arc;

use jiff::Timestamp;
use marple_core::Signal;
use marple_forwarder::Sequence;
use sqlx::{Executor as _, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::arrivals::Arrivals;
use super::deliveries::advance;
use super::fault::{Fault, refused};
use super::signals::{Known, Row, insert, keep_aside};
use crate::store::{Accepted, Quarantined, StoreError};

/// What one payload held.
pub(super) struct Accepting {
    doing: &'static str,
    sequence: Option<Sequence>,
    signals: Vec<Signal>,
    rows: Vec<Row>,
    /// What was known of each row.
    known: Vec<Known>,
    quarantined: Vec<Quarantined>,
    at: Timestamp,
    outcome: Result<Accepted, Fault>,
    answer: oneshot::Sender<Result<Accepted, StoreError>>,
    /// Room among the bytes that may wait, held until the commit.
    _room: OwnedSemaphorePermit,
}

impl Accepting {
    pub(super) fn new(
        doing: &'static str,
        sequence: Option<Sequence>,
        signals: Vec<Signal>,
        rows: Vec<Row>,
        quarantined: Vec<Quarantined>,
        at: Timestamp,
        room: OwnedSemaphorePermit,
    ) -> (Self, oneshot::Receiver<Result<Accepted, StoreError>>) {
        let (answer, answered) = oneshot::channel();
        let outcome = Ok(Accepted::default());
        (
            Self { doing, sequence, signals, rows, known: vec![], quarantined, at, outcome, answer, _room: room },
            answered,
        )
    }

    /// How many bytes these have.
    pub(super) fn size(rows: &[Row], quarantined: &[Quarantined]) -> usize {
        rows.iter().map(Row::size).sum::<usize>() + quarantined.iter().map(|entry| entry.body.len()).sum::<usize>()
    }
}

/// Answers all who wait, once it is known how the transaction ended.
pub(super) fn settle(mut waiting: Vec<Accepting>, committed: &Result<(), Arc<sqlx::Error>>, arrivals: &Arrivals) {
    if committed.is_ok() {
        let done = waiting.iter_mut().filter(|one| one.outcome.is_ok());
        let told = done.flat_map(|one| one.known.iter().zip(std::mem::take(&mut one.signals)));
        arrivals.push(told.filter_map(|(known, signal)| match known {
            Known::Not(seq) => Some((*seq, signal)),
            Known::Again | Known::Already => None,
        }));
    } else {
        // Some may be in the file for all that: a disk may fail after it has written.
        arrivals.skip();
    }
    for one in waiting {
        let answer = match (one.outcome, committed) {
            (Err(fault), _) => Err(fault.during(one.doing)),
            (_, Err(error)) => Err(refused(one.doing, Arc::clone(error))),
            (Ok(accepted), Ok(())) => Ok(accepted),
        };
        // Who asked may have gone; then nobody needs the answer.
        let _ = one.answer.send(answer);
    }
}

/// Writes all, in a transaction that is open. Where that fails each is tried alone, so that one does not cost the others.
pub(super) async fn accept(
    connection: &mut SqliteConnection,
    waiting: &mut [Accepting],
    arrivals: &Arrivals,
) -> sqlx::Result<()> {
    if savepoint(connection, waiting, arrivals).await? || waiting.len() < 2 {
        return Ok(());
    }
    for one in waiting {
        savepoint(connection, std::slice::from_mut(one), arrivals).await?;
    }
    Ok(())
}

/// Writes these behind a savepoint. Whether it is done; if not, nothing of them has changed.
async fn savepoint(
    connection: &mut SqliteConnection,
    waiting: &mut [Accepting],
    arrivals: &Arrivals,
) -> sqlx::Result<bool> {
    connection.execute("SAVEPOINT signals").await?;
    let done = together(connection, waiting, arrivals).await;
    let is_done = done.is_ok();
    if let Err(fault) = done {
        connection.execute("ROLLBACK TO signals").await?;
        if let [one] = waiting {
            one.outcome = Err(fault);
        }
    }
    connection.execute("RELEASE signals").await?;
    Ok(is_done)
}

async fn together(
    connection: &mut SqliteConnection,
    waiting: &mut [Accepting],
    arrivals: &Arrivals,
) -> Result<(), Fault> {
    let Some(at) = waiting.iter().map(|one| one.at).max() else { return Ok(()) };
    let mut news = Vec::with_capacity(waiting.len());
    for one in waiting {
        if advance(connection, one.sequence, one.at).await? {
            news.push(one);
        } else {
            one.known = vec![Known::Already; one.rows.len()];
            one.outcome = Ok(Accepted { new: 0, duplicate: one.rows.len() });
        }
    }
    let rows: Vec<&Row> = news.iter().flat_map(|one| &one.rows).collect();
    let mut known = insert(connection, &rows, arrivals, at).await?.into_iter();
    for one in news {
        one.known = known.by_ref().take(one.rows.len()).collect();
        let new = one.known.iter().filter(|known| **known != Known::Already).count();
        keep_aside(connection, &one.quarantined, one.at).await?;
        one.outcome = Ok(Accepted { new, duplicate: one.rows.len().saturating_sub(new) });
    }
    Ok(())
}
