//! Types that a macro of the author writes, and types inside of functions.

use renamed::prelude::*;

use crate::generic::Stored;

/// Everything from the call.
macro_rules! state {
    ($(#[$meta:meta])* $vis:vis $name:ident($key:literal, $ttl:literal) { $id:ident: $id_ty:ty, $value:ident: $ty:ty }) => {
        $(#[$meta])*
        #[derive(Debug, StateKey, Validate)]
        #[state(crate = renamed, key = $key, ttl = $ttl)]
        #[non_exhaustive]
        $vis struct $name {
            /// Its number.
            #[garde(skip)]
            $vis $id: $id_ty,
            /// Its value.
            #[garde(skip)]
            $vis $value: $ty,
        }
    };
}

state! {
    /// A job.
    pub Job("job:{number}", "1h") { number: u64, status: String }
}
state! {
    /// A list, whose type reaches the derive as a fragment.
    pub List("list:{name}", "90s") { name: String, items: Vec<Option<u8>> }
}

/// The fields from the macro, so that they have its hygiene.
macro_rules! counters {
    ($($name:ident = $key:literal),+ $(,)?) => {$(
        #[doc = concat!("Counts under `", $key, "`.")]
        #[derive(Debug, StateKey, Validate)]
        #[state(crate = renamed, key = $key, persistent)]
        #[non_exhaustive]
        pub struct $name {
            /// What is counted.
            #[garde(length(min = 1))]
            pub name: String,
            /// How often.
            #[state(value)]
            #[garde(range(min = 0))]
            pub count: i64,
        }
    )+};
}
counters! { Hits = "hits:{name}", Misses = "misses:{name}" }

/// A generic type from a macro, with the parameter from the call.
macro_rules! generic {
    ($name:ident<$param:ident: $bound:path>) => {
        /// Generic.
        #[derive(Debug, StateKey, Validate)]
        #[state(crate = renamed, key = "generic:{id}", persistent)]
        #[non_exhaustive]
        pub struct $name<$param: $bound> {
            /// Its number.
            #[garde(skip)]
            pub id: u64,
            /// Its value.
            #[garde(skip)]
            pub entry: $param,
        }
    };
}
generic!(Generic<Entry: Stored>);

/// A type inside of a function, where no path leads to.
#[must_use]
#[inline]
pub fn inside() -> String {
    /// Only this function sees it.
    #[derive(Debug, StateKey, Validate)]
    #[state(crate = renamed, key = "inside:{id}", persistent)]
    struct Inside {
        /// Its number.
        #[garde(skip)]
        id: u64,
        /// Its name.
        #[garde(skip)]
        name: String,
    }
    let inside = Inside { id: 1, name: String::from("inside") };
    format!("{} {}", inside.state_key(), inside.name)
}

/// Another function, with a type of the same name.
#[must_use]
#[inline]
pub fn inside_too() -> String {
    /// Only this function sees it.
    #[derive(Debug, StateKey, Validate)]
    #[state(crate = renamed, key = "inside-too:{id}", persistent)]
    struct Inside {
        /// Its number.
        #[garde(skip)]
        id: u64,
        /// Its name.
        #[garde(skip)]
        name: String,
    }
    let inside = Inside { id: 1, name: String::from("inside") };
    format!("{} {}", inside.state_key(), inside.name)
}

#[cfg(test)]
mod tests {
    use super::{Job, inside, inside_too};

    #[test]
    fn a_type_from_a_macro_has_its_key() {
        assert_eq!(Job::key(7).to_string(), "job:7");
    }

    #[test]
    fn a_type_inside_of_a_function_has_its_key() {
        assert_eq!(inside(), "inside:1 inside");
        assert_eq!(inside_too(), "inside-too:1 inside");
    }
}
