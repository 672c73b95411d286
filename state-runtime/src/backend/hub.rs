//! Who is told of which changes.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use super::{BackendError, Change, Result, WatchRequest};
use crate::key::Key;

/// How many keys a watcher may be behind before it is told to look at everything.
const MAX_PENDING: usize = 1024;

/// All watchers of one backend.
#[derive(Default)]
pub(crate) struct Hub {
    registry: RwLock<Registry>,
    /// How many there are; lets writers pass by while there is none.
    watchers: AtomicUsize,
}

#[derive(Default)]
struct Registry {
    keys: HashMap<String, Vec<Arc<Watcher>>>,
    prefixes: Vec<(String, Arc<Watcher>)>,
    closed: bool,
}

impl Hub {
    /// Adds a watcher, which is told of every change from now on.
    pub(crate) fn subscribe(&self, request: &WatchRequest) -> Result<Arc<Watcher>> {
        let mut registry = self.registry();
        if registry.closed {
            return Err(BackendError::closed());
        }
        let watcher = Arc::new(Watcher::default());
        match request {
            WatchRequest::Key(key) => {
                registry
                    .keys
                    .entry(key.as_str().to_owned())
                    .or_default()
                    .push(Arc::clone(&watcher));
            }
            WatchRequest::Prefix(prefix) => {
                registry.prefixes.push((prefix.clone(), Arc::clone(&watcher)));
            }
        }
        self.watchers.fetch_add(1, Ordering::Relaxed);
        Ok(watcher)
    }

    /// Forgets a watcher.
    pub(crate) fn unsubscribe(&self, request: &WatchRequest, watcher: &Arc<Watcher>) {
        let mut registry = self.registry();
        match request {
            WatchRequest::Key(key) => {
                if let Some(watchers) = registry.keys.get_mut(key.as_str()) {
                    watchers.retain(|other| !Arc::ptr_eq(other, watcher));
                    if watchers.is_empty() {
                        registry.keys.remove(key.as_str());
                    }
                }
            }
            WatchRequest::Prefix(_) => {
                registry.prefixes.retain(|(_, other)| !Arc::ptr_eq(other, watcher));
            }
        }
        self.watchers.fetch_sub(1, Ordering::Relaxed);
    }

    /// Tells everybody who watches one of `keys`. To be called after the change, outside of locks.
    ///
    /// A writer that misses a watcher here changed the entry before that watcher could read it: the
    /// lock under which entries are changed and read orders the two.
    pub(crate) fn publish<'k>(&self, keys: impl IntoIterator<Item = &'k str>) {
        if self.watchers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut wakers = Vec::new();
        {
            let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
            for key in keys {
                let exact = registry.keys.get(key).into_iter().flatten();
                let under = registry.prefixes.iter();
                let under = under.filter(|(prefix, _)| key.starts_with(prefix.as_str()));
                for watcher in exact.chain(under.map(|(_, watcher)| watcher)) {
                    wakers.extend(watcher.push(key));
                }
            }
        }
        // An executor may run a task right inside of `wake`, and the task may drop its watch.
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Tells everybody that anything may have changed.
    #[cfg(feature = "redis")]
    pub(crate) fn publish_everything(&self) {
        let wakers: Vec<_> = {
            let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
            let under = registry.prefixes.iter().map(|(_, watcher)| watcher);
            let all = registry.keys.values().flatten().chain(under);
            all.filter_map(|watcher| watcher.push_everything()).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// A prefix for each watch, the whole key for that of a key; some may stand there twice.
    #[cfg(feature = "redis")]
    pub(crate) fn prefixes(&self) -> Vec<String> {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        let under = registry.prefixes.iter().map(|(prefix, _)| prefix);
        registry.keys.keys().chain(under).cloned().collect()
    }

    /// Ends every watch, and lets no new one begin.
    pub(crate) fn close(&self) {
        let mut registry = self.registry();
        registry.closed = true;
        let keys = core::mem::take(&mut registry.keys).into_values().flatten();
        let prefixes = core::mem::take(&mut registry.prefixes).into_iter();
        let watchers: Vec<_> = keys.chain(prefixes.map(|(_, watcher)| watcher)).collect();
        drop(registry);
        let wakers: Vec<_> = watchers.iter().filter_map(|watcher| watcher.end()).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn watchers(&self) -> usize {
        self.watchers.load(Ordering::Relaxed)
    }

    fn registry(&self) -> RwLockWriteGuard<'_, Registry> {
        self.registry.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one watcher has yet to be told.
#[derive(Default)]
pub(crate) struct Watcher(Mutex<Pending>);

/// `queued` holds exactly the keys of `queue`, so that a key waits there once however often it
/// changes.
#[derive(Default)]
struct Pending {
    queue: VecDeque<Arc<str>>,
    queued: HashSet<Arc<str>>,
    everything: bool,
    ended: bool,
    waker: Option<Waker>,
}

impl Pending {
    /// One hint at everything in place of many at keys.
    fn forget(&mut self) {
        self.queue.clear();
        self.queued.clear();
        self.everything = true;
    }
}

impl Watcher {
    /// The next hint; `None` once the backend is closed.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Option<Change>> {
        let mut pending = self.lock();
        if core::mem::take(&mut pending.everything) {
            return Poll::Ready(Some(Change::Everything));
        }
        if let Some(key) = pending.queue.pop_front() {
            pending.queued.remove(&key);
            return Poll::Ready(Some(Change::Key(Key::from_stored(&*key))));
        }
        if pending.ended {
            return Poll::Ready(None);
        }
        pending.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn push(&self, key: &str) -> Option<Waker> {
        let mut pending = self.lock();
        if pending.queued.contains(key) {
            return None;
        }
        if pending.queue.len() == MAX_PENDING {
            pending.forget();
        } else {
            let key: Arc<str> = Arc::from(key);
            pending.queue.push_back(Arc::clone(&key));
            pending.queued.insert(key);
        }
        pending.waker.take()
    }

    #[cfg(feature = "redis")]
    fn push_everything(&self) -> Option<Waker> {
        let mut pending = self.lock();
        pending.forget();
        pending.waker.take()
    }

    fn end(&self) -> Option<Waker> {
        let mut pending = self.lock();
        pending.ended = true;
        pending.waker.take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
