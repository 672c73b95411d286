//! Import: records that nobody vouches for become typed state, or a line in a report.
//!
//! ```text
//! cargo run --example import -- examples/data/films.json     # into ./state
//! cargo run --example import -- examples/data/films.json --store file:dir   # into another folder
//! cargo run --example import --features nats -- examples/data/films.json --store nats://127.0.0.1/films
//! ```
//!
//! The file is an array of records. The key of a film is its title, and the first of a title wins:
//! of the file, and over all runs. So running it again stores nothing twice. The rules are those of
//! [`Film`](film::Film); a title is text, so a record with a number or nothing for it is rejected.

mod date;
mod film;
mod progress;
mod report;

use std::{
    collections::HashSet,
    error::Error,
    fmt, fs, io,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use examples::{Failure, Program, say, step, title};
use film::{Film, FilmKey};
use progress::Progress;
use report::{Outcome, Rejection, grouped};
use serde::Deserialize;
use serde_json::value::{RawValue, Value};
use state_runtime::{
    StateError,
    backend::{Backend as _, Capability},
    connect,
    prelude::*,
    store::decode,
};
use tokio::task::JoinSet;

const PROGRAM: Program = Program {
    name: "import",
    about: "Imports films from a JSON file that nobody vouches for. Running it again stores nothing twice.",
    operands: &["file.json"],
    store: Some("file:state"),
};

/// How many films are written at once: they share a sync of the disk, or the way to a server.
const AT_ONCE: usize = 512;

/// How long one of them may take.
const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let arguments = PROGRAM.arguments();
    let file: PathBuf = arguments.operands.iter().collect();
    let text = fs::read(&file).map_err(|source| Unreadable::File(file.clone(), source))?;
    let records: Vec<&RawValue> =
        serde_json::from_slice(&text).map_err(|source| Unreadable::Json(file.clone(), source))?;

    title("Import: from JSON that nobody vouches for to typed state");
    say("file", file.display());
    // Nobody waits for one film: a slow disk is no reason to give up.
    let backend = connect::backend(&arguments.store).await?;
    let store = StateStore::builder(backend).deadline(DEADLINE).build()?;
    say("backend", store.backend().name());
    for risk in store.backend().risks().await? {
        say("risk", risk);
    }
    let before = if can_list(&store) { films(&store).await?.len() } else { 0 };
    if before > 0 {
        say("", format!("it holds {} films already; they stay as they are", grouped(before)));
    }

    let since = Instant::now();
    let mut outcome = Outcome::default();
    let expected = import(&store, &records, &mut outcome).await?;
    say("took", format!("{:.2} s", since.elapsed().as_secs_f64()));
    outcome.print(records.len());

    let agree = prove(&store, before, &expected, &outcome, records.len()).await?;
    store.close(DEADLINE).await?;
    Ok(if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes every film that is valid and new. Gives the keys of all that have to be stored now.
async fn import(
    store: &StateStore,
    records: &[&RawValue],
    outcome: &mut Outcome,
) -> Result<HashSet<FilmKey>, StateError> {
    let mut expected = HashSet::new();
    let mut progress = Progress::new("importing", records.len());
    for (chunk, records) in (0..).zip(records.chunks(AT_ONCE)) {
        let mut writes = JoinSet::new();
        for (index, record) in (chunk * AT_ONCE..).zip(records) {
            match read(index, record) {
                Err(rejection) => outcome.rejected.push(rejection),
                Ok(film) if !expected.insert(film.state_key()) => outcome.duplicates += 1,
                Ok(film) => {
                    let store = store.clone();
                    writes.spawn(async move { store.create(&film).await });
                }
            }
        }
        for write in writes.join_all().await {
            match write {
                Ok(()) => outcome.stored += 1,
                Err(StateError::AlreadyExists { .. }) => outcome.there_before += 1,
                Err(error) => return Err(error),
            }
        }
        progress.at((chunk * AT_ONCE) + records.len());
    }
    Ok(expected)
}

/// Reads one record: decoded and validated as if it were read from the store, or refused.
fn read(index: usize, record: &RawValue) -> Result<Film, Rejection> {
    #[derive(Deserialize)]
    struct Titled {
        #[serde(rename = "Title", default)]
        title: Value,
    }
    let Ok(Titled { title }) = serde_json::from_str(record.get()) else {
        return Err(Rejection::at(index, "the record", "not an object with one title"));
    };
    let found = match title {
        Value::String(title) => {
            let film = decode(Film::key(title), record.get().as_bytes());
            return film.map_err(|error| Rejection::of(index, &error));
        }
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Err(Rejection::at(index, "Title", &format!("{found}, and a title is text")))
}

/// Whether the backend can tell what it holds.
fn can_list(store: &StateStore) -> bool {
    store.capabilities().contains(Capability::Scan)
}

/// The keys of all films in the store, each of which is decoded and validated on the way.
async fn films(store: &StateStore) -> Result<HashSet<FilmKey>, StateError> {
    let mut keys = HashSet::new();
    let mut films = store.scan::<Film>();
    while let Some(film) = films.next().await {
        keys.insert(film?.state_key());
    }
    Ok(keys)
}

/// Those of `keys` under which there is a film, each of which is decoded and validated as well.
async fn films_among(
    store: &StateStore,
    keys: &HashSet<FilmKey>,
) -> Result<HashSet<FilmKey>, StateError> {
    let keys: Vec<FilmKey> = keys.iter().cloned().collect();
    let mut found = HashSet::new();
    for keys in keys.chunks(AT_ONCE) {
        let films = store.get_all(keys.iter().cloned()).await?;
        found.extend(films.iter().flatten().map(Film::state_key));
    }
    Ok(found)
}

/// Reads everything back and compares it with what the import says it did.
async fn prove(
    store: &StateStore,
    before: usize,
    expected: &HashSet<FilmKey>,
    outcome: &Outcome,
    records: usize,
) -> Result<bool, StateError> {
    step("Read back");
    // A backend that cannot list is asked for each film by its key.
    let (before, found) = if can_list(store) {
        (before, films(store).await?)
    } else {
        (outcome.there_before, films_among(store, expected).await?)
    };
    let (stored, count) = (outcome.stored, found.len());
    let lost = expected.difference(&found).count();
    let parsed = |key: &&FilmKey| key.to_string().parse::<FilmKey>().as_ref() == Ok(*key);
    let round_trips = found.iter().filter(parsed).count();

    say("films", format!("{} found, each decoded and validated", grouped(count)));
    say("keys", format!("{} give their title back when parsed", grouped(round_trips)));
    say("missing", grouped(lost));
    let sum = format!("{} before + {} stored", grouped(before), grouped(stored));
    let agree =
        before + stored == count && outcome.sum() == records && lost == 0 && round_trips == count;
    say("the counts", format!("{sum}: they {}", if agree { "agree" } else { "do NOT agree" }));
    Ok(agree)
}

/// The file is not there, or not what it should be.
#[derive(Debug)]
enum Unreadable {
    File(PathBuf, io::Error),
    Json(PathBuf, serde_json::Error),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file, _) => write!(f, "`{}` cannot be read", file.display()),
            Self::Json(file, _) => {
                write!(f, "`{}` is not a JSON array of records", file.display())
            }
        }
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(_, error) => Some(error),
            Self::Json(_, error) => Some(error),
        }
    }
}
