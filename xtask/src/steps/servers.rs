//! The servers that the tests start, installed where they are missing.

use super::{Context, Outcome};
use crate::{failure::Failure, terminal::Progress};

pub(super) fn run(context: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    let servers = context.servers;
    let left_out = servers.left_out(progress)?;
    let note = if left_out.is_empty() {
        format!("{} servers", servers.found(progress)?.len())
    } else {
        let names: Vec<_> = left_out.iter().map(|server| server.name).collect();
        format!("without {}: tests are skipped", names.join(", "))
    };
    Ok(Outcome::of_faults(note, &servers.failures(progress)?))
}
