//! Who has a connection, and which connections are closed if there are too many?
//!
//! A connection costs a file and some memory, and callers without a key have them, too.
//! So each peer has a share of all connections.
//! If it is used up, or all connections are, those are closed that have waited the longest for a request, and those of
//! valid keys last.
//! A connection whose request is being worked on is never closed for another one.
//! Memory for bodies that are being received is limited as well.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{
    address_limit::{Peer, network},
    proxies::Proxies,
};

/// How many connections are open at a time, if the system allows as many files.
/// Each takes about 20 KB once it has sent something.
const CONNECTIONS_MAX: usize = 6_000;
/// How many files are left for everything else.
const OTHER_FILES: usize = 256;
/// One peer may have one half of all connections, unless it is a trusted proxy.
const SHARES: usize = 2;
/// How many connections the listener for metrics has, which only the operator's own programs use.
const CONNECTIONS_FEW: usize = 64;
/// One in this many of the waiting connections is closed at a time, so that they are not searched for each new one.
const LEAVING: usize = 50;
/// How many bodies of callers without a key are received at a time, after their first part has arrived.
const STRANGERS_BODIES_MAX: usize = 64;
/// How many bytes of other bodies are held until these have arrived completely.
const CALLERS_BODIES_BYTES_MAX: usize = 96 << 20;

/// All connections of a server.
#[derive(Clone, Debug)]
pub struct Connections {
    max: usize,
    proxies: Arc<Proxies>,
    seats: Arc<Mutex<Seats>>,
    bodies: Arc<Semaphore>,
    begun: Instant,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    taken: usize,
    /// Which of the peers are trusted proxies.
    proxies: HashSet<IpAddr>,
    by_peer: HashMap<IpAddr, BTreeMap<u64, Arc<Seat>>>,
    /// Connections on which a body is received without a valid key, by peer, in the order in which the bodies began.
    receiving: HashMap<IpAddr, BTreeMap<u64, Arc<Seat>>>,
}

/// What one connection is doing.
#[derive(Debug)]
struct Seat {
    /// Since when it waits for its caller, in milliseconds after the server started, or [`AT_WORK`].
    waits_since: AtomicU64,
    /// Whether a valid key was sent on it.
    is_known: AtomicBool,
    leave: CancellationToken,
}

const AT_WORK: u64 = u64::MAX;

/// The place of a connection until it is dropped, and who sent its requests.
#[derive(Clone, Debug)]
pub struct ConnectionPlace {
    held: Arc<HeldConnection>,
    visitor: IpAddr,
}

#[derive(Debug)]
struct HeldConnection {
    connections: Connections,
    network: IpAddr,
    number: u64,
    seat: Arc<Seat>,
}

/// A part of the memory for bodies, until it is dropped.
#[derive(Debug)]
pub struct BodyShare {
    place: ConnectionPlace,
    of_stranger: Option<Receiving>,
    of_caller: Option<OwnedSemaphorePermit>,
}

/// A body that is received without a key.
#[derive(Debug)]
pub struct Receiving {
    place: ConnectionPlace,
    number: u64,
}

impl Connections {
    /// As many as the system allows. The process first raises its own limit if it may.
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
        Self::at_most(max)
    }

    /// Enough for programs that monitor the server.
    #[must_use]
    pub fn few() -> Self {
        Self::at_most(CONNECTIONS_FEW)
    }

    fn at_most(max: usize) -> Self {
        Self {
            max,
            proxies: Arc::default(),
            seats: Arc::default(),
            bodies: Arc::new(Semaphore::new(CALLERS_BODIES_BYTES_MAX)),
            begun: Instant::now(),
        }
    }

    /// With trusted proxies, which may have more than a peer's share.
    #[must_use]
    pub fn behind(self, proxies: Arc<Proxies>) -> Self {
        Self { proxies, ..self }
    }

    /// A place for one more. `None`: the peer's share is used up, and all of its connections are at work.
    #[must_use]
    pub fn take(&self, peer: Peer) -> Option<ConnectionPlace> {
        let network = network(peer.0);
        let is_proxy = self.proxies.include(peer.0);
        let mut seats = self.seats();
        let has_share = seats.by_peer.get(&network).is_some_and(|own| own.len() >= self.max / SHARES);
        if has_share && !is_proxy && !seats.make_room(network) {
            return None;
        }
        if seats.taken >= self.max && !seats.make_room_anywhere() {
            return None;
        }
        if is_proxy {
            seats.proxies.insert(network);
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
        let held = Arc::new(HeldConnection { connections: self.clone(), network, number, seat });
        Some(ConnectionPlace { held, visitor: network })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(AT_WORK).min(AT_WORK - 1)
    }
}

impl Seats {
    /// Begins to receive a body. If there are too many, the oldest body of the peer that has most of them is given up.
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

    /// Closes waiting connections of the peer that has the most; of a proxy only if no other peer has any.
    fn make_room_anywhere(&mut self) -> bool {
        let mut peers: Vec<(bool, usize, IpAddr)> =
            self.by_peer.iter().map(|(peer, own)| (!self.proxies.contains(peer), own.len(), *peer)).collect();
        let most = peers.iter().copied().max();
        if most.is_some_and(|(_, _, peer)| self.make_room(peer)) {
            return true;
        }
        peers.sort_unstable();
        // All connections of the peer with the most may be at work, particularly behind a proxy.
        !self.proxies.is_empty() && peers.into_iter().rev().any(|(_, _, peer)| self.make_room(peer))
    }

    /// Closes the connections of a peer that have waited the longest. Returns whether there were any.
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
            self.proxies.remove(&network);
        }
    }
}

impl ConnectionPlace {
    /// The same place, for a request of a visitor behind a proxy.
    #[must_use]
    pub fn of(&self, visitor: IpAddr) -> Self {
        Self { held: Arc::clone(&self.held), visitor: network(visitor) }
    }

    /// A request is being worked on: the connection is not closed.
    pub fn works(&self) {
        self.held.seat.waits_since.store(AT_WORK, Ordering::Relaxed);
    }

    /// The same, for a caller with a valid key.
    pub fn works_for_caller(&self) {
        self.held.seat.is_known.store(true, Ordering::Relaxed);
        self.works();
    }

    /// The connection waits for its caller.
    pub fn waits(&self) {
        self.held.seat.waits_since.store(self.held.connections.now(), Ordering::Relaxed);
    }

    /// Resolves when the connection has to be closed.
    pub async fn is_to_leave(&self) {
        self.held.seat.leave.cancelled().await;
    }

    /// A share without any bytes.
    #[must_use]
    pub fn keeps_nothing(&self) -> BodyShare {
        BodyShare { place: self.clone(), of_stranger: None, of_caller: None }
    }
}

impl BodyShare {
    /// Reserves memory for more bytes of a body. It waits while bodies use too much in total.
    pub async fn more(&mut self, bytes: usize, has_key: bool) {
        let ConnectionPlace { held, visitor } = &self.place;
        if !has_key {
            self.of_stranger.get_or_insert_with(|| {
                let number = held.connections.seats().receive(*visitor, &held.seat);
                Receiving { place: self.place.clone(), number }
            });
            return;
        }
        let Ok(bytes) = u32::try_from(bytes) else { return };
        // The semaphore is never closed.
        let Ok(more) = Arc::clone(&held.connections.bodies).acquire_many_owned(bytes).await else { return };
        match &mut self.of_caller {
            Some(kept) => kept.merge(more),
            none => *none = Some(more),
        }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.place.held.connections.seats().received(self.place.visitor, self.number);
    }
}

impl Drop for HeldConnection {
    fn drop(&mut self) {
        self.connections.seats().free(self.network, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

    fn connections() -> Connections {
        Connections::at_most(10).behind(Arc::new(Proxies::parse("10.0.0.0/8").unwrap()))
    }

    fn at_work(connections: &Connections, peer: IpAddr) -> Option<ConnectionPlace> {
        connections.take(Peer(peer)).inspect(ConnectionPlace::works)
    }

    #[test]
    fn a_peer_has_its_share_and_a_proxy_has_what_there_is() {
        let connections = connections();
        let peers: Vec<_> = (0..10).filter_map(|_| at_work(&connections, PEER)).collect();
        assert_eq!(peers.len(), 5);
        drop(peers);
        let proxies: Vec<_> = (0..12).filter_map(|_| at_work(&connections, PROXY)).collect();
        assert_eq!(proxies.len(), 10);
    }

    #[test]
    fn those_of_a_proxy_leave_last() {
        let connections = connections();
        let proxies: Vec<_> = (0..8).filter_map(|_| connections.take(Peer(PROXY))).collect();
        let peers: Vec<_> = (0..2).filter_map(|_| connections.take(Peer(PEER))).collect();
        let left = |places: &[ConnectionPlace]| {
            places.iter().filter(|place| place.held.seat.leave.is_cancelled()).count()
        };
        let _next = connections.take(Peer(PROXY)).unwrap();
        assert_eq!((left(&proxies), left(&peers)), (0, 1));
        peers[1].works();
        let _next = connections.take(Peer(PROXY)).unwrap();
        assert_eq!((left(&proxies), left(&peers)), (1, 1), "one that waits leaves for one that comes");
    }

    #[test]
    fn bodies_from_behind_a_proxy_are_their_visitors() {
        let connections = connections();
        let place = connections.take(Peer(PROXY)).unwrap();
        let visitors = [place.of(PEER), place.of(IpAddr::from([203, 0, 113, 10]))];
        let kept = visitors.each_ref().map(|place| {
            let number = connections.seats().receive(place.visitor, &place.held.seat);
            Receiving { place: place.clone(), number }
        });
        assert_eq!(connections.seats().receiving.len(), 2);
        drop(kept);
        assert!(connections.seats().receiving.is_empty());
    }
}
