//! CloseStatus: how a connection ended (RFC 6455 section 7.1).

use hybi_frame::{CloseCode, CloseFrame, FrameRules, Role};

/// How a connection ended: who began, with which code and reason, and whether in order.
///
/// Versions before hybi-06 have no codes, so that a Close frame of theirs counts as one without. hixie-75
/// has no Close frames either: there an end of the transport between two messages counts as one.
///
/// ```
/// use hybi::{CloseCode, CloseFrame, Config, Connection, Endpoint, Message, Negotiated, Role};
///
/// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
/// let mut client = Connection::new(Role::Client, Negotiated::default(), Config::default().into());
/// let frame = CloseFrame::new(CloseCode::GOING_AWAY, "restarting")?;
/// server.queue(Message::Close(Some(frame)))?;
/// client.handle_input(&mut server.transmit_to_vec());
/// server.handle_input(&mut client.transmit_to_vec());
///
/// let status = client.close_status().expect("a Close frame came");
/// assert_eq!((status.code(), status.reason()), (CloseCode::GOING_AWAY, "restarting"));
/// assert_eq!(status.began_by(), Some(Endpoint::Peer));
/// assert_eq!(server.close_status().map(|status| status.is_clean()), Some(true));
/// # Ok::<(), hybi::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseStatus {
    pub(crate) received: Option<Option<CloseFrame>>,
    pub(crate) sent: Option<CloseCode>,
    pub(crate) began: Option<Endpoint>,
    pub(crate) clean: bool,
}

/// One of the two endpoints, seen from this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: a connection has two ends")]
pub enum Endpoint {
    /// This endpoint.
    Local,
    /// The other one.
    Peer,
}

/// What a Close frame says that is forwarded from a connection where none came.
const LOST: &str = "the connection behind this one was lost";

impl CloseStatus {
    /// The code of the peer's Close frame; [`CloseCode::NO_STATUS`] (1005) if it had none, and
    /// [`CloseCode::ABNORMAL`] (1006) if no Close frame came (section 7.1.5).
    #[must_use]
    pub fn code(&self) -> CloseCode {
        match &self.received {
            Some(Some(frame)) => frame.code(),
            Some(None) => CloseCode::NO_STATUS,
            None => CloseCode::ABNORMAL,
        }
    }

    /// The reason in the peer's Close frame; empty if there was none (section 7.1.6).
    #[must_use]
    pub fn reason(&self) -> &str {
        match &self.received {
            Some(Some(frame)) => frame.reason().as_str(),
            _ => "",
        }
    }

    /// The Close frame that tells of this end on another connection, by an endpoint in `role` under
    /// `rules`; `None` for one without a code.
    ///
    /// | here | there |
    /// |---|---|
    /// | a code and a reason | the [nearest](CloseCode::nearest) code, the same reason |
    /// | 1005, no code | no code |
    /// | 1006, no Close frame | 1011, as `the connection behind this one was lost` |
    /// | any of these | no code, in versions that have none (before hybi-06) |
    ///
    /// 1006 does not become 1001, which many libraries take for an end in order, nor 1014, which is
    /// younger than RFC 6455 and fails peers that keep to its table.
    ///
    /// ```
    /// use hybi::{CloseCode, CloseFrame, Config, Connection, Message, Negotiated, Role};
    /// use hybi::frame::FrameRules;
    ///
    /// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
    /// server.handle_eof();
    /// let lost = server.close_status().expect("it is over");
    /// let frame = lost.forwarded(FrameRules::RFC6455, Role::Client).expect("a code");
    /// assert_eq!(frame.code(), CloseCode::INTERNAL_ERROR);
    /// ```
    #[must_use]
    pub fn forwarded(&self, rules: FrameRules, role: Role) -> Option<CloseFrame> {
        if !rules.has_close_codes() {
            return None;
        }
        match &self.received {
            Some(frame) => Some(frame.as_ref()?.nearest(rules, role)),
            None => {
                let code = CloseCode::ABNORMAL.nearest(rules, role);
                CloseFrame::for_version(rules, role, code, LOST).ok()
            }
        }
    }

    /// The code that this endpoint sent, if it sent a Close frame;
    /// [`CloseCode::NO_STATUS`] if that frame was empty.
    #[must_use]
    pub fn sent(&self) -> Option<CloseCode> {
        self.sent
    }

    /// Who sent the first Close frame; `None` if nobody did.
    #[must_use]
    pub fn began_by(&self) -> Option<Endpoint> {
        self.began
    }

    /// Whether both endpoints sent a Close frame and neither broke a rule (section 7.1.4).
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.clean
    }
}
