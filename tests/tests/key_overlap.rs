//! `KeyFormat::overlaps` against brute force: every small format, every text that it can have.

use std::collections::{HashMap, HashSet};

use state_runtime::schema::{KeyFormat, Token};

const FIELD: Token = Token::Field { name: "f", secret: false };

/// The segments that the formats are made of. A `F` is a key field, a brace is a literal one.
const SEGMENTS: &[&str] = &["a", "ab", "b", "a-", "F", "{F}", "{a}", "a{F", "F}b"];

/// Values of key fields that reach every literal segment, and one that reaches none.
const VALUES: &[&str] = &["a", "b", "ab", "a-", "=3A"];

/// All formats of up to three segments that the derive would accept, `F` for a field.
fn shapes() -> Vec<String> {
    let literal = |segment: &&str| !segment.contains('F');
    let mut row: Vec<String> =
        SEGMENTS.iter().copied().filter(literal).map(str::to_owned).collect();
    let mut all = row.clone();
    for _ in 0..2 {
        let longer = row.iter().flat_map(|start| {
            let ends = SEGMENTS
                .iter()
                .flat_map(|end| [format!("{start}:{end}"), format!("{start}/{end}")]);
            ends.collect::<Vec<_>>()
        });
        row = longer.collect();
        all.extend(row.iter().cloned());
    }
    all
}

fn format_of(shape: &str) -> KeyFormat {
    let mut tokens = Vec::new();
    for (i, literal) in shape.split('F').enumerate() {
        if i > 0 {
            tokens.push(FIELD);
        }
        if !literal.is_empty() {
            tokens.push(Token::Literal(literal.to_owned().leak()));
        }
    }
    KeyFormat::new(shape.to_owned().leak(), tokens.leak())
}

/// Every key of a format whose fields have the values above.
fn keys_of(shape: &str) -> Vec<String> {
    let mut keys = vec![String::new()];
    for (i, literal) in shape.split('F').enumerate() {
        let values: &[&str] = if i == 0 { &[""] } else { VALUES };
        keys = keys
            .iter()
            .flat_map(|start| values.iter().map(move |value| format!("{start}{value}{literal}")))
            .collect();
    }
    keys
}

#[test]
fn two_formats_overlap_exactly_if_some_text_is_a_key_of_both() {
    let shapes = shapes();
    let formats: Vec<KeyFormat> = shapes.iter().map(|shape| format_of(shape)).collect();
    let mut owners: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, shape) in shapes.iter().enumerate() {
        for key in keys_of(shape) {
            owners.entry(key).or_default().push(i);
        }
    }
    let sharing: HashSet<(usize, usize)> = owners
        .values()
        .flat_map(|owners| owners.iter().flat_map(|a| owners.iter().map(move |b| (*a, *b))))
        .collect();
    assert!(shapes.len() > 1_000 && sharing.len() > shapes.len());

    for (i, first) in formats.iter().enumerate() {
        for (j, second) in formats.iter().enumerate() {
            assert_eq!(
                first.overlaps(second),
                sharing.contains(&(i, j)),
                "{} and {}",
                first.as_str(),
                second.as_str()
            );
        }
    }
}
