//! The servers that the tests start, installed where they are missing.

use super::{Context, Outcome};
use crate::{failure::Failure, setup, terminal::Progress};

pub(super) fn run(_: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    let found = setup::servers(progress)?;
    let left_out = setup::left_out()?;
    let note = if left_out.is_empty() {
        format!("{} servers", found.len())
    } else {
        format!("{} could not be installed: its tests are left out", left_out.join(", "))
    };
    Ok(Outcome::of_faults(note, &setup::failures(&found)))
}
