//! A module in which the names of the prelude and of the usual crates mean something else.

#![allow(
    clippy::absolute_paths,
    clippy::std_instead_of_alloc,
    reason = "no other path means what it says here"
)]

/// Modules that are called as crates are.
macro_rules! decoys {
    ($($name:ident)+) => {$(
        #[doc = concat!("Not the crate `", stringify!($name), "`.")]
        pub mod $name {}
    )+};
}
decoys!(alloc core fmt garde inventory option other_serde result serde state_runtime std string);

/// Types that are called as those of the prelude are, and are none of them.
macro_rules! impostors {
    ($($name:ident)+) => {$(
        #[doc = concat!("Not the `", stringify!($name), "` of the prelude.")]
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum $name {}
    )+};
}
impostors!(
    Result Option String Vec Box Iterator IntoIterator ToString ToOwned AsRef Drop
    PhantomData Formatter Error Ordering Namespace KeyFormat Token KeyWriter KeyReader KeyError
    TypedKey Serialize Deserialize Serializer Deserializer
);

/// Functions that are called as the variants of the prelude are, and make none of them.
macro_rules! pretenders {
    ($($name:ident)+) => {$(
        #[doc = concat!("Not the `", stringify!($name), "` of the prelude.")]
        #[allow(non_snake_case, clippy::allow_attributes, reason = "it is a decoy")]
        #[inline]
        pub const fn $name() {}
    )+};
}
pretenders!(Ok Some None drop write format panic);

/// An ordinary type among them.
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::renamed::StateKey, ::garde::Validate)]
#[state(crate = ::renamed, key = "shadowed:{id}:{flag}:{letter}", ttl = "30m")]
#[non_exhaustive]
pub struct Shadowed {
    /// Text in the key.
    #[garde(length(min = 1))]
    pub id: ::std::string::String,
    /// A truth in the key.
    #[garde(skip)]
    pub flag: bool,
    /// A character in the key.
    #[garde(skip)]
    pub letter: char,
    /// Text in the value.
    #[garde(ascii)]
    pub user: ::std::string::String,
    /// A list in the value.
    #[garde(skip)]
    pub list: ::std::vec::Vec<u8>,
    /// What may be there.
    #[garde(skip)]
    pub perhaps: ::core::option::Option<u8>,
}

/// A bare value among them.
#[derive(::core::fmt::Debug, ::renamed::StateKey, ::garde::Validate)]
#[state(crate = ::renamed, key = "shadowed-value:{id}", persistent)]
#[non_exhaustive]
pub struct Bare {
    /// Its number.
    #[garde(skip)]
    pub id: u64,
    /// The value.
    #[state(value)]
    #[garde(skip)]
    pub value: ::core::option::Option<::std::string::String>,
}

/// An older version among them.
#[derive(::core::fmt::Debug, ::renamed::StateKey, ::garde::Validate)]
#[state(crate = ::renamed, key = "shadowed-chain:{id}", persistent, superseded)]
#[non_exhaustive]
pub struct Old {
    /// Its number.
    #[garde(skip)]
    pub id: u64,
}

/// A version that upgrades among them.
#[derive(::core::fmt::Debug, ::renamed::StateKey, ::garde::Validate)]
#[state(crate = ::renamed, key = "shadowed-chain:{id}", persistent, version = 2, upgrade_from = Old)]
#[non_exhaustive]
pub struct New {
    /// Its number.
    #[garde(skip)]
    pub id: u64,
}

impl ::core::convert::From<Old> for New {
    #[inline]
    fn from(old: Old) -> Self {
        Self { id: old.id }
    }
}

/// A newtype among them.
#[derive(
    ::core::fmt::Debug,
    ::core::clone::Clone,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
    ::core::cmp::PartialOrd,
    ::core::cmp::Ord,
    ::core::hash::Hash,
    ::renamed::KeyPart,
)]
#[state(crate = ::renamed)]
#[non_exhaustive]
pub struct Newtype(pub ::std::string::String);

/// A choice among them.
#[derive(
    ::core::fmt::Debug,
    ::core::clone::Clone,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
    ::core::cmp::PartialOrd,
    ::core::cmp::Ord,
    ::core::hash::Hash,
    ::renamed::KeyPart,
)]
#[state(crate = ::renamed)]
#[non_exhaustive]
pub enum Choice {
    /// One.
    One,
    /// The other.
    Other,
}

/// Both in a key among them.
#[derive(::core::fmt::Debug, ::renamed::StateKey, ::garde::Validate)]
#[state(crate = ::renamed, key = "shadowed-parts:{newtype}:{choice}", persistent)]
#[non_exhaustive]
pub struct Parts {
    /// The newtype.
    #[garde(skip)]
    pub newtype: Newtype,
    /// The choice.
    #[garde(skip)]
    pub choice: Choice,
}
