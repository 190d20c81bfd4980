//! `chat`: each message goes to the other connections of the same path and room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hybi::{CloseCode, Error, Message, io::Transport};
use tokio::task::coop::consume_budget;

use super::super::mailbox::{Mail, Mailbox};
use super::super::session::Session;
use crate::args::serve::SlowPeer;

/// Why a member is closed with 1008, or 1001 before version 13; short enough for a Close frame.
const TOO_SLOW: &str = "reads too slowly for this room";

/// Members of one room: each message costs the server as many deliveries.
const MAX_MEMBERS: usize = 1000;

/// Why nobody else gets in, with 1013, or 1001 before version 13.
const ROOM_IS_FULL: &str = "this room is full";

type Room = HashMap<u64, Arc<Mailbox>>;

/// All rooms, by path and name.
#[derive(Debug)]
pub(crate) struct Chat {
    capacity: usize,
    rooms: Mutex<HashMap<(String, String), Room>>,
}

/// A place in a room; dropping it leaves the room.
struct Seat<'a> {
    chat: &'a Chat,
    room: (String, String),
    id: u64,
    mailbox: Arc<Mailbox>,
}

impl Chat {
    /// Rooms whose members may each have `capacity` bytes waiting.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, rooms: Mutex::default() }
    }

    /// Serves one connection until it is over.
    pub(crate) async fn join<T: Transport>(
        &self,
        path: &str,
        room: &str,
        include_sender: bool,
        slow_peer: SlowPeer,
        session: &mut Session<'_, T>,
    ) -> Result<(), Error> {
        let Some(seat) = self.sit((path.to_owned(), room.to_owned()), session.id()) else {
            session.give_up(CloseCode::TRY_AGAIN_LATER, ROOM_IS_FULL).await?;
            while session.next().await?.is_some() {}
            return Ok(());
        };
        loop {
            tokio::select! {
                received = session.next() => {
                    let Some(message) = received? else { return Ok(()) };
                    let others = seat.others(include_sender);
                    if slow_peer == SlowPeer::Wait {
                        spread_waiting(&others, &message, &seat.mailbox, session).await?;
                    } else {
                        spread(&others, &message, slow_peer).await;
                    }
                }
                mail = seat.mailbox.take() => deliver(mail, &seat.mailbox, session).await?,
            }
        }
    }

    /// Takes a seat; `None` if the room is full.
    fn sit(&self, room: (String, String), id: u64) -> Option<Seat<'_>> {
        let mailbox = Arc::new(Mailbox::new(self.capacity));
        let mut rooms = self.lock();
        let members = rooms.entry(room.clone()).or_default();
        if members.len() >= MAX_MEMBERS {
            return None;
        }
        members.insert(id, Arc::clone(&mailbox));
        drop(rooms);
        Some(Seat { chat: self, room, id, mailbox })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Room>> {
        // One insertion or removal is all that happens under the lock.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat<'_> {
    fn others(&self, include_sender: bool) -> Vec<Arc<Mailbox>> {
        let rooms = self.chat.lock();
        let room = rooms.get(&self.room);
        let others = room.into_iter().flatten().filter(|(id, _)| include_sender || **id != self.id);
        others.map(|(_, mailbox)| Arc::clone(mailbox)).collect()
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.mailbox.close();
        let mut rooms = self.chat.lock();
        if let Some(room) = rooms.get_mut(&self.room) {
            room.remove(&self.id);
            if room.is_empty() {
                rooms.remove(&self.room);
            }
        }
    }
}

/// Sends one message on, unless the peer turns out to be too slow in the meantime.
async fn deliver<T: Transport>(
    mail: Mail,
    mailbox: &Mailbox,
    session: &mut Session<'_, T>,
) -> Result<(), Error> {
    if let Mail::Message(message) = mail {
        tokio::select! {
            sent = session.send(message) => return sent,
            () = mailbox.overflowed() => {}
        }
    }
    session.give_up(CloseCode::POLICY_VIOLATION, TOO_SLOW).await?;
    while session.next().await?.is_some() {}
    Ok(())
}

/// Puts a message in each mailbox, with a pause for others in between.
async fn spread(others: &[Arc<Mailbox>], message: &Message, slow_peer: SlowPeer) {
    for mailbox in others {
        consume_budget().await;
        if mailbox.try_put(message.clone()).is_err() && slow_peer == SlowPeer::Close {
            mailbox.overflow();
        }
    }
}

/// Waits for room in every mailbox, and keeps its own mailbox moving meanwhile: two connections
/// that waited for each other would otherwise wait for ever.
async fn spread_waiting<T: Transport>(
    others: &[Arc<Mailbox>],
    message: &Message,
    own: &Mailbox,
    session: &mut Session<'_, T>,
) -> Result<(), Error> {
    let spreading = async {
        for mailbox in others {
            mailbox.put(message.clone()).await;
        }
    };
    tokio::pin!(spreading);
    loop {
        tokio::select! {
            () = &mut spreading => return Ok(()),
            mail = own.take() => deliver(mail, own, session).await?,
        }
    }
}
