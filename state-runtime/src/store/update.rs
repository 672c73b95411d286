//! `update`: changing what is stored so that no change of another writer is lost.

use super::{StateStore, StoredIn, rewrite::Rewrite};
use crate::{
    backend::{Backend, Cas},
    error::{Operation, Result, StateError},
    key::Key,
    schema::{StateKey, TypedKey, Writable},
};

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl Sealed for super::Result<()> {}
}

/// What the closure of [`StateStore::update`] returns: nothing, or a `Result` that can end it.
#[diagnostic::on_unimplemented(
    message = "the closure of `update` returns nothing or a `Result<(), StateError>`, not `{Self}`",
    label = "returns `{Self}`",
    note = "end the last expression with `;`, or use `try_update` for an error type of your own"
)]
pub trait Change: sealed::Sealed {
    /// Whether the change is to be written.
    #[doc(hidden)]
    fn outcome(self) -> Result<()>;
}

impl Change for () {
    fn outcome(self) -> Result<()> {
        Ok(())
    }
}

impl Change for Result<()> {
    fn outcome(self) -> Result<()> {
        self
    }
}

/// # Changing what others change too
///
/// Reading, changing and writing back loses what another writer has written in between. These
/// operations write only if nothing came in between, and otherwise read again and call the closure
/// again. **So the closure may run several times** and should do nothing but change the value: no
/// messages, no counting outside of it.
///
/// Callers of one store that change the same entry take turns; against other processes a random,
/// growing pause helps. No attempt starts after the store's deadline.
///
/// All of them return what was written, start its lifetime anew, and write nothing that breaks a
/// rule of the type. An outcome that is not known is never tried again:
/// [`Indeterminate`](StateError::Indeterminate).
impl<B: Backend> StateStore<B> {
    /// Changes a value that exists.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
    /// #[derive(Debug, PartialEq, StateKey, Validate)]
    /// #[state(key = "cart:{user}", ttl = "1d")]
    /// struct Cart {
    ///     #[garde(length(min = 1))]
    ///     user: String,
    ///     #[garde(length(max = 50))]
    ///     items: Vec<String>,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// store.create(&Cart { user: "ada".into(), items: vec![] }).await?;
    /// let cart = store.update(Cart::key("ada"), |cart| cart.items.push("tea".into())).await?;
    /// assert_eq!(cart.items, ["tea"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotFound`](StateError::NotFound) if there is no value; the closure's own;
    /// [`Overloaded`](StateError::Overloaded) if other writers were faster until the deadline;
    /// [`InvalidKey`](StateError::InvalidKey) if the closure changed a key field; those of
    /// [`get`](Self::get) and [`set`](Self::set). In all cases but
    /// [`Indeterminate`](StateError::Indeterminate), nothing was changed.
    pub async fn update<K, C>(
        &self,
        key: K,
        mut change: impl FnMut(&mut K::Value) -> C,
    ) -> Result<K::Value>
    where
        K: TypedKey<Value: Writable>,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
        B: Cas,
        C: Change,
    {
        self.try_update(key, |value| change(value).outcome()).await
    }

    /// Changes a value that exists, unless the closure fails with an error of the caller's own.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, StateKey, Validate)]
    /// # #[state(key = "account:{id}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// # struct Account { id: u32, cents: u64 }
    /// #[derive(Debug)]
    /// enum Refused {
    ///     TooLittle { cents: u64 },
    ///     State(StateError),
    /// }
    ///
    /// impl From<StateError> for Refused {
    ///     fn from(error: StateError) -> Self {
    ///         Self::State(error)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// store.create(&Account { id: 7, cents: 300 }).await?;
    /// let withdrawn = store.try_update(Account::key(7), |account| {
    ///     let left = account.cents.checked_sub(500);
    ///     account.cents = left.ok_or(Refused::TooLittle { cents: account.cents })?;
    ///     Ok(())
    /// });
    /// assert!(matches!(withdrawn.await, Err(Refused::TooLittle { cents: 300 })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The closure's own, and those of [`update`](Self::update).
    pub async fn try_update<K, E>(
        &self,
        key: K,
        mut change: impl FnMut(&mut K::Value) -> Result<(), E>,
    ) -> Result<K::Value, E>
    where
        K: TypedKey<Value: Writable>,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
        B: Cas,
        E: From<StateError>,
    {
        let changed = self.rewrite(key, self.updating::<K>(), |key, value| match value {
            Some(value) => change(value),
            None => Err(not_found(key.clone()).into()),
        });
        let (key, value) = changed.await?;
        Ok(value.ok_or_else(|| not_found(key))?)
    }

    /// Changes a value, or the one that `default` makes where there is none.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, PartialEq, StateKey, Validate)]
    /// # #[state(key = "cart:{user}", ttl = "1d")]
    /// # #[garde(allow_unvalidated)]
    /// # struct Cart { user: String, items: Vec<String> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// let empty = || Cart { user: "ada".into(), items: vec![] };
    /// let add = |cart: &mut Cart| cart.items.push("tea".into());
    /// store.update_or_insert_with(Cart::key("ada"), empty, add).await?;
    /// let cart = store.update_or_insert_with(Cart::key("ada"), empty, add).await?;
    /// assert_eq!(cart.items, ["tea", "tea"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update) but `NotFound`.
    pub async fn update_or_insert_with<K, C>(
        &self,
        key: K,
        mut default: impl FnMut() -> K::Value,
        mut change: impl FnMut(&mut K::Value) -> C,
    ) -> Result<K::Value>
    where
        K: TypedKey<Value: Writable>,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
        B: Cas,
        C: Change,
    {
        let changed = self.rewrite(key, self.updating::<K>(), |_, value| {
            change(value.get_or_insert_with(&mut default)).outcome()
        });
        let (key, value) = changed.await?;
        value.ok_or_else(|| not_found(key))
    }

    /// Changes what may or may not be there: the closure can insert a value, change it, remove it
    /// by leaving `None`, or leave it absent. A value that it leaves as it is starts its lifetime anew.
    ///
    /// Returns what is stored then. Removing needs the right to.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, PartialEq, StateKey, Validate)]
    /// # #[state(key = "tries:{user}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// # struct Tries { user: String, #[state(value)] left: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// // Two tries; after the last one nothing is kept.
    /// let spend = |tries: &mut Option<Tries>| {
    ///     *tries = match tries.take() {
    ///         None => Some(Tries { user: "ada".into(), left: 1 }),
    ///         Some(Tries { user, left: 2.. }) => Some(Tries { user, left: 1 }),
    ///         Some(_) => None,
    ///     };
    /// };
    /// assert!(store.update_option(Tries::key("ada"), spend).await?.is_some());
    /// assert!(store.update_option(Tries::key("ada"), spend).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`](StateError::Denied) for a removal without the right to, and those of
    /// [`update`](Self::update) but `NotFound`.
    pub async fn update_option<K, C>(
        &self,
        key: K,
        mut change: impl FnMut(&mut Option<K::Value>) -> C,
    ) -> Result<Option<K::Value>>
    where
        K: TypedKey<Value: Writable>,
        <K::Value as StateKey>::Lifetime: StoredIn<B>,
        B: Cas,
        C: Change,
    {
        let changed = self.rewrite(key, self.updating::<K>(), |_, value| change(value).outcome());
        changed.await.map(|(_, value)| value)
    }
}

impl<B: Backend> StateStore<B> {
    /// As [`update_option`](Self::update_option), unless the closure fails with an error of the
    /// caller's own: then nothing is written.
    pub(crate) async fn try_update_option<K, E>(
        &self,
        key: K,
        mut change: impl FnMut(&mut Option<K::Value>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        K: TypedKey<Value: Writable>,
        E: From<StateError>,
    {
        let changed = self.rewrite(key, self.updating::<K>(), |_, value| change(value));
        changed.await.map(drop)
    }

    fn updating<K: TypedKey>(&self) -> Rewrite {
        let ttl = self.ttl_change::<K::Value>();
        Rewrite { operation: Operation::Update, existing: ttl, created: ttl }
    }
}

fn not_found(key: Key) -> StateError {
    StateError::NotFound { key: Box::new(key) }
}
