//! The conformance suite finds broken backends: each fault fails the cases that are about it.

mod broken;
mod shared;

use std::sync::Arc;

use broken::{Broken, Fault};
use state_runtime::{
    backend::{BackendError, ManualClock},
    backends::MemoryBackend,
    conformance::{Subject, Verdict, cases, run},
};

type TestResult = Result<(), BackendError>;

fn subject(fault: Fault) -> Subject<Broken> {
    let clock = Arc::new(ManualClock::default());
    let handle = Arc::clone(&clock);
    Subject::new(move || {
        let inner = MemoryBackend::builder().with_clock(Arc::clone(&handle)).build();
        async move { Ok(Broken::new(inner, fault)) }
    })
    .with_clock(clock)
}

/// Runs the named cases alone, and checks that every one of them fails.
async fn finds(fault: Fault, expected: &[&str]) -> TestResult {
    let subject = subject(fault);
    for name in expected {
        let cases = cases();
        let case = cases.iter().find(|case| case.name() == *name);
        let verdict = case.unwrap_or_else(|| panic!("no case {name}")).run(&subject).await?;
        assert!(matches!(verdict, Verdict::Failed(_)), "{fault:?} passes {name}: {verdict:?}");
    }
    Ok(())
}

macro_rules! faults {
    ($($test:ident: $fault:ident fails $($case:ident),+;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $test() -> TestResult {
            finds(Fault::$fault, &[$(stringify!($case)),+]).await
        }
    )*};
}

faults! {
    a_put_instead_of_a_compare_and_swap_is_found: PutInsteadOfCas fails
        if_absent_leaves_an_existing_entry, if_revision_leaves_what_was_changed,
        if_revision_does_not_create, one_of_many_creates,
        no_increment_by_compare_and_swap_is_lost;
    a_check_before_the_put_is_found: CheckThenPut fails
        one_of_many_creates, one_of_many_replaces_a_revision, callers_at_once_take_no_permit_twice,
        no_increment_by_compare_and_swap_is_lost;
    an_unconditional_remove_is_found: RemoveIgnoresConditions fails
        remove_if_revision_leaves_what_was_changed, remove_if_absent_is_a_mere_check,
        one_of_many_removes_a_revision;
    an_ignored_ttl_is_found: TtlIgnored fails
        an_entry_expires, the_shortest_ttl_expires, expiry_tells_when_an_entry_expires,
        after_gives_a_ttl_to_an_entry_without, touch_gives_a_ttl,
        a_rate_window_expires_when_all_permits_are_back;
    a_ttl_that_is_not_kept_is_found: KeepForgets fails
        keep_leaves_the_ttl_as_it_is, touch_keeps_a_ttl;
    a_renewal_of_what_is_fresh_is_found: RenewsAlways fails
        seven_eighths_left_is_fresh, a_renewal_never_shortens,
        a_renewal_gives_no_ttl_to_an_entry_without;
    a_missing_renewal_is_found: NeverRenews fails
        a_read_renews_what_is_low, get_many_renews_each_entry;
    a_touch_that_creates_is_found: TouchCreates fails touch_creates_nothing, touch_revives_nothing;
    a_batch_that_stops_half_way_is_found: BatchOneByOne fails
        a_conflict_at_the_end_applies_nothing, a_conflict_of_a_removal_applies_nothing,
        a_conflict_names_its_operation, a_key_stands_in_a_batch_once,
        batches_are_not_interleaved;
    a_batch_that_is_not_isolated_is_found: BatchCheckThenWrite fails
        one_of_many_batches_wins, batches_are_not_interleaved, transfers_by_batch_keep_the_total;
    a_batch_without_revisions_is_found: NoRevisionInBatch fails
        a_batch_returns_the_revisions_in_order;
    a_lost_remove_is_found: LostRemove fails
        a_removed_entry_is_absent, if_absent_creates_after_a_remove,
        exists_tells_whether_there_is_an_entry;
    a_stale_get_is_found: StaleGet fails
        a_set_replaces_the_value, a_removed_entry_is_absent,
        a_reader_that_was_told_finds_the_new_value;
    a_value_that_is_cut_is_found: CutsAtNul fails a_nul_byte_is_kept, every_byte_is_kept;
    folded_keys_are_found: FoldsCase fails case_counts;
    an_addition_in_two_steps_is_found: AddReadThenWrite fails
        no_addition_is_lost, add_stays_within_its_upper_bound, add_refuses_what_is_no_integer;
    an_addition_of_64_bits_is_found: AddOf64Bits fails
        add_goes_beyond_64_bits_signed, add_goes_beyond_64_bits_unsigned;
    a_get_many_in_its_own_order_is_found: GetManySorted fails
        get_many_keeps_the_order_of_the_keys, get_many_answers_a_key_as_often_as_it_is_asked;
    a_revision_that_says_nothing_is_found: OneRevisionForAll fails
        other_bytes_have_another_revision, no_revision_comes_back_for_other_content,
        if_revision_replaces_what_was_read;
    a_scan_of_everything_is_found: ScanIgnoresPrefix fails
        a_scan_leaves_out_other_prefixes, a_prefix_holds_no_wildcards;
    a_scan_that_repeats_is_found: ScanRepeats fails
        pages_of_seven_hold_everything_once, what_stays_is_found_while_others_come_and_go;
    a_scan_that_skips_is_found: ScanSkips fails
        pages_of_seven_hold_everything_once, what_stays_is_found_while_others_come_and_go;
    a_silent_watch_is_found: WatchIsSilent fails
        a_write_is_told, an_expiry_is_told, closing_ends_a_watch;
    a_watch_that_subscribes_late_is_found: WatchStartsLate fails
        a_write_is_told, a_write_right_after_subscribing_is_told;
    a_probe_that_stays_is_found: HealthLeavesProbe fails health_leaves_nothing_behind;
    a_backend_that_is_half_closed_is_found: HalfClosed fails
        it_is_closed_for_every_call_or_for_none;
    a_debug_form_with_values_is_found: DebugLeaks fails its_debug_form_hides_values;
    a_panic_is_a_failure_of_its_case: PanicsOnLargeValues fails a_large_value_is_kept;
    a_call_that_never_returns_is_a_failure: Hangs fails get_many_of_nothing_is_nothing;
}

#[tokio::test(start_paused = true)]
async fn the_same_backend_without_a_fault_passes() -> TestResult {
    let report = run(&subject(Fault::Nothing)).await?;
    assert!(report.is_conforming(), "{report:#}");
    let excused = report.skipped.iter().all(|skipped| skipped.missing == ["shared"]);
    assert!(excused, "{report:#}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_panic_does_not_end_the_suite() -> TestResult {
    let report = run(&subject(Fault::PanicsOnLargeValues)).await?;
    let failed: Vec<_> = report.failed.iter().map(|failed| &*failed.case).collect();
    assert_eq!(failed, ["values::a_large_value_is_kept"], "{report:#}");
    assert!(report.failed.iter().all(|failed| failed.message == "panicked: no room"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_what_was_seen_and_where() -> TestResult {
    let report = run(&subject(Fault::LostRemove)).await?;
    let found =
        report.failed.iter().find(|failed| failed.case.ends_with("a_removed_entry_is_absent"));
    let message = found.map(|failed| failed.message.as_str()).unwrap_or_default();
    assert!(message.starts_with("there is an entry where none should be (values.rs:"), "{message}");
    assert!(!report.is_conforming());
    assert!(format!("{report:#}").contains("failed   values::a_removed_entry_is_absent"));
    Ok(())
}
