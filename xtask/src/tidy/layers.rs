//! Dependencies between our crates point one way, and only adapters know a runtime.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Complaint;
use crate::workspace::{Workspace, list};

/// What each crate may use of ours, tests aside. A crate that is not listed is a complaint, so
/// that a new one finds its place here first.
const LAYERS: [(&str, &[&str]); 18] = [
    ("hybi-frame", &[]),
    ("hybi-handshake", &[]),
    ("hybi-compression", &["hybi-frame", "hybi-handshake"]),
    ("hybi-legacy", &["hybi-frame", "hybi-handshake"]),
    ("hybi-mux", &["hybi-frame", "hybi-handshake"]),
    ("hybi", &["hybi-compression", "hybi-frame", "hybi-handshake", "hybi-legacy", "hybi-mux"]),
    ("hybi-net", &["hybi"]),
    ("hybi-tls", &["hybi"]),
    ("hybi-tokio", &["hybi", "hybi-tls"]),
    ("hybi-smol", &["hybi", "hybi-net", "hybi-tls"]),
    ("hybi-blocking", &["hybi", "hybi-net", "hybi-tls"]),
    ("hybi-async-std", &["hybi", "hybi-net", "hybi-tls"]),
    ("hybi-h2", &["hybi", "hybi-tls", "hybi-tokio"]),
    ("hybi-hyper", &["hybi", "hybi-tokio"]),
    ("hybi-axum", &["hybi", "hybi-hyper", "hybi-tokio"]),
    ("hybi-cli", &["hybi", "hybi-h2", "hybi-tokio"]),
    // For tests, so none above has it in its list.
    ("hybi-testkit", &["hybi"]),
    // Never published, and for our own tests.
    (
        "hybi-suite",
        &[
            "hybi",
            "hybi-compression",
            "hybi-frame",
            "hybi-handshake",
            "hybi-legacy",
            "hybi-mux",
            "hybi-testkit",
        ],
    ),
];

/// Crates that no runtime may reach, not even through a dependency of theirs.
const WITHOUT_RUNTIME: [&str; 10] = [
    "hybi-frame",
    "hybi-handshake",
    "hybi-compression",
    "hybi-legacy",
    "hybi-mux",
    "hybi",
    "hybi-net",
    "hybi-tls",
    "hybi-blocking",
    "hybi-testkit",
];

const RUNTIMES: [&str; 5] = ["tokio", "async-std", "smol", "async-io", "mio"];

/// Discontinued (RUSTSEC-2025-0052): the adapter for those still on it, its example, and the trials that hold it
/// against the others. Nothing else may name it, be it for tests.
const ON_ASYNC_STD: [&str; 3] = ["hybi-async-std", "hybi-examples", "hybi-trials"];

pub(super) fn check(workspace: &Workspace) -> Vec<Complaint> {
    let graph = Graph(&workspace.metadata);
    let ours: BTreeSet<_> = workspace.members.iter().map(|member| member.name.as_str()).collect();
    let users = graph.users("async-std").into_iter().filter(|name| !ON_ASYNC_STD.contains(name));
    let mut complaints: Vec<_> =
        users.map(|name| format!("{name}: may not depend on async-std, tests included")).collect();
    for member in workspace.crates() {
        let name = member.name.as_str();
        let Some((_, allowed)) = LAYERS.iter().find(|layer| layer.0 == name) else {
            complaints
                .push(format!("{name}: not in the table of layers (xtask/src/tidy/layers.rs)"));
            continue;
        };
        for used in graph.uses(name) {
            if ours.contains(used) && !allowed.contains(&used) {
                complaints.push(format!("{name}: may not depend on {used}"));
            }
        }
        if WITHOUT_RUNTIME.contains(&name) {
            for runtime in graph.reaches(name).intersection(&BTreeSet::from(RUNTIMES)) {
                complaints.push(format!("{name}: reaches the runtime {runtime}"));
            }
        }
    }
    complaints
}

/// The answer of `cargo metadata`, asked by package name.
struct Graph<'a>(&'a Value);

impl<'a> Graph<'a> {
    /// The packages that some package called `name` depends on, tests aside.
    fn uses(&self, name: &str) -> BTreeSet<&'a str> {
        let named = list(&self.0["packages"]).filter(|package| package["name"] == name);
        let ids: Vec<_> = named.map(|package| &package["id"]).collect();
        let nodes = list(&self.0["resolve"]["nodes"]).filter(|node| ids.contains(&&node["id"]));
        let edges = nodes
            .flat_map(|node| list(&node["deps"]))
            .filter(|edge| list(&edge["dep_kinds"]).any(|kind| kind["kind"] != "dev"));
        edges.filter_map(|edge| self.name(&edge["pkg"])).collect()
    }

    /// The packages that name `name`, for tests as well.
    fn users(&self, name: &str) -> BTreeSet<&'a str> {
        let nodes = list(&self.0["resolve"]["nodes"])
            .filter(|node| list(&node["deps"]).any(|edge| self.name(&edge["pkg"]) == Some(name)));
        nodes.filter_map(|node| self.name(&node["id"])).collect()
    }

    /// Everything that `name` depends on, however far down.
    fn reaches(&self, name: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut next = vec![name];
        while let Some(name) = next.pop() {
            next.extend(self.uses(name).into_iter().filter(|used| reached.insert(*used)));
        }
        reached
    }

    fn name(&self, id: &Value) -> Option<&'a str> {
        list(&self.0["packages"]).find(|package| package["id"] == *id)?["name"].as_str()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::workspace::Member;

    fn workspace(edges: &[(&str, &str, Option<&str>)]) -> Workspace {
        let names: BTreeSet<_> = edges.iter().flat_map(|edge| [edge.0, edge.1]).collect();
        let member = |name: &&str| Member {
            name: (*name).to_owned(),
            folder: format!("/crates/{name}").into(),
            features: BTreeMap::new(),
            targets: Vec::new(),
            published: true,
        };
        let nodes = names.iter().map(|name| {
            let from = edges.iter().filter(|edge| edge.0 == *name);
            let deps = from.map(|edge| json!({ "pkg": edge.1, "dep_kinds": [{ "kind": edge.2 }] }));
            json!({ "id": name, "deps": deps.collect::<Vec<_>>() })
        });
        let packages = names.iter().map(|name| json!({ "id": name, "name": name }));
        Workspace {
            root: "/".into(),
            target: "/target".into(),
            members: names.iter().filter(|name| name.starts_with("hybi")).map(member).collect(),
            metadata: json!({
                "packages": packages.collect::<Vec<_>>(),
                "resolve": { "nodes": nodes.collect::<Vec<_>>() },
            }),
        }
    }

    #[test]
    fn pointing_down_passes_and_tests_may_point_anywhere() {
        let edges = [("hybi", "hybi-frame", None), ("hybi-frame", "hybi-suite", Some("dev"))];
        assert_eq!(check(&workspace(&edges)), Vec::<String>::new());
    }

    #[test]
    fn pointing_up_is_refused() {
        let edges = [("hybi-frame", "hybi", None)];
        assert_eq!(check(&workspace(&edges)), ["hybi-frame: may not depend on hybi"]);
    }

    #[test]
    fn a_runtime_is_found_behind_another_crate() {
        let edges = [("hybi", "helper", None), ("helper", "tokio", None)];
        assert_eq!(check(&workspace(&edges)), ["hybi: reaches the runtime tokio"]);
    }

    #[test]
    fn async_std_is_for_its_adapter_alone() {
        let edges = [("hybi-async-std", "async-std", None), ("hybi-examples", "async-std", None)];
        let told = check(&workspace(&edges));
        assert!(!told.iter().any(|told| told.contains("depend on async-std")), "{told:?}");
        for (who, kind) in [("hybi-smol", None), ("hybi-suite", Some("dev")), ("helper", None)] {
            let told = check(&workspace(&[(who, "async-std", kind)]));
            let expected = format!("{who}: may not depend on async-std, tests included");
            assert_eq!(told, [expected]);
        }
    }

    #[test]
    fn a_new_crate_must_find_its_place() {
        let edges = [("hybi-new", "hybi", None)];
        assert!(check(&workspace(&edges))[0].starts_with("hybi-new: not in the table"));
    }
}
