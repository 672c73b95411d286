//! Typed keys across formats and scopes: no two share an encoded key, each is read back exactly.

use std::net::IpAddr;

use proptest::{prelude::*, sample::select};
use state_runtime::{
    key::{Key, KeyError, KeyPart, KeyReader, KeyWriter, MAX_KEY_LEN},
    schema::{KeyFormat, Token},
};
use tests::cases::cases;

/// The value of a key field, of one of the types that a key can have.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    Text(String),
    Unsigned(u64),
    Signed(i128),
    Flag(bool),
    Letter(char),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Unsigned,
    Signed,
    Flag,
    Letter,
    Address,
}

/// A key as a store sends it: scope, type, key fields.
#[derive(Debug, Clone, PartialEq)]
struct TypedKey {
    scope: Option<String>,
    format: usize,
    fields: Vec<Field>,
}

const fn field(name: &'static str) -> Token {
    Token::Field { name, secret: false }
}

/// Formats that do not overlap, as alike as that allows.
const FORMATS: &[(KeyFormat, &[Kind])] = {
    use Kind::{Address, Flag, Letter, Signed, Text, Unsigned};
    use Token::Literal;
    &[
        (KeyFormat::new("a:{x}", &[Literal("a:"), field("x")]), &[Text]),
        (KeyFormat::new("a/{x}", &[Literal("a/"), field("x")]), &[Text]),
        (KeyFormat::new("a.{x}", &[Literal("a."), field("x")]), &[Unsigned]),
        (KeyFormat::new("a", &[Literal("a")]), &[]),
        (KeyFormat::new("b", &[Literal("b")]), &[]),
        (
            KeyFormat::new("a:{x}:{y}", &[Literal("a:"), field("x"), Literal(":"), field("y")]),
            &[Text, Text],
        ),
        (
            KeyFormat::new("a:{x}/{y}", &[Literal("a:"), field("x"), Literal("/"), field("y")]),
            &[Signed, Text],
        ),
        (
            KeyFormat::new(
                "a:{x}:{y}:{z}",
                &[Literal("a:"), field("x"), Literal(":"), field("y"), Literal(":"), field("z")],
            ),
            &[Text, Flag, Text],
        ),
        (KeyFormat::new("a:{x}:b:c:d", &[Literal("a:"), field("x"), Literal(":b:c:d")]), &[Text]),
        (
            KeyFormat::new(
                "{{a:{x}}}:{y}",
                &[Literal("{a:"), field("x"), Literal("}:"), field("y")],
            ),
            &[Text, Letter],
        ),
        (KeyFormat::new("b:{x}", &[Literal("b:"), field("x")]), &[Address]),
        (KeyFormat::new("b:{x}:z", &[Literal("b:"), field("x"), Literal(":z")]), &[Letter]),
    ]
};

impl TypedKey {
    fn encode(&self) -> Result<Key, KeyError> {
        let mut writer = KeyWriter::new();
        if let Some(scope) = &self.scope {
            writer.literal("/");
            writer.part("scope", scope);
            writer.literal("/");
        }
        let mut fields = self.fields.iter();
        for token in FORMATS[self.format].0.tokens() {
            match token {
                Token::Literal(text) => writer.literal(text),
                Token::Field { name, .. } => match fields.next().unwrap() {
                    Field::Text(it) => writer.part(name, it),
                    Field::Unsigned(it) => writer.part(name, it),
                    Field::Signed(it) => writer.part(name, it),
                    Field::Flag(it) => writer.part(name, it),
                    Field::Letter(it) => writer.part(name, it),
                    Field::Address(it) => writer.part(name, it),
                },
            }
        }
        writer.finish()
    }

    /// Reads a key of one format, in a scope or in none.
    fn decode(text: &str, has_scope: bool, format: usize) -> Result<Self, KeyError> {
        fn read<P: KeyPart>(
            reader: &mut KeyReader<'_>,
            name: &'static str,
            wrap: fn(P) -> Field,
        ) -> Result<Field, KeyError> {
            reader.part(name).map(wrap)
        }
        let (shape, kinds) = &FORMATS[format];
        let mut reader = KeyReader::new(shape.as_str(), text);
        let mut scope = None;
        if has_scope {
            reader.literal("/")?;
            scope = Some(reader.part("scope")?);
            reader.literal("/")?;
        }
        let mut kinds = kinds.iter();
        let mut fields = Vec::new();
        for token in shape.tokens() {
            match token {
                Token::Literal(text) => reader.literal(text)?,
                Token::Field { name, .. } => fields.push(match kinds.next().unwrap() {
                    Kind::Text => read(&mut reader, name, Field::Text),
                    Kind::Unsigned => read(&mut reader, name, Field::Unsigned),
                    Kind::Signed => read(&mut reader, name, Field::Signed),
                    Kind::Flag => read(&mut reader, name, Field::Flag),
                    Kind::Letter => read(&mut reader, name, Field::Letter),
                    Kind::Address => read(&mut reader, name, Field::Address),
                }?),
            }
        }
        reader.finish()?;
        Ok(Self { scope, format, fields })
    }

    /// What the length of the encoded key has to be, computed the slow and obvious way.
    fn encoded_len(&self) -> usize {
        let escaped = |text: &str| -> usize {
            let len = |b: u8| if b.is_ascii_alphanumeric() || b"_-".contains(&b) { 1 } else { 3 };
            text.bytes().map(len).sum()
        };
        let literals = FORMATS[self.format].0.tokens().iter().map(|token| match token {
            Token::Literal(text) => text.len(),
            Token::Field { .. } => 0,
        });
        let fields = self.fields.iter().map(|field| match field {
            Field::Text(it) => escaped(it),
            Field::Unsigned(it) => escaped(&it.to_string()),
            Field::Signed(it) => escaped(&it.to_string()),
            Field::Flag(it) => escaped(&it.to_string()),
            Field::Letter(it) => escaped(&it.to_string()),
            Field::Address(it) => escaped(&it.to_string()),
        });
        let scope = self.scope.as_ref().map_or(0, |scope| escaped(scope) + 2);
        literals.sum::<usize>() + fields.sum::<usize>() + scope
    }

    fn has_an_empty_part(&self) -> bool {
        self.scope.as_ref().is_some_and(String::is_empty)
            || self.fields.iter().any(|field| *field == Field::Text(String::new()))
    }
}

/// Few short texts of few characters, so that two of them are often alike, and some of any kind.
fn text() -> impl Strategy<Value = String> {
    let of = |chars: &'static [char], most: usize| {
        proptest::collection::vec(select(chars), 0..=most).prop_map(String::from_iter)
    };
    // Around the limit of the length, which counts escaped bytes.
    let long =
        (select(&['a', ':', 'é', '\u{10FFFF}'][..]), 990..1_030_usize).prop_map(|(c, len)| {
            let escaped = if c == 'a' { 1 } else { 3 * c.len_utf8() };
            "a".repeat(len % escaped) + &c.to_string().repeat(len / escaped)
        });
    prop_oneof![
        16 => of(&['a', 'b', ':', '/', '.', '='], 3),
        8 => of(&['=', '3', 'A', 'a', '%', '\0', '\n', '\u{7F}', '{', '}', '*', '>', ' '], 4),
        8 => proptest::collection::vec(any::<char>(), 0..6).prop_map(String::from_iter),
        2 => long,
    ]
}

fn value(kind: Kind) -> BoxedStrategy<Field> {
    match kind {
        Kind::Text => text().prop_map(Field::Text).boxed(),
        Kind::Unsigned => prop_oneof![0..3_u64, any::<u64>()].prop_map(Field::Unsigned).boxed(),
        Kind::Signed => prop_oneof![-2..3_i128, any::<i128>()].prop_map(Field::Signed).boxed(),
        Kind::Flag => any::<bool>().prop_map(Field::Flag).boxed(),
        Kind::Letter => {
            prop_oneof![select(&['a', 'b', ':'][..]), any::<char>()].prop_map(Field::Letter).boxed()
        }
        Kind::Address => {
            any::<u32>().prop_map(|bits| Field::Address(IpAddr::V4(bits.into()))).boxed()
        }
    }
}

fn typed_key() -> impl Strategy<Value = TypedKey> {
    let formats = (0..FORMATS.len()).map(|format| {
        let fields: Vec<_> = FORMATS[format].1.iter().map(|kind| value(*kind)).collect();
        (Just(format), fields).boxed()
    });
    let format = proptest::strategy::Union::new(formats);
    let scope = prop_oneof![3 => Just(None), 1 => text().prop_map(Some)];
    (scope, format).prop_map(|(scope, (format, fields))| TypedKey { scope, format, fields })
}

/// Texts that are keys of some format, or nearly.
fn key_like() -> impl Strategy<Value = String> {
    let encoded =
        typed_key().prop_map(|key| key.encode().map(Key::into_string).unwrap_or_default());
    let changed = (encoded, any::<prop::sample::Index>(), select(&b":/.=aA3{}"[..]), 0..4_u8)
        .prop_map(|(mut text, at, byte, change)| {
            let at = at.index(text.len() + 1);
            match change {
                0 => text.insert(at, char::from(byte)),
                1 if at < text.len() => {
                    text.remove(at);
                }
                2 => text = text.to_ascii_lowercase(),
                _ => {}
            }
            text
        });
    prop_oneof![4 => changed, 1 => "[/]?[ab][:/.][=0-9A-Fab:/]{0,8}"]
}

fn config(quick: u32, full: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases(quick, full)) }
}

#[test]
fn the_formats_do_not_overlap() {
    for (i, (first, _)) in FORMATS.iter().enumerate() {
        for (second, _) in &FORMATS[i + 1..] {
            assert!(!first.overlaps(second), "{} and {}", first.as_str(), second.as_str());
        }
    }
}

proptest! {
    #![proptest_config(config(4_000, 1_000_000))]

    #[test]
    fn different_keys_are_encoded_differently_and_read_back(a in typed_key(), b in typed_key()) {
        if let (Ok(first), Ok(second)) = (a.encode(), b.encode()) {
            prop_assert_eq!(a == b, first.as_str() == second.as_str());
            let back = TypedKey::decode(first.as_str(), a.scope.is_some(), a.format);
            prop_assert_eq!(back.as_ref(), Ok(&a));
            // As the type, or in the scope, of the other key it is nothing.
            let other = TypedKey::decode(first.as_str(), b.scope.is_some(), b.format);
            let same_kind = a.format == b.format && a.scope.is_some() == b.scope.is_some();
            prop_assert_eq!(other.is_ok(), same_kind);
        }
    }
}

proptest! {
    #![proptest_config(config(4_000, 200_000))]

    #[test]
    fn a_key_fails_for_an_empty_part_or_its_length_and_nothing_else(key in typed_key()) {
        match key.encode() {
            Ok(encoded) => {
                prop_assert_eq!(encoded.as_str().len(), key.encoded_len());
                prop_assert!(encoded.as_str().len() <= MAX_KEY_LEN);
                prop_assert!(!key.has_an_empty_part());
                prop_assert!(encoded.as_str().is_ascii());
            }
            Err(KeyError::Empty { .. }) => prop_assert!(key.has_an_empty_part()),
            Err(error) => {
                prop_assert_eq!(error, KeyError::TooLong { limit: MAX_KEY_LEN });
                prop_assert!(key.encoded_len() > MAX_KEY_LEN);
            }
        }
    }

    #[test]
    fn any_text_is_refused_or_written_back_as_it_was(text in key_like()) {
        for has_scope in [false, true] {
            for format in 0..FORMATS.len() {
                if let Ok(key) = TypedKey::decode(&text, has_scope, format) {
                    let again = key.encode().map(Key::into_string);
                    prop_assert_eq!(again.as_ref(), Ok(&text));
                }
            }
        }
    }
}
