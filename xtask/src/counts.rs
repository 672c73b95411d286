//! Counting tests by the `test result:` lines of the test harness, which knows of no test that finds
//! out only when it runs that it cannot.

use std::{fmt, ops::AddAssign};

/// How many tests passed, failed, were ignored, and were skipped for lack of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// Reads one line of output; `None` if it is no result.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let result = line.strip_prefix("test result: ")?;
        let (_, numbers) = result.split_once(". ")?;
        let mut counts = Self::default();
        for part in numbers.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let target = match what {
                "passed" => &mut counts.passed,
                "failed" => &mut counts.failed,
                "ignored" => &mut counts.ignored,
                _ => continue,
            };
            *target = number.parse().ok()?;
        }
        Some(counts)
    }

    /// So many of those that passed have done nothing.
    pub(crate) const fn with_skipped(mut self, skipped: u64) -> Self {
        self.passed = self.passed.saturating_sub(skipped);
        self.skipped = skipped;
        self
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_whether_they_passed_or_failed() {
        assert_eq!(
            Counts::parse(
                "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s"
            ),
            Some(Counts { passed: 5, failed: 0, ignored: 1, skipped: 0 })
        );
        assert_eq!(
            Counts::parse(
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s"
            ),
            Some(Counts { passed: 3, failed: 2, ignored: 0, skipped: 0 })
        );
    }

    #[test]
    fn other_lines_are_no_results() {
        for line in [
            "test a ... ok",
            "running 3 tests",
            "test result: ok",
            "",
            "note: test result: ok. 1 passed",
        ] {
            assert_eq!(Counts::parse(line), None, "{line}");
        }
    }

    #[test]
    fn results_are_summed() {
        let mut sum = Counts { passed: 1, failed: 2, ignored: 0, skipped: 4 };
        sum += Counts { passed: 10, failed: 20, ignored: 30, skipped: 40 };
        assert_eq!(sum, Counts { passed: 11, failed: 22, ignored: 30, skipped: 44 });
    }

    #[test]
    fn a_test_that_was_skipped_has_not_passed() {
        let counts = Counts { passed: 5, ..Counts::default() }.with_skipped(2);
        assert_eq!(counts.to_string(), "3 passed, 0 failed, 2 skipped");
        assert_eq!(counts.with_skipped(0).to_string(), "3 passed, 0 failed");
    }
}
