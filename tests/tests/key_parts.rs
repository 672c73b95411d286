//! Every type that can stand in a key: read back exactly, in one canonical form only.

use std::{
    fmt::Debug,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Utc};
use proptest::{prelude::*, test_runner::TestCaseResult};
use state_runtime::key::{Key, KeyError, KeyPart, KeyReader, KeyWriter, PartError};
use tests::cases::cases;
use uuid::Uuid;

fn encode<P: KeyPart>(part: &P) -> Result<Key, KeyError> {
    let mut writer = KeyWriter::new();
    writer.literal("part:");
    writer.part("it", part);
    writer.finish()
}

fn decode<P: KeyPart>(text: &str) -> Result<P, KeyError> {
    let mut reader = KeyReader::new("part:{it}", text);
    reader.literal("part:")?;
    let part = reader.part("it")?;
    reader.finish()?;
    Ok(part)
}

/// Two values have the same key only if they are the same, and each is read back from its own.
fn injective<P: KeyPart + PartialEq + Debug>(a: &P, b: &P) -> TestCaseResult {
    let (first, second) = (encode(a), encode(b));
    for (part, key) in [(a, &first), (b, &second)] {
        if let Ok(key) = key {
            let back = decode::<P>(key.as_str());
            prop_assert_eq!(back.as_ref(), Ok(part));
        }
    }
    if let (Ok(first), Ok(second)) = (first, second) {
        prop_assert_eq!(first == second, a == b);
    }
    Ok(())
}

/// A text is refused, or writing what was read gives the very same text.
fn canonical<P: KeyPart>(text: &str) -> TestCaseResult {
    if let Ok(part) = decode::<P>(text) {
        let again = encode(&part).map(Key::into_string);
        prop_assert_eq!(again.as_deref(), Ok(text));
    }
    Ok(())
}

/// Texts that look like the values of some type, and are often not canonical.
fn look_alike() -> impl Strategy<Value = String> {
    let plain = prop_oneof![
        "[+-]?0{0,2}[0-9]{1,4}",
        "true|false|True|1|yes",
        "[0-9a-fA-F:.]{1,16}",
        "(::ffff:)?[0-9]{1,3}[.][0-9]{1,3}[.]0?[0-9]{1,3}[.][0-9]{1,3}",
        "[+-]?[0-9]{1,6}-[0-9]{1,2}-[0-9]{1,2}",
        "[+-]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-6][0-9]([.,][0-9]{0,10})?(Z|z|[+]00:00|-00:00)",
        "[{]?[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}[}]?",
        "(urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        proptest::collection::vec(any::<char>(), 1..4).prop_map(String::from_iter),
    ];
    // As the writer escapes it, or with escapes that it would not write.
    let escaped = plain.prop_flat_map(|plain| {
        let text = encode(&plain).map_or_else(|_| "part:".to_owned(), Key::into_string);
        prop_oneof![4 => Just(text), 1 => Just(format!("part:{plain}"))]
    });
    prop_oneof![4 => escaped, 1 => "part:[0-9A-Fa-f=]{1,9}"]
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases(1_000, 20_000)) }
}

macro_rules! parts {
    ($($name:ident: $type:ty = $values:expr;)*) => {$(
        mod $name {
            use super::*;

            proptest! {
                #![proptest_config(config())]

                #[test]
                fn different_values_have_different_keys(a in $values, b in $values) {
                    injective::<$type>(&a, &b)?;
                    injective::<$type>(&a, &a.clone())?;
                }

                #[test]
                fn only_canonical_texts_are_read(text in look_alike()) {
                    canonical::<$type>(&text)?;
                }
            }
        }
    )*};
}

fn text() -> impl Strategy<Value = String> {
    let any_char = proptest::collection::vec(any::<char>(), 0..8);
    prop_oneof!["[ab=:/.]{0,3}", any_char.prop_map(String::from_iter)]
}

fn date() -> impl Strategy<Value = NaiveDate> {
    let all = NaiveDate::MIN.num_days_from_ce()..=NaiveDate::MAX.num_days_from_ce();
    let days = prop_oneof![all, -800..800_i32, 3_652_000..3_653_000_i32];
    days.prop_map(|days| NaiveDate::from_num_days_from_ce_opt(days).unwrap_or_default())
}

fn time() -> impl Strategy<Value = DateTime<Utc>> {
    let all = DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp();
    let seconds = prop_oneof![all, 0..100_i64, Just(59), -62_167_219_300..-62_167_219_100_i64];
    // From a thousand million on it is a leap second.
    let nanos = prop_oneof![0..2_000_000_000_u32, Just(0), Just(1_000_000_000), Just(500_000_000)];
    (seconds, nanos).prop_map(|(seconds, nanos)| {
        let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        time.with_nanosecond(nanos).unwrap_or(time)
    })
}

fn civil() -> impl Strategy<Value = jiff::civil::Date> {
    (-9999..=9999_i16, 1..=12_i8, 1..=28_i8)
        .prop_map(|(year, month, day)| jiff::civil::date(year, month, day))
}

fn instant() -> impl Strategy<Value = jiff::Timestamp> {
    let (min, max) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
    let seconds = prop_oneof![min.as_second()..=max.as_second(), -100..100_i64];
    let nanos = prop_oneof![-999_999_999..=999_999_999_i32, Just(0), Just(500_000_000)];
    (seconds, nanos)
        .prop_map(move |(seconds, nanos)| jiff::Timestamp::new(seconds, nanos).unwrap_or(max))
}

fn v6() -> impl Strategy<Value = Ipv6Addr> {
    let sparse = proptest::array::uniform8(prop_oneof![Just(0), any::<u16>()]);
    let mapped = any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).to_ipv6_mapped());
    prop_oneof![sparse.prop_map(Ipv6Addr::from), mapped]
}

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())), v6().prop_map(IpAddr::V6)]
}

parts! {
    string: String = text();
    boxed_str: Box<str> = text().prop_map(String::into_boxed_str);
    shared_str: Arc<str> = text().prop_map(Arc::from);
    boolean: bool = any::<bool>();
    character: char = any::<char>();
    u8: u8 = any::<u8>();
    u16: u16 = any::<u16>();
    u32: u32 = any::<u32>();
    u64: u64 = any::<u64>();
    u128: u128 = any::<u128>();
    usize: usize = any::<usize>();
    i8: i8 = any::<i8>();
    i16: i16 = any::<i16>();
    i32: i32 = any::<i32>();
    i64: i64 = any::<i64>();
    i128: i128 = any::<i128>();
    isize: isize = any::<isize>();
    ip_addr: IpAddr = ip();
    ipv4_addr: Ipv4Addr = any::<u32>().prop_map(Ipv4Addr::from);
    ipv6_addr: Ipv6Addr = v6();
    uuids: Uuid = any::<u128>().prop_map(Uuid::from_u128);
    chrono_date: NaiveDate = date();
    chrono_time: DateTime<Utc> = time();
    jiff_date: jiff::civil::Date = civil();
    jiff_timestamp: jiff::Timestamp = instant();
}

#[test]
fn the_first_and_last_values_of_every_type_are_written() {
    fn written<P: KeyPart + PartialEq + Debug>(values: &[P]) {
        for value in values {
            let key = encode(value).unwrap();
            assert_eq!(decode::<P>(key.as_str()).as_ref(), Ok(value));
        }
    }
    written(&[u128::MIN, u128::MAX]);
    written(&[i128::MIN, i128::MAX]);
    written(&[i8::MIN, i8::MAX]);
    written(&['\0', char::MAX]);
    written(&[Uuid::nil(), Uuid::max()]);
    written(&[NaiveDate::MIN, NaiveDate::MAX]);
    written(&[DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC]);
    written(&[jiff::civil::Date::MIN, jiff::civil::Date::MAX]);
    written(&[jiff::Timestamp::MIN, jiff::Timestamp::MAX]);
}

#[test]
fn a_real_leap_second_is_kept() {
    let leap = DateTime::from_timestamp(1_483_228_799, 1_500_000_000).unwrap();
    let key = encode(&leap).unwrap();
    assert_eq!(key.as_str(), "part:2016-12-31T23=3A59=3A60=2E500Z");
    assert_eq!(decode(key.as_str()), Ok(leap));
}

#[test]
fn a_leap_second_that_no_clock_shows_is_refused() {
    // It would print like the second after it.
    let odd = DateTime::<Utc>::UNIX_EPOCH.with_nanosecond(1_500_000_000).unwrap();
    assert_eq!(encode(&odd), Err(KeyError::Part { field: "it", reason: PartError::Unwritable }));
}
