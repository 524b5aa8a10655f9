//! What of a new configuration can be applied to a process that runs.

use super::{Config, ConfigError};

impl Config {
    /// This configuration as a process can take it on that began with `started`: what takes effect only at a start stays
    /// as it was, and is named.
    pub fn onto(mut self, started: &Self) -> Result<(Self, Vec<String>), ConfigError> {
        let mut later = Vec::new();
        let mut stays = |setting: &str, now: String, next: String| {
            later.push(format!("{setting}: {next} takes effect at the next start; until then it is {now}"));
        };
        if self.server.listen != started.server.listen {
            stays("server.listen", started.server.listen.to_string(), self.server.listen.to_string());
            self.server.listen = started.server.listen;
            // A token that may be left out at the new address may not be at the old one.
            self.server.check()?;
        }
        if self.store.path != started.store.path {
            let told = |config: &Self| config.store.path.display().to_string();
            stays("store.path", told(started), told(&self));
            self.store.path.clone_from(&started.store.path);
        }
        Ok((self, later))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Sources;
    use super::*;

    fn read(text: &str) -> Config {
        let sources = Sources { environment: &|_| None, file: &|_| Ok(String::new()) };
        Config::from_yaml(text, &sources).unwrap()
    }

    #[test]
    fn what_needs_a_restart_stays_and_is_named_and_the_rest_is_taken_on() {
        let started = read("server: { listen: \"127.0.0.1:8080\" }\nstore: { path: a.db }");
        let new = read("server: { listen: \"127.0.0.1:9090\" }\nstore: { path: b.db, retention: 7d }");
        let (config, later) = new.onto(&started).unwrap();
        assert_eq!(
            later,
            [
                "server.listen: 127.0.0.1:9090 takes effect at the next start; until then it is 127.0.0.1:8080",
                "store.path: b.db takes effect at the next start; until then it is a.db"
            ]
        );
        assert_eq!((config.server.listen, config.store.path), (started.server.listen, started.store.path));
        assert_eq!(config.store.retention, marple_core::Period::days(7));
    }

    #[test]
    fn a_listener_that_stays_beyond_loopback_keeps_needing_its_token() {
        let started = read("server: { listen: \"0.0.0.0:8080\", token: secret }");
        let error = read("server: { listen: \"127.0.0.1:8080\" }").onto(&started).unwrap_err();
        let wanted = "server.token: 0.0.0.0:8080 is reachable from other machines: set a token, or listen on 127.0.0.1";
        assert_eq!(error.to_string(), wanted);
    }
}
