//! How many cases a property or crash test runs.

/// `full` where the environment says `STATE_TEST_FULL=1`, as `cargo xtask test` does; else `quick`.
#[must_use]
pub fn cases(quick: u32, full: u32) -> u32 {
    let is_full = std::env::var_os("STATE_TEST_FULL").is_some_and(|value| value == "1");
    if is_full { full } else { quick }
}
