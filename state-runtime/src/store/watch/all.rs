//! `watch_all`: the latest state of every value of a type.

use core::{
    fmt,
    future::poll_fn,
    hash::BuildHasher,
    pin::Pin,
    task::{Context, Poll},
};
use std::{
    collections::{HashMap, VecDeque},
    hash::RandomState,
};

use bytes::Bytes;
use futures_core::Stream;

use super::{
    hints::{Hint, Hints},
    stored,
};
use crate::{
    backend::{self, Backend, WatchRequest},
    error::{Operation, Result, StateError},
    key::Key,
    schema::{Prefix, StateKey},
    store::{
        StateStore, StoredIn,
        backoff::Backoff,
        batches::{Batches, Step},
        parallel::parallel,
        path::{is_mark, read},
        scan::pages::{Pages, Wanted, unless_foreign},
    },
};

/// How many values are read at once.
const PAGE: usize = 256;

impl<B: Backend> StateStore<B> {
    /// Tells what every value of a type is, and from then on what each becomes; with
    /// [`within`](WatchAll::within), those under a prefix.
    ///
    /// First come the values that there are, in the backend's order. Then follows the latest state
    /// of a value whenever it is another one: written, or removed or expired, which is `None`. As
    /// with [`watch`](Self::watch), it is not a log: of several quick changes of a value only the last
    /// may be told. A slow reader costs no memory; what is kept is the key of each value and a digest
    /// of what was told of it. A value that is not valid is an `Err`, and whatever `on_invalid` says, it
    /// stays where it is.
    ///
    /// While the backend cannot be reached nothing is told, and afterwards what is then, also of what
    /// has vanished; the watch ends when the store is closed, and after an error that will not pass:
    /// after an `Err`, either the next state follows or `None`.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{StateError, backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, PartialEq, StateKey, Validate)]
    /// # #[state(key = "job:{id}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// # struct Job { id: u32, percent: u8 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// store.set(&Job { id: 7, percent: 50 }).await?;
    /// let mut jobs = store.watch_all::<Job>();
    /// if let Some(changed) = jobs.next().await.transpose()? {
    ///     assert_eq!(changed.key, Job::key(7));
    ///     assert_eq!(changed.value, Some(Job { id: 7, percent: 50 }));
    /// }
    /// store.remove(Job::key(7)).await?;
    /// let changed = jobs.next().await.transpose()?;
    /// assert!(changed.is_some_and(|job| job.value.is_none()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch_all<T>(&self) -> WatchAll<T, B>
    where
        T: StateKey,
        T::Lifetime: StoredIn<B>,
        B: backend::Watch + backend::Scan,
    {
        WatchAll::new(self.clone(), None)
    }
}

/// What has become of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<T: StateKey> {
    /// Its key.
    pub key: T::Key,
    /// What it is now; `None` where it is not there any more.
    pub value: Option<T>,
}

/// The states of all values of a type, as a stream; see [`StateStore::watch_all`].
///
/// It is a [`Stream`], and [`next`](Self::next) does without one's traits.
#[must_use = "a watch tells nothing until it is polled"]
pub struct WatchAll<T: StateKey, B> {
    store: StateStore<B>,
    states: Batches<Watched<T, B>, Result<Changed<T>>>,
}

impl<T: StateKey, B: backend::Watch + backend::Scan> WatchAll<T, B> {
    fn new(store: StateStore<B>, prefix: Option<Prefix<T>>) -> Self {
        let watched = Watched::new(store.clone(), prefix);
        let states = watched.map_or_else(|error| Batches::once(Err(error)), Batches::new);
        Self { store, states }
    }

    /// Watches only the values under a prefix. A watch that has begun begins anew.
    pub fn within(self, prefix: Prefix<T>) -> Self {
        Self::new(self.store, Some(prefix))
    }

    /// The next state of some value; `None` after the end.
    pub async fn next(&mut self) -> Option<Result<Changed<T>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

/// What is to be told.
type Items<T> = VecDeque<Result<Changed<T>>>;

/// What is watched, and what was told of it.
struct Watched<T: StateKey, B> {
    store: StateStore<B>,
    prefix: Option<Prefix<T>>,
    /// What the present keys start with.
    present: String,
    hints: Hints,
    /// What is going through all values, after anything may have happened.
    pass: Option<Pages<T, B>>,
    /// How often that has happened.
    passes: u64,
    /// Whether anything may have happened again since the last pass began.
    again: bool,
    /// Between passes that follow one another.
    rest: Backoff,
    /// Whether the next page is due, in a pass during which much changes.
    page_is_due: bool,
    /// What may have become another, by the present form of its key.
    changed: HashMap<Key, T::Key>,
    /// What was told last of each value that is there.
    told: HashMap<Key, Told>,
    /// The two halves of a digest, keyed with random numbers.
    digest: [RandomState; 2],
}

struct Told {
    digest: u128,
    /// The pass that has met the value last.
    pass: u64,
}

impl<T: StateKey, B: backend::Watch + backend::Scan> Watched<T, B> {
    fn new(store: StateStore<B>, prefix: Option<Prefix<T>>) -> Result<Self> {
        store.access.check(Operation::Watch)?;
        let present = store.prefix(T::NAMESPACE.format, prefix.as_ref())?;
        let former = T::NAMESPACE.former;
        let former = former.map(|format| store.prefix(format, prefix.as_ref())).transpose()?;
        let requests = former.into_iter().chain([present.clone()]).map(WatchRequest::Prefix);
        let hints = Hints::new(requests.collect());
        Ok(Self {
            store,
            prefix,
            present,
            hints,
            pass: None,
            passes: 0,
            again: false,
            rest: Backoff::default(),
            page_is_due: true,
            changed: HashMap::new(),
            told: HashMap::new(),
            digest: [RandomState::new(), RandomState::new()],
        })
    }

    /// Waits until some values are others than what was told last.
    async fn advance(mut self) -> Step<Self, Result<Changed<T>>> {
        loop {
            match self.look().await {
                Ok(Some(items)) => {
                    self.hints.recovered();
                    if !items.is_empty() {
                        return (Some(self), items);
                    }
                }
                Ok(None) | Err(StateError::Closed) => return (None, [].into()),
                Err(error) if error.is_retryable() => self.hints.pause().await,
                Err(error) => return (None, [Err(error)].into()),
            }
        }
    }

    /// One look at what may have changed; `None` if the store was closed. After an error, all that
    /// was to be looked at still is.
    ///
    /// Hints are taken between the pages of a pass, too, for the backend keeps few of them: else much
    /// that changes during a pass would be the reason for the next one.
    async fn look(&mut self) -> Result<Option<Items<T>>> {
        self.hear_some().await;
        let much_has_changed = self.changed.len() >= PAGE && !self.page_is_due;
        if let (Some(pass), false) = (&mut self.pass, much_has_changed) {
            let page = pass.try_next().await?;
            self.page_is_due = false;
            if let Some(page) = page {
                let found = page.into_iter();
                let told = found.filter_map(|it| self.tell(it.encoded, it.key, Some(it.value)));
                return Ok(Some(told.collect()));
            }
            self.pass = None;
            self.look_for_vanished();
        }
        if !self.changed.is_empty() {
            self.page_is_due = true;
            return self.read_changed().await.map(Some);
        }
        if self.again {
            self.rest.pause().await;
            self.begin_pass()?;
            return Ok(Some([].into()));
        }
        self.rest.reset();
        match self.hints.next(&self.store).await? {
            None => return Ok(None),
            Some(Hint::Everything) => self.begin_pass()?,
            Some(hint) => self.hear(hint),
        }
        Ok(Some([].into()))
    }

    /// Takes the hints that there are while something is to be looked at, but no more than can be
    /// read at once.
    async fn hear_some(&mut self) {
        let is_busy = self.pass.is_some() || !self.changed.is_empty();
        while is_busy
            && self.changed.len() < PAGE
            && !self.again
            && let Some(hint) = self.hints.at_once().await
        {
            self.hear(hint);
        }
    }

    fn begin_pass(&mut self) -> Result<()> {
        let (store, prefix) = (self.store.clone(), self.prefix.as_ref());
        self.pass = Some(Pages::new(store, Wanted::Values, prefix)?);
        self.passes += 1;
        self.again = false;
        Ok(())
    }

    fn hear(&mut self, hint: Hint) {
        let Hint::Key(stored) = hint else {
            self.again = true;
            return;
        };
        let present = self.store.typed_key::<T>(&stored);
        // Otherwise it is a key of another type that starts the same.
        if let Some(key) = present.or_else(|| self.store.typed_former_key::<T>(&stored)) {
            let encoded = self.store.encoded_of(&key, &stored);
            if encoded.as_str().starts_with(&self.present) {
                self.changed.insert(encoded, key);
            }
        }
    }

    /// What was told and is not met again may be gone. Or it came back behind the pass: so it is read.
    fn look_for_vanished(&mut self) {
        for (encoded, told) in &self.told {
            if told.pass != self.passes
                && let Some(key) = self.store.typed_key::<T>(encoded)
            {
                self.changed.insert(encoded.clone(), key);
            }
        }
    }

    /// Reads some of what may have changed.
    async fn read_changed(&mut self) -> Result<Items<T>> {
        let some: Vec<_> = self.changed.keys().take(PAGE).cloned().collect();
        let former: Vec<_> = some
            .iter()
            .map(|encoded| self.changed.get(encoded).and_then(|key| self.store.former_key(key)))
            .collect();
        let mut reads = Vec::with_capacity(some.len());
        for (encoded, former) in some.iter().zip(&former) {
            reads.push(stored(&self.store, encoded, former.as_ref()));
        }
        let values = parallel(reads).await;
        let values: Vec<Option<Bytes>> =
            values.into_iter().map(unless_foreign).collect::<Result<_>>()?;
        let mut told = VecDeque::new();
        for (encoded, value) in some.into_iter().zip(values) {
            if let Some(key) = self.changed.remove(&encoded) {
                told.extend(self.tell(encoded, key, value));
            }
        }
        Ok(told)
    }

    /// What is to be told of a value, if it is another than what was told last.
    fn tell(
        &mut self,
        encoded: Key,
        key: T::Key,
        value: Option<Bytes>,
    ) -> Option<Result<Changed<T>>> {
        // What is left of a removed value is nothing.
        let Some(bytes) = value.filter(|bytes| !is_mark::<T>(bytes)) else {
            return self.told.remove(&encoded).map(|_| Ok(Changed { key, value: None }));
        };
        let [high, low] = self.digest.each_ref().map(|half| u128::from(half.hash_one(&bytes)));
        let now = Told { digest: high << 64 | low, pass: self.passes };
        let is_told = self.told.get(&encoded).is_some_and(|told| told.digest == now.digest);
        let changed = (!is_told).then(|| {
            let value = read(key.clone(), &encoded, &bytes)?;
            Ok(Changed { key, value })
        });
        self.told.insert(encoded, now);
        changed
    }
}

impl<T: StateKey, B: backend::Watch + backend::Scan> Stream for WatchAll<T, B> {
    type Item = Result<Changed<T>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.states.poll(cx, Watched::advance)
    }
}

impl<T: StateKey, B> Unpin for WatchAll<T, B> {}

impl<T: StateKey, B: Backend> fmt::Debug for WatchAll<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchAll").field("store", &self.store).finish_non_exhaustive()
    }
}
