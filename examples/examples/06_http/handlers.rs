//! The handlers: read a note, write a note, and what becomes of a state error.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use state_runtime::{StateError, backend::Revision, error::Phase, prelude::*};

/// A note.
#[derive(Debug, StateKey, Validate)]
#[state(key = "note:{name}", persistent)]
pub(crate) struct Note {
    #[garde(length(min = 1, max = 64))]
    pub(crate) name: String,
    #[garde(length(min = 1, max = 2_000))]
    pub(crate) text: String,
}

/// What of it travels over HTTP. The name is in the path.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    text: String,
}

pub(crate) fn router(store: StateStore) -> Router {
    Router::new().route("/notes/{name}", get(read).put(write)).with_state(store)
}

async fn read(
    State(store): State<StateStore>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let Some(note) = store.get_versioned(Note::key(name)).await? else {
        return Err(Refused(StatusCode::NOT_FOUND, "there is no such note".to_owned()));
    };
    let body = Body { text: note.value.text };
    Ok((etag(&note.revision), Json(body)).into_response())
}

/// Creates a note with `If-None-Match: *`, and with `If-Match` replaces the one that has this tag.
async fn write(
    State(store): State<StateStore>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(Body { text }): Json<Body>,
) -> Result<Response, Refused> {
    let note = Note { name, text };
    match Precondition::of(&headers)? {
        Precondition::Absent => {
            store.create(&note).await?;
            Ok(StatusCode::CREATED.into_response())
        }
        Precondition::Unchanged(revision) => {
            let revision = store.replace(&note, &revision).await?;
            Ok((StatusCode::NO_CONTENT, etag(&revision)).into_response())
        }
    }
}

/// A revision as a strong entity tag: equal tags mean equal bytes.
fn etag(revision: &Revision) -> [(HeaderName, String); 1] {
    [(header::ETAG, format!("\"{revision}\""))]
}

/// What has to be so for a write; without it the client would overwrite what it has not seen.
enum Precondition {
    Absent,
    Unchanged(Revision),
}

impl Precondition {
    fn of(headers: &HeaderMap) -> Result<Self, Refused> {
        if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == "*") {
            return Ok(Self::Absent);
        }
        let Some(tag) = headers.get(header::IF_MATCH) else {
            let why = "send `If-Match` with the tag that you have read, or `If-None-Match: *`";
            return Err(Refused(StatusCode::PRECONDITION_REQUIRED, why.to_owned()));
        };
        if !tag.as_bytes().starts_with(b"\"") || tag.as_bytes().contains(&b',') {
            let why = "`If-Match` takes one tag here, as `ETag` had it";
            return Err(Refused(StatusCode::BAD_REQUEST, why.to_owned()));
        }
        let quoted = tag.to_str().ok().and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
        let revision = quoted.and_then(|tag| tag.parse().ok());
        // Whatever it is, no note has ever had it.
        let unknown = || Refused(StatusCode::PRECONDITION_FAILED, "no such tag".to_owned());
        revision.map(Self::Unchanged).ok_or_else(unknown)
    }
}

/// An answer that is no success: its status, and why.
struct Refused(StatusCode, String);

impl From<StateError> for Refused {
    fn from(error: StateError) -> Self {
        let status = match &error {
            StateError::NotFound { .. } => StatusCode::NOT_FOUND,
            StateError::Conflict { .. } | StateError::AlreadyExists { .. } => {
                StatusCode::PRECONDITION_FAILED
            }
            // What the client has sent; what is found broken in the store is not its fault.
            StateError::InvalidKey { .. } | StateError::Invalid { phase: Phase::Write, .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            // Nothing was changed, and a while later it may work.
            error if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            // A service would log it: no message of a state error holds a stored value.
            eprintln!("{error}");
            return Self(status, "the note cannot be reached".to_owned());
        }
        Self(status, error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        (status, why).into_response()
    }
}
