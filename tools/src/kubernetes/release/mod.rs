//! What delivers to the cluster: Helm's releases, Argo CD's applications and Flux's resources.

mod argo;
mod flux;
mod helm;

use jiff::Timestamp;

use super::{Cluster, LookError};

pub(crate) use helm::Helm;
pub use helm::helm_revision;

/// How something that was delivered stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// As `Helm release`, `Application`, `Kustomization`.
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// As `deployed`, `Synced, Healthy`, `Ready`.
    pub(crate) state: String,
    /// Whether that is as it should be.
    pub(crate) well: bool,
    /// What is delivered, as `revision 4` or `main@sha1:…`.
    pub(crate) revision: String,
    /// When it last changed.
    pub(crate) at: Option<Timestamp>,
    /// What its controller said last.
    pub(crate) message: String,
}

/// What could be read, and why the rest could not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Releases {
    pub(crate) found: Vec<Release>,
    pub(crate) unseen: Vec<String>,
}

impl Releases {
    fn add(&mut self, what: &str, read: Result<Vec<Release>, LookError>) {
        match read {
            Ok(found) => self.found.extend(found),
            Err(error) => self.unseen.push(format!("{what} could not be seen: {error}")),
        }
    }
}

impl Cluster {
    /// All releases of a namespace or of all, those that aren't well first. Reads no values of Secrets.
    pub(crate) async fn releases(&self, namespace: Option<&str>) -> Result<Releases, LookError> {
        let kinds = self.kinds().await?;
        let mut releases = Releases::default();
        let (helm, argo, flux) = tokio::join!(
            helm::releases(self, namespace),
            argo::releases(self, &kinds, namespace),
            flux::releases(self, &kinds, namespace)
        );
        releases.add("Helm releases", helm);
        releases.add("Argo CD applications", argo);
        for (kind, read) in flux {
            releases.add(&format!("{kind} objects"), read);
        }
        releases.found.sort_by(|left, right| {
            (left.well, &left.namespace, &left.name).cmp(&(right.well, &right.namespace, &right.name))
        });
        Ok(releases)
    }

    /// Whether there is anything that delivers: a kind of Argo CD or Flux, or a release of Helm; else why not.
    pub(crate) async fn delivers(&self) -> Result<(), String> {
        let kinds = self.kinds().await.map_err(|error| error.to_string())?;
        if kinds.iter().any(|kind| argo::is(kind) || flux::is(kind)) {
            return Ok(());
        }
        match helm::any(self).await {
            Ok(true) => Ok(()),
            Ok(false) => Err("there is no release of Helm, and no kind of Argo CD or Flux".to_owned()),
            Err(error) => {
                Err(format!("no kind of Argo CD or Flux is served, and releases of Helm can't be seen: {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
