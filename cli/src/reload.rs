//! Watches the configuration, and reads it anew when it changes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use marple_runner::config::Config;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::environment::{self, Digest, Read};
use crate::exit::words;

/// How often it is looked whether the configuration, or a file that it names, has changed. A ConfigMap or a Secret that is
/// mounted changes by a link to another folder, which no watch of a file tells.
const GLANCE: Duration = Duration::from_secs(3);

/// The configuration's file, as it was last read.
pub(crate) struct Watched {
    file: Option<PathBuf>,
    hangup: Signal,
    used: Digest,
    /// The last fault, so that it is told once and not at each glance.
    fault: Option<String>,
}

impl Watched {
    /// Watches a configuration that was read with this digest. SIGHUP has it read at once.
    pub(crate) fn new(file: Option<&Path>, used: Digest) -> anyhow::Result<Self> {
        let hangup = signal(SignalKind::hangup()).context("listen for SIGHUP")?;
        Ok(Self { file: file.map(Path::to_owned), hangup, used, fault: None })
    }

    /// Waits for another configuration and makes of it what `make` does; an error is one that was not told yet.
    pub(crate) async fn next<T>(&mut self, make: &impl AsyncFn(Config) -> anyhow::Result<T>) -> anyhow::Result<T> {
        loop {
            let asked = tokio::select! {
                Some(()) = self.hangup.recv() => true,
                () = tokio::time::sleep(GLANCE) => false,
            };
            let file = self.file.clone();
            let read = tokio::task::spawn_blocking(move || environment::read(file.as_deref())).await?;
            let outcome = match read {
                Ok(Read { digest, .. }) if digest == self.used && self.fault.is_none() && !asked => continue,
                Ok(Read { config, digest }) => make(config).await.map(|value| (value, digest)),
                Err(error) => Err(error),
            };
            match outcome {
                Ok((value, digest)) => {
                    (self.used, self.fault) = (digest, None);
                    return Ok(value);
                }
                Err(error) => {
                    let told = Some(words(&error));
                    if asked || self.fault != told {
                        self.fault = told;
                        return Err(error);
                    }
                }
            }
        }
    }
}
