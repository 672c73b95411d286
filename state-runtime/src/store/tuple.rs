//! Tuples of types: the keys of `get_many`, and the types of `StoreBuilder::namespaces`.

use core::future::Future;

use super::{StateStore, StoredIn, path::get_options};
use crate::{
    backend::{Backend, Entry, GetOptions},
    error::Result,
    key::Key,
    schema::{Instance, StateKey, TypedKey},
};

mod sealed {
    pub trait Sealed {}
}

/// What [`StateStore::get_many`] reads: a tuple of 1 to 12 keys of different types.
pub trait Keys<B: Backend>: sealed::Sealed + Send {
    /// A tuple of `Option`s of their values, in the same order.
    type Values: Send;

    /// The encoded keys and how to read each.
    #[doc(hidden)]
    fn requests(&self, store: &StateStore<B>) -> Result<Vec<(Key, GetOptions)>>;

    /// Reads what was found under the keys.
    #[doc(hidden)]
    fn accept(
        self,
        store: &StateStore<B>,
        requests: Vec<(Key, GetOptions)>,
        entries: Vec<Option<Entry>>,
    ) -> impl Future<Output = Result<Self::Values>> + Send;
}

/// A tuple of 1 to 12 state types, for [`StoreBuilder::namespaces`](super::StoreBuilder).
pub trait Namespaces: sealed::Sealed {
    /// What takes part in the check.
    #[doc(hidden)]
    fn instances() -> Vec<Instance>;
}

macro_rules! tuples {
    ($($name:ident)*) => {
        tuples!(@each [] $($name)*);
    };
    (@each [$($done:ident)*]) => {};
    (@each [$($done:ident)*] $next:ident $($rest:ident)*) => {
        tuples!(@impl $($done)* $next);
        tuples!(@each [$($done)* $next] $($rest)*);
    };
    (@impl $($name:ident)*) => {
        impl<$($name),*> sealed::Sealed for ($($name,)*) {}

        impl<B, $($name),*> Keys<B> for ($($name,)*)
        where
            B: Backend,
            $($name: TypedKey, <$name::Value as StateKey>::Lifetime: StoredIn<B>,)*
        {
            type Values = ($(Option<$name::Value>,)*);

            #[allow(non_snake_case, reason = "the type parameters name the elements, too")]
            fn requests(&self, store: &StateStore<B>) -> Result<Vec<(Key, GetOptions)>> {
                let ($($name,)*) = self;
                Ok(vec![$((store.encode_key($name)?, get_options::<$name::Value>())),*])
            }

            #[allow(non_snake_case, reason = "the type parameters name the elements, too")]
            async fn accept(
                self,
                store: &StateStore<B>,
                requests: Vec<(Key, GetOptions)>,
                entries: Vec<Option<Entry>>,
            ) -> Result<Self::Values> {
                let ($($name,)*) = self;
                let mut found = requests.into_iter().zip(entries);
                Ok(($(
                    match found.next() {
                        Some(((encoded, _), Some(entry))) => {
                            store.accept($name, &encoded, &entry.value).await?
                        }
                        _ => store.get_former($name).await?,
                    },
                )*))
            }
        }

        impl<$($name: StateKey),*> Namespaces for ($($name,)*) {
            fn instances() -> Vec<Instance> {
                vec![$(Instance::of::<$name>()),*]
            }
        }
    };
}
tuples!(K1 K2 K3 K4 K5 K6 K7 K8 K9 K10 K11 K12);
