//! What programs say themselves of why they fail, by phrases that their runtimes and libraries use.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::asker::is_own;
use super::context::Context;
use super::words::{Times, Words, told};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::spoken::{hosts, is_unreached};

/// A phrase and what it means.
struct Sign {
    condition: Condition,
    category: Category,
    /// In lower case; any of them.
    phrases: &'static [&'static str],
    /// What the program does, after its name.
    what: &'static str,
    /// What would mend it.
    remedy: &'static str,
}

const OPEN_FILES: Condition = Condition::cause("open-files-exhausted", 9).likely();
const WATCHES: Condition = Condition::cause("file-watches-exhausted", 8).likely();
const PROCESSES: Condition = Condition::cause("processes-exhausted", 9).likely();
const HEAP: Condition = Condition::cause("heap-exhausted", 7);
const PORT: Condition = Condition::cause("port-already-used", 7);
const LOW_PORT: Condition = Condition::cause("port-needs-privilege", 7).likely();
const READ_ONLY: Condition = Condition::cause("file-system-read-only", 9).likely();
const FILE_DENIED: Condition = Condition::cause("file-access-denied", 12).likely();
const CONFIGURATION: Condition = Condition::cause("configuration-unreadable", 9).likely();
const SCHEMA: Condition = Condition::symptom("database-schema-differs", 12);
const LEADER: Condition = Condition::symptom("leader-election-lost", 14);
const CLOCK: Condition = Condition::cause("clock-skew", 8).likely();
const PROTOCOL: Condition = Condition::cause("protocol-mismatch", 9).likely();
const LIBRARY: Condition = Condition::cause("library-missing", 6).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser {
    conditions: &[
        OPEN_FILES,
        WATCHES,
        PROCESSES,
        HEAP,
        PORT,
        LOW_PORT,
        READ_ONLY,
        FILE_DENIED,
        CONFIGURATION,
        SCHEMA,
        LEADER,
        CLOCK,
        PROTOCOL,
        LIBRARY,
    ],
    find,
};

/// The first whose phrase fits counts: the narrower come before the wider.
const SIGNS: [Sign; 14] = [
    Sign {
        condition: WATCHES,
        category: Category::Node,
        phrases: &[
            "inotify_add_watch",
            "inotify watches",
            "inotify instances",
            "fsnotify watcher: too many open files",
            "system limit for number of file watchers",
            "user limit on inotify",
        ],
        what: "can watch no more files: the node's inotify limits are reached",
        remedy: "Raise fs.inotify.max_user_instances and max_user_watches on the node",
    },
    Sign {
        condition: OPEN_FILES,
        category: Category::Resources,
        phrases: &["too many open files", "emfile", "file table overflow", "enfile"],
        what: "can open no more files or connections",
        remedy: "Look for descriptors that are never closed, or raise the limit of open files",
    },
    Sign {
        condition: PROCESSES,
        category: Category::Resources,
        phrases: &[
            "unable to create new native thread",
            "unable to create native thread",
            "can't start new thread",
            "fork: resource temporarily unavailable",
            "fork: retry",
            "pthread_create failed",
            "cannot fork",
        ],
        what: "can start no more processes or threads",
        remedy: "Look for threads that never end, or raise the limit of process identifiers",
    },
    Sign {
        condition: HEAP,
        category: Category::Resources,
        phrases: &[
            "java.lang.outofmemoryerror",
            "heap out of memory",
            "gc overhead limit exceeded",
            "runtime: out of memory",
            "fatal error: out of memory",
            "memoryerror",
            "std::bad_alloc",
            "cannot allocate memory",
            "allowed memory size of",
        ],
        what: "has no memory left within its own bounds",
        remedy: "Raise the program's heap limit with the container's memory limit, or find what holds the memory",
    },
    Sign {
        condition: PORT,
        category: Category::Configuration,
        phrases: &[
            "address already in use",
            "eaddrinuse",
            "port is already allocated",
            "only one usage of each socket",
        ],
        what: "can't listen: its port is taken by another in the same pod or on the node",
        remedy: "Give each program a port of its own",
    },
    Sign {
        condition: LOW_PORT,
        category: Category::Permission,
        phrases: &[
            "bind: permission denied",
            "listen eacces",
            "make_sock: could not bind to address",
            "bind() to 0.0.0.0:80 failed (13: permission denied)",
            "bind() to [::]:80 failed (13: permission denied)",
            "bind() to 0.0.0.0:443 failed (13: permission denied)",
            "bind() to [::]:443 failed (13: permission denied)",
            "socketexception: permission denied",
        ],
        what: "may not listen on its port: one below 1024 takes a privilege that it does not have",
        remedy: "Let it listen on a port above 1023, or give the container the capability NET_BIND_SERVICE",
    },
    Sign {
        condition: READ_ONLY,
        category: Category::Storage,
        phrases: &["read-only file system", "erofs", "readonly database"],
        what: "writes to a file system that is read-only",
        remedy: "Mount a volume where it writes, or see why the volume became read-only",
    },
    Sign {
        condition: CLOCK,
        category: Category::Node,
        phrases: &[
            "certificate is not yet valid",
            "z is before 2",
            "clock skew",
            "clock is ahead",
            "clock is behind",
            "clocks are out of sync",
            "clock-difference",
            "requesttimetooskewed",
            "token used before issued",
            "issued in the future",
            "used too early",
            "signature not yet current",
            "not yet valid (nbf)",
            "clock drift",
            "clock difference against peer",
        ],
        what: "meets a time that differs from its own: a clock is wrong",
        remedy: "Compare the clocks of the nodes and of who it talks to",
    },
    Sign {
        condition: PROTOCOL,
        category: Category::Configuration,
        phrases: &[
            "server gave http response to https client",
            "client sent an http request to an https server",
            "first record does not look like a tls handshake",
            "wrong version number",
            "http/1.x transport connection broken: malformed http",
            "malformed http response",
            "plain http request was sent to https port",
            "the server does not support ssl connections",
            "no pg_hba.conf entry for host",
        ],
        what: "speaks another protocol than the other side: one of them uses TLS, or another version, and the other does not",
        remedy: "Let both use the same scheme and port",
    },
    Sign {
        condition: LIBRARY,
        category: Category::Image,
        phrases: &[
            "error while loading shared libraries",
            "version `glibc_",
            "cannot find module",
            "modulenotfounderror",
            "no module named",
            "could not find or load main class",
            "classnotfoundexception",
            "cannot load such file",
        ],
        what: "lacks a part that it is built on",
        remedy: "Build the image with it, or go back to the image before",
    },
    Sign {
        condition: CONFIGURATION,
        category: Category::Configuration,
        phrases: &[
            "failed to parse config",
            "error parsing config",
            "cannot parse config",
            "could not parse config",
            "parsing config",
            "invalid configuration",
            "invalid config",
            "configuration is invalid",
            "configuration error",
            "failed to load config",
            "error loading config",
            "cannot load config",
            "could not load config",
            "unable to load config",
            "unknown configuration",
            "unknown config",
            "unknown directive",
            "unknown flag",
            "unknown option",
            "unrecognized option",
            "unrecognized argument",
            "flag provided but not defined",
            "yaml: line",
            "yaml: unmarshal",
            "error converting yaml",
            "could not find expected ':'",
            "unexpected token in json",
            "invalid character",
            "toml: line",
            "toml parse error",
            "error during parsing",
            "mapping values are not allowed",
            "did not find expected key",
            "while parsing a block",
            "json: cannot unmarshal",
            "[emerg]",
        ],
        what: "does not take its configuration",
        remedy: "Correct the configuration",
    },
    Sign {
        condition: SCHEMA,
        category: Category::Application,
        phrases: &[
            "no such table",
            "undefined table",
            "undefined column",
            "unknown column",
            "pending migration",
            "schema version mismatch",
            "dirty database version",
        ],
        what: "finds another database schema than it expects: a migration is missing or came too early",
        remedy: "Run the migration that belongs to this version",
    },
    Sign {
        condition: LEADER,
        category: Category::Dependency,
        phrases: &[
            "leader election lost",
            "leaderelection lost",
            "lost leader election",
            "failed to renew lease",
            "stopped leading",
            "lost lease",
        ],
        what: "lost its leader election and ended: it could not renew its lease in time",
        remedy: "See whether the API server was slow, or the container was throttled",
    },
    Sign {
        condition: FILE_DENIED,
        category: Category::Permission,
        phrases: &["permission denied", "eacces", "accessdeniedexception: /", "operation not permitted"],
        what: "may not read or write a file",
        remedy: "Set the user, group or fsGroup to which the files belong",
    },
];

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (index, words, times) in told(context, |words| sign(words)) {
        if let Some(sign) = SIGNS.get(index) {
            state(context, sign, &words, times, findings);
        }
    }
}

fn sign(words: &Words<'_>) -> Option<usize> {
    // What is said of a call that did not get through, is said of the other side.
    if is_unreached(words.line) {
        return None;
    }
    let lower = words.line.to_ascii_lowercase();
    let index = SIGNS.iter().position(|sign| sign.phrases.iter().any(|phrase| lower.contains(phrase)))?;
    let sign = SIGNS.get(index)?;
    let relevant = match sign.condition.word {
        // A refusal by another server is no refusal of a file.
        "file-access-denied" => {
            lower.contains('/') && !lower.contains("://") && !lower.contains("exec") && is_own(words)
        }
        "protocol-mismatch" | "clock-skew" => is_own(words),
        // A program that serves has taken its configuration, or what it was asked was wrong.
        // `<` begins the page with which a server answers instead of the configuration.
        "configuration-unreadable" => !words.serves && !lower.contains("invalid character '<'"),
        "library-missing" | "port-already-used" | "port-needs-privilege" => !words.serves,
        _ => true,
    };
    relevant.then_some(index)
}

/// Where the program has the address from that a line names.
fn written_in(context: &Context<'_>, words: &Words<'_>) -> Option<ObjectRef> {
    let namespace = words.pod.namespace.as_deref()?;
    let mut calls =
        hosts(words.line).into_iter().filter_map(|target| context.graph.call(&words.owner, &target.service(namespace)));
    calls.next().map(|call| call.written_in.clone())
}

fn state(context: &Context<'_>, sign: &Sign, words: &Words<'_>, times: Times, findings: &mut Vec<Finding>) {
    let owner = &words.owner;
    let times = times.told(context);
    let draft = words
        .prove(context.finding(&sign.condition, words.pod, sign.category))
        .says(format!("{owner} {}{times}: {}", sign.what, line::readable(words.line)))
        .severity(if words.serves { Severity::Warning } else { Severity::Critical });
    let node = context.scene.get(words.pod).and_then(super::node::of_pod).filter(|_| sign.category == Category::Node);
    let source = match sign.condition.word {
        "configuration-unreadable" => super::configuration::only_source(context, words),
        "protocol-mismatch" => written_in(context, words),
        _ => None,
    };
    match (node, source, sign.condition.role) {
        (Some(node), _, _) => draft.culprit(&node).check(sign.remedy, workload::describe(&node)),
        (None, Some(source), _) => draft.culprit(&source).mend(sign.remedy, workload::edit(&source)),
        (None, None, super::Role::Cause) => draft.culprit(owner).mend(sign.remedy, workload::edit(owner)),
        _ => draft.check(sign.remedy, words.logs_command()),
    }
    .into(findings);
}
