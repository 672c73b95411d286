//! The judgement: what was said of an operation against what is stored.

use state_runtime::backend::{ErrorKind, Result};

use super::operation::{Answer, Scenario, State};

/// What has to be stored from now on, by what the backend said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// The state before the operation.
    Before,
    /// The state after it.
    After,
    /// One of them.
    Either,
}

impl Settled {
    /// Whether `found` is what has to be stored.
    pub(super) fn allows(self, scenario: &Scenario, found: &State) -> bool {
        match self {
            Self::Before => *found == scenario.before,
            Self::After => *found == scenario.after,
            Self::Either => *found == scenario.before || *found == scenario.after,
        }
    }
}

/// How what was said is called in reports.
pub(super) fn name(said: Option<&Result<Answer>>) -> String {
    match said {
        None => "no answer".to_owned(),
        Some(Ok(_)) => "ok".to_owned(),
        Some(Err(error)) => format!("{:?}", error.kind()),
    }
}

/// Judges what was `said` of the operation, where `None` means that it did not return.
///
/// # Errors
///
/// It is not true.
pub(super) fn judge(
    scenario: &Scenario,
    said: Option<&Result<Answer>>,
    found: &State,
) -> Result<Settled, String> {
    if !Settled::Either.allows(scenario, found) {
        let (said, found) = (name(said), scenario.describe(found));
        return Err(format!("what is stored is neither old nor new but {found:?}; it said {said}"));
    }
    let settled = match said {
        None => return Err("it did not return".to_owned()),
        Some(Ok(answer)) if !scenario.is_answer(answer) => {
            return Err("it gave a wrong answer".to_owned());
        }
        Some(Ok(_)) => Settled::After,
        Some(Err(error)) => match error.kind() {
            ErrorKind::Indeterminate if scenario.operation.is_write() => Settled::Either,
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Overloaded => Settled::Before,
            _ => return Err(format!("it failed for a reason that is not so: {error}")),
        },
    };
    if settled.allows(scenario, found) {
        return Ok(settled);
    }
    let said = name(said);
    Err(match settled {
        Settled::After => format!("it said {said}, but it is not applied"),
        _ => format!("it said {said}, which means not applied, but it is"),
    })
}

#[cfg(test)]
mod tests {
    use state_runtime::{backend::BackendError, key::Key};

    use super::{super::Operation, *};

    fn scenario(operation: Operation) -> Scenario {
        Scenario::new(operation, 7, "mark".to_owned(), ["a", "b"].map(Key::from_stored))
    }

    fn failed(kind: ErrorKind) -> Result<Answer> {
        Err(BackendError::new(kind, "a test"))
    }

    fn says(operation: Operation, said: &Result<Answer>, applied: bool) -> bool {
        let scenario = scenario(operation);
        let found = if applied { &scenario.after } else { &scenario.before };
        judge(&scenario, Some(said), found).is_ok()
    }

    #[test]
    fn an_acknowledged_write_is_applied() {
        assert!(says(Operation::Set, &Ok(Answer::Done), true));
        assert!(!says(Operation::Set, &Ok(Answer::Done), false));
    }

    #[test]
    fn only_indeterminate_leaves_open_whether_a_write_is_applied() {
        for applied in [false, true] {
            assert!(says(Operation::Add, &failed(ErrorKind::Indeterminate), applied));
            assert_eq!(says(Operation::Add, &failed(ErrorKind::Unavailable), applied), !applied);
            assert_eq!(says(Operation::Add, &failed(ErrorKind::Timeout), applied), !applied);
        }
    }

    #[test]
    fn a_conflict_is_false_where_nobody_else_writes() {
        let conflict = || failed(ErrorKind::Conflict { index: 0 });
        assert!(!says(Operation::Create, &conflict(), true));
        assert!(!says(Operation::Replace, &conflict(), false));
        assert!(!says(Operation::Set, &failed(ErrorKind::Other), false));
    }

    #[test]
    fn a_doubled_addition_is_found_whatever_was_said() {
        let scenario = scenario(Operation::Add);
        let doubled = [Some(b"7000014".to_vec()), None];
        for said in [Ok(Answer::Sum(6_000_007)), failed(ErrorKind::Indeterminate)] {
            let error = judge(&scenario, Some(&said), &doubled).unwrap_err();
            assert!(
                error.contains(r#"neither old nor new but ["something else", "old"]"#),
                "{error}"
            );
        }
    }

    #[test]
    fn half_a_batch_is_neither_before_nor_after() {
        let scenario = scenario(Operation::Apply);
        let [written, _] = scenario.after.clone();
        let said = failed(ErrorKind::Indeterminate);
        assert!(judge(&scenario, Some(&said), &[written, None]).is_err());
    }

    #[test]
    fn a_read_that_failed_is_not_indeterminate_and_finds_what_is_there() {
        assert!(!says(Operation::Get, &failed(ErrorKind::Indeterminate), false));
        assert!(says(Operation::Get, &failed(ErrorKind::Unavailable), false));
        assert!(!says(Operation::Get, &Ok(Answer::Entries(vec![None])), false));
    }

    #[test]
    fn not_to_return_is_a_fault() {
        let scenario = scenario(Operation::Get);
        assert!(judge(&scenario, None, &scenario.before).is_err());
    }
}
