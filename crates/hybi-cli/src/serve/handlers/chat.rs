//! `chat`: each message goes to the other connections of the same path and room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hybi::{Broadcast, CloseCode, Error, Slow, io::Transport};

use super::super::session::Session;
use super::super::shared::Shared;
use crate::args::serve::SlowPeer;

/// Members of one room: each message costs the server as many deliveries.
const MAX_MEMBERS: usize = 1000;

/// Why nobody else gets in, with 1013, or 1001 before version 13.
const ROOM_IS_FULL: &str = "this room is full";

/// What each message that waits may cost beside its payload, so that empty ones are bounded too.
const OVERHEAD: usize = 64;

/// All rooms, by path and name.
#[derive(Debug)]
pub(crate) struct Chat {
    capacity: usize,
    slow: Slow,
    rooms: Mutex<HashMap<(String, String), Room>>,
}

#[derive(Debug)]
struct Room {
    broadcast: Broadcast,
    seats: usize,
}

/// A place in a room; dropping it leaves the room.
#[derive(Debug)]
pub(crate) struct Seat {
    shared: Arc<Shared>,
    room: (String, String),
    broadcast: Broadcast,
}

impl Chat {
    /// Rooms whose members may each have `capacity` bytes waiting.
    pub(crate) fn new(capacity: usize, slow_peer: SlowPeer) -> Self {
        let slow = match slow_peer {
            SlowPeer::Close => Slow::Close,
            SlowPeer::Drop => Slow::DropNewest,
            SlowPeer::Wait => Slow::Wait,
        };
        Self { capacity, slow, rooms: Mutex::default() }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<(String, String), Room>> {
        // One insertion or removal is all that happens under the lock.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_room(&self) -> Room {
        let broadcast = Broadcast::builder()
            .max_bytes(self.capacity)
            .max_messages(self.capacity / OVERHEAD)
            .slow(self.slow)
            .build();
        Room { broadcast, seats: 0 }
    }
}

impl Seat {
    /// Takes a seat; `None` if the room is full.
    pub(super) fn take(shared: &Arc<Shared>, room: (String, String)) -> Option<Self> {
        let mut rooms = shared.chat.rooms();
        let Room { broadcast, seats } =
            rooms.entry(room.clone()).or_insert_with(|| shared.chat.new_room());
        if *seats >= MAX_MEMBERS {
            return None;
        }
        *seats += 1;
        Some(Self { shared: Arc::clone(shared), room, broadcast: broadcast.clone() })
    }
}

impl Seat {
    /// The room.
    pub(crate) fn broadcast(&self) -> &Broadcast {
        &self.broadcast
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut rooms = self.shared.chat.rooms();
        if let Some(room) = rooms.get_mut(&self.room) {
            room.seats -= 1;
            if room.seats == 0 {
                rooms.remove(&self.room);
            }
        }
    }
}

/// Serves one connection until it is over.
pub(super) async fn run<T: Transport>(
    session: &mut Session<T>,
    include_sender: bool,
) -> Result<(), Error> {
    if !session.is_in_room() {
        return turn_away(session).await;
    }
    while let Some(message) = session.next().await? {
        session.tell(message, include_sender).await?;
    }
    Ok(())
}

async fn turn_away<T: Transport>(session: &mut Session<T>) -> Result<(), Error> {
    session.give_up(CloseCode::TRY_AGAIN_LATER, ROOM_IS_FULL).await?;
    while session.next().await?.is_some() {}
    Ok(())
}
