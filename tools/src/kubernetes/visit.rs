//! Lists that are read object by object, however long they are.

use std::ops::ControlFlow;

use futures::AsyncReadExt as _;
use serde_json::Value;

use super::cluster::{PAGE, selection, typed};
use super::field::{number, text};
use super::items::{Items, TooLarge};
use super::request::Question;
use super::{Cluster, Kind, LookError};
use crate::view::mask_secret;

/// What a page of a list has beside its items.
pub(super) struct Rest {
    /// The list without its items.
    pub(super) list: Value,
    /// Where the next page begins.
    pub(super) token: Option<String>,
    /// How many objects follow, as far as the server told.
    pub(super) remaining: Option<i64>,
}

/// Why a page ends before its end.
enum Stop {
    Wanted,
    Failed(LookError),
}

impl From<TooLarge> for Stop {
    fn from(TooLarge(why): TooLarge) -> Self {
        Self::Failed(LookError::Backend { what: String::new(), why: why.to_owned() })
    }
}

impl Cluster {
    /// Reads all objects of a kind, page by page, and gives each with its `apiVersion` and `kind`, Secrets without
    /// values. Those that the rules refuse are left out. Only one is held.
    pub(crate) async fn each(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        labels: Option<&str>,
        fields: Option<&str>,
        mut each: impl FnMut(Value) + Send,
    ) -> Result<(), LookError> {
        let mut token: Option<String> = None;
        loop {
            let mut question = Question::list(kind, namespace);
            question.query = selection(labels, fields, PAGE, token.as_deref());
            let mut take = |item: Value| {
                if !self.permits(kind, &item) {
                    return ControlFlow::Continue(());
                }
                let mut object = typed(kind, item);
                mask_secret(&mut object);
                each(object);
                ControlFlow::Continue(())
            };
            token = self.page(&question, &mut take).await?.token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads one page and gives each item while the answer comes in: only one is held. What breaks off ends the page.
    ///
    /// The items are as the server sends them: a Secret's values are for `each` to mask, and what the rules refuse to
    /// leave out.
    pub(super) async fn page(
        &self,
        question: &Question<'_>,
        each: &mut (dyn FnMut(Value) -> ControlFlow<()> + Send),
    ) -> Result<Rest, LookError> {
        let backend = |why: String| LookError::Backend { what: question.told(), why };
        let mut stream = self.stream(question).await?;
        let mut items = Items::default();
        let mut piece = vec![0; 64 << 10];
        loop {
            let read = tokio::time::timeout(self.deadline(), stream.read(&mut piece)).await;
            let read = read.map_err(|_| LookError::Timeout { what: question.told(), after: self.deadline() })?;
            let count = read.map_err(|error| backend(error.to_string()))?;
            if count == 0 {
                break;
            }
            let fed = items.feed(piece.get(..count).unwrap_or_default(), |item| {
                let item = serde_json::from_slice(item)
                    .map_err(|error| Stop::Failed(backend(format!("the answer is no JSON: {error}"))))?;
                if each(item).is_break() { Err(Stop::Wanted) } else { Ok(()) }
            });
            match fed {
                Ok(()) => {}
                Err(Stop::Wanted) => return Ok(Rest { list: Value::Null, token: None, remaining: None }),
                Err(Stop::Failed(LookError::Backend { why, .. })) => return Err(backend(why)),
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        let list: Value = serde_json::from_slice(&items.rest())
            .map_err(|error| backend(format!("the answer is no JSON: {error}")))?;
        let token = text(&list, "/metadata/continue").map(str::to_owned);
        let remaining = number(&list, "/metadata/remainingItemCount");
        Ok(Rest { list, token, remaining })
    }
}
