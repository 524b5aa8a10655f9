//! Secrets in the shapes in which they come. The tokens are made up.

use super::redacted;

fn all(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, wanted)| {
            let got = redacted(text);
            (got != *wanted).then(|| format!("text   {text:?}\ngot    {got:?}\nwanted {wanted:?}\n"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Joined here, so that no scanner takes this file for one that leaks them.
fn token(prefix: &str, body: &str) -> String {
    format!("{prefix}{body}")
}

#[test]
fn what_a_secret_variable_was_changed_from_and_to_is_hidden() {
    all(&[
        (
            "containers[app].env[DB_PASSWORD].value: hunter2-old -> hunter2 new; x",
            "containers[app].env[DB_PASSWORD].value: [password] -> [password]",
        ),
        (
            "containers[app].env[API_TOKEN]: set to abc-def-123; containers[app].image: a:1 -> a:2",
            "containers[app].env[API_TOKEN]: set to [token]; containers[app].image: a:1 -> a:2",
        ),
        ("containers[app].env[MODE].value: a -> b", "containers[app].env[MODE].value: a -> b"),
    ]);
}

#[test]
fn both_values_of_a_secret_variable_are_hidden_in_a_difference_of_manifests() {
    all(&[
        (
            "@@ -3,2 +3,2 @@\n         - name: DB_PASSWORD\n-          value: hunter2-of-old\n+          value: hunter2-of-new\n         image: a:1\n",
            "@@ -3,2 +3,2 @@\n         - name: DB_PASSWORD\n-          value: [password]\n+          value: [password]\n         image: a:1\n",
        ),
        (
            "-        - name: API_TOKEN\n-          value: abc-def-123\n+        - name: MODE\n+          value: fast\n",
            "-        - name: API_TOKEN\n-          value: [token]\n+        - name: MODE\n+          value: fast\n",
        ),
    ]);
}

#[test]
fn tokens_of_vendors_are_told_by_their_beginning() {
    let letters = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
    for (prefix, body, kind) in [
        ("AKIA", "IOSFODNN7EXAMPLE", "aws-key-id"),
        ("ghp_", letters, "github-token"),
        ("github_pat_", "11ABCDEFG0abcdefghijkl_0123456789abcdefghijklmnopqrstuvwxyz", "github-token"),
        ("glpat-", "xYz12_abcDEF34-ghij", "gitlab-token"),
        ("xoxb-", "123456789012-1234567890123-AbCdEfGhIjKl", "slack-token"),
        ("sk_live_", "4eC39HqLyjWDarjtT1zdp7dc", "stripe-key"),
        ("AIza", "SyA1234567890abcdefghijklmnopqrstuv", "google-key"),
        ("sk-", "proj-AbCdEfGhIjKlMnOpQrStUvWx1234567890", "api-key"),
        ("sk-", "ant-api03-AbCdEfGhIjKlMnOpQrStUvWx1234567890", "api-key"),
        ("npm_", letters, "npm-token"),
        ("hvs.", "CAESIJ1234567890abcdefghijkl", "vault-token"),
        ("SG.", "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr", "sendgrid-key"),
        ("1234567890", ":AAabcdefghijklmnopqrstuvwxyz012345_", "telegram-token"),
        ("$2b$12$", "EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW", "password-hash"),
    ] {
        let secret = token(prefix, body);
        assert_eq!(redacted(&format!("got {secret} here.")), format!("got [{kind}] here."), "{secret}");
        assert_eq!(redacted(&format!("[\"{secret}\"]")), format!("[\"[{kind}]\"]"), "{secret}");
    }
    let url = format!("https://hooks.slack.com/services/{}", "T00000000/B00000000/XXXXaaaa1111bbbb2222cccc");
    assert_eq!(redacted(&url), "https://hooks.slack.com/services/[webhook]");
}

#[test]
fn a_jwt_is_one_wherever_it_stands() {
    let jwt = token("eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U");
    all(&[
        (&format!("invalid token: {jwt}"), "invalid token: [token]"),
        (&format!("Authorization: Bearer {jwt}"), "Authorization: Bearer [bearer]"),
        (&format!("?x={jwt}&y=1"), "?x=[jwt]&y=1"),
    ]);
}

#[test]
fn assignments_in_the_ways_of_shells_and_logs() {
    all(&[
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=[password]"),
        ("export DB_PASSWORD='hunter 2'", "export DB_PASSWORD='[password]'"),
        ("DB_PASSWORD=my secret pass", "DB_PASSWORD=[password]"),
        ("password = hunter two", "password = [password]"),
        ("level=info user=bob password=hunter msg=\"ok\"", "level=info user=bob password=[password] msg=\"ok\""),
        ("host=db user=shop password=p,w;d) dbname=x", "host=db user=shop password=[password]) dbname=x"),
        ("Server=db;User Id=sa;Password=a1,b2;Timeout=5", "Server=db;User Id=sa;Password=[password];Timeout=5"),
        ("AccountName=x;AccountKey=abc123DEF456==;EndpointSuffix=y", "AccountName=x;AccountKey=[key];EndpointSuffix=y"),
        ("GET /a?api_key=abc123&page=2 200", "GET /a?api_key=[key]&page=2 200"),
        ("GET /a?access_token=abcdef HTTP/1.1", "GET /a?access_token=[token] HTTP/1.1"),
        ("{User:bob Password:hunter2 Host:db}", "{User:bob Password:[password] Host:db}"),
        ("{password://AAa++AAA+A+A++AaaAaA1a== Host:x}", "{password:[password] Host:x}"),
        ("token://AAbc9/x+Q==", "token:[token]"),
        ("User(name=bob, password=hunter2)", "User(name=bob, password=[password])"),
        (":password=>\"hunter2\"", ":password=>\"[password]\""),
        ("config['password'] = 'hunter2'", "config['password'] = '[password]'"),
        ("<password>hunter2</password>", "<password>[password]</password>"),
        ("login failed with password: Hunter2!", "login failed with password: [password]"),
        ("ALTER USER x IDENTIFIED BY 'hunter2'", "ALTER USER x IDENTIFIED BY '[password]'"),
        ("psql --password hunter2 -h db", "psql --password [password] -h db"),
        ("x --db-password=hunter2 --port 1", "x --db-password=[password] --port 1"),
        ("args: [\"--password\", \"hunter2\"]", "args: [\"--password\", \"[password]\"]"),
        ("curl -u bob:hunter2 http://x", "curl -u bob:[password] http://x"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = [key]"),
    ]);
}

#[test]
fn values_of_json_also_within_a_string() {
    all(&[
        (r#"{"user":"bob","password":"hunter\"2","port":1}"#, r#"{"user":"bob","password":"[password]","port":1}"#),
        (r#"{"msg":"sent {\"token\":\"abc def\",\"n\":1}"}"#, r#"{"msg":"sent {\"token\":\"[token]\",\"n\":1}"}"#),
        (r#"{"clientSecret": "s3cr3t"}"#, r#"{"clientSecret": "[secret]"}"#),
        (r"{'password': 'hunter2', 'a': 1}", r"{'password': '[password]', 'a': 1}"),
        (r#"{"tokens":["abc1","def2"]}"#, r#"{"tokens":["[token]","[token]"]}"#),
        (r#"{"msg":"a\npassword=hunter2\nnext"}"#, r#"{"msg":"a\npassword=[password]\nnext"}"#),
        (r#"{"auths":{"r.io":{"auth":"Ym9iOmh1bnRlcjI="}}}"#, r#"{"auths":{"r.io":{"auth":"[credential]"}}}"#),
        (r#"{"password": 123456}"#, r#"{"password": [password]}"#),
    ]);
}

#[test]
fn values_of_yaml() {
    all(&[
        ("  password: correct horse battery\n  user: bob\n", "  password: [password]\n  user: bob\n"),
        ("password: 'it''s me' # old\n", "password: '[password]' # old\n"),
        ("- dbPassword: |\n    line one\n    line two\n  next: x\n", "- dbPassword: |\n    [password]\n  next: x\n"),
        ("{user: bob, password: hunter2}", "{user: bob, password: [password]}"),
        ("passwords:\n- one1\n- two2\nnext: x", "passwords:\n- [password]\n- [password]\nnext: x"),
        ("+ password: hunter2\n- password: hunter1\n", "+ password: [password]\n- password: [password]\n"),
        ("12: token: abcdef\n", "12: token: [token]\n"),
    ]);
}

#[test]
fn a_variable_of_a_container_by_its_name() {
    all(&[
        (
            "- name: DB_PASSWORD\n  value: hunter2\n- name: PORT\n  value: \"1\"",
            "- name: DB_PASSWORD\n  value: [password]\n- name: PORT\n  value: \"1\"",
        ),
        ("- value: hunter2\n  name: DB_PASSWORD\n", "- value: [password]\n  name: DB_PASSWORD\n"),
        (
            r#"[{"name":"API_KEY","value":"abc"},{"name":"PORT","value":"1"}]"#,
            r#"[{"name":"API_KEY","value":"[key]"},{"name":"PORT","value":"1"}]"#,
        ),
        (r#"{"value":"abc","name":"API_KEY"}"#, r#"{"value":"[key]","name":"API_KEY"}"#),
        (r#"<property name="password" value="hunter2"/>"#, r#"<property name="password" value="[password]"/>"#),
        ("    DB_PASSWORD:   hunter2\n    PORT:  1\n", "    DB_PASSWORD:   [password]\n    PORT:  1\n"),
        (
            "      - --password\n      - hunter2\n      - --port\n",
            "      - --password\n      - [password]\n      - --port\n",
        ),
    ]);
}

#[test]
fn headers() {
    all(&[
        ("Authorization: Bearer abc-def-1234 next", "Authorization: Bearer [bearer] next"),
        ("curl -H 'Authorization: Basic Ym9iOnB3' http://x", "curl -H 'Authorization: Basic [basic]' http://x"),
        ("map[Authorization:[Bearer abc123def456] Accept:[*/*]]", "map[Authorization:[Bearer [bearer]] Accept:[*/*]]"),
        ("{\"Authorization\": \"token abc123def456\"}", "{\"Authorization\": \"token [token]\"}"),
        ("sent Bearer abc123def456ghi789 to x", "sent Bearer [bearer] to x"),
        ("got Basic Ym9iOmh1bnRlcjI= from x", "got Basic [basic] from x"),
        ("Cookie: session=abc123; theme=dark", "Cookie: [cookie]"),
        ("X-Api-Key: abcdef123", "X-Api-Key: [key]"),
    ]);
}

#[test]
fn credentials_in_urls() {
    all(&[
        (
            "dial postgres://shop:hunter2@db.shop:5432/shop?x=1 failed",
            "dial postgres://shop:[password]@db.shop:5432/shop?x=1 failed",
        ),
        ("redis://:hunter2@cache:6379/0", "redis://:[password]@cache:6379/0"),
        ("mongodb+srv://u:p@ss@h/db", "mongodb+srv://u:[password]@h/db"),
        ("mongodb://u:pa/ss@h/db", "mongodb://u:[password]@h/db"),
        ("amqp://guest:guest@rabbit/", "amqp://guest:[password]@rabbit/"),
        ("shop:hunter2@tcp(db:3306)/shop", "shop:[password]@tcp(db:3306)/shop"),
        ("https://x.blob.core/y?sv=1&sig=a1B2c3D4e5F6%3D&se=2", "https://x.blob.core/y?sv=1&sig=[credential]&se=2"),
    ]);
}

#[test]
fn private_keys() {
    let begin = format!("-----BEGIN RSA {} KEY-----", "PRIVATE");
    let end = format!("-----END RSA {} KEY-----", "PRIVATE");
    let encoded = token("LS0tLS1CRUdJTiBSU0Eg", "UFJJVkFURSBLRVktLS0tLQpNSUlFb3dJQkFBS0NBUUVB");
    all(&[
        (&format!("a\n{begin}\nMIIE\nowIB\n{end}\nb"), &format!("a\n{begin}\n[private-key]\n{end}\nb")),
        (
            &format!("  key: |\n    {begin}\n    MIIE\n    {end}\n"),
            &format!("  key: |\n    {begin}\n    [private-key]\n    {end}\n"),
        ),
        (
            &format!("{{\"k\":\"{begin}\\nMIIE\\nowIB\\n{end}\\n\"}}"),
            &format!("{{\"k\":\"{begin}\\n[private-key]\\n{end}\\n\"}}"),
        ),
        (&format!("{begin}\nMIIE\nowIB"), &format!("{begin}\n[private-key]")),
        (&format!("{begin}MIIEowIB{end}"), &format!("{begin}[private-key]{end}")),
        (&format!("{begin} MIIE owIB {end}"), &format!("{begin} [private-key] {end}")),
        (&format!("DB_KEY{begin}\nMIIE\n{end}"), &format!("DB_KEY{begin}\n[private-key]\n{end}")),
        (
            &format!("{begin}\nMIIE\n{end}{begin}\nowIB"),
            &format!("{begin}\n[private-key]\n{end}{begin}\n[private-key]"),
        ),
        (&format!("    client-key-data: {encoded}\n"), "    client-key-data: [key]\n"),
        (&format!("x {encoded} y"), "x [private-key] y"),
    ]);
}

#[test]
fn a_secret_behind_the_first_line_of_a_key_that_is_only_spoken_of() {
    let begin = format!("-----BEGIN {} KEY-----", "PRIVATE");
    all(&[
        (&format!("no {begin} in file\npassword: hunter2"), &format!("no {begin} [private-key]: [password]")),
        (
            &format!("no {begin} in\nkind: Secret\ndata:\n  conf: aHVudGVyMg==\n"),
            &format!("no {begin} [private-key]: Secret\ndata:\n  conf: [secret]\n"),
        ),
    ]);
}

#[test]
fn values_of_secrets_whatever_their_names() {
    all(&[
        (
            "apiVersion: v1\nkind: Secret\ndata:\n  conf: aHVudGVyMg==\n  user: Ym9i\nmetadata:\n  name: x\n",
            "apiVersion: v1\nkind: Secret\ndata:\n  conf: [secret]\n  user: [secret]\nmetadata:\n  name: x\n",
        ),
        (
            "kind: Secret\nstringData:\n  a: |\n    one\n    two\n",
            "kind: Secret\nstringData:\n  a: |\n    [secret]\n    [secret]\n",
        ),
        (
            "kind: Secret\ndata:\n  conf: QUJDREV+\n  more: QUJDRE+/\nstringData:\n  a: one-\n  b: >-\n    two+\n",
            "kind: Secret\ndata:\n  conf: [secret]\n  more: [secret]\nstringData:\n  a: [secret]\n  b: >-\n    [secret]\n",
        ),
        (
            r#"{"data":{"conf":"aHVudGVyMg==","user":"Ym9i"},"kind":"Secret"}"#,
            r#"{"data":{"conf":"[secret]","user":"[secret]"},"kind":"Secret"}"#,
        ),
        (
            r#"last: '{\"kind\":\"Secret\",\"data\":{\"conf\":\"aHVudGVyMg==\"}}'"#,
            r#"last: '{\"kind\":\"Secret\",\"data\":{\"conf\":\"[secret]\"}}'"#,
        ),
    ]);
}
