//! The conformance suite: whether a backend keeps what [`Backend`] promises.
//!
//! The cases are plain asynchronous functions over any backend. A case that needs a
//! [`Capability`](crate::backend::Capability) which the backend does not declare is skipped and
//! says so; everything else has to pass. Keys are unique to each run and each case, so a server
//! that others use too can be tested. What was written stays, under keys that begin with
//! `conformance:`.
//!
//! ```
//! use std::sync::Arc;
//! use state_runtime::{
//!     backend::ManualClock,
//!     backends::MemoryBackend,
//!     conformance::{Subject, run},
//! };
//! # use state_runtime::backend::BackendError;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), BackendError> {
//! let clock = Arc::new(ManualClock::default());
//! let subject = Subject::new({
//!     let clock = Arc::clone(&clock);
//!     move || {
//!         let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
//!         async { Ok(backend) }
//!     }
//! })
//! .with_clock(clock);
//!
//! let report = run(&subject).await?;
//! println!("{report}");
//! assert!(report.is_conforming(), "{report:#}");
//! # Ok(())
//! # }
//! ```

mod case;
mod cases;
mod report;
mod subject;
mod trial;

pub use self::{
    case::{Case, Verdict},
    cases::cases,
    report::{Failed, Report, Skipped},
    subject::{Subject, Time},
};
use crate::backend::{Backend, Result};

/// Runs every case against a backend, one after the other.
///
/// It has to be called inside of a tokio runtime with its timer enabled, best one with several
/// threads: with one, the cases about concurrency only see tasks that take turns.
///
/// # Errors
///
/// What opening the backend answered; nothing was run then. A case that fails is no error but part
/// of the report.
pub async fn run<B: Backend>(subject: &Subject<B>) -> Result<Report> {
    let backend = subject.backend().await?;
    let mut report = Report::new(backend.name(), backend.capabilities());
    for case in cases() {
        let verdict = case.run(subject).await?;
        report.add(&case, verdict);
    }
    Ok(report)
}
