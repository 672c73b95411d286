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

use std::{collections::BTreeMap, sync::Arc};

use tokio::task::JoinSet;

pub use self::{
    case::{Case, Verdict},
    cases::cases,
    report::{Failed, Report, Skipped},
    subject::{Subject, Time},
};
use crate::backend::{Backend, Capabilities, Result};

/// Runs every case against a backend: several at once while real time passes, so that they wait
/// together; one after the other with a clock that is moved by hand.
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
    let offered = backend.capabilities();
    let (cases, mut running, mut verdicts) = (cases(), JoinSet::new(), BTreeMap::new());
    for (number, case) in cases.iter().enumerate() {
        let missing = case.missing(offered);
        if missing != Capabilities::NONE {
            verdicts.insert(number, Verdict::Skipped(missing));
            continue;
        }
        while running.len() >= subject.at_once() {
            verdicts.extend(running.join_next().await.and_then(core::result::Result::ok));
        }
        let started = case.start(subject.trial(Arc::clone(&backend), case.needs()));
        running.spawn(async move { (number, started.await) });
    }
    while let Some(ended) = running.join_next().await {
        verdicts.extend(ended);
    }
    let mut report = Report::new(backend.name(), offered);
    for (number, case) in cases.iter().enumerate() {
        let lost = || Verdict::Failed("the runtime was shut down".to_owned());
        report.add(case, verdicts.remove(&number).unwrap_or_else(lost));
    }
    Ok(report)
}
