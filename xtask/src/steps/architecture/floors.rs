//! The floors of the runtime, and which may import which.

/// Each floor, from the ground up, with those it may import beside itself.
///
/// A new module of the crate's root gets a row here, at the height where it belongs.
const FLOORS: &[(&str, &[&str])] = &[
    ("key", &[]),
    ("backend", &["key"]),
    ("schema", &["key"]),
    ("value", &["key", "schema"]),
    ("error", &["key", "backend", "schema", "value"]),
    ("backends", &["key", "backend"]),
    ("layers", &["key", "backend"]),
    ("conformance", &["key", "backend"]),
    ("store", &["key", "backend", "schema", "value", "error"]),
    ("patterns", &["key", "backend", "schema", "value", "error", "store"]),
    ("connect", &["key", "backend", "error", "backends", "layers", "store"]),
];

/// Files that gather what the floors offer and may name all of them.
const FACADES: &[&str] = &["", "prelude"];

/// Floors whose modules are peers that never import one another.
const PEERS: &[&str] = &["backends", "layers"];

/// What is wrong with `module` importing `path`, both from the root of the crate.
pub(super) fn fault(module: &[String], path: &[String]) -> Option<String> {
    let home = module.first().map_or("", String::as_str);
    if FACADES.contains(&home) {
        return None;
    }
    let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == home) else {
        return Some(format!("module `{home}` stands on no floor; give it one in FLOORS"));
    };
    let target = path.first().map_or("", String::as_str);
    if target == home {
        return peer(home, module, path);
    }
    if allowed.contains(&target) || is_root_macro(target) {
        return None;
    }
    if FLOORS.iter().any(|(name, _)| *name == target) {
        Some(format!("`{home}` imports `{target}`, which is not below it"))
    } else {
        Some(format!("`{home}` imports `{target}` from the crate root; name its floor"))
    }
}

fn peer(floor: &str, module: &[String], path: &[String]) -> Option<String> {
    let (mine, theirs) = (module.get(1)?, path.get(1)?);
    (PEERS.contains(&floor) && mine != theirs)
        .then(|| format!("`{floor}::{mine}` imports its peer `{floor}::{theirs}`"))
}

/// Exported macros stand in the root of a crate wherever they are written, and what their
/// expansion names stands in `__private`.
fn is_root_macro(name: &str) -> bool {
    name == "__private"
        || (name.starts_with(|first: char| first.is_ascii_lowercase())
            && !FLOORS.iter().any(|(floor, _)| *floor == name)
            && !FACADES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(module: &str, path: &str) -> Option<String> {
        let split = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
        fault(&split(module), &split(path))
    }

    #[test]
    fn imports_may_go_down_and_stay_on_their_floor() {
        assert_eq!(check("store::read", "key::Key"), None);
        assert_eq!(check("store::read", "store::Access"), None);
        assert_eq!(check("backends::file::queue", "backends::file::engine"), None);
        assert_eq!(check("prelude", "store::StateStore"), None);
        assert_eq!(check("connect", "backends::file"), None);
    }

    #[test]
    fn imports_never_go_up() {
        assert_eq!(
            check("key::writer", "store::StateStore").as_deref(),
            Some("`key` imports `store`, which is not below it")
        );
        assert!(check("backends::file", "schema::Namespace").is_some());
        assert!(check("store", "backends::memory").is_some());
        assert!(check("key", "prelude").is_some());
    }

    #[test]
    fn backends_never_import_each_other() {
        assert_eq!(
            check("backends::file::queue", "backends::memory::Sweeper").as_deref(),
            Some("`backends::file` imports its peer `backends::memory`")
        );
    }

    #[test]
    fn the_crate_root_is_no_way_around() {
        assert!(check("key", "StateStore").is_some());
        assert_eq!(check("schema", "register"), None);
    }

    #[test]
    fn a_module_without_a_floor_is_a_fault() {
        assert!(check("helpers", "key::Key").is_some());
    }

    #[test]
    fn the_table_itself_only_goes_down() {
        for (height, (name, allowed)) in FLOORS.iter().enumerate() {
            for below in *allowed {
                let found = FLOORS.iter().position(|(floor, _)| floor == below);
                assert!(found.is_some_and(|found| found < height), "{name} -> {below}");
            }
        }
    }
}
