//! What is ours in an error of rustc: the words, and the token of the user that it points at.

use std::fmt;

use serde::Deserialize;

/// One error. `Display` is the form it has in an expectation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    line: usize,
    token: String,
    message: String,
    label: Option<String>,
    notes: Vec<String>,
    foreign: bool,
}

impl Diagnostic {
    /// Reads a line of `--error-format=json`; `None` where it is no error at a place in `source`.
    #[must_use]
    pub fn parse(line: &str, source: &str) -> Option<Self> {
        let raw: Raw = serde_json::from_str(line).ok()?;
        if raw.level != "error" {
            return None;
        }
        let code = raw.code.as_ref().map(|it| it.code.as_str());
        let primary = raw.spans.iter().find(|span| span.is_primary)?;
        let place = primary.in_users_code();
        let token = source.get(place.byte_start..place.byte_end).unwrap_or_default();
        let notes = raw.children.into_iter().filter(Raw::may_be_ours).map(|it| it.message);
        Some(Self {
            line: place.line_start,
            token: token.split_whitespace().collect::<Vec<_>>().join(" "),
            // Only a bound that we word has a label of ours.
            label: primary.label.clone().filter(|_| code == Some(BOUND)),
            notes: notes.collect(),
            foreign: match code {
                None | Some(PANIC) => false,
                Some(BOUND) => raw.message.starts_with("the trait bound"),
                Some(_) => true,
            },
            message: raw.message.trim_start_matches("evaluation panicked: ").to_owned(),
        })
    }

    /// Whether the compiler has worded the error. Its words change from release to release, and
    /// they know nothing of state.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// Whether this says what `other` says of the same call. Of a bound that an `async fn` has, the
    /// compiler tells at an argument or the method, again at the whole call, and again at its
    /// `.await`.
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        let around = self.token == "await" || self.token.contains(&other.token);
        self.label.is_some()
            && around
            && self.token != other.token
            && (self.line, &self.message, &self.notes) == (other.line, &other.message, &other.notes)
    }

    /// Forgets the notes that `expectation` does not have: the compiler adds some of its own.
    #[must_use]
    pub fn without_notes_unknown_to(mut self, expectation: &str) -> Self {
        self.notes.retain(|note| expectation.lines().any(|line| line == note_line(note)));
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "line {} at `{}`", self.line, self.token)?;
        for line in self.message.lines() {
            writeln!(f, "{}", format!("    {line}").trim_end())?;
        }
        if let Some(label) = &self.label {
            writeln!(f, "  label: {label}")?;
        }
        for note in &self.notes {
            writeln!(f, "{}", note_line(note))?;
        }
        Ok(())
    }
}

fn note_line(note: &str) -> String {
    format!("  note: {note}")
}

/// A bound that is not met.
const BOUND: &str = "E0277";
/// A panic in a constant.
const PANIC: &str = "E0080";

#[derive(Deserialize)]
struct Raw {
    level: String,
    message: String,
    code: Option<Code>,
    spans: Vec<Span>,
    children: Vec<Raw>,
}

impl Raw {
    /// A guess for new expectations: our notes point nowhere, the compiler's mostly do.
    fn may_be_ours(&self) -> bool {
        self.level == "note" && self.spans.is_empty() && !self.message.starts_with("required ")
    }
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    byte_start: usize,
    byte_end: usize,
    line_start: usize,
    is_primary: bool,
    label: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Span,
    macro_decl_name: String,
}

impl Span {
    /// The call of the outermost macro, where the span is inside of one. What a derive generates is
    /// where the derive says: at tokens of the user, or at its own name.
    fn in_users_code(&self) -> &Self {
        match &self.expansion {
            Some(expansion) if expansion.macro_decl_name.ends_with('!') => {
                expansion.span.in_users_code()
            }
            _ => self,
        }
    }
}
