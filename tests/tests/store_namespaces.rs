//! A store is not built over two types that can share a key.

use state_runtime::{StateError, backends::MemoryBackend, prelude::*, store::Namespaces};

#[derive(StateKey, Validate)]
#[state(key = "page:{path}", persistent)]
#[garde(allow_unvalidated)]
struct Page {
    path: String,
    text: String,
}

/// What the path `home` of a [`Page`] is, too.
#[derive(StateKey, Validate)]
#[state(key = "page:home", persistent)]
#[garde(allow_unvalidated)]
struct Home {
    text: String,
}

#[derive(StateKey, Validate)]
#[state(key = "user:{id}", persistent, superseded)]
#[garde(allow_unvalidated)]
struct UserV1 {
    id: u32,
    name: String,
}

/// The next version, as one team sees it.
#[derive(StateKey, Validate)]
#[state(key = "user:{id}", persistent, version = 2, upgrade_from = UserV1)]
#[garde(allow_unvalidated)]
struct User {
    id: u32,
    first: String,
}

/// The next version, as another team sees it.
#[derive(StateKey, Validate)]
#[state(key = "user:{id}", persistent, version = 2, upgrade_from = UserV1)]
#[garde(allow_unvalidated)]
struct Account {
    id: u32,
    last: String,
}

impl From<UserV1> for User {
    fn from(old: UserV1) -> Self {
        Self { id: old.id, first: old.name }
    }
}

impl From<UserV1> for Account {
    fn from(old: UserV1) -> Self {
        Self { id: old.id, last: old.name }
    }
}

fn over<N: Namespaces>() -> Result<(), StateError> {
    StateStore::builder(MemoryBackend::new()).namespaces::<N>().build().map(drop)
}

#[track_caller]
fn conflict(result: Result<(), StateError>) -> String {
    match result {
        Err(StateError::NamespaceConflict(conflict)) => conflict.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_types_that_are_linked_are_compared() {
    let message = conflict(StateStore::new(MemoryBackend::new()).map(drop));
    assert!(message.contains("can share a key"), "{message}");
}

#[test]
fn the_types_that_share_a_key_are_named_with_their_formats() {
    let message = conflict(over::<(User, Page, Home)>());
    for part in ["::Page`", "(key \"page:{path}\")", "::Home`", "(key \"page:home\")"] {
        assert!(message.contains(part), "{part} in {message}");
    }
    over::<(User, Page)>().unwrap();
    over::<(User, Home)>().unwrap();
}

#[test]
fn two_types_that_upgrade_from_one_are_no_chain() {
    over::<(UserV1, User)>().unwrap();
    over::<(UserV1, Account)>().unwrap();
    let message = conflict(over::<(UserV1, User, Account)>());
    assert!(message.contains("::User`") && message.contains("::Account`"), "{message}");
}

/// A type that is declared within a function.
trait Declares {
    type State: StateKey;
}

macro_rules! declares {
    ($name:ident, $function:ident, $format:literal) => {
        struct $name;

        #[expect(non_local_definitions, dead_code, reason = "two types of one name in one module")]
        fn $function() {
            #[derive(StateKey, Validate)]
            #[state(key = $format, persistent)]
            #[garde(allow_unvalidated)]
            struct Local {
                id: u32,
            }

            impl Declares for $name {
                type State = Local;
            }
        }
    };
}
declares!(One, one, "one:{id}");
declares!(Two, two, "two:{id}");
declares!(Again, again, "one:{id}");

#[test]
fn types_of_one_name_are_told_apart_by_their_keys() {
    type Local<D> = <D as Declares>::State;
    over::<(Local<One>, Local<Two>)>().unwrap();
    over::<(Local<One>, Local<One>)>().unwrap();
    let message = conflict(over::<(Local<One>, Local<Again>)>());
    assert!(message.contains("::one::Local`") && message.contains("::again::Local`"), "{message}");
}
