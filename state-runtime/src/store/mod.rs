//! The typed store: `StateStore`, its operations and what surrounds each of them.

mod stored_in;

pub use self::stored_in::StoredIn;
