//! Durations (`1h30m`) and sizes (`64KiB`) as users write them.

use crate::suggest::did_you_mean;

/// From the largest to the smallest, which is the order in which they may be combined.
const DURATIONS: [(&str, u64); 6] = [
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Names that people write for a unit that has another name here.
const ALIASES: [(&str, &str); 21] = [
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("week", "w"),
    ("weeks", "w"),
    ("millis", "ms"),
    ("msec", "ms"),
    ("millisecond", "ms"),
    ("milliseconds", "ms"),
    ("S", "s"),
];

const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// Ten years, leap days included.
const MAX_MILLIS: u64 = 3_653 * 24 * 3_600_000;

/// A duration in milliseconds, or what is wrong with it and how to put it right.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    if let Some(answer) = without_spaces(text, duration) {
        return answer;
    }
    let mut total: u64 = 0;
    let mut rest = text;
    let mut allowed = DURATIONS.as_slice();
    if text.is_empty() {
        return Err("the ttl is empty; write a number and a unit, like `30m` or `1h30m`".into());
    }
    while !rest.is_empty() {
        let (number, unit, tail) = split(rest);
        rest = tail;
        if number.is_empty() {
            return Err(format!(
                "`{text}` is not a duration; write a whole number and a unit, like `30m` or `1h30m`"
            ));
        }
        let Some(position) = allowed.iter().position(|(name, _)| *name == unit) else {
            return Err(wrong_duration_unit(text, number, unit));
        };
        let millis = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(allowed[position].1))
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= MAX_MILLIS);
        let Some(millis) = millis else {
            return Err(format!(
                "`{text}` is more than ten years; write `persistent` for state that stays"
            ));
        };
        total = millis;
        allowed = &allowed[position + 1..];
    }
    if total == 0 {
        return Err(format!(
            "`{text}` is zero; a ttl is at least `1ms`, and state that stays is `persistent`"
        ));
    }
    Ok(total)
}

fn wrong_duration_unit(text: &str, number: &str, unit: &str) -> String {
    let known = "the units are ms, s, m, h, d and w";
    if unit.is_empty() {
        return format!("`{text}` has a number without a unit; did you mean `{number}s`? {known}");
    }
    if matches!(unit, "us" | "µs" | "ns") {
        return format!("`{text}` is finer than a millisecond; the smallest unit is `ms`");
    }
    if unit.starts_with('.') {
        return format!("`{text}` has a fraction; combine whole units instead, like `1h30m`");
    }
    if DURATIONS.iter().any(|(name, _)| *name == unit) {
        return format!(
            "`{text}` names `{unit}` twice or after a smaller unit; write each unit once, largest first"
        );
    }
    let alias = ALIASES.iter().find(|(name, _)| *name == unit);
    let hint = match alias {
        Some((_, right)) => format!("; did you mean `{number}{right}`?"),
        None => String::new(),
    };
    let end = if hint.is_empty() { ";" } else { "" };
    format!("`{text}`: unknown unit `{unit}`{hint}{end} {known}")
}

/// A size in bytes, or what is wrong with it and how to put it right.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    if let Some(answer) = without_spaces(text, size) {
        return answer;
    }
    let known = "the units are B, KiB, MiB, GiB, KB, MB and GB";
    let (number, unit, tail) = split(text);
    if number.is_empty() || !tail.is_empty() {
        return Err(format!(
            "`{text}` is not a size; write a whole number and a unit, like `64KiB`"
        ));
    }
    let Some((_, factor)) = SIZES.iter().find(|(name, _)| *name == unit) else {
        if unit.is_empty() {
            return Err(format!("`{text}` has no unit; did you mean `{text}B`? {known}"));
        }
        let same_letters =
            SIZES.iter().map(|(name, _)| *name).find(|name| name.eq_ignore_ascii_case(unit));
        let hint = match same_letters {
            Some(name) => format!("; did you mean `{number}{name}`?"),
            None => did_you_mean(unit, SIZES.map(|(name, _)| name)),
        };
        let end = if hint.is_empty() { ";" } else { "" };
        return Err(format!("`{text}`: unknown unit `{unit}`{hint}{end} {known}"));
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor)) {
        Some(0) => Err(format!("`{text}` leaves no room for a value; `max_size` is at least `1B`")),
        Some(bytes) if u32::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err(format!("`{text}` is over the largest `max_size`, 4 GiB less one byte")),
    }
}

/// What is wrong with a text that has spaces; `None` for one that has none.
fn without_spaces(
    text: &str,
    parse: fn(&str) -> Result<u64, String>,
) -> Option<Result<u64, String>> {
    if !text.contains(char::is_whitespace) {
        return None;
    }
    let tight: String = text.split_whitespace().collect();
    Some(Err(match parse(&tight) {
        Ok(_) => format!("`{text}` has spaces; write `{tight}`"),
        Err(message) => message,
    }))
}

/// The leading digits, what follows up to the next digit, and the rest.
fn split(text: &str) -> (&str, &str, &str) {
    let (number, rest) = text.split_at(until(text, |c| !c.is_ascii_digit()));
    let (unit, rest) = rest.split_at(until(rest, |c| c.is_ascii_digit()));
    (number, unit, rest)
}

fn until(text: &str, end: impl Fn(char) -> bool) -> usize {
    text.find(end).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_combine_whole_units() {
        assert_eq!(duration("250ms"), Ok(250));
        assert_eq!(duration("30m"), Ok(1_800_000));
        assert_eq!(duration("1h30m"), Ok(5_400_000));
        assert_eq!(duration("1w2d3h4m5s6ms"), Ok(788_645_006));
        assert_eq!(duration("3653d"), Ok(MAX_MILLIS));
    }

    #[test]
    fn a_wrong_duration_says_what_to_write() {
        for (text, says) in [
            ("", "is empty"),
            ("m", "not a duration"),
            ("-5m", "not a duration"),
            ("5 m", "has spaces; write `5m`"),
            ("1h 30 parsecs", "unknown unit `parsecs`"),
            ("30", "did you mean `30s`?"),
            ("30min", "; did you mean `30m`? the units"),
            ("30x", "unknown unit `x`; the units"),
            ("1.5h", "combine whole units"),
            ("10us", "finer than a millisecond"),
            ("0s", "is zero"),
            ("30m1h", "largest first"),
            ("1m1m", "largest first"),
            ("3654d", "more than ten years"),
            ("99999999999999999999w", "more than ten years"),
        ] {
            let message = duration(text).unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
        }
    }

    #[test]
    fn sizes_have_binary_and_decimal_units() {
        assert_eq!(size("1B"), Ok(1));
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("2MB"), Ok(2_000_000));
    }

    #[test]
    fn a_wrong_size_says_what_to_write() {
        for (text, says) in [
            ("", "not a size"),
            ("KiB", "not a size"),
            ("1KiB2B", "not a size"),
            ("65536", "did you mean `65536B`?"),
            ("64kib", "; did you mean `64KiB`? the units"),
            ("64 KiB", "has spaces; write `64KiB`"),
            ("64Kib", "did you mean `64KiB`?"),
            ("1TiB", "unknown unit `TiB`"),
            ("0KiB", "leaves no room"),
            ("4GiB", "over the largest"),
        ] {
            let message = size(text).unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
        }
    }
}
