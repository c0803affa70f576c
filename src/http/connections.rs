//! Who has a connection, and who has to leave when there are too many?
//!
//! A connection costs a file and some memory, and whoever has one may have no key. So each peer has a share of all places, and
//! when it is used up, or all are, those leave that have waited the longest for a request to come, and those last whose key was
//! right. A request that is worked on is never cut off for another one. What is received of bodies is bounded as well.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::visits::Peer;

/// How many connections are open at a time, where the system allows so many files. Each takes about 20 KB once it has sent
/// something.
const CONNECTIONS_MAX: usize = 6_000;
/// How many files are left for everything else.
const OTHER_FILES: usize = 256;
/// One peer may have one in so many of all connections. A proxy is a peer.
const SHARES: usize = 2;
/// One in so many of those who wait leaves at a time, so that they need not be looked for with each one that comes.
const LEAVING: usize = 50;
/// How many bodies are received at a time, from whoever has no key, once the first part of them is here.
const STRANGERS_BODIES_MAX: usize = 64;
/// How much is held of other bodies that have not come whole, in bytes.
const CALLERS_BODIES_BYTES_MAX: usize = 96 << 20;
/// How much of an address is one peer's: what a customer of a provider usually has to himself.
const IPV6_NETWORK: u128 = !0 << 64;

/// All connections of a server.
#[derive(Clone, Debug)]
pub struct Connections {
    max: usize,
    seats: Arc<Mutex<Seats>>,
    bodies: Arc<Semaphore>,
    begun: Instant,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    taken: usize,
    by_peer: HashMap<IpAddr, BTreeMap<u64, Arc<Seat>>>,
    /// Those of them that a body is received from which nobody answers for, in the order in which these began.
    receiving: HashMap<IpAddr, BTreeMap<u64, Arc<Seat>>>,
}

/// What one connection is doing.
#[derive(Debug)]
struct Seat {
    /// Since when it waits for its caller, in milliseconds after the server began, or [`AT_WORK`].
    waits_since: AtomicU64,
    /// Whether a key that came over it was right.
    is_known: AtomicBool,
    leave: CancellationToken,
}

const AT_WORK: u64 = u64::MAX;

/// A connection's place, until it is dropped.
#[derive(Clone, Debug)]
pub struct Place(Arc<Held>);

#[derive(Debug)]
struct Held {
    connections: Connections,
    network: IpAddr,
    number: u64,
    seat: Arc<Seat>,
}

/// A part of the memory that bodies may take, until it is dropped.
#[derive(Debug)]
pub struct Kept {
    place: Place,
    of_stranger: Option<Receiving>,
    of_caller: Option<OwnedSemaphorePermit>,
}

/// One of the bodies that are received without a key.
#[derive(Debug)]
pub struct Receiving {
    place: Place,
    number: u64,
}

impl Connections {
    /// As many as the system allows, which is asked to allow more.
    #[must_use]
    pub fn allowed() -> Self {
        let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "how many files may be open is not known"
            );
            0
        });
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        let max = files.saturating_sub(OTHER_FILES).clamp(OTHER_FILES, CONNECTIONS_MAX);
        if max < CONNECTIONS_MAX {
            tracing::warn!(
                max,
                files,
                "fewer connections can be open than usual; `ulimit -n` allows more files"
            );
        }
        Self {
            max,
            seats: Arc::default(),
            bodies: Arc::new(Semaphore::new(CALLERS_BODIES_BYTES_MAX)),
            begun: Instant::now(),
        }
    }

    /// A place for one more. `None`: its peer has its share, and all of them are at work.
    #[must_use]
    pub fn take(&self, peer: Peer) -> Option<Place> {
        let network = network(peer.0);
        let mut seats = self.seats();
        let has_share = seats.by_peer.get(&network).is_some_and(|own| own.len() >= self.max / SHARES);
        if has_share && !seats.make_room(network) {
            return None;
        }
        if seats.taken >= self.max {
            let most = seats.by_peer.iter().max_by_key(|(_, own)| own.len()).map(|(peer, _)| *peer)?;
            if !seats.make_room(most) {
                return None;
            }
        }
        let (number, now) = (seats.next, self.now());
        let seat = Seat {
            waits_since: AtomicU64::new(now),
            is_known: AtomicBool::new(false),
            leave: CancellationToken::new(),
        };
        let seat = Arc::new(seat);
        seats.next = seats.next.saturating_add(1);
        seats.taken = seats.taken.saturating_add(1);
        seats.by_peer.entry(network).or_default().insert(number, Arc::clone(&seat));
        drop(seats);
        Some(Place(Arc::new(Held { connections: self.clone(), network, number, seat })))
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(AT_WORK).min(AT_WORK - 1)
    }
}

impl Seats {
    /// Receives one more body. When there are too many, the oldest of those whose peer has most of them leaves.
    fn receive(&mut self, network: IpAddr, seat: &Arc<Seat>) -> u64 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.receiving.entry(network).or_default().insert(number, Arc::clone(seat));
        let sum = self.receiving.values().map(BTreeMap::len).sum::<usize>();
        if sum > STRANGERS_BODIES_MAX
            && let Some(most) = self.receiving.values_mut().max_by_key(|own| own.len())
            && let Some((_, seat)) = most.pop_first()
        {
            seat.leave.cancel();
        }
        number
    }

    fn received(&mut self, network: IpAddr, number: u64) {
        if let Some(own) = self.receiving.get_mut(&network) {
            own.remove(&number);
            if own.is_empty() {
                self.receiving.remove(&network);
            }
        }
    }

    /// Has those of a peer leave that have waited the longest. Whether there were any.
    fn make_room(&mut self, network: IpAddr) -> bool {
        let Some(own) = self.by_peer.get(&network) else { return false };
        let waiting = own.iter().filter_map(|(number, seat)| {
            let since = seat.waits_since.load(Ordering::Relaxed);
            (since != AT_WORK).then(|| (seat.is_known.load(Ordering::Relaxed), since, *number))
        });
        let mut waiting: Vec<(bool, u64, u64)> = waiting.collect();
        let leaving = waiting.len().div_ceil(LEAVING);
        if waiting.len() > leaving {
            waiting.select_nth_unstable(leaving);
            waiting.truncate(leaving);
        }
        for (.., number) in &waiting {
            self.free(network, *number);
        }
        !waiting.is_empty()
    }

    fn free(&mut self, network: IpAddr, number: u64) {
        let Some(own) = self.by_peer.get_mut(&network) else { return };
        if let Some(seat) = own.remove(&number) {
            seat.leave.cancel();
            self.taken = self.taken.saturating_sub(1);
        }
        if own.is_empty() {
            self.by_peer.remove(&network);
        }
    }
}

impl Place {
    /// Its request is worked on, and is not cut off.
    pub fn works(&self) {
        self.0.seat.waits_since.store(AT_WORK, Ordering::Relaxed);
    }

    /// The same, for somebody with a key.
    pub fn works_for_caller(&self) {
        self.0.seat.is_known.store(true, Ordering::Relaxed);
        self.works();
    }

    /// Its caller is waited for.
    pub fn waits(&self) {
        self.0.seat.waits_since.store(self.0.connections.now(), Ordering::Relaxed);
    }

    /// Ends when the connection has to.
    pub async fn is_to_leave(&self) {
        self.0.seat.leave.cancelled().await;
    }

    /// Nothing of a body as yet.
    #[must_use]
    pub fn keeps_nothing(&self) -> Kept {
        Kept { place: self.clone(), of_stranger: None, of_caller: None }
    }
}

impl Kept {
    /// Keeps so many more bytes of a body, which waits while too much is kept of all.
    pub async fn more(&mut self, bytes: usize, has_key: bool) {
        let held = &self.place.0;
        if !has_key {
            self.of_stranger.get_or_insert_with(|| {
                let number = held.connections.seats().receive(held.network, &held.seat);
                Receiving { place: self.place.clone(), number }
            });
            return;
        }
        let Ok(bytes) = u32::try_from(bytes) else { return };
        // It is never closed.
        let Ok(more) = Arc::clone(&held.connections.bodies).acquire_many_owned(bytes).await else { return };
        match &mut self.of_caller {
            Some(kept) => kept.merge(more),
            none => *none = Some(more),
        }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        let held = &self.place.0;
        held.connections.seats().received(held.network, self.number);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.seats().free(self.network, self.number);
    }
}

/// What stands for a peer: its address, or the network that it can take any number of addresses from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & IPV6_NETWORK).into(),
        address @ IpAddr::V4(_) => address,
    }
}
