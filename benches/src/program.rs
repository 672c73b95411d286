//! A benchmark program of small operations: criterion's statistics and a fair comparison.

use std::{fmt, io, time::Duration};

use criterion::Criterion;

use crate::{
    measure::{Effort, compare},
    report::Report,
};

/// Measures small operations beside the same work by hand.
pub struct Program {
    criterion: Criterion,
    effort: Effort,
    report: Report,
}

impl Program {
    /// Starts the program called `name`, as the command line and the environment ask for it.
    #[must_use]
    pub fn start(name: &'static str) -> Self {
        let effort = Effort::asked();
        let (samples, warm_up, measured) =
            effort.choose((10, 1, 1), (10, 100, 400), (50, 500, 2_000));
        let criterion = Criterion::default()
            .sample_size(samples)
            .warm_up_time(Duration::from_millis(warm_up))
            .measurement_time(Duration::from_millis(measured))
            .without_plots()
            .configure_from_args();
        Self { criterion, effort, report: Report::new(name) }
    }

    /// How long to measure.
    #[must_use]
    pub const fn effort(&self) -> Effort {
        self.effort
    }

    /// The figures, to add some that were measured otherwise.
    pub const fn report(&mut self) -> &mut Report {
        &mut self.report
    }

    /// Measures `ours` and `peer`, one operation a call.
    ///
    /// Criterion tells the spread of each; the figure in the report is from alternating slices.
    pub fn compare<A, B>(
        &mut self,
        name: &str,
        peer_name: &'static str,
        mut ours: impl FnMut() -> A,
        mut peer: impl FnMut() -> B,
    ) {
        let mut group = self.criterion.benchmark_group(name);
        group.bench_function("state-runtime", |bencher| bencher.iter(&mut ours));
        group.bench_function(peer_name, |bencher| bencher.iter(&mut peer));
        group.finish();
        let compared = compare(self.effort, ours, peer);
        self.report.compared(name, (compared.ours, compared.peer), "ns", peer_name, compared.ratio);
    }

    /// Ends the program.
    ///
    /// # Errors
    ///
    /// Those of writing the report.
    pub fn finish(self) -> io::Result<()> {
        self.criterion.final_summary();
        self.report.write()
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("report", &self.report).finish_non_exhaustive()
    }
}
