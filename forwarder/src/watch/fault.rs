//! What an error of a watch calls for.

use kube::core::Status;
use kube::runtime::watcher::Error;

/// What an error of a watch calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The credentials don't allow it: to be tried again at long intervals.
    Forbidden,
    /// The API server doesn't serve the kind, as where its definition isn't installed: the same.
    NotServed,
    /// The API server can't list as a stream.
    NoStreaming,
    /// The watch is too far behind: to be listed anew.
    Expired,
    /// It may pass: to be tried again, slower each time.
    Passing,
}

impl Fault {
    /// The class of an error, of a watch that is or is not inside a streamed list.
    pub(super) fn of(error: &Error, streamed_list: bool) -> Self {
        let Some(status) = status(error) else { return Self::Passing };
        match status.code {
            403 => Self::Forbidden,
            404 => Self::NotServed,
            // Without the feature the parameters of a streamed list are refused as invalid; without its watch progress
            // in etcd the stream fails as an internal error.
            400 | 422 | 500 if streamed_list => Self::NoStreaming,
            410 => Self::Expired,
            // The cluster's store was set back, and what is asked for has not been yet.
            504 if status.message.contains("Too large resource version") => Self::Expired,
            _ => Self::Passing,
        }
    }

    /// One word for the metric.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::NotServed => "not_served",
            Self::NoStreaming => "no_streaming",
            Self::Expired => "expired",
            Self::Passing => "passing",
        }
    }
}

fn status(error: &Error) -> Option<&Status> {
    match error {
        Error::InitialListFailed(kube::Error::Api(status))
        | Error::WatchStartFailed(kube::Error::Api(status))
        | Error::WatchFailed(kube::Error::Api(status))
        | Error::WatchError(status) => Some(status),
        _ => None,
    }
}
