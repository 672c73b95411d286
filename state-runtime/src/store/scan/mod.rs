//! Listing all values of a type, as a stream that reads page by page.

use core::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::collections::{HashSet, VecDeque};

use futures_core::Stream;

use super::{StateStore, StoredIn};
use crate::{
    backend::{self, Backend, Cursor, ScanRequest, Want},
    error::{Operation, Result},
    key::Key,
    schema::{KeyFormat, StateKey},
};

/// About how many entries are read at once.
const PAGE: usize = 256;

impl<B: Backend> StateStore<B> {
    /// Lists all values of a type, each decoded and validated. The order is the backend's.
    ///
    /// Every value that exists throughout the scan is found; one that is written or removed
    /// meanwhile may be found or not. A value that is not valid is an `Err` among the others, and
    /// the scan goes on behind it; after an error of the backend it ends. Keys of other types
    /// under the same prefix are passed over. Nothing is held in the backend between two pages.
    ///
    /// ```standalone_crate
    /// # use state_runtime::{backends::MemoryBackend, prelude::*};
    /// # #[derive(Debug, StateKey, Validate)]
    /// # #[state(key = "user:{id}", persistent)]
    /// # #[garde(allow_unvalidated)]
    /// # struct User { id: u32, name: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), state_runtime::StateError> {
    /// # let store = StateStore::new(MemoryBackend::new())?;
    /// store.set(&User { id: 7, name: "Ada".into() }).await?;
    /// let mut users = store.scan::<User>();
    /// while let Some(user) = users.next().await {
    ///     println!("{}", user?.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn scan<T>(&self) -> Scan<T, B>
    where
        T: StateKey,
        T::Lifetime: StoredIn<B>,
        B: backend::Scan,
    {
        // What is moved meanwhile goes from the former keys to the present ones: seen in this order,
        // nothing slips through.
        let former = T::NAMESPACE.former.map(Part::Former);
        let start = Position { part: former.unwrap_or(Part::Present), cursor: None };
        Scan {
            store: self.clone(),
            found: VecDeque::new(),
            state: State::Next(start, HashSet::new()),
            values: PhantomData,
        }
    }
}

/// A stream of all values of a type; see [`StateStore::scan`].
///
/// It is a [`Stream`], and [`next`](Self::next) does without one's traits.
#[must_use = "a scan reads nothing until it is polled"]
pub struct Scan<T, B> {
    store: StateStore<B>,
    found: VecDeque<Result<T>>,
    state: State<T>,
    values: PhantomData<fn() -> T>,
}

enum State<T> {
    /// The next page starts here; these keys were found under their former form.
    Next(Position, HashSet<Key>),
    /// It is being read.
    Reading(Pin<Box<dyn Future<Output = Result<Values<T>>> + Send>>),
    /// There is none.
    Done,
}

/// The values of one page, and what the next one has to know.
struct Values<T> {
    found: VecDeque<Result<T>>,
    next: Option<Position>,
    moved: HashSet<Key>,
}

struct Position {
    part: Part,
    cursor: Option<Cursor>,
}

/// The keys that are being listed.
#[derive(Clone, Copy)]
enum Part {
    /// Those that the type had formerly.
    Former(KeyFormat),
    Present,
}

impl<T: StateKey, B: backend::Scan> Scan<T, B> {
    /// The next value; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T: StateKey, B: backend::Scan> Stream for Scan<T, B> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let this = &mut *self;
        loop {
            if let Some(value) = this.found.pop_front() {
                return Poll::Ready(Some(value));
            }
            match &mut this.state {
                State::Done => return Poll::Ready(None),
                State::Next(..) => {
                    if let State::Next(at, moved) = mem::replace(&mut this.state, State::Done) {
                        let page = page::<T, B>(this.store.clone(), at, moved);
                        this.state = State::Reading(Box::pin(page));
                    }
                }
                State::Reading(page) => match ready!(page.as_mut().poll(cx)) {
                    Err(error) => {
                        this.state = State::Done;
                        return Poll::Ready(Some(Err(error)));
                    }
                    Ok(Values { found, next, moved }) => {
                        this.found = found;
                        this.state = next.map_or(State::Done, |next| State::Next(next, moved));
                    }
                },
            }
        }
    }
}

impl<T, B: Backend> Unpin for Scan<T, B> {}

impl<T, B: Backend> fmt::Debug for Scan<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("store", &self.store).finish_non_exhaustive()
    }
}

async fn page<T: StateKey, B: backend::Scan>(
    store: StateStore<B>,
    Position { part, cursor }: Position,
    mut moved: HashSet<Key>,
) -> Result<Values<T>> {
    store.access.check(Operation::Scan)?;
    let format = match part {
        Part::Former(format) => format,
        Part::Present => T::NAMESPACE.format,
    };
    let (prefix, want) = (store.prefix(format), Want::VALUE);
    let page = store.guard.scan(ScanRequest { prefix, cursor, limit: PAGE, want }).await?;
    let mut found = VecDeque::with_capacity(page.entries.len());
    for (stored, entry) in page.entries {
        let key = match part {
            Part::Former(_) => store.typed_former_key::<T>(&stored),
            Part::Present => store.typed_key::<T>(&stored),
        };
        // Otherwise it is a key of another type that starts the same.
        let Some(key) = key else { continue };
        // The typed key knows which of its fields are secret; the one from the backend does not.
        let encoded = store.encode_key(&key).unwrap_or_else(|_| stored.clone());
        let encoded = match part {
            Part::Present if moved.contains(&encoded) => continue,
            Part::Present => encoded,
            // The present value hides the former one.
            Part::Former(_) if store.guard.exists(&encoded).await? => continue,
            Part::Former(_) => {
                moved.insert(encoded);
                store.former_key(&key).unwrap_or(stored)
            }
        };
        found.extend(store.accept(key, &encoded, &entry.value).await.transpose());
    }
    let next = match (page.next, part) {
        (Some(cursor), _) => Some(Position { part, cursor: Some(cursor) }),
        (None, Part::Former(_)) => Some(Position { part: Part::Present, cursor: None }),
        (None, Part::Present) => None,
    };
    Ok(Values { found, next, moved })
}
