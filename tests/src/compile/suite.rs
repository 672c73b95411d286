//! Runs cases and compares what rustc says with what is expected.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Compiler, Diagnostic, Outcome};

/// What to do with an expectation that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The case fails.
    Compare,
    /// The expectation is written anew.
    Update,
}

impl Mode {
    /// `Update` if `UPDATE_EXPECTATIONS` is set.
    #[must_use]
    pub fn from_env() -> Self {
        if std::env::var_os("UPDATE_EXPECTATIONS").is_some() { Self::Update } else { Self::Compare }
    }
}

/// Checks all cases in a folder, and answers with their number.
///
/// # Errors
///
/// A report of every case that is not as expected, of expectations without a case, and where
/// there is no case at all.
pub fn check_folder(compiler: &Compiler, folder: &Path, mode: Mode) -> Result<usize, String> {
    let files = files(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let (cases, others): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.extension().is_some_and(|it| it == "rs"));
    let strays = others
        .iter()
        .filter(|file| !cases.contains(&file.with_extension("rs")))
        .map(|file| format!("{} belongs to no case\n", file.display()));
    let failures: String = cases
        .iter()
        .filter_map(|case| check_case(compiler, case, mode).err())
        .chain(strays)
        .collect();
    match (failures.is_empty(), cases.len()) {
        (true, 0) => Err(format!("{} has no case", folder.display())),
        (true, count) => Ok(count),
        (false, _) => Err(failures),
    }
}

/// Checks one case.
///
/// # Errors
///
/// A report of what was expected and what was found.
pub fn check_case(compiler: &Compiler, case: &Path, mode: Mode) -> Result<(), String> {
    let report = |text: &str| format!("\n{}\n{text}\n", case.display());
    let outcome = compiler.check(case).map_err(|error| report(&error.to_string()))?;
    let file = case.with_extension("expected");
    let expectation = match fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(report(&error.to_string())),
    };
    match mode {
        Mode::Compare => judge(outcome, expectation.as_deref()).map_err(|text| report(&text)),
        Mode::Update => {
            let found = text(&outcome.errors);
            judge(outcome, Some(&found)).map_err(|text| report(&text))?;
            fs::write(file, found).map_err(|error| report(&error.to_string()))
        }
    }
}

fn judge(outcome: Outcome, expectation: Option<&str>) -> Result<(), String> {
    if outcome.compiled {
        return Err("it compiles, and must not".to_owned());
    }
    if outcome.errors.is_empty() {
        return Err("it does not compile, but no error points at it".to_owned());
    }
    let all = text(&outcome.errors);
    if outcome.errors.iter().any(Diagnostic::is_foreign) {
        return Err(format!("the compiler words an error that should be ours:\n{all}"));
    }
    let Some(expected) = expectation else {
        return Err(format!("there is no expectation; UPDATE_EXPECTATIONS=1 would write:\n{all}"));
    };
    let ours: Vec<_> =
        outcome.errors.into_iter().map(|it| it.without_notes_unknown_to(expected)).collect();
    let found = text(&ours);
    if found == expected {
        return Ok(());
    }
    Err(format!("expected:\n{expected}\nfound:\n{all}"))
}

/// The errors as an expectation has them.
fn text(errors: &[Diagnostic]) -> String {
    let count = match errors.len() {
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    };
    errors.iter().fold(format!("{count}\n"), |text, error| format!("{text}\n{error}"))
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
