//! Durations (`500ms`) and sizes (`16MiB`) as they stand in a URL: a whole number and a unit.

use core::{str::FromStr, time::Duration};

use crate::backend::suggest::did_you_mean;

const DURATIONS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// A whole number: digits and nothing else.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A duration, or what to write instead.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let millis = scaled(text, &DURATIONS, "2s")?;
    if millis == 0 {
        Err("zero is no time; the least is `1ms`".into())
    } else {
        Ok(Duration::from_millis(millis))
    }
}

/// A size in bytes, or what to write instead.
pub(super) fn size(text: &str) -> Result<u64, String> {
    scaled(text, &SIZES, "16MiB")
}

fn scaled(text: &str, units: &[(&'static str, u64)], example: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let known = || units.iter().map(|(name, _)| *name);
    if number.is_empty() {
        return Err(format!("write a whole number and a unit, like `{example}`"));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let names = known().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint = did_you_mean(unit, known());
        let end = if hint.is_empty() { ";" } else { "" };
        return Err(format!(
            "write a whole number and a unit, like `{example}`{hint}{end} the units are {names}"
        ));
    };
    let scaled = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor));
    scaled.ok_or_else(|| "it is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_alone() {
        assert_eq!(number("255"), Some(255_u8));
        for text in ["", "+1", "-1", "256", "1 ", "0x1", "\u{661}"] {
            assert_eq!(number::<u8>(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
    }

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        assert_eq!(size("0B"), Ok(0));
        assert_eq!(size("16MiB"), Ok(16 << 20));
        assert_eq!(size("2GB"), Ok(2_000_000_000));
    }

    #[test]
    fn anything_else_says_what_to_write() {
        for (text, says) in [
            ("", "like `2s`"),
            ("s", "like `2s`"),
            ("-1s", "like `2s`"),
            ("2", "the units are `ms`, `s`, `m`, `h`"),
            ("2 s", "the units are"),
            ("1.5s", "the units are"),
            ("1h30m", "the units are"),
            ("0s", "zero is no time"),
            ("18446744073709551615h", "too large"),
            ("99999999999999999999s", "too large"),
        ] {
            let message = duration(text).unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
        }
        assert!(size("1mib").unwrap_err().contains("; did you mean `MiB`? the units are"));
    }
}
