//! A document over HTTP that nobody can overwrite unseen: `ETag` and `If-Match` are revisions.
//!
//! ```text
//! cargo run --example http --features http               # shows a few requests and their answers
//! cargo run --example http --features http,redis -- --store redis://127.0.0.1:6379
//! ```
//!
//! `handlers.rs` is the part that a service would have. Here the requests are made in the program
//! itself, so there is no port to choose and nothing to install.

mod handlers;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, header},
};
use examples::{Failure, Program, say, step, title};
use state_runtime::{backend::Backend as _, prelude::*};
use tower::ServiceExt as _;

use self::handlers::{Note, router};

const PROGRAM: Program = Program {
    name: "http",
    about: "Serves a note over HTTP and lets two people edit it.",
    operands: &[],
    store: Some("memory:"),
};

/// More than any answer has.
const ANSWER: usize = 64 * 1024;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    title("A note that two people edit over HTTP");
    let store = StateStore::connect(&arguments.store).await?;
    say("backend", store.backend().name());
    store.remove(Note::key("plan")).await?;
    let app = router(store.clone());

    step("Ada writes it, and both read it");
    let new = [("If-None-Match", "*")];
    call(&app, Method::PUT, &new, r#"{"text":"tea at four"}"#).await?;
    let seen = call(&app, Method::GET, &[], "").await?;

    step("Bob changes what he has read; then Ada does, who has not seen that");
    let unchanged = [("If-Match", seen.as_str())];
    call(&app, Method::PUT, &unchanged, r#"{"text":"tea at five"}"#).await?;
    call(&app, Method::PUT, &unchanged, r#"{"text":"coffee at four"}"#).await?;
    let now = call(&app, Method::GET, &[], "").await?;

    step("She reads it again, and tries once more");
    let unchanged = [("If-Match", now.as_str())];
    call(&app, Method::PUT, &unchanged, r#"{"text":"tea and coffee at five"}"#).await?;

    step("What no client should send");
    call(&app, Method::PUT, &[], r#"{"text":"whatever was there before"}"#).await?;
    call(&app, Method::PUT, &[("If-Match", "\"yesterday\"")], r#"{"text":"tea"}"#).await?;
    call(&app, Method::PUT, &unchanged, r#"{"text":""}"#).await?;

    store.remove(Note::key("plan")).await?;
    Ok(())
}

/// Makes a request for the note, prints it and its answer, and gives the tag of that.
async fn call(
    app: &Router,
    method: Method,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<String, Failure> {
    let mut asked = vec![format!("{method} /notes/plan")];
    let mut request = Request::builder()
        .method(method)
        .uri("/notes/plan")
        .header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        asked.push(format!("{name}: {value}"));
        request = request.header(*name, *value);
    }
    asked.push(body.to_owned());
    show("request", &asked);

    let answer = app.clone().oneshot(request.body(Body::from(body.to_owned()))?).await?;
    let mut answered = vec![answer.status().to_string()];
    let tag = answer.headers().get(header::ETAG).map(|tag| tag.to_str().map(str::to_owned));
    let tag = tag.transpose()?.unwrap_or_default();
    if !tag.is_empty() {
        answered.push(format!("ETag: {tag}"));
    }
    let body = to_bytes(answer.into_body(), ANSWER).await?;
    answered.push(String::from_utf8_lossy(&body).into_owned());
    show("answer", &answered);
    Ok(tag)
}

/// Prints a request or an answer, indented below its first line.
fn show(label: &str, lines: &[String]) {
    let lines: Vec<&str> = lines.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
    say(label, lines.join("\n  "));
}
