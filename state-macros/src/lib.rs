//! The derive macros of `state-runtime`, which re-exports them: depend on that crate alone.
//!
//! A derive is a pipeline. `syntax` reads the attributes, `template` and `units` the texts in them;
//! `check` judges what was read, one function a rule, and makes the `model`, from which `emit`
//! generates code and cannot fail. Mistakes gather in a `context`, so that the user sees all of
//! them in one build, beside the stubs of `fallback`, so that one mistake stays one message.

mod check;
mod context;
mod emit;
mod fallback;
mod generics;
mod key_part;
mod model;
mod suggest;
mod syntax;
mod template;
mod units;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;
use syn::DeriveInput;

use self::context::Context;

/// Turns a struct into a type of state: a typed key namespace with a lifetime and rules.
///
/// The fields that the key format names are its *key fields*, all others its *value fields*. The
/// struct needs `garde::Validate`, but neither `Serialize` nor `Deserialize`. For a struct
/// `Session` this generates
///
/// - `SessionKey`, a struct of the key fields with `Clone`, `Eq`, `Ord`, `Hash`, `Debug`, `Display`
///   (the encoded key) and `FromStr` (its exact inverse);
/// - `Session::key(…)`, with one argument a key field in the order of the format: integers, `bool`,
///   `char` and type parameters by value, everything else as `impl Into<FieldType>`;
/// - where the key has two fields or more, `Line::prefix(…)` with the first of them, which stands for
///   all keys that start with it; where it has more, also `Line::prefix_through_shelf(…)` and so on,
///   with all fields up to the one in its name;
/// - the impls of `StateKey`, `TypedKey` and, unless it is `superseded`, `Writable`; `Removable`; or, in
///   place of those two, `Fenced`.
///
/// # Attributes of the struct: `#[state(…)]`
///
/// | attribute | meaning |
/// |---|---|
/// | `key = "session:{id}"` | the key format; required |
/// | `ttl = "30m"` | how long a value lives after it was written |
/// | `persistent` | values stay; exactly one of `ttl` and `persistent` is required |
/// | `sliding` | a read renews the ttl |
/// | `max_size = "64KiB"` | the most bytes a stored value may have; 64 KiB unless said otherwise |
/// | `version = 2` | the version of the schema, one more than that of the older type |
/// | `upgrade_from = Old` | the older type, from which `TryFrom<Old>` or `From<Old>` makes this one |
/// | `superseded` | an old version: it is read, and upgraded from, but not written |
/// | `formerly = "old:{id}"` | the key format of former days, with the same fields, of which no key is one of `key`; writing needs a backend with atomic batches |
/// | `fenced_by = TheLock` | only the holder of this lock writes values, with its token; for `persistent` types that are stored as objects |
/// | `on_invalid = "error"` | what a read does with an invalid value: `"error"`, `"discard"` or `"quarantine"` |
/// | `key_type = SessionId` | the name of the key type |
/// | `key_fn = id` | the name of the function that makes a key |
/// | `prefix_fn = of_order` | the name of the function that makes a prefix, in place of `prefix` |
/// | `crate = path` | where the runtime is, if it is not `::state_runtime` |
///
/// **Key formats** are names of `A-Z a-z 0-9 _ -` and placeholders `{field}`, separated by `:`,
/// `/` or `.`. A placeholder fills its whole segment, and the first segment is a name. `{{` and
/// `}}` stand for braces in the key, a Redis Cluster hash tag: `cart:{{{user}}}:items`.
///
/// **Durations** are whole numbers with `ms`, `s`, `m`, `h`, `d` or `w`, combined from the largest
/// unit to the smallest: `1h30m`. **Sizes** are a whole number with `B`, `KiB`, `MiB`, `GiB`, `KB`,
/// `MB` or `GB`.
///
/// # Attributes of a field: `#[state(…)]`
///
/// | attribute | meaning |
/// |---|---|
/// | `value` | the stored value is this field alone, and every other field is in the key |
/// | `secret` | this key field, and what follows it in the key, is `***` in errors, traces and `Debug` |
///
/// `Display` of the key type is the encoded key itself, secret and all: it is what `FromStr` reads
/// back, and what another program is told to look under. Log a key with `Debug`. Values are never
/// printed, so `secret` is for key fields only.
///
/// # `#[serde(…)]` and `#[garde(…)]`
///
/// Both keep their meaning. serde's apply to the stored JSON, which has the value fields; the
/// container attributes `from`, `try_from`, `into`, `remote` and `transparent` bypass the fields
/// and are refused. A member that `skip_serializing` or `skip_serializing_if` leaves out needs a
/// `default`, or the value could not be read back. garde's rules of the key fields are also checked on a key alone, before
/// anything is sent to a backend, but for `matches` and rules that mention `self`, which need the
/// whole value.
///
/// # Type parameters
///
/// Each impl has the bounds that the fields which name a parameter need, and `#[serde(bound)]`
/// replaces those that are serde's.
///
/// All instances of a generic type have the same key format, so two of them in one scope would read
/// each other's values. A program therefore says `register!(Cache<Foo>)` of the instance that it
/// uses; a store is not built over two. For a second one, keep it in a scope of its own and build
/// that store with `namespaces`, or write a struct with another key format.
#[proc_macro_derive(StateKey, attributes(state, serde, garde))]
pub fn derive_state_key(input: TokenStream) -> TokenStream {
    expand(input.into(), expand_state_key).into()
}

/// Lets a newtype or an enum without data be a key field.
///
/// A newtype is written as its field is, a variant by its name. The type also needs `Clone`, `Ord`,
/// `Hash` and `Debug`.
///
/// | attribute | on | meaning |
/// |---|---|---|
/// | `#[state(rename = "text")]` | a variant | the text of the variant |
/// | `#[state(rename_all = "kebab-case")]` | an enum | the case of all variants, named as in serde |
/// | `#[state(crate = path)]` | either | where the runtime is, if it is not `::state_runtime` |
#[proc_macro_derive(KeyPart, attributes(state))]
pub fn derive_key_part(input: TokenStream) -> TokenStream {
    expand(input.into(), expand_key_part).into()
}

fn expand(input: TokenStream2, derive: fn(&DeriveInput) -> TokenStream2) -> TokenStream2 {
    match syn::parse2(input) {
        Ok(input) => derive(&input),
        Err(error) => error.to_compile_error(),
    }
}

fn expand_state_key(input: &DeriveInput) -> TokenStream2 {
    let cx = Context::new();
    let model = check::check(input, &cx);
    match (cx.finish(), model) {
        (None, Some(model)) => emit::emit(&model),
        (errors, _) => errors.into_iter().chain([fallback::state_key(input)]).collect(),
    }
}

fn expand_key_part(input: &DeriveInput) -> TokenStream2 {
    let cx = Context::new();
    let part = key_part::check(input, &cx);
    match (cx.finish(), part) {
        (None, Some(part)) => key_part::emit(&part),
        (errors, _) => errors.into_iter().chain([key_part::fallback(input)]).collect(),
    }
}
