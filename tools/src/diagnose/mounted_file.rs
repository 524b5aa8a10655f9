//! Files that a program misses, where a ConfigMap or Secret is mounted that has no such key.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::words::{Words, told};
use super::{Condition, Diagnoser, changed, line, workload};
use crate::scene::field;

const MISSING: Condition = Condition::cause("mounted-file-missing", 8).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[MISSING], find };

/// How programs say that a file is not there, in lower case.
const ABSENT: [&str; 7] =
    ["no such file", "enoent", "filenotfound", "file not found", "does not exist", "not found", "nosuchfileexception"];

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (path, words, _) in told(context, missed) {
        let Some(container) = container(context, &words) else { continue };
        let Some(Mounted { source, key, keys }) = mounted(context, &words, container, &path) else { continue };
        let has = if keys.is_empty() { "nothing".to_owned() } else { line::cut(&keys.join(", "), 120) };
        let owner = &words.owner;
        words
            .prove(context.finding(&MISSING, words.pod, Category::Configuration))
            .says(format!(
                "{owner} misses {path}: {source}, which is mounted there, has no key {key} (it has {has}): {}",
                line::readable(words.line)
            ))
            .severity(if words.serves { Severity::Warning } else { Severity::Critical })
            .culprit(if changed::was_altered(context, owner, "", &source) { owner } else { &source })
            .field(words.pod, "name", &source.name)
            .mend(format!("Put {key} back into {source}, or correct the path"), workload::edit(&source))
            .into(findings);
    }
}

/// The file that a line says is not there. What a program that serves misses, it does without.
fn missed(words: &Words<'_>) -> Option<String> {
    let lower = words.line.to_ascii_lowercase();
    if words.serves || !ABSENT.iter().any(|phrase| lower.contains(phrase)) {
        return None;
    }
    let ends = |letter: char| letter.is_whitespace() || "\"'`()[]{}<>,;=".contains(letter);
    let paths = words.line.split(ends).map(|token| token.trim_end_matches([':', '.']));
    let mut paths =
        paths.filter(|token| token.starts_with('/') && token.get(1..).is_some_and(|rest| rest.contains('/')));
    paths.next().map(str::to_owned)
}

fn container<'a>(context: &Context<'a>, words: &Words<'_>) -> Option<&'a Value> {
    let pod = context.scene.get(words.pod)?;
    field::containers(pod.get("spec")?).find(|one| field::text(one, "/name") == Some(words.container))
}

/// What is mounted where the file should be, and lacks it.
struct Mounted {
    source: ObjectRef,
    key: String,
    /// The keys that it has, as far as they are mounted.
    keys: Vec<String>,
}

fn mounted(context: &Context<'_>, words: &Words<'_>, container: &Value, path: &str) -> Option<Mounted> {
    let namespace = words.pod.namespace.as_deref()?;
    let within = |mount: &&Value| {
        let at = field::text(mount, "/mountPath").map(|at| at.trim_end_matches('/'));
        at.is_some_and(|at| path.strip_prefix(at).is_some_and(|rest| rest.starts_with('/')))
    };
    let mounts = field::items(container, "/volumeMounts").iter().filter(within);
    let mount = mounts.max_by_key(|mount| field::text(mount, "/mountPath").map(str::len))?;
    // Of a mount of one part it is not known here what stands in it.
    if field::text(mount, "/subPath").is_some() || field::text(mount, "/subPathExpr").is_some() {
        return None;
    }
    let at = field::text(mount, "/mountPath")?.trim_end_matches('/');
    let file = path.strip_prefix(at)?.trim_start_matches('/');
    let pod = context.scene.get(words.pod)?;
    let volumes = field::items(pod, "/spec/volumes").iter();
    let volume = volumes.into_iter().find(|volume| field::text(volume, "/name") == field::text(mount, "/name"))?;
    let (kind, taken, name) = match (volume.get("configMap"), volume.get("secret")) {
        (Some(taken), _) => ("ConfigMap", taken, field::text(taken, "/name")?),
        (None, Some(taken)) => ("Secret", taken, field::text(taken, "/secretName")?),
        // Of several that are projected into one it is not known which should have it.
        (None, None) => return None,
    };
    let source = ObjectRef::namespaced(kind, namespace, name);
    let value = context.scene.get(&source)?;
    let held = ["/data", "/binaryData"].into_iter().filter_map(|part| value.pointer(part)?.as_object()).flatten();
    let held = held.map(|(key, _)| key.as_str()).collect::<Vec<_>>();
    let items = field::items(taken, "/items");
    let pairs: Vec<(&str, &str)> = if items.is_empty() {
        held.iter().map(|key| (*key, *key)).collect()
    } else {
        items.iter().filter_map(|item| Some((field::text(item, "/key")?, field::text(item, "/path")?))).collect()
    };
    let there = pairs.iter().any(|(key, path)| *path == file && held.contains(key));
    let key = pairs.iter().find(|(_, path)| *path == file).map_or(file, |(key, _)| *key);
    let keys = pairs.iter().filter(|(key, _)| held.contains(key)).map(|(_, path)| (*path).to_owned()).collect();
    // A file below a folder is none of a key, which has no slash.
    (!there && !file.is_empty() && !key.contains('/')).then(|| Mounted { source, key: key.to_owned(), keys })
}
