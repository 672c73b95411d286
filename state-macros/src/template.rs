//! Key formats: `session:{id}` into literals and placeholders, or the faults in it.

use core::ops::Range;

/// The longest encoded key, the runtime's `MAX_KEY_LEN`.
const MAX_KEY_LEN: usize = 1024;

/// One piece of a format. Two literals never follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text as it stands in every key, with `{{` read as `{`.
    Literal(String),
    /// A placeholder, and where it stands in the format, braces included.
    Field { name: String, at: Range<usize> },
}

/// What is wrong with a format, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
}

impl Fault {
    fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// The message, and under it the format with the fault marked, unless it is the whole of it: the
    /// compiler cannot point into a literal.
    pub(crate) fn render(&self, format: &str) -> String {
        let before = format.get(..self.at.start).unwrap_or(format).chars().count();
        let marked = format.get(self.at.clone()).unwrap_or_default().chars().count().max(1);
        let (pad, marks) = (" ".repeat(before), "^".repeat(marked));
        if self.at == (0..format.len()) {
            return self.message.clone();
        }
        format!("{}\n\n    {format}\n    {pad}{marks}", self.message)
    }
}

/// One character of a format, with `{{`, `}}` and placeholders taken as one.
enum Unit<'f> {
    Plain(char),
    Delimiter(char),
    Open,
    Close,
    Field(&'f str),
}

type Units<'f> = Vec<(Unit<'f>, Range<usize>)>;

/// Parses a format.
///
/// Every fault is found, but those of the characters hide those of the structure, which would only
/// repeat them.
pub(crate) fn parse(format: &str) -> Result<Vec<Piece>, Vec<Fault>> {
    if format.is_empty() {
        let message = "the key format is empty; start it with a literal, like `session:{id}`";
        return Err(vec![Fault::new(0..0, message)]);
    }
    let mut faults = Vec::new();
    let units = scan(format, &mut faults);
    if faults.is_empty() {
        check_delimiters(&units, &mut faults);
        check_braces(&units, &mut faults);
        check_segments(&units, &mut faults);
        check_length(format, &units, &mut faults);
    }
    if faults.is_empty() { Ok(pieces(units)) } else { Err(faults) }
}

/// The names between single braces, however faulty the format is otherwise.
pub(crate) fn names_in(format: &str) -> Vec<String> {
    scan(format, &mut Vec::new())
        .into_iter()
        .filter_map(|(unit, _)| match unit {
            Unit::Field(name) => Some(name.to_owned()),
            _ => None,
        })
        .collect()
}

fn scan<'f>(format: &'f str, faults: &mut Vec<Fault>) -> Units<'f> {
    let mut units = Vec::new();
    let mut chars = format.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let mut end = start + c.len_utf8();
        let doubled = chars.peek().is_some_and(|(_, next)| *next == c);
        let unit = match c {
            '{' | '}' if doubled => {
                chars.next();
                end += 1;
                if c == '{' { Unit::Open } else { Unit::Close }
            }
            '{' => {
                let inside = format.get(end..).unwrap_or_default();
                let Some(len) = inside.find(['{', '}']).filter(|at| inside[*at..].starts_with('}'))
                else {
                    faults.push(Fault::new(
                        start..end,
                        "this `{` is not closed; write `{field}` for a key field, or `{{` for the character",
                    ));
                    continue;
                };
                while chars.next_if(|(at, _)| *at <= end + len).is_some() {}
                let name = &inside[..len];
                end += len + 1;
                if !is_identifier(name) {
                    faults.push(placeholder_fault(name, start..end));
                    continue;
                }
                Unit::Field(name)
            }
            '}' => {
                faults.push(Fault::new(
                    start..end,
                    "this `}` closes nothing; write `}}` for the character",
                ));
                continue;
            }
            ':' | '/' | '.' => Unit::Delimiter(c),
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' => Unit::Plain(c),
            _ => {
                faults.push(Fault::new(
                    start..end,
                    format!(
                        "{c:?} cannot stand in a key format; use letters, digits, `_` and `-`, separated by `:`, `/` or `.`"
                    ),
                ));
                continue;
            }
        };
        units.push((unit, start..end));
    }
    units
}

fn is_identifier(name: &str) -> bool {
    // The parser would skip spaces.
    if name.contains(char::is_whitespace) {
        return false;
    }
    syn::parse_str::<syn::Ident>(name.strip_prefix("r#").unwrap_or(name)).is_ok()
        || syn::parse_str::<syn::Ident>(&format!("r#{name}")).is_ok()
}

fn placeholder_fault(name: &str, at: Range<usize>) -> Fault {
    if name.is_empty() {
        return Fault::new(at, "the placeholder is empty; name a field between the braces");
    }
    let trimmed = name.trim();
    if is_identifier(trimmed) {
        return Fault::new(at, format!("the placeholder has spaces; write `{{{trimmed}}}`"));
    }
    Fault::new(
        at,
        format!(
            "`{name}` is not the name of a field; a placeholder is `{{field}}` and nothing else"
        ),
    )
}

fn check_delimiters(units: &Units<'_>, faults: &mut Vec<Fault>) {
    let mut previous: Option<&Unit<'_>> = None;
    for (index, (unit, at)) in units.iter().enumerate() {
        if let Unit::Delimiter(c) = unit {
            if previous.is_none() {
                faults.push(Fault::new(
                    at.clone(),
                    format!(
                        "the key format starts with `{c}`; start it with a name, like `session`"
                    ),
                ));
            } else if matches!(previous, Some(Unit::Delimiter(_) | Unit::Open)) {
                faults.push(Fault::new(
                    at.clone(),
                    format!(
                        "nothing stands before this `{c}`; remove it or put a name or a field there"
                    ),
                ));
            } else if index + 1 == units.len() {
                faults.push(Fault::new(
                    at.clone(),
                    format!("the key format ends with `{c}`; remove it or put a name or a field after it"),
                ));
            }
        }
        previous = Some(unit);
    }
}

fn check_braces(units: &Units<'_>, faults: &mut Vec<Fault>) {
    let mut open: Option<&Range<usize>> = None;
    let mut previous: Option<&Unit<'_>> = None;
    for (unit, at) in units {
        match (unit, open) {
            (Unit::Open, Some(_)) => faults.push(Fault::new(
                at.clone(),
                "a hash tag stands inside another; close the first with `}}` before it",
            )),
            (Unit::Open, None) => open = Some(at),
            (Unit::Close, None) => faults.push(Fault::new(
                at.clone(),
                "this `}}` closes no hash tag; open it with `{{` or remove it",
            )),
            (Unit::Close, Some(start)) => {
                let whole = start.start..at.end;
                match previous {
                    Some(Unit::Open) => faults.push(Fault::new(
                        whole,
                        "the hash tag is empty; put a field into it, like `{{{id}}}`",
                    )),
                    Some(Unit::Delimiter(c)) => faults.push(Fault::new(
                        whole,
                        format!("the hash tag ends with `{c}`; remove it or put a field after it"),
                    )),
                    _ => {}
                }
                open = None;
            }
            _ => {}
        }
        previous = Some(unit);
    }
    if let Some(at) = open {
        faults.push(Fault::new(at.clone(), "this hash tag is not closed; write `}}` after it"));
    }
}

/// A field fills its segment, and the first segment has none. One fault a segment.
fn check_segments(units: &Units<'_>, faults: &mut Vec<Fault>) {
    let delimiter = units.iter().find_map(|(unit, _)| match unit {
        Unit::Delimiter(c) => Some(*c),
        _ => None,
    });
    let segments = units.split(|(unit, _)| matches!(unit, Unit::Delimiter(_)));
    for (index, segment) in segments.enumerate() {
        let field = segment.iter().find_map(|(unit, at)| match unit {
            Unit::Field(name) => Some((name, at)),
            _ => None,
        });
        // Literal braces separate as delimiters do: no segment holds one.
        let mut runs = segment.split(|(unit, _)| matches!(unit, Unit::Open | Unit::Close));
        match (field, runs.find(|run| is_mixed(run))) {
            (Some((name, at)), _) if index == 0 => faults.push(Fault::new(
                at.clone(),
                format!(
                    "the first segment holds a field, so it could be any key; start with a name, like `session:{{{name}}}`"
                ),
            )),
            (_, Some(run)) => faults.push(unseparated(run, delimiter.unwrap_or(':'))),
            _ => {}
        }
    }
}

fn is_mixed(run: &[(Unit<'_>, Range<usize>)]) -> bool {
    run.len() > 1 && run.iter().any(|(unit, _)| matches!(unit, Unit::Field(_)))
}

/// A field beside a field or a text, and how to write them apart.
fn unseparated(run: &[(Unit<'_>, Range<usize>)], delimiter: char) -> Fault {
    let mut parts = vec![String::new()];
    for (unit, _) in run {
        match (unit, parts.last_mut()) {
            (Unit::Field(name), _) => parts.extend([format!("{{{name}}}"), String::new()]),
            (Unit::Plain(c), Some(text)) => text.push(*c),
            _ => {}
        }
    }
    let apart: Vec<_> = parts
        .iter()
        .map(|part| part.trim_matches(['-', '_']))
        .filter(|part| !part.is_empty())
        .collect();
    let apart = apart.join(&delimiter.to_string());
    let start = run.first().map_or(0, |(_, at)| at.start);
    let end = run.last().map_or(start, |(_, at)| at.end);
    let message = format!(
        "a field fills its whole segment, or nobody could tell where it ends; write `{apart}`"
    );
    Fault::new(start..end, message)
}

fn check_length(format: &str, units: &Units<'_>, faults: &mut Vec<Fault>) {
    // A field is at least one byte long.
    if units.len() > MAX_KEY_LEN {
        faults.push(Fault::new(
            0..format.len(),
            format!("every key would be longer than {MAX_KEY_LEN} bytes; shorten the literals"),
        ));
    }
}

fn pieces(units: Units<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (unit, at) in units {
        let c = match unit {
            Unit::Field(name) => {
                pieces.push(Piece::Field { name: name.to_owned(), at });
                continue;
            }
            Unit::Plain(c) | Unit::Delimiter(c) => c,
            Unit::Open => '{',
            Unit::Close => '}',
        };
        match pieces.last_mut() {
            Some(Piece::Literal(text)) => text.push(c),
            _ => pieces.push(Piece::Literal(c.to_string())),
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
