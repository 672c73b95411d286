//! Every namespace that is linked into the program, and the check that no two overlap.

use core::{any::type_name, fmt};

use super::{Namespace, StateKey};

/// A namespace that takes part in the check: a type, an instance of a generic type, or the
/// definition of a generic type, which stands for all of its instances.
#[derive(Debug, Clone, Copy)]
pub struct Instance {
    namespace: Namespace,
    /// The full name of an instance; `None` for the definition of a generic type.
    name: Option<fn() -> &'static str>,
    /// The last part of the name of the generic type that a definition upgrades from.
    upgrades: Option<&'static str>,
}

impl Instance {
    /// The type `T`.
    #[must_use]
    pub const fn of<T: StateKey>() -> Self {
        Self { namespace: T::NAMESPACE, name: Some(type_name::<T>), upgrades: None }
    }

    /// The definition of a generic type, whose instances nobody may have named yet.
    #[doc(hidden)]
    #[must_use]
    pub const fn definition(namespace: Namespace, upgrades: Option<&'static str>) -> Self {
        Self { namespace, name: None, upgrades }
    }

    /// The namespace.
    #[must_use]
    pub const fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The name of the type, for people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name.map_or(self.namespace.type_name, |name| name())
    }

    fn conflicts(&self, other: &Self) -> bool {
        if self.namespace.type_name == other.namespace.type_name {
            // One generic type: two different instances share their keys but not their values. Or
            // two types of one name in different functions, which may well differ in their keys.
            return match (self.name, other.name) {
                (Some(a), Some(b)) => a() != b() && self.namespace.overlaps(&other.namespace),
                _ => false,
            };
        }
        !self.upgrades_from(other)
            && !other.upgrades_from(self)
            && self.namespace.conflicts(&other.namespace)
    }

    fn upgrades_from(&self, other: &Self) -> bool {
        let last = other.namespace.type_name.rsplit("::").next();
        self.upgrades.is_some() && self.upgrades == last
    }
}

/// What a derive leaves behind for the program to find.
#[doc(hidden)]
#[derive(Debug)]
pub struct Registration(pub Instance);

inventory::collect!(Registration);

/// Registers an instance of a generic state type, so that a store can check it against the others.
///
/// Types without parameters register themselves.
///
/// ```
/// use state_runtime::{prelude::*, register};
///
/// #[derive(StateKey, Validate)]
/// #[state(key = "cache:{id}", ttl = "5m")]
/// struct Cache<T: serde::Serialize + serde::de::DeserializeOwned + Send + Sync + 'static> {
///     #[garde(skip)]
///     id: u64,
///     #[garde(skip)]
///     entry: T,
/// }
///
/// register!(Cache<String>);
/// ```
#[macro_export]
macro_rules! register {
    ($ty:ty) => {
        $crate::__private::inventory::submit! {
            $crate::schema::Registration($crate::schema::Instance::of::<$ty>())
        }
    };
}

/// All namespaces that are linked into the program.
pub fn registered() -> impl Iterator<Item = &'static Instance> {
    inventory::iter::<Registration>.into_iter().map(|registration| &registration.0)
}

/// Two types of state can share a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceConflict {
    /// The name and key format of one type.
    pub first: (&'static str, &'static str),
    /// The name and key format of the other.
    pub second: (&'static str, &'static str),
}

impl fmt::Display for NamespaceConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((a, a_key), (b, b_key)) = (self.first, self.second);
        write!(
            f,
            "`{a}` (key \"{a_key}\") and `{b}` (key \"{b_key}\") can share a key; \
             give one of them another literal segment"
        )
    }
}

impl core::error::Error for NamespaceConflict {}

/// Checks that no two of `instances` can share a key.
///
/// # Errors
///
/// The first pair that can.
pub(crate) fn check(instances: &[Instance]) -> Result<(), NamespaceConflict> {
    for (i, first) in instances.iter().enumerate() {
        for second in &instances[i + 1..] {
            if first.conflicts(second) {
                let side = |it: &Instance| (it.name(), it.namespace.format.as_str());
                return Err(NamespaceConflict { first: side(first), second: side(second) });
            }
        }
    }
    Ok(())
}
