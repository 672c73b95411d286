//! The times that a sidecar tells, and those that it is told.

use core::time::Duration;

use crate::backend::Timestamp;

/// How much longer than an entry lives a component has to keep it.
///
/// Who reads decides by the expiry in the stored value, so that it is exact to the millisecond and
/// the same for all components; a component counts whole seconds, and some begin a second too
/// early. The rest is how far the clocks of two programs may differ: one that is behind must not
/// find nothing where it expects an entry with an etag.
const MARGIN: Duration = Duration::from_secs(10);

/// How long a component has to keep what expires at `expires`, in seconds.
pub(super) fn seconds_until(expires: Timestamp, now: Timestamp) -> u64 {
    let left = expires.since(now).saturating_add(MARGIN);
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// The end of the second that is written as `2026-11-22T22:55:23Z`; the sidecar cuts the rest off,
/// and expiry never comes early.
pub(super) fn end_of_second(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp::from_millis(seconds * 1000 + 999))
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// The days from the Unix epoch to a date of the Gregorian calendar. Years are counted from March,
/// so that the leap day is the last of its year.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = 365 * year + year / 4 - year / 100 + year / 400;
    /// The days from the first of March in the year 0 to the Unix epoch.
    const EPOCH: u64 = 719_468;
    (before + (153 * month + 2) / 5 + day - 1).saturating_sub(EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_sidecar_are_understood() {
        let known = [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:30:15Z", 951_827_415),
            ("2026-01-01T00:00:00Z", 1_767_225_600),
            ("2026-11-22T22:55:23Z", 1_795_388_123),
        ];
        for (text, seconds) in known {
            let expected = Timestamp::from_millis(seconds * 1000 + 999);
            assert_eq!(end_of_second(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "Z", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T25:00:00Z", "aTbZ"]
        {
            assert_eq!(end_of_second(text), None, "{text}");
        }
    }

    #[test]
    fn a_component_keeps_an_entry_longer_than_it_lives() {
        let now = Timestamp::from_millis(1_000_000);
        assert_eq!(seconds_until(now.after(Duration::from_millis(1)), now), 11);
        assert_eq!(seconds_until(now.after(Duration::from_secs(60)), now), 70);
    }
}
