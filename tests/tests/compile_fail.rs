//! Every mistake that the compiler can catch is caught, at the user's own token, with its remedy.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use tests::compile::{Compiler, Mode, check_folder};

static COMPILER: LazyLock<Compiler> = LazyLock::new(|| {
    Compiler::locate(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("state-runtime compiles")
});

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compile-fail")
}

/// One test a folder, so that they run side by side and a failure names its theme.
macro_rules! themes {
    ($($theme:ident: $sentence:ident,)+) => {
        const THEMES: &[&str] = &[$(stringify!($theme)),+];

        $(
            #[test]
            fn $sentence() {
                let folder = cases().join(stringify!($theme));
                if let Err(failures) = check_folder(&COMPILER, &folder, Mode::from_env()) {
                    panic!("{failures}");
                }
            }
        )+
    };
}

themes! {
    accumulated: all_mistakes_are_told_in_one_build,
    attributes: an_attribute_that_means_nothing_is_refused,
    bounds: a_type_that_lacks_a_trait_is_told_which_and_how,
    disjoint: types_that_can_share_a_key_are_named,
    fenced: fenced_state_is_written_with_the_token_of_its_lock_alone,
    fields: a_field_that_cannot_be_stored_is_refused,
    format: a_key_format_that_is_not_reversible_is_refused,
    key_part: a_type_that_cannot_be_a_key_part_is_refused,
    lifetime: a_lifetime_that_makes_no_sense_is_refused,
    patterns: a_pattern_over_a_type_that_does_not_keep_its_state_is_refused,
    shape: a_type_that_is_no_plain_struct_is_refused,
    store: a_call_that_the_backend_cannot_answer_is_refused,
    versions: a_version_without_its_chain_is_refused,
}

#[test]
fn every_folder_of_cases_is_a_theme() {
    let mut folders: Vec<_> = fs::read_dir(cases())
        .expect("the folder of the cases is there")
        .map(|entry| entry.expect("it can be listed").file_name().into_string())
        .collect::<Result<_, _>>()
        .expect("the names are text");
    folders.sort();
    assert_eq!(folders, THEMES);
}
