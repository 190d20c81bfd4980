//! The two directions of a connection, and how each of them ends (RFC 6455 sections 4.1 and 7.1).
//!
//! What is received and what is sent end each in their own way. Every transition is one match over the
//! pair, in `ending.rs`; the state that the RFC speaks of, and the close status, are read off it:
//!
//! ```text
//!                  Sending:
//!  Receiving:      Open          Closing                       Failed                Shut
//!
//!  Open            OPEN          CLOSING                       CLOSING               CLOSING
//!                                our Close frame waits for     the peer's Close      hixie-75: our end of
//!                                its answer                    frame may still say   the transport waits
//!                                                              why                   for the peer's
//!  Crossed         -             CLOSING                       CLOSING               -
//!                                hybi-03, 04: so does the
//!                                peer's, which is answered
//!  Draining        CLOSING       CLOSING                       CLOSED                CLOSING
//!                  our answer    our last word leaves, then    the transport is      the peer ends its
//!                  is to be      whoever has to ends the       let go                half, or time does
//!                  queued        transport
//!  Ended           the same      CLOSING                       CLOSED                CLOSED
//!                                our last word leaves, then
//!                                we end the transport
//! ```
//!
//! `Open` stays after the peer's Close frame until whoever sends was asked for more, so that what answers
//! the messages in front of that frame still leaves: section 5.5.1 lets an endpoint finish what it is
//! sending first.
//!
//! hixie-75 has no Close frames: the end of the transport says what they say elsewhere. So it waits in the
//! row `Open` with `Shut` where others wait with `Closing`, and the end of input leads to `Ended` directly.

use hybi_frame::{CloseCode, CloseFrame};

use super::{CloseStatus, Endpoint, Error};

/// Where a connection is in its life (RFC 6455 section 4.1 and 7.1).
///
/// ```text
///  opening handshake            first Close frame              transport ended
/// (Connecting) -------> Open --------------------> Closing ------------------> Closed
/// ```
///
/// `Connecting` is what [`ClientHandshake`](hybi_handshake::ClientHandshake) and
/// [`ServerHandshake`](hybi_handshake::ServerHandshake) are for; a `Connection` begins `Open`.
///
/// ```
/// use hybi::{Config, Connection, Message, Negotiated, Role, State};
///
/// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
/// assert_eq!(server.state(), State::Open);
/// server.queue(Message::Close(None))?;
/// assert_eq!(server.state(), State::Closing);
/// # Ok::<(), hybi::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: the states of RFC 6455")]
pub enum State {
    /// Messages go both ways.
    Open,
    /// A Close frame was sent or received, or the connection was failed.
    Closing,
    /// Over: nothing will be sent or received any more, and the transport can be let go.
    Closed,
}

/// How the peer's direction stands.
#[derive(Clone, Debug)]
pub(super) enum Receiving {
    /// Frames are taken in.
    Open,
    /// They are, but a Close frame of the peer's was among them that does not answer ours.
    Crossed(PeerClose),
    /// No frame counts any more. What still comes is discarded, within bounds, so that unread bytes
    /// do not turn our end of the transport into a reset that overtakes our last word.
    Draining(LastHeard),
    /// The peer ended its half of the transport as well, or is not waited for any more.
    Ended(LastHeard),
}

/// A Close frame of the peer's: its code and reason, if it had any.
pub(super) type PeerClose = Option<Box<CloseFrame>>;

/// What the peer's direction ended with.
#[derive(Clone, Debug)]
pub(super) enum LastHeard {
    Close(PeerClose),
    /// hixie-75: the end of the transport, between two messages.
    EndOfInput,
    /// Something else: it was not the peer who ended it, or not in order.
    Nothing,
}

impl Receiving {
    /// Whether frames are still taken in.
    pub(super) fn takes_frames(&self) -> bool {
        matches!(self, Self::Open | Self::Crossed(_))
    }

    /// What the direction ends with if it ends now.
    pub(super) fn last_heard(&self) -> LastHeard {
        match self {
            Self::Open => LastHeard::Nothing,
            Self::Crossed(close) => LastHeard::Close(close.clone()),
            Self::Draining(last) | Self::Ended(last) => last.clone(),
        }
    }
}

/// How our direction stands.
#[derive(Clone, Debug)]
pub(super) enum Sending {
    /// Messages may be queued.
    Open,
    /// Our last word is queued: it leaves, with everything before it, and nothing follows.
    Closing(LastWord),
    /// The transport takes nothing more. This becomes the error of the connection if the peer's Close
    /// frame, which would explain it, does not come.
    Failed(LastWord, Box<Error>),
    /// Our half of the transport was ended, or cannot be; what `Failed` had, if it came first.
    Shut(LastWord, Option<Box<Error>>),
}

/// What we ended our direction with.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastWord {
    /// The code of our Close frame; `None` if there was none.
    pub(super) code: Option<CloseCode>,
    /// Whose Close frame was the first; `None` if there was none.
    pub(super) began: Option<Endpoint>,
}

impl LastWord {
    pub(super) const NONE: Self = Self { code: None, began: None };
}

impl Sending {
    pub(super) fn last_word(&self) -> LastWord {
        match self {
            Self::Open => LastWord::NONE,
            Self::Closing(word) | Self::Failed(word, _) | Self::Shut(word, _) => *word,
        }
    }

    /// Why the transport took nothing more, if so: the first error is the one that stays.
    pub(super) fn failure(&self) -> Option<&Error> {
        match self {
            Self::Open | Self::Closing(_) => None,
            Self::Failed(_, error) => Some(error),
            Self::Shut(_, error) => error.as_deref(),
        }
    }

    /// The same with our half of the transport ended, and with this for our last word.
    pub(super) fn shut(&self, word: LastWord) -> Self {
        Self::Shut(word, self.failure().cloned().map(Box::new))
    }
}

/// The RFC's view of the pair.
pub(super) fn state(receiving: &Receiving, sending: &Sending) -> State {
    match (receiving, sending) {
        (Receiving::Open, Sending::Open) => State::Open,
        (Receiving::Ended(_), Sending::Failed(..) | Sending::Shut(..))
        | (Receiving::Draining(_), Sending::Failed(..)) => State::Closed,
        _ => State::Closing,
    }
}

/// How the pair came to its end; `None` while it is open.
pub(super) fn close_status(
    receiving: &Receiving,
    sending: &Sending,
    error: Option<&Error>,
) -> Option<CloseStatus> {
    if state(receiving, sending) == State::Open {
        return None;
    }
    let word = sending.last_word();
    let received = match receiving.last_heard() {
        LastHeard::Close(close) => Some(close.map(|frame| *frame)),
        LastHeard::EndOfInput => Some(None),
        LastHeard::Nothing => None,
    };
    // Both said their last word, and neither broke a rule (section 7.1.4).
    let clean = error.is_none()
        && match (receiving, sending) {
            (
                Receiving::Draining(last) | Receiving::Ended(last),
                Sending::Closing(word) | Sending::Failed(word, _) | Sending::Shut(word, _),
            ) => match last {
                LastHeard::Close(_) => word.code.is_some(),
                LastHeard::EndOfInput => true,
                LastHeard::Nothing => false,
            },
            _ => false,
        };
    let began = word.began.or_else(|| received.as_ref().map(|_| Endpoint::Peer));
    Some(CloseStatus { received, sent: word.code, began, clean })
}
