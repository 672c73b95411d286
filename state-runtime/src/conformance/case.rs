//! One case: what it needs, how it is run, how it ends.

use core::{fmt, future::Future, panic::Location, pin::Pin, time::Duration};

use super::{subject::Subject, trial::Trial};
use crate::backend::{Backend, BackendError, Capabilities, Result};

/// Longer than any case takes on any machine: what is not done by then hangs.
const DEADLINE: Duration = Duration::from_secs(60);

type Running = Pin<Box<dyn Future<Output = Checked> + Send>>;

/// One promise of a backend, and how to find out whether it is kept.
pub struct Case<B> {
    name: &'static str,
    theme: &'static str,
    needs: Capabilities,
    run: fn(Trial<B>) -> Running,
}

impl<B: Backend> Case<B> {
    /// `module` is the path of the module that the case is in; its last part is the theme.
    pub(super) fn new(
        name: &'static str,
        module: &'static str,
        needs: Capabilities,
        run: fn(Trial<B>) -> Running,
    ) -> Self {
        let theme = module.rsplit("::").next().unwrap_or(module);
        Self { name, theme, needs, run }
    }

    /// What it is called: a sentence that holds for every backend that passes.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is about: `values`, `ttl`, `scan` and so on.
    #[must_use]
    pub fn theme(&self) -> &'static str {
        self.theme
    }

    /// What a backend has to declare for the case to make sense.
    #[must_use]
    pub fn needs(&self) -> Capabilities {
        self.needs
    }

    /// Runs this case alone. A panic of the backend, and a call that does not return within a
    /// minute, are failures.
    ///
    /// # Errors
    ///
    /// What opening the backend answered.
    pub async fn run(&self, subject: &Subject<B>) -> Result<Verdict> {
        let backend = subject.backend().await?;
        let missing = self.missing(backend.capabilities());
        if missing != Capabilities::NONE {
            return Ok(Verdict::Skipped(missing));
        }
        Ok(self.start(subject.trial(backend, self.needs)).await)
    }

    /// What the case needs beyond what a backend offers.
    pub(super) fn missing(&self, offered: Capabilities) -> Capabilities {
        let missing = self.needs.iter().filter(|need| !offered.contains(*need));
        missing.fold(Capabilities::NONE, Capabilities::with)
    }

    /// Runs the case on a backend that offers what it needs.
    pub(super) fn start(&self, trial: Trial<B>) -> impl Future<Output = Verdict> + use<B> {
        let running = (self.run)(trial);
        async {
            // In a task of its own, so that a panic ends the case and not the suite.
            let mut task = tokio::spawn(running);
            let ended = tokio::time::timeout(DEADLINE, &mut task).await;
            task.abort();
            match ended {
                Ok(Ok(Ok(()))) => Verdict::Passed,
                Ok(Ok(Err(failure))) => Verdict::Failed(failure.0),
                Ok(Err(error)) => Verdict::Failed(panic_message(error)),
                Err(_) => Verdict::Failed(format!("not done after {} seconds", DEADLINE.as_secs())),
            }
        }
    }
}

impl<B> fmt::Debug for Case<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("theme", &self.theme)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The backend keeps the promise.
    Passed,
    /// It does not; this is what was seen instead.
    Failed(String),
    /// It does not make the promise: it lacks these.
    Skipped(Capabilities),
}

/// What was seen instead of what a case asks for.
#[derive(Debug)]
pub(super) struct Failure(String);

/// How a case, or a step of it, ends.
pub(super) type Checked<T = ()> = core::result::Result<T, Failure>;

impl Failure {
    #[track_caller]
    pub(super) fn new(message: impl fmt::Display) -> Self {
        let place = Location::caller();
        let file = place.file().rsplit(['/', '\\']).next().unwrap_or_default();
        Self(format!("{message} ({file}:{})", place.line()))
    }
}

/// An operation that has to succeed did not.
impl From<BackendError> for Failure {
    #[track_caller]
    fn from(error: BackendError) -> Self {
        Self::new(format_args!("unexpected error: {error}"))
    }
}

fn panic_message(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "the case was cancelled".to_owned() };
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("no message"))
}
