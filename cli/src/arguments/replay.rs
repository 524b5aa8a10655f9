//! The arguments of `replay`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use marple_core::Period;

/// Arguments of `replay`.
#[derive(Args)]
pub(crate) struct Replay {
    /// The bundle.
    pub(crate) file: PathBuf,
    /// Where the kubeconfig for it is written.
    #[arg(long, default_value = "replay.kubeconfig")]
    pub(crate) kubeconfig: PathBuf,
    /// The time to serve, as 2026-11-25T01:03:00Z, or how long before the recording's end, as 5m; else its end.
    #[arg(long)]
    pub(crate) at: Option<At>,
}

/// A time in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The time itself.
    Time(Timestamp),
    /// So long before its end.
    Before(Duration),
}

impl At {
    /// The time, in a recording that ends at `end`.
    pub(crate) fn of(self, end: Timestamp) -> Timestamp {
        match self {
            Self::Time(time) => time,
            Self::Before(length) => end.checked_sub(length).unwrap_or(Timestamp::MIN),
        }
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = text.parse().map(Self::Time).ok();
        let length = || text.parse::<Period>().map(|period| Self::Before(period.duration())).ok();
        time.or_else(length).ok_or_else(|| "write a time as 2026-11-25T01:03:00Z, or a length of time as 5m".to_owned())
    }
}
