#![allow(clippy::unwrap_used, missing_docs)]

use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::command::mask::{BEGINS, ENDS, mask};

/// A template's text with the argument in each place of `@`, as rendering gives it.
fn with(text: &str, argument: &str) -> String {
    text.replace('@', &format!("{BEGINS}{}{ENDS}", mask(argument)))
}

fn scanned(text: &str, argument: &str) -> Result<Scanned, String> {
    scan(&with(text, argument)).map_err(|refused| refused.to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what scanning gives")]
fn program(words: &[&str]) -> Result<Scanned, String> {
    Ok(Scanned::Program(words.iter().map(ToString::to_string).collect()))
}

/// What bash prints for the script: each of its arguments on a line between brackets.
fn printed(script: &str) -> String {
    let output = Command::new("bash")
        .args(["-c", &format!("args() {{ printf '[%s]' \"$@\"; }}\n{script}")])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn script(text: &str, argument: &str) -> String {
    match scanned(text, argument) {
        Ok(Scanned::Script(script)) => script,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn plain_words_are_a_program_and_its_arguments() {
    assert_eq!(scanned("kubectl get pods -n @", "shop"), program(&["kubectl", "get", "pods", "-n", "shop"]));
    assert_eq!(
        scanned("  curl -s \\\n  'a b'\"c\\\"\\x d\"\\ e --f=@\n", "$(id) 'x'"),
        program(&["curl", "-s", "a bc\"\\x d e", "--f=$(id) 'x'"])
    );
    assert_eq!(
        scanned("jq '.a[] | select(.b == \"@\")' \"\"", "x y"),
        program(&["jq", ".a[] | select(.b == \"x y\")", ""])
    );
}

#[test]
fn what_a_shell_would_act_on_needs_one() {
    for text in [
        "a | b",
        "a; b",
        "a && b",
        "a > b",
        "a $HOME",
        "a \"$HOME\"",
        "a `b`",
        "a *",
        "a {b,c}",
        "~/a",
        "A=b c",
        "a\nb",
        "if a",
        "command -v a",
        "a # b",
        "(a)",
        "! a",
        "a ?",
        "[ a ]",
    ] {
        assert!(matches!(scan(text), Ok(Scanned::Script(_))), "{text}: {:?}", scan(text));
    }
}

#[test]
fn an_argument_that_begins_with_a_dash_is_no_option() {
    for text in ["grep @ file", "grep \"@\" file", "grep '@' file | sort", "grep $(echo @)"] {
        let refused = scanned(text, "--file=/etc/passwd").unwrap_err();
        assert!(refused.starts_with("the argument \"--file=/etc/passwd\" begins with a dash"), "{text}: {refused}");
    }
    assert_eq!(scanned("grep -- @ file", "-x"), program(&["grep", "--", "-x", "file"]));
    assert_eq!(scanned("grep --since=@", "-1h"), program(&["grep", "--since=-1h"]));
}

#[test]
fn an_argument_stays_one_in_every_place_that_takes_it() {
    let hostile = "a'b\"c$(echo X)`echo Y`\\ $HOME;|&<>(){}[]*?~#!\n\tz";
    for text in [
        "args @ | cat",
        "args \"@\" | cat",
        "args '@' | cat",
        "x=@; args \"$x\"",
        "x=\"@\"\nargs \"$x\"",
        "args \"$(printf %s @)\"",
        "args \"$(printf %s \"$(printf %s '@')\")\"",
        "(args @)",
        "f() { args \"$1\"; }; f @",
        "case @ in *) args @;; esac",
        "for x in @; do args \"$x\"; done",
        "if true; then args @; fi # the end, @",
        "cat <(args @)",
        "args @ 2>/dev/null >&1",
        "sh -c 'printf \"[%s]\" \"$1\"' name @ | cat",
    ] {
        assert_eq!(printed(&script(text, hostile)), format!("[{hostile}]"), "{text}\n{}", script(text, hostile));
    }
}

#[test]
fn an_argument_behind_a_dollar_sign_or_name_is_no_part_of_it() {
    for (text, wanted) in [
        ("x=1; args \"$@\"", "[$A]"),
        ("x=1; args \"$x@\"", "[1A]"),
        ("x=1; args $x@", "[1A]"),
        ("x=1; args \"$(echo \"$x@\")\"", "[1A]"),
    ] {
        for hostile in ["(id)", "{x}", "x", "'\\''"] {
            let wanted = wanted.replace('A', hostile);
            assert_eq!(printed(&script(text, hostile)), wanted, "{text}: {}", script(text, hostile));
        }
    }
}

#[test]
fn an_argument_is_no_keyword_no_variable_that_is_set_and_no_number_of_a_stream() {
    assert!(printed(&script("@ env | grep HACK", "HACK=1")).contains("command not found"));
    assert!(printed(&script("true && @ x; done", "for")).contains("syntax error"));
    assert_eq!(printed(&script("args 1 @>&2 | cat", "2")), "[1][2]");
}

#[test]
fn a_here_document_takes_an_argument_within_its_lines() {
    for text in ["cat <<EOF\na @ b\nEOF\n", "cat <<'EOF'\na @ b\nEOF", "cat <<-EOF | cat\n\ta @ b\n\tEOF\n"] {
        let hostile = "'\"$(id) `id` \\ ;#";
        assert_eq!(printed(&script(text, hostile)), format!("a {hostile} b\n"), "{text}");
        assert!(scanned(text, "x\nEOF\nid").unwrap_err().contains("in a here-document"), "{text}");
    }
    assert!(scanned("cat <<EOF\n@\nid\nEOF\n", "EOF").unwrap_err().contains("the last line of a here-document"));
}

#[test]
fn where_no_quoting_is_sure_only_plain_letters_are_taken() {
    for text in [
        "echo `echo @`",
        "echo $(( @ + 1 ))",
        "(( @ > 1 )) && echo",
        "[[ @ -gt 1 ]] && echo",
        "[[ \"@\" == b ]] && echo",
        "echo ${x:-@}",
        "echo $'@'",
        "eval echo @",
        "x=@; eval \"echo $x\"",
        "if true; then x=@; eval \"$x\"; fi",
        "sh -c \"echo @\"",
        "kubectl exec pod -- /bin/bash -ec 'echo @'",
        "x=@; bash -c \"$x\"",
        "sh 2>&1 -c @",
        "sh &>/dev/null -c @",
        "echo @ | sh",
        "echo @ | sh 2>&1",
        "echo @ | sudo bash -s",
        "bash <<EOF\necho @\nEOF\n",
        "bash < <(echo @)",
        ". <(echo @)",
        "ssh host \"echo @\"",
        "declare -i x; x=@",
        "printf -v @ x; echo",
        "a[@]=1; echo",
        "x=$(case a in a) echo @;; esac)",
        "cat <<EOF\n$(echo a) @\nEOF\n",
        "echo @ | xargs -I{} sh -c \"echo {}\"",
        "echo @ | xargs -I% sh -c \"echo %\"",
        "python3 -c \"print('@')\"",
        "perl -ne 'print if /@/' file",
        "echo @ | ssh host",
    ] {
        for hostile in ["$(id)", "a b", "x'", "a[$(id)]"] {
            assert!(scanned(text, hostile).is_err(), "{text} took {hostile}: {:?}", scanned(text, hostile));
        }
        let plain = scanned(text, "a-b.c/d:1");
        assert!(plain.is_ok(), "{text}: {plain:?}");
    }
    assert!(scanned("echo \\@", "$(id)").is_err());
    for text in ["cat <<EOF\ncost $@\nEOF\n", "cat <<EOF\ncost $x@\nEOF\n", "cat <<EOF\nC:\\@\nEOF\n"] {
        assert!(scanned(text, "(id)").is_err(), "{text}");
        assert!(scanned(text, "$(id)").is_err(), "{text}");
    }
}

#[test]
fn what_has_no_end_is_told() {
    for (text, what) in [
        ("echo 'a", "a single quote"),
        ("echo \"a", "a double quote"),
        ("echo $(a", "$(…)"),
        ("echo `a", "a backtick"),
        ("cat <<EOF\na", "a here-document"),
        ("echo \\", "a backslash"),
    ] {
        assert_eq!(scan(text), Err(Refused::Unended { what }), "{text}");
    }
}

/// Arguments as someone would write them who wants out of the quotes.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("$(id>&2)".to_owned()),
        Just("`id>&2`".to_owned()),
        Just("\n".to_owned()),
        Just("\\".to_owned()),
        Just("; id>&2;".to_owned()),
        Just("EOF".to_owned()),
        Just("$x".to_owned()),
        Just("-".to_owned()),
        Just("é\u{a0}".to_owned()),
        "[ -~]{0,4}",
    ];
    let pieces = proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat());
    pieces.prop_filter("an empty argument is one that was left out", |argument| !argument.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_argument_becomes_syntax(argument in hostile()) {
        for text in ["args @ x | cat", "args \"@\" x | cat", "args 'a@' x | cat", "x=a@; args \"$x\" \"$(printf %s y@)\""] {
            if let Ok(Scanned::Script(script)) = scanned(text, &argument) {
                let wanted = match text {
                    "args 'a@' x | cat" => format!("[a{argument}][x]"),
                    "args @ x | cat" | "args \"@\" x | cat" => format!("[{argument}][x]"),
                    // What a substitution gives loses its last line ends.
                    _ => format!("[a{argument}][{}]", format!("y{argument}").trim_end_matches('\n')),
                };
                prop_assert_eq!(printed(&script), wanted, "{}", script);
            } else {
                prop_assert!(argument.starts_with('-'));
            }
        }
    }

    #[test]
    fn a_program_gets_its_arguments_as_they_are(argument in hostile()) {
        let words = scanned("prog --a=@ 'b @' \"c @\"", &argument);
        let wanted = [format!("--a={argument}"), format!("b {argument}"), format!("c {argument}")];
        prop_assert_eq!(words, program(&["prog", &wanted[0], &wanted[1], &wanted[2]]));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\n\u{F0024}\u{F0027}\u{F000A}]{0,60}") {
        let _ = scan(&text);
    }
}
