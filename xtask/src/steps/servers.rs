//! The servers that the tests start, installed where they are missing.

use super::{Context, Outcome};
use crate::{failure::Failure, setup, terminal::Progress};

pub(super) fn run(_: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    let found = setup::servers(progress)?;
    Ok(Outcome::of_faults(format!("{} servers", found.len()), &setup::failures(&found)))
}
