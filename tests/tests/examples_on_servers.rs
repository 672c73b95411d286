//! The examples run unchanged on every backend, with nothing but another `--store`.

use std::{fs, path::Path, sync::LazyLock};

use tests::{
    examples::{
        Printed, Programs, listing_is_right, lock_is_right, patterns_are_right, watching_is_right,
    },
    servers::{dapr, nats, redis},
};

/// As they are with all clients. The whole workspace with all features is what the gate builds
/// anyway, so nothing has to be compiled twice.
static PROGRAMS: LazyLock<Programs> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples-with-clients");
    Programs::build(&["--workspace", "--all-features"], &folder)
});

fn run(name: &str, folder: &Path, arguments: &[&str], url: &str) -> Printed {
    let printed = PROGRAMS.run(name, folder, &[arguments, &["--store", url]].concat());
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(!folder.join("state").exists(), "a local store was made");
    printed
}

/// Runs each example twice, as a user does who wants to see what the first run has left.
fn check(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();

    let first = run("quickstart", folder, &[], url);
    assert!(first.out.contains("This is the first run"), "{}", first.out);
    assert_eq!(first.refusals(), ["Invalid", "Invalid", "Decode"]);
    assert!(first.out.contains("session:abc123   expires in 30 minutes"), "{}", first.out);
    let second = run("quickstart", folder, &[], url);
    assert!(second.out.contains("this is run 2"), "{}", second.out);
    assert_eq!(second.value("session "), "ada, 2 items in the cart");

    let refusals = [
        "NamespaceConflict",
        "Invalid",
        "Invalid",
        "TooLarge",
        "AlreadyExists",
        "Version",
        "Denied",
        "Decode",
        "NotDurable",
    ];
    for _ in 0..2 {
        let printed = run("pitfalls", folder, &[], url);
        assert_eq!(printed.refusals(), refusals, "{}", printed.out);
        assert!(!printed.out.contains("hunter2"), "{}", printed.out);
    }

    let cart = run("cart", folder, &[], url);
    assert_eq!(cart.refusals(), ["Invalid", "Conflict"], "{}", cart.out);
    let carts = cart.values("in the cart ");
    assert_eq!(carts, ["mug", "40 items", "50 items", "nothing"], "{}", cart.out);

    let note = run("http", folder, &[], url);
    let answers: Vec<_> =
        note.values("answer ").iter().filter_map(|answer| answer.split(' ').next()).collect();
    let expected = ["201", "200", "204", "412", "200", "204", "428", "412", "422"];
    assert_eq!(answers, expected, "{}", note.out);

    patterns_are_right(|name| run(name, folder, &[], url));

    let films = serde_json::json!([
        {"Title": "Plain", "Release Date": "Jun 12 1998"},
        {"Title": "a:b/c.d=e*[f]{g}\u{0}\n\u{202e}\"'é🎬", "Release Date": "Feb 29 2000"},
        {"Title": "..", "Release Date": "1927-01-10", "US Gross": 10_000_000_000_u64},
        {"Title": "Plain", "Release Date": "Jan 01 1950"},
        {"Title": "Later", "Release Date": "Dec 31 2046"},
    ]);
    fs::write(folder.join("films.json"), films.to_string()).unwrap();
    for (stored, before) in [("3", "0"), ("0", "3")] {
        let printed = run("import", folder, &["films.json"], url);
        assert_eq!(printed.value("stored "), stored, "{}", printed.out);
        assert_eq!(printed.value("there before "), before, "{}", printed.out);
        assert!(printed.value("films ").starts_with("3 found"), "{}", printed.out);
        assert!(printed.value("the counts ").ends_with("they agree"), "{}", printed.out);
    }
}

/// Those that list and watch what a server has, which not every one can.
fn check_listing(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    listing_is_right(&run("listing", folder.path(), &[], url));
    watching_is_right(&run("watching", folder.path(), &[], url));
    lock_is_right(&run("lock", folder.path(), &[], url));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_redis() {
    let server = redis::Server::start(redis::Flavour::Redis7).await;
    check(&server.url());
    check_listing(&server.url());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_nats() {
    let server = nats::Server::start(nats::Version::V2_15).await;
    check(&format!("{}/examples", server.url()));
    check_listing(&format!("{}/examples", server.url()));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_dapr() {
    if dapr::is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sidecar = dapr::Sidecar::start(dapr::Component::sqlite(folder.path())).await;
    check(&sidecar.url());
}
