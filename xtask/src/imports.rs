//! Who may import whom: the table of the design, checked against `cargo metadata`.
//!
//! Only direct dependencies count. Development dependencies obey it too where our own crates are
//! concerned (a test that reaches across belongs in `tests/`), but may use any crate of others.

use crate::sh;
use anyhow::Result;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// One of our crates and those of ours it may import.
struct Row {
    name: &'static str,
    ours: &'static [&'static str],
    /// When given, the only crates of others it may import.
    others: Option<&'static [&'static str]>,
}

const fn row(name: &'static str, ours: &'static [&'static str]) -> Row {
    Row { name, ours, others: None }
}

/// The table. A crate that is not in it may not exist, except under `tests/`.
const TABLE: &[Row] = &[
    Row { name: "landfall-identity", ours: &[], others: Some(&["serde", "thiserror"]) },
    row("landfall-protocol", &["landfall-identity"]),
    row("landfall-crypto", &["landfall-identity"]),
    row("landfall-keystore", &["landfall-identity", "landfall-crypto"]),
    row("landfall-authenticator", &["landfall-protocol"]),
    // Sans IO: no runtime, no HTTP, no clock, no chance.
    Row {
        name: "landfall-flows",
        ours: &["landfall-identity", "landfall-protocol"],
        others: Some(&["serde", "thiserror", "ts-rs", "uniffi"]),
    },
    row(
        "landfall-client",
        &[
            "landfall-identity",
            "landfall-protocol",
            "landfall-crypto",
            "landfall-keystore",
            "landfall-flows",
        ],
    ),
    row("landfall-server", &["landfall-identity", "landfall-protocol", "landfall-crypto"]),
    // The Workload API beside a process, over the client's door for workloads (docs/adr/0025).
    row(
        "landfall-workload",
        &["landfall-identity", "landfall-protocol", "landfall-crypto", "landfall-client"],
    ),
    // A service takes it alone: none of the client's engine, none of the server (docs/adr/0022).
    row("landfall-verifier", &["landfall-identity", "landfall-crypto"]),
    row("landfall-cli", TERMINAL),
    row("landfall-desktop", SHELL),
    row("xtask", &[]),
];

/// What a shell over the client may import.
const SHELL: &[&str] =
    &["landfall-client", "landfall-keystore", "landfall-authenticator", "landfall-protocol"];

/// The terminal is the shell of machines, too.
const TERMINAL: &[&str] = &[
    "landfall-client",
    "landfall-keystore",
    "landfall-authenticator",
    "landfall-protocol",
    "landfall-workload",
];

/// Crates of others, each with ours that alone may import it.
const FENCES: &[(&[&str], &[&str])] = &[
    (
        &["rcgen", "x509-parser", "p256", "age", "jsonwebtoken", "sfv", "diceware_wordlists"],
        &["landfall-crypto"],
    ),
    (&["curve25519-dalek"], &["landfall-crypto"]),
    (&["security-framework", "jni", "tss-esapi", "cryptoki", "windows"], &["landfall-keystore"]),
    (&["webauthn-authenticator-rs"], &["landfall-authenticator"]),
    (&["reqwest"], &["landfall-client", "landfall-verifier"]),
    // The server calls others in one module, over hyper (docs/adr/0013).
    (&["rustls-platform-verifier"], &["landfall-client", "landfall-server", "landfall-verifier"]),
    (&["sqlx", "rusqlite", "webauthn-rs", "cedar-policy"], &["landfall-server"]),
    // What browsers and keys are asked and answer, as the standard writes it down.
    (&["webauthn-rs-proto"], &["landfall-server", "landfall-authenticator"]),
    // The verifier's layer for services (docs/adr/0022).
    (&["axum"], &["landfall-server", "landfall-verifier"]),
    (&["krilla", "ttf-parser"], &["landfall-client"]),
    (&["lettre"], &["landfall-server"]),
    (&["clap"], &["landfall-cli", "landfall-server", "xtask"]),
    (&["tauri", "tauri-build"], &["landfall-desktop"]),
    (&["ts-rs"], &["landfall-protocol", "landfall-flows"]),
    (&["utoipa"], &["landfall-protocol", "landfall-server"]),
    (&["uniffi"], &["landfall-uniffi", "landfall-flows"]),
    (
        &[
            "tonic",
            "tonic-prost",
            "tonic-prost-build",
            "prost",
            "prost-types",
            "protox",
            "loona-hpack",
        ],
        &["landfall-workload"],
    ),
    (&["nix"], &["landfall-cli"]),
];

/// Every import that the table does not allow.
///
/// # Errors
/// `cargo metadata` failed.
pub fn findings() -> Result<Vec<String>> {
    let manifest = sh::root().join("Cargo.toml");
    Ok(judge(&MetadataCommand::new().manifest_path(manifest).no_deps().exec()?))
}

fn judge(metadata: &Metadata) -> Vec<String> {
    let tests: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| is_test(package, metadata))
        .map(|package| package.name.to_string())
        .collect();
    let mut findings = Vec::new();
    for package in metadata.packages.iter().filter(|package| !tests.contains(&package.name)) {
        match TABLE.iter().find(|row| *package.name == row.name) {
            Some(row) => findings.extend(judge_package(package, row, &tests)),
            None => findings.push(format!("{} is not in the import table", package.name)),
        }
    }
    findings
}

fn judge_package(package: &Package, row: &Row, tests: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let mut refuse = |why: &str| findings.push(format!("{} imports {name}: {why}", row.name));
        if tests.iter().any(|test| test == name) {
            refuse("nothing imports tests");
        } else if dependency.path.is_some() {
            if !row.ours.contains(&name) {
                refuse("not in its row of the import table");
            }
        } else if dependency.kind != DependencyKind::Development {
            if row.others.is_some_and(|others| !others.contains(&name)) {
                refuse("it takes only what its row names");
            }
            let fence = FENCES.iter().find(|(fenced, _)| fenced.contains(&name));
            if let Some((_, allowed)) = fence
                && !allowed.contains(&row.name)
            {
                refuse(&format!("fenced to {}", allowed.join(", ")));
            }
        }
    }
    findings
}

fn is_test(package: &Package, metadata: &Metadata) -> bool {
    package.manifest_path.starts_with(metadata.workspace_root.join("tests"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_workspace_follows_the_import_table() {
        let findings = findings().unwrap();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }

    #[test]
    fn a_row_of_the_table_names_only_crates_of_the_table() {
        for row in TABLE {
            for name in row.ours {
                assert!(TABLE.iter().any(|other| other.name == *name), "{name}");
            }
        }
    }

    #[test]
    fn what_the_table_forbids_is_found() {
        let cases = [
            ("landfall-client", dependency("landfall-server", true, None), "not in its row"),
            ("landfall-server", dependency("landfall-client", true, Some("dev")), "not in its row"),
            ("landfall-server", dependency("rcgen", false, None), "fenced to landfall-crypto"),
            ("landfall-cli", dependency("sqlx", false, Some("build")), "fenced to landfall-server"),
            ("landfall-flows", dependency("tokio", false, None), "only what its row names"),
            ("landfall-identity", dependency("landfall-crypto", true, None), "not in its row"),
            (
                "landfall-cli",
                dependency("landfall-e2e", true, Some("dev")),
                "nothing imports tests",
            ),
            ("landfall-novelty", dependency("serde", false, None), "not in the import table"),
        ];
        for (name, dependency, expected) in cases {
            let findings = judge(&workspace(name, &dependency));
            assert_eq!(findings.len(), 1, "{name}: {findings:?}");
            assert!(findings[0].contains(expected), "{findings:?}");
        }
    }

    #[test]
    fn what_the_table_allows_is_let_be() {
        for (name, dependency) in [
            ("landfall-client", dependency("landfall-flows", true, None)),
            ("landfall-server", dependency("reqwest", false, Some("dev"))),
            ("landfall-crypto", dependency("rcgen", false, None)),
        ] {
            assert_eq!(judge(&workspace(name, &dependency)), Vec::<String>::new());
        }
    }

    fn dependency(name: &str, ours: bool, kind: Option<&str>) -> Value {
        let mut value = json!({
            "name": name, "req": "*", "kind": kind, "optional": false,
            "uses_default_features": true, "features": [], "target": null,
        });
        if ours {
            value["path"] = json!(format!("/w/core/{name}"));
        }
        value
    }

    /// A workspace of one crate with one dependency, and one crate of tests.
    fn workspace(name: &str, dependency: &Value) -> Metadata {
        let package = |name: &str, path: &str, dependencies: Value| {
            json!({
                "name": name, "version": "0.1.0", "id": format!("path+file://{path}#{name}@0.1.0"),
                "manifest_path": format!("{path}/Cargo.toml"), "dependencies": dependencies,
                "targets": [], "features": {}, "source": null,
            })
        };
        serde_json::from_value(json!({
            "packages": [
                package(name, "/w/core/x", json!([dependency])),
                package("landfall-e2e", "/w/tests/e2e", json!([dependency])),
            ],
            "workspace_members": [], "resolve": null, "target_directory": "/w/target",
            "version": 1, "workspace_root": "/w",
        }))
        .unwrap()
    }
}
