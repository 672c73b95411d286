//! Scans: every entry under a prefix, page by page.

use core::time::Duration;

use super::case;
use crate::{
    backend::{Backend, Entry, Expiry, ScanRequest, Want},
    conformance::{
        case::{Case, Checked},
        trial::{Trial, ensure, holds, same},
    },
    key::Key,
};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(a_scan_of_nothing_is_empty, Scan),
        case!(a_scan_finds_all_under_its_prefix, Scan),
        case!(a_scan_of_keys_alone_finds_the_same, Scan),
        case!(a_scan_leaves_out_other_prefixes, Scan),
        case!(a_scan_of_the_empty_prefix_finds_everything, Scan),
        case!(a_prefix_is_text_and_not_a_segment, Scan),
        case!(a_prefix_can_be_a_whole_key, Scan),
        case!(a_prefix_holds_no_wildcards, Scan),
        case!(a_scan_returns_values_byte_for_byte, Scan),
        case!(pages_of_one_hold_everything_once, Scan),
        case!(pages_of_seven_hold_everything_once, Scan),
        case!(one_page_can_be_larger_than_what_there_is, Scan),
        case!(a_removed_entry_is_not_listed, Scan),
        case!(scans_at_the_same_time_do_not_disturb_each_other, Scan),
        case!(what_stays_is_found_while_others_come_and_go, Scan),
        case!(what_is_rewritten_meanwhile_is_found_and_the_scan_ends, Scan),
        case!(a_scan_fills_in_revisions_when_asked, Scan, Cas),
        case!(a_scan_fills_in_expiries_when_asked, Scan, Ttl),
        case!(an_expired_entry_is_not_listed, Scan, Ttl),
    ]
}

pub(super) fn request(prefix: &str, limit: usize) -> ScanRequest {
    ScanRequest { prefix: prefix.to_owned(), cursor: None, limit, want: Want::VALUE }
}

/// All pages of a scan together.
async fn all<B: Backend>(t: &Trial<B>, mut request: ScanRequest) -> Checked<Vec<(Key, Entry)>> {
    let mut found = Vec::new();
    loop {
        let page = t.scan(request.clone()).await?;
        found.extend(page.entries);
        request.cursor = page.next;
        if request.cursor.is_none() {
            return Ok(found);
        }
    }
}

/// The keys of all pages together, sorted; one that was found twice stands there twice.
pub(super) async fn names<B: Backend>(t: &Trial<B>, request: ScanRequest) -> Checked<Vec<String>> {
    let found = all(t, request).await?;
    let mut names: Vec<_> = found.into_iter().map(|(key, _)| key.into_string()).collect();
    names.sort_unstable();
    Ok(names)
}

pub(super) fn texts(keys: &[Key]) -> Vec<String> {
    keys.iter().map(|key| key.as_str().to_owned()).collect()
}

/// Writes some entries, in no particular order.
async fn fill<B: Backend>(t: &Trial<B>, count: usize) -> Checked<Vec<Key>> {
    let keys = t.keys(count);
    for key in keys.iter().skip(count / 2).chain(keys.iter().take(count / 2)) {
        t.put(key, key.as_str().to_owned()).await?;
    }
    Ok(keys)
}

async fn a_scan_of_nothing_is_empty<B: Backend>(t: &Trial<B>) -> Checked {
    same(names(t, request(&t.prefix, 10)).await?, Vec::new(), "a scan of nothing")
}

async fn a_scan_finds_all_under_its_prefix<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 50).await?;
    same(names(t, request(&t.prefix, 20)).await?, texts(&keys), "the scan")
}

async fn a_scan_of_keys_alone_finds_the_same<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 50).await?;
    for key in keys.iter().skip(40) {
        t.delete(key).await?;
    }
    let request = ScanRequest { want: Want::KEY, ..request(&t.prefix, 20) };
    let mut expected = texts(&keys);
    expected.truncate(40);
    same(names(t, request).await?, expected, "the scan")
}

async fn a_scan_leaves_out_other_prefixes<B: Backend>(t: &Trial<B>) -> Checked {
    let mine = t.key("user:1");
    for name in ["user:1", "use:1", "users:1", "usez", "User:1", "user;1", "user", "a:user:1"] {
        t.put(&t.key(name), "1").await?;
    }
    let found = names(t, request(t.key("user:").as_str(), 10)).await?;
    same(found, texts(&[mine]), "the scan")
}

async fn a_scan_of_the_empty_prefix_finds_everything<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 20).await?;
    let scoped = Key::from_stored(format!("/{}scoped", t.prefix));
    t.put(&scoped, "1").await?;
    let mut mine = names(t, request("", 500)).await?;
    mine.retain(|name| name.contains(&t.prefix));
    t.delete(&scoped).await?;
    let mut expected = texts(&keys);
    expected.push(scoped.into_string());
    expected.sort_unstable();
    same(mine, expected, "the scan of the empty prefix")
}

async fn a_prefix_is_text_and_not_a_segment<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = ["ab", "ab:c", "abc", "ab/c"].map(|name| t.key(name));
    for key in &keys {
        t.put(key, "1").await?;
    }
    t.put(&t.key("a"), "1").await?;
    let mut expected = texts(&keys);
    expected.sort_unstable();
    same(names(t, request(t.key("ab").as_str(), 10)).await?, expected, "the scan")
}

async fn a_prefix_can_be_a_whole_key<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("whole");
    t.put(&key, "1").await?;
    let found = names(t, request(key.as_str(), 10)).await?;
    same(found, texts(&[key]), "the scan")
}

async fn a_prefix_holds_no_wildcards<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = ["{a}:1", "a_b:1", "a.b:1"].map(|name| t.key(name));
    for key in &keys {
        t.put(key, "1").await?;
    }
    for other in ["axb:1", "a:1", "ab:1"] {
        t.put(&t.key(other), "1").await?;
    }
    for (prefix, key) in ["{a}", "a_b", "a.b"].into_iter().zip(keys) {
        let found = names(t, request(t.key(prefix).as_str(), 10)).await?;
        same(found, texts(&[key]), "the scan")?;
    }
    for prefix in ["*", "?", "a?b", "[a]", "a%", "a\\", "^a", "a>"] {
        let found = names(t, request(t.key(prefix).as_str(), 10)).await?;
        same(found, Vec::new(), "the scan of a prefix that no key has")?;
    }
    Ok(())
}

async fn a_scan_returns_values_byte_for_byte<B: Backend>(t: &Trial<B>) -> Checked {
    let values: [&'static [u8]; 4] = [b"", b"\0", b"\xff\xfe", b"{\"a\":1}"];
    let keys = t.keys(values.len());
    for (key, value) in keys.iter().zip(values) {
        t.put(key, value).await?;
    }
    let found = all(t, request(&t.prefix, 10)).await?;
    for (key, value) in keys.iter().zip(values) {
        let entry = found.iter().find(|(found, _)| found.as_str() == key.as_str());
        holds(entry.map(|(_, entry)| &entry.value), value)?;
    }
    Ok(())
}

async fn pages_of_one_hold_everything_once<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 20).await?;
    same(names(t, request(&t.prefix, 1)).await?, texts(&keys), "all pages together")
}

async fn pages_of_seven_hold_everything_once<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 60).await?;
    same(names(t, request(&t.prefix, 7)).await?, texts(&keys), "all pages together")
}

async fn one_page_can_be_larger_than_what_there_is<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 20).await?;
    same(names(t, request(&t.prefix, usize::MAX)).await?, texts(&keys), "the scan")
}

async fn a_removed_entry_is_not_listed<B: Backend>(t: &Trial<B>) -> Checked {
    let mut keys = fill(t, 10).await?;
    let gone = keys.remove(3);
    t.delete(&gone).await?;
    same(names(t, request(&t.prefix, 4)).await?, texts(&keys), "the scan")
}

async fn scans_at_the_same_time_do_not_disturb_each_other<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 30).await?;
    let (mut one, mut two) = (request(&t.prefix, 3), request(&t.prefix, 8));
    let first = t.scan(one.clone()).await?;
    let mut found: Vec<_> = first.entries.into_iter().map(|(key, _)| key.into_string()).collect();
    one.cursor = first.next;
    let second = t.scan(two.clone()).await?;
    let mut other: Vec<_> = second.entries.into_iter().map(|(key, _)| key.into_string()).collect();
    two.cursor = second.next;
    if one.cursor.is_some() {
        found.extend(names(t, one).await?);
    }
    if two.cursor.is_some() {
        other.extend(names(t, two).await?);
    }
    found.sort_unstable();
    other.sort_unstable();
    same(found, texts(&keys), "the first scan")?;
    same(other, texts(&keys), "the second scan")
}

async fn what_stays_is_found_while_others_come_and_go<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 60).await?;
    let (stay, go): (Vec<_>, Vec<_>) = keys.into_iter().enumerate().partition(|(i, _)| i % 2 == 0);
    let mut request = request(&t.prefix, 5);
    let mut found = Vec::new();
    let mut leaving = go.into_iter();
    for round in 0.. {
        let page = t.scan(request.clone()).await?;
        found.extend(page.entries.into_iter().map(|(key, _)| key.into_string()));
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
        for (_, key) in leaving.by_ref().take(4) {
            t.delete(&key).await?;
        }
        // Between the others, at both ends, and few enough for the scan to come to its end.
        if round < 10 {
            for place in ["00000", "00031", "99999"] {
                t.put(&t.key(&format!("{place}-new-{round}")), "1").await?;
            }
        }
    }
    for (_, key) in stay {
        let times = found.iter().filter(|name| *name == key.as_str()).count();
        same(times, 1, "how often an entry was found that was there throughout")?;
    }
    Ok(())
}

async fn what_is_rewritten_meanwhile_is_found_and_the_scan_ends<B: Backend>(
    t: &Trial<B>,
) -> Checked {
    let keys = fill(t, 30).await?;
    let mut request = request(&t.prefix, 4);
    let mut found = Vec::new();
    for round in 0.. {
        let page = t.scan(request.clone()).await?;
        found.extend(page.entries.into_iter().map(|(key, _)| key.into_string()));
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
        ensure(round < 300, "a scan of 30 entries, all of which are rewritten, does not end")?;
        for key in &keys {
            t.put(key, format!("round {round}")).await?;
        }
    }
    found.sort_unstable();
    found.dedup();
    same(found, texts(&keys), "the scan")
}

async fn a_scan_fills_in_revisions_when_asked<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 5).await?;
    let found = all(t, ScanRequest { want: Want::REVISION, ..request(&t.prefix, 2) }).await?;
    same(found.len(), keys.len(), "how many entries the scan found")?;
    for (key, entry) in found {
        same(entry.revision, Some(t.revision(&key).await?), "the revision that the scan tells")?;
    }
    Ok(())
}

async fn a_scan_fills_in_expiries_when_asked<B: Backend>(t: &Trial<B>) -> Checked {
    let (forever, hour) = (t.key("forever"), t.key("hour"));
    t.put(&forever, "1").await?;
    t.put_for(&hour, "1", HOUR).await?;
    let found = all(t, ScanRequest { want: Want::EXPIRY, ..request(&t.prefix, 10) }).await?;
    same(found.len(), 2, "how many entries the scan found")?;
    for (key, entry) in found {
        let expires = key.as_str() == hour.as_str();
        let expected = if expires { t.expiry(&hour).await? } else { Some(Expiry::Never) };
        t.near(Some(entry.expiry), expected)?;
    }
    Ok(())
}

async fn an_expired_entry_is_not_listed<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = fill(t, 10).await?;
    let (key, ttl, now) = (t.key("00005-soon-gone"), t.time.short(), t.time.now());
    t.put_for(&key, "1", ttl).await?;
    let listed = names(t, request(&t.prefix, 3)).await?;
    ensure(t.time.now() >= now.after(ttl) || listed.len() == 11, "a living entry is not listed")?;
    t.outlive(&key, now, ttl).await?;
    same(names(t, request(&t.prefix, 3)).await?, texts(&keys), "the scan")
}
