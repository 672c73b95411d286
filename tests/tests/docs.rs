//! What the pages of `docs` name is there: the files that they link to, and the options of URLs.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use state_runtime::{
    StateError,
    backends::{RedisBackend, RedisConfig},
    conformance::{Subject, run},
    connect,
};
use tests::servers::redis;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The README and every page.
fn pages() -> Vec<String> {
    let folder = fs::read_dir(root().join("docs")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names
        .filter(|name| Path::new(name).extension() == Some("md".as_ref()))
        .map(|name| format!("docs/{name}"));
    pages.chain(["README.md".to_owned(), "CHANGELOG.md".to_owned()]).collect()
}

/// Where the links of a page lead to.
fn links(page: &str) -> Vec<String> {
    let text = text(page);
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    ends.map(|(link, _)| link.to_owned()).collect()
}

/// The headings of a page as links name them.
fn anchors(page: &str) -> BTreeSet<String> {
    let text = text(page);
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.chars().filter(|c| plain(*c)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    for page in pages() {
        for link in links(&page).iter().filter(|link| !link.starts_with("https://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(&page).parent().unwrap();
            let target = if file.is_empty() { PathBuf::from(&page) } else { folder.join(file) };
            assert!(root().join(&target).exists(), "{page} links to `{link}`, which is not there");
            let anchors = || anchors(target.to_str().unwrap());
            assert!(anchor.is_empty() || anchors().contains(anchor), "{page}: `{link}`");
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen} links");
}

/// The words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The options that the backend of a URL knows: its message lists them.
async fn known(url: &str) -> BTreeSet<String> {
    match connect::backend(&format!("{url}?zzzzzz=1")).await {
        Err(StateError::InvalidUrl(reason)) => {
            let (_, listed) = reason.message().split_once("its options are ").expect(url);
            quoted(listed).map(str::to_owned).collect()
        }
        other => panic!("{url}: {other:?}"),
    }
}

/// The names in the first column of the table whose heading is `column`.
fn documented(page: &str, column: &str) -> BTreeSet<String> {
    let text = text(page);
    let heading = format!("| {column} |");
    let table = text.lines().skip_while(|line| !line.starts_with(&heading)).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    first.flat_map(quoted).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_pages_name_the_options_that_there_are() {
    let pages: [(&str, &[&str]); 5] = [
        ("docs/memory.md", &["memory:"]),
        ("docs/file.md", &["file:state"]),
        ("docs/redis.md", &["redis://h", "rediss+cluster://h", "rediss+sentinel://h/m"]),
        ("docs/nats.md", &["nats://h/bucket", "tls+nats://h/bucket"]),
        ("docs/dapr.md", &["dapr://h/store"]),
    ];
    for (page, urls) in pages {
        let mut options = BTreeSet::new();
        for url in urls {
            options.extend(known(url).await);
        }
        assert_eq!(documented(page, "option"), options, "{page}");
    }
}

/// The names of the risks that the source of a backend makes.
fn risks(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(risks(&path));
            continue;
        }
        let source = fs::read_to_string(path).unwrap();
        names.extend(source.split("RiskKind::").skip(1).map(|rest| {
            let kind = rest.chars().take_while(char::is_ascii_alphanumeric);
            let name = kind.flat_map(|c| {
                let dash = c.is_ascii_uppercase().then_some('-');
                dash.into_iter().chain([c.to_ascii_lowercase()])
            });
            name.skip(1).collect::<String>()
        }));
    }
    names
}

#[test]
fn the_pages_name_the_risks_that_there_are() {
    let backends = root().join("state-runtime/src/backends");
    for backend in ["redis", "nats"] {
        let page = format!("docs/{backend}.md");
        assert_eq!(documented(&page, "risk"), risks(&backends.join(backend)), "{page}");
    }
    for backend in ["memory", "dapr"] {
        let text = text(&format!("docs/{backend}.md"));
        for risk in risks(&backends.join(backend)) {
            assert!(text.contains(&format!("`{risk}`")), "docs/{backend}.md: {risk}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_that_the_page_of_redis_shows_has_the_rights_that_are_needed() {
    let page = text("docs/redis.md");
    let (_, rest) = page.split_once("ACL SETUSER shop on >secret ").unwrap();
    let rules = rest.lines().next().unwrap();
    for flavour in redis::Flavour::ALL {
        let server = redis::Server::builder(flavour).user("shop", "secret", rules).start().await;
        let address = server.address();
        let config = RedisConfig::new(address).with_username("shop").with_password("secret");
        let backend = RedisBackend::connect(config.clone()).await.unwrap();
        let known = state_runtime::backend::Backend::risks(&backend).await.unwrap();
        assert!(known.iter().all(|risk| risk.name() != "unknown-settings"), "{known:?}");
        let report = run(&Subject::new(move || RedisBackend::connect(config.clone()))).await;
        let report = report.unwrap();
        assert!(report.is_conforming(), "{flavour:?}: {report:#}");
    }
}
