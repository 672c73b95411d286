//! A fault that has to happen: an operation under it, and again until it did.

use core::future::Future;

use tokio::time::Instant;

use super::{BRINGING, Report};
use crate::proxy::{Fault, Proxy};

/// A fault that has to happen.
pub(super) struct Strike {
    pub(super) fault: Fault,
    /// Only on the connection on which this reaches the server, counted from there.
    pub(super) mark: Option<String>,
    passed: u64,
    has_happened: bool,
    deadline: Instant,
}

impl Strike {
    pub(super) fn new(fault: Fault) -> Self {
        let deadline = Instant::now() + BRINGING;
        Self { fault, mark: None, passed: 0, has_happened: false, deadline }
    }

    /// Carries something out under the fault.
    pub(super) async fn during<A: Future>(&mut self, proxy: &Proxy, act: A) -> A::Output {
        let before = proxy.traffic();
        match &self.mark {
            Some(mark) => proxy.arm_after(mark.as_str(), self.fault),
            None => proxy.arm(self.fault),
        }
        let output = act.await;
        proxy.disarm();
        let after = proxy.traffic();
        let direction = self.fault.direction();
        self.passed = after.bytes(direction) - before.bytes(direction);
        self.has_happened = after.faults > before.faults;
        output
    }

    /// Whether there is nothing more to be done. No exchange is as long as another one of its kind to the
    /// byte, so a fault beyond the end is brought within what there was, and has to be tried again.
    pub(super) fn is_over(&mut self, report: &mut Report) -> bool {
        if self.has_happened {
            report.happened += 1;
            return true;
        }
        let is_late = Instant::now() > self.deadline;
        if is_late {
            report.fault(format!("{:?} could not be brought about", self.fault));
        }
        // Of what passed on all connections, a marked fault has only its own to hope for.
        let shorter = if self.mark.is_some() { self.fault.place() } else { self.passed };
        self.fault = self.fault.within(shorter);
        is_late
    }
}
