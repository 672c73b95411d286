//! How the examples print: headings, aligned lines, refusals. What they teach is in `examples/`.

mod arguments;

use std::{
    env,
    error::Error,
    fmt::{self, Display},
    io::{self, IsTerminal as _, Write as _},
};

use state_runtime::StateError;

pub use self::arguments::{Arguments, Program};

const LABEL: usize = 17;
const WIDTH: usize = 100;

/// Prints what the program is.
pub fn title(text: &str) {
    print(&format!("\n{}", emphasised(text)));
}

/// Prints what comes next.
pub fn step(text: &str) {
    print(&format!("\n{}", emphasised(text)));
}

/// Prints one aligned line.
pub fn say(label: &str, text: impl Display) {
    let text = text.to_string();
    let mut label = label;
    for line in text.lines().flat_map(wrapped) {
        print(format!("  {label:<LABEL$}{line}").trim_end());
        label = "";
    }
}

/// Prints a line. That nobody reads on (`| head`) is no reason to stop.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints the error of a call that has to be refused.
///
/// # Errors
///
/// [`NotRefused`] if it succeeded.
pub fn refused<T>(call: &str, outcome: Result<T, StateError>) -> Result<(), NotRefused> {
    let error = outcome.err().ok_or(NotRefused)?;
    say(call, format!("refused with {}", variant(&error)));
    say("", &error);
    Ok(())
}

/// A call succeeded that must not.
#[derive(Debug)]
pub struct NotRefused;

impl Display for NotRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a call succeeded that has to be refused")
    }
}

impl Error for NotRefused {}

/// What ends an example early, printed for people: the error and its causes.
///
/// `fn main` shows the `Debug` form of its error, so that is where the words are.
pub struct Failure(Box<dyn Error>);

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, "\n  because: {error}")?;
            cause = error.source();
        }
        match self.0.downcast_ref() {
            Some(StateError::InvalidUrl(reason)) => match reason.missing_feature() {
                Some(feature) => write!(f, "\n  run: {}", arguments::command_with(feature)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// The name of an error's variant, which its `Debug` form begins with.
fn variant(error: &StateError) -> String {
    let debug = format!("{error:?}");
    let name = debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    format!("StateError::{name}")
}

/// Bold on a terminal, unless the user wants none of that.
fn emphasised(text: &str) -> String {
    let plain = env::var_os("NO_COLOR").is_some() || !io::stdout().is_terminal();
    if plain { text.to_owned() } else { format!("\x1b[1m{text}\x1b[0m") }
}

/// A line in pieces that fit beside the label, broken at spaces. What is indented stays whole.
fn wrapped(line: &str) -> Vec<String> {
    let room = WIDTH - LABEL - 2;
    if line.starts_with(' ') || line.chars().count() <= room {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        match lines.last_mut() {
            Some(last) if last.is_empty() => last.push_str(word),
            Some(last) if last.chars().count() + 1 + word.chars().count() <= room => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_at_spaces_and_loses_nothing() {
        let line = "one two three ".repeat(20);
        let pieces = wrapped(line.trim());
        assert!(pieces.len() > 1);
        assert!(pieces.iter().all(|piece| piece.len() <= WIDTH - LABEL - 2), "{pieces:?}");
        assert_eq!(pieces.join(" "), line.trim());
    }
}
