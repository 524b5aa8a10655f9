//! Logs of containers.

mod level;
mod reader;
mod template;

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use futures::AsyncReadExt as _;
use jiff::Timestamp;
use tokio::time::Instant;

use super::request::Question;
use super::{Cluster, LookError};
use crate::ToolError;
use crate::view::grouped;

pub(crate) use level::Level;
pub(crate) use reader::{Line, Reader, Taken, Wanted};
pub(crate) use template::Templates;

/// What is kept of a log unless said otherwise.
const KEPT: usize = 4 << 20;

/// A log is read whole, but not for longer: the kubelet may have to find its end in a file of any size.
const WHOLE: Duration = Duration::from_secs(30);

/// Takes lines that are too many to be held.
#[async_trait]
pub(crate) trait Spill: Send {
    /// Takes lines in their order, which those follow that are held now.
    async fn take(&mut self, lines: Vec<Line>, held: &VecDeque<Line>) -> Result<(), ToolError>;
}

/// Which log, and how much of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LogRequest {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container; may be left out where the pod has only one.
    pub container: Option<String>,
    /// The container's run before this one.
    pub previous: bool,
    /// No lines from before.
    pub since: Option<Timestamp>,
    /// So many lines from the end.
    pub tail_lines: Option<u32>,
    /// So many bytes from the end, 4 MiB unless said: what is cut is told in the first line.
    pub limit_bytes: Option<usize>,
    /// Whether each line begins with the time at which the kubelet read it.
    pub timestamps: bool,
}

impl LogRequest {
    /// The log of a pod's only container.
    pub fn new(namespace: impl Into<String>, pod: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), pod: pod.into(), ..Self::default() }
    }

    /// As `log of Pod shop/cart-1 container app, previous`.
    pub fn title(&self) -> String {
        let container = self.container.as_ref().map(|container| format!(" container {container}")).unwrap_or_default();
        let previous = if self.previous { ", previous" } else { "" };
        format!("logs of Pod {}/{}{container}{previous}", self.namespace, self.pod)
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        query.extend(self.container.clone().map(|container| ("container", container)));
        query.extend(self.previous.then(|| ("previous", "true".to_owned())));
        query.extend(self.since.map(|since| ("sinceTime", format!("{since:.0}"))));
        query.extend(self.tail_lines.map(|lines| ("tailLines", lines.to_string())));
        query.extend(self.timestamps.then(|| ("timestamps", "true".to_owned())));
        query
    }
}

impl Cluster {
    /// A container's log. A wrong container's error names the right ones; a log that isn't there says why, as that
    /// the container has no previous run.
    pub async fn logs(&self, request: &LogRequest) -> Result<String, LookError> {
        let (question, stream) = self.log(request).await?;
        let limit = request.limit_bytes.unwrap_or(KEPT);
        match tokio::time::timeout(WHOLE, tail(stream, limit)).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) => Err(LookError::Backend { what: question, why: error.to_string() }),
            Err(_) => Err(LookError::Timeout { what: question, after: WHOLE }),
        }
    }

    /// Takes what is wanted out of a container's log, of any length. What was read by `until`, or before the log broke
    /// off, is given with the reason. Lines that are too many to be held go to `spill`, where there is one.
    pub(crate) async fn take_log(
        &self,
        request: &LogRequest,
        wanted: Wanted,
        until: Instant,
        mut spill: Option<&mut dyn Spill>,
    ) -> Result<Taken, LookError> {
        let (_, mut stream) = self.log(request).await?;
        let reader = Reader::new(wanted);
        let mut reader = if spill.is_some() { reader.spilling() } else { reader };
        let mut piece = vec![0; 64 << 10];
        loop {
            let (mut more, mut stopped) = match tokio::time::timeout_at(until, stream.read(&mut piece)).await {
                Ok(Ok(0)) => (false, None),
                Ok(Ok(count)) => (reader.feed(piece.get(..count).unwrap_or_default()), None),
                Ok(Err(error)) => (false, Some(format!("the log broke off: {error}"))),
                Err(_) => (false, Some("the time for a look was over".to_owned())),
            };
            if !more {
                reader.close();
            }
            if let (spilled, held) = reader.spilled()
                && !spilled.is_empty()
                && let Some(spill) = &mut spill
                && let Err(error) = spill.take(spilled, held).await
            {
                (more, stopped) = (false, Some(format!("it could not be kept: {error}")));
            }
            if !more {
                return Ok(reader.end(stopped));
            }
        }
    }

    /// The stream of a container's log, and what was asked.
    async fn log(
        &self,
        request: &LogRequest,
    ) -> Result<(String, impl futures::AsyncBufRead + Unpin + use<>), LookError> {
        let kind = self.kind("v1/Pod").await?;
        let mut question = Question::get(&kind, Some(&request.namespace), &request.pod);
        question.subresource = Some("log");
        question.query = request.query();
        question.accept = "*/*";
        match self.stream(&question).await {
            Ok(stream) => Ok((question.told(), Box::pin(stream))),
            Err(LookError::NotFound { what, .. }) => {
                let near = self.near(&kind, Some(&request.namespace), &request.pod).await;
                Err(LookError::NotFound { what, near })
            }
            Err(LookError::Invalid { what }) => Err(refused(request, what)),
            Err(error) => Err(error),
        }
    }
}

/// What the API server's refusal of a log means.
fn refused(request: &LogRequest, message: String) -> LookError {
    let containers = message
        .rsplit_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(names, _)| names.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .unwrap_or_default();
    let pod = format!("Pod {}/{}", request.namespace, request.pod);
    match &request.container {
        Some(container) if message.contains("is not valid for pod") => {
            LookError::NotFound { what: format!("container {container} in {pod}"), near: containers }
        }
        None if message.contains("container name must be specified") => {
            LookError::Invalid { what: format!("{pod} has the containers {}; say which", containers.join(", ")) }
        }
        container if message.contains("previous terminated container") => LookError::NotFound {
            what: format!(
                "previous log of container {} in {pod}: it has not been restarted, or its last run's log is gone",
                container.as_deref().unwrap_or_default()
            )
            .replace("container  in", "the container in"),
            near: vec![],
        },
        _ if message.contains("is waiting to start") => {
            LookError::NotFound { what: format!("log of {pod} yet: {message}"), near: vec![] }
        }
        _ => LookError::Invalid { what: message },
    }
}

/// The last `limit` bytes from a line's start on, and a first line that says what was left out.
async fn tail(mut stream: impl futures::AsyncBufRead + Unpin, limit: usize) -> std::io::Result<String> {
    let mut kept: Vec<u8> = Vec::new();
    let mut left_out = 0;
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = stream.read(&mut piece).await?;
        if count == 0 {
            break;
        }
        kept.extend_from_slice(piece.get(..count).unwrap_or_default());
        // Half of what is held is let go at a time, so that each byte is moved once on average.
        if kept.len() > limit.saturating_mul(2) {
            let over = kept.len() - limit;
            kept.drain(..over);
            left_out += over;
        }
    }
    if kept.len() > limit {
        let over = kept.len() - limit;
        kept.drain(..over);
        left_out += over;
    }
    if left_out > 0
        && let Some(end) = kept.iter().position(|byte| *byte == b'\n')
        && end + 1 < kept.len()
    {
        kept.drain(..=end);
        left_out += end + 1;
    }
    let text = String::from_utf8(kept).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(if left_out > 0 { format!("… {} earlier bytes left out …\n{text}", grouped(left_out)) } else { text })
}
