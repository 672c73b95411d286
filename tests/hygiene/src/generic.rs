//! Type and const parameters, bounds and defaults.

use core::{fmt::Debug, hash::Hash};

use other_serde::{Serialize, de::DeserializeOwned};
use renamed::prelude::*;

/// Everything a key field needs.
pub trait Id: KeyPart + Clone + Ord + Hash + Debug + Send + Sync + 'static {}

impl Id for u64 {}

/// Everything a value field needs.
pub trait Stored: Serialize + DeserializeOwned + Debug + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Debug + Send + Sync + 'static> Stored for T {}

/// A parameter in the key alone.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "keyed:{id}", persistent)]
#[non_exhaustive]
pub struct Keyed<T: Id> {
    /// Its number.
    #[garde(skip)]
    pub id: T,
    /// Its name.
    #[garde(skip)]
    pub name: String,
}

/// A parameter in the value alone: the key does not mention it.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "cached:{id}", ttl = "5m")]
#[non_exhaustive]
pub struct Cached<T>
where
    T: Stored,
{
    /// Its number.
    #[garde(skip)]
    pub id: u64,
    /// What is cached.
    #[garde(skip)]
    pub entry: Vec<T>,
}

/// A parameter of the value that is the value.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "bare:{id}", persistent)]
#[non_exhaustive]
pub struct Bare<T: Stored> {
    /// Its number.
    #[garde(skip)]
    pub id: u64,
    /// The value.
    #[state(value)]
    #[garde(skip)]
    pub entry: T,
}

/// A parameter in both, another with a default, and a constant.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "both:{id}:{shard}", persistent)]
#[non_exhaustive]
pub struct Both<T: Id + Stored, U = String, const N: usize = 4>
where
    U: Stored,
{
    /// Its number.
    #[garde(skip)]
    pub id: T,
    /// Its part.
    #[garde(range(max = N))]
    pub shard: usize,
    /// The number before.
    #[garde(skip)]
    pub previous: T,
    /// The rest.
    #[garde(skip)]
    pub rest: U,
}

/// Parameters with names that generated code might use.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "named:{id}", persistent)]
#[non_exhaustive]
pub struct Named<Serializer: Stored, Formatter: Stored> {
    /// Its number.
    #[garde(skip)]
    pub id: u64,
    /// The first.
    #[garde(skip)]
    pub first: Serializer,
    /// The second.
    #[garde(skip)]
    pub second: Formatter,
}

/// The parameters that generated functions most likely have themselves.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "letters:{id}", persistent)]
#[non_exhaustive]
pub struct Letters<S: Stored, D: Stored, E: Stored> {
    /// Its number.
    #[garde(skip)]
    pub id: u64,
    /// The first.
    #[garde(skip)]
    pub first: S,
    /// The second.
    #[garde(skip)]
    pub second: D,
    /// The third.
    #[garde(skip)]
    pub third: E,
}

renamed::register!(Keyed<u64>);
renamed::register!(Cached<String>);
renamed::register!(Cached<Vec<u8>>);
