//! Logs, cut at a time.

use jiff::Timestamp;

use crate::bundle::RecordedLog;

/// Cuts the logs at `at`. Where a container's present run had not begun, the run before it was its present one.
pub(super) fn cut(logs: &mut Vec<RecordedLog>, at: Timestamp) {
    for log in logs.iter_mut() {
        log.text = until(&log.text, at).to_owned();
    }
    let unbegun: Vec<(String, String, String)> = logs
        .iter()
        .filter(|log| !log.previous && log.text.is_empty() && log.refused.is_none())
        .map(|log| (log.namespace.clone(), log.pod.clone(), log.container.clone()))
        .filter(|key| logs.iter().any(|log| log.previous && is_of(log, key) && !log.text.is_empty()))
        .collect();
    for key in unbegun {
        logs.retain(|log| log.previous || !is_of(log, &key));
        if let Some(before) = logs.iter_mut().find(|log| is_of(log, &key)) {
            before.previous = false;
        }
    }
}

fn is_of(log: &RecordedLog, (namespace, pod, container): &(String, String, String)) -> bool {
    log.namespace == *namespace && log.pod == *pod && log.container == *container
}

/// The lines whose time is not after `at`. They are in the order of their times.
fn until(text: &str, at: Timestamp) -> &str {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let time = line.split_once(' ').map_or(line.trim_end(), |(time, _)| time);
        if time.parse::<Timestamp>().is_ok_and(|time| time > at) {
            break;
        }
        end += line.len();
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(previous: bool, text: &str) -> RecordedLog {
        let [namespace, pod, container] = ["shop", "cart-1", "app"].map(str::to_owned);
        RecordedLog { namespace, pod, container, previous, text: text.to_owned(), refused: None }
    }

    #[test]
    fn a_run_that_had_not_begun_gives_its_place_to_the_one_before() {
        let runs = || {
            vec![
                log(false, "2026-01-01T00:02:00Z up\n"),
                log(true, "2026-01-01T00:00:00Z up\n2026-01-01T00:01:30Z down\n"),
            ]
        };
        let mut logs = runs();
        cut(&mut logs, "2026-01-01T00:01:00Z".parse().unwrap());
        assert_eq!(logs, [log(false, "2026-01-01T00:00:00Z up\n")]);
        let mut logs = runs();
        cut(&mut logs, "2026-01-01T00:03:00Z".parse().unwrap());
        assert_eq!(logs, runs());
    }
}
