//! The client's part: the request, and the check of the response.

use core::fmt;

use hybi_handshake::{
    ClientAccepted, ClientRequest, FieldError, HandshakeError, HeadLimits, ResponseHead,
    ResponseReader, Version,
};

use super::hixie::Named;
use super::{hixie75, hixie76, hybi04, rules};
use crate::terms::Terms;

/// One opening handshake of a client that asks for a version before hybi-07.
///
/// It is used as [`hybi_handshake::ClientHandshake`] is, and says on which terms to go on. Errors
/// are sticky: after the first, every call returns it again.
///
/// ```
/// use hybi_handshake::{ClientRequest, HeadLimits, Version};
/// use hybi_legacy::ClientHandshake;
///
/// let request = ClientRequest::new("ws://example.com/demo".parse()?).version(Version::HIXIE_75);
/// let mut random = |bytes: &mut [u8]| bytes.fill(4); // A real one asks the system.
/// let mut client = ClientHandshake::new(&request, &mut random, HeadLimits::default())?;
/// assert_eq!(
///     client.request_bytes(),
///     b"GET /demo HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: example.com\r\n\
///         Origin: http://example.com\r\n\r\n"
/// );
/// let answer = b"HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\n\
///     Connection: Upgrade\r\nWebSocket-Origin: http://example.com\r\n\
///     WebSocket-Location: ws://example.com/demo\r\n\r\n\x00Hello\xff";
/// let (consumed, accepted) = client.handle_input(answer)?;
/// let (accepted, terms) = accepted.expect("the head is complete");
/// assert_eq!((accepted.version, terms.version()), (Version::HIXIE_75, Version::HIXIE_75));
/// assert_eq!(&answer[consumed..], b"\x00Hello\xff");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientHandshake {
    exchange: Exchange,
    state: State,
}

/// What the response is judged by.
enum Exchange {
    Hixie(Box<Hixie>),
    /// hybi-04 and later.
    Keyed(Box<hybi_handshake::ClientHandshake>),
}

/// A response of hixie-75 to hybi-03 as it arrives.
struct Hixie {
    request: Vec<u8>,
    version: Version,
    named: Named,
    reader: ResponseReader,
    /// What has to come behind the head, except in hixie-75.
    answer: Option<[u8; 16]>,
    /// The head, once it has come and was found in order.
    accepted: Option<ClientAccepted>,
    /// How much of the answer has come and was found right.
    answered: usize,
}

enum State {
    Waiting,
    Accepted,
    Failed(HandshakeError),
}

impl ClientHandshake {
    /// Prepares one attempt. `random` fills bytes from a cryptographic generator, `limits` bound the
    /// head of the response. Versions with [`Selector::Keys`](crate::Selector::Keys) name themselves
    /// in `Sec-WebSocket-Draft`, whose value [`ClientRequest::version_header`] replaces.
    ///
    /// hixie-75 to hybi-03 must name an origin: without one in `request` it is that of the URI. A
    /// server that accepts no subprotocol is none for a client that asked for one, and in hixie-75
    /// only the first of several is asked for. Extensions are not offered before hybi-04.
    ///
    /// # Errors
    ///
    /// [`FieldError::UnsupportedVersion`] if `request` asks for hybi-07 or later, whose handshake is that of
    /// [`hybi_handshake::ClientHandshake`].
    ///
    /// # Risk
    ///
    /// Versions before hybi-04 do not mask: see [`Version::HIXIE_75`] and
    /// [`Version::HIXIE_76`] before letting others choose what is sent.
    pub fn new(
        request: &ClientRequest,
        random: &mut dyn FnMut(&mut [u8]),
        limits: HeadLimits,
    ) -> Result<Self, FieldError> {
        let version = request.requested_version();
        if version >= Version::HYBI_07 {
            return Err(FieldError::UnsupportedVersion { requested: version });
        }
        let (request, named, answer) = if version == Version::HIXIE_75 {
            let (request, named) = hixie75::request(request);
            (request, named, None)
        } else if version < Version::HYBI_04 {
            let (request, named, answer) = hixie76::request(request, random);
            (request, named, Some(answer))
        } else {
            let mut nonce = [0; 16];
            random(&mut nonce);
            let keyed = hybi_handshake::ClientHandshake::new(request, nonce, limits);
            return Ok(Self { exchange: Exchange::Keyed(Box::new(keyed)), state: State::Waiting });
        };
        let reader = ResponseReader::new(limits);
        let hixie = Hixie { request, version, named, reader, answer, accepted: None, answered: 0 };
        Ok(Self { exchange: Exchange::Hixie(Box::new(hixie)), state: State::Waiting })
    }

    /// The request, challenge included, to be sent before anything else. Nothing more may be sent
    /// before the answer.
    #[must_use]
    pub fn request_bytes(&self) -> &[u8] {
        match &self.exchange {
            Exchange::Hixie(hixie) => &hixie.request,
            Exchange::Keyed(keyed) => keyed.request_bytes(),
        }
    }

    /// Takes the next bytes from the server and says how many of them it took. When that is not all
    /// of them, the handshake is over and the rest are frames.
    ///
    /// # Errors
    ///
    /// The rule that the response breaks; [`HandshakeError::Rejected`] when its status is not 101.
    /// The client drops the transport.
    pub fn handle_input(
        &mut self,
        chunk: &[u8],
    ) -> Result<(usize, Option<(ClientAccepted, Terms)>), HandshakeError> {
        match &self.state {
            State::Waiting => {}
            State::Accepted => return Ok((0, None)),
            State::Failed(error) => return Err(error.clone()),
        }
        let result = match &mut self.exchange {
            Exchange::Hixie(hixie) => hixie.handle_input(chunk),
            Exchange::Keyed(keyed) => keyed_input(keyed, chunk),
        };
        match &result {
            Ok((_, Some(_))) => self.state = State::Accepted,
            Ok((_, None)) => {}
            Err(error) => self.state = State::Failed(error.clone()),
        }
        result
    }

    /// The server ended its half of the transport; says what the handshake failed of.
    ///
    /// [`HandshakeError::Rejected`] with what there is of the body once the head of a rejection has
    /// come, else [`HandshakeError::UnexpectedEof`].
    pub fn handle_eof(&mut self) -> HandshakeError {
        let error = match (&self.state, &mut self.exchange) {
            (State::Failed(error), _) => error.clone(),
            (_, Exchange::Hixie(hixie)) => hixie.reader.handle_eof(),
            (_, Exchange::Keyed(keyed)) => keyed.handle_eof(),
        };
        self.state = State::Failed(error.clone());
        error
    }

    /// Whether the server's answer is known to be a rejection, of which no more than the body is missing.
    /// That need not be waited for: [`give_up`](Self::give_up) ends it.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        match &self.exchange {
            Exchange::Hixie(hixie) => hixie.reader.is_rejection(),
            Exchange::Keyed(keyed) => keyed.is_rejection(),
        }
    }

    /// Ends the handshake because the transport failed or a deadline passed: the rejection whose
    /// head has come, if there is one, with what there is of its body.
    pub fn give_up(&mut self) -> Option<HandshakeError> {
        let error = match &mut self.exchange {
            Exchange::Hixie(hixie) => hixie.reader.give_up(),
            Exchange::Keyed(keyed) => keyed.give_up(),
        }?;
        self.state = State::Failed(error.clone());
        Some(error)
    }
}

impl Hixie {
    fn handle_input(
        &mut self,
        chunk: &[u8],
    ) -> Result<(usize, Option<(ClientAccepted, Terms)>), HandshakeError> {
        let mut consumed = 0;
        if self.accepted.is_none() {
            let (taken, head) = self.reader.handle_input(chunk)?;
            let Some(head) = head else { return Ok((taken, None)) };
            self.accepted = Some(self.check(head)?);
            consumed = taken;
        }
        if let Some(answer) = &self.answer {
            // Compared as they come, so that nothing is kept. Any byte may be among them, white
            // space too.
            let rest = &answer[self.answered..];
            let taken = rest.len().min(chunk.len() - consumed);
            if chunk[consumed..consumed + taken] != rest[..taken] {
                return Err(HandshakeError::Draft(&rules::ANSWER_MISMATCH));
            }
            self.answered += taken;
            consumed += taken;
            if self.answered < answer.len() {
                return Ok((consumed, None));
            }
        }
        let terms = Terms { version: self.version, alternative: None, key: None };
        Ok((consumed, self.accepted.take().map(|accepted| (accepted, terms))))
    }

    fn check(&self, head: ResponseHead) -> Result<ClientAccepted, HandshakeError> {
        let subprotocol = match self.answer {
            None => hixie75::check_response(&head, &self.named),
            Some(_) => hixie76::check_response(&head, &self.named),
        }?;
        let mut accepted = ClientAccepted::new(head.response, self.version);
        accepted.subprotocol = subprotocol;
        Ok(accepted)
    }
}

fn keyed_input(
    keyed: &mut hybi_handshake::ClientHandshake,
    chunk: &[u8],
) -> Result<(usize, Option<(ClientAccepted, Terms)>), HandshakeError> {
    let (taken, accepted) = keyed.handle_input(chunk)?;
    let Some(accepted) = accepted else { return Ok((taken, None)) };
    let terms = match accepted.version {
        Version::HYBI_04 => hybi04::terms(keyed.key(), accepted.response.headers())?,
        version => Terms { version, alternative: None, key: None },
    };
    Ok((taken, Some((accepted, terms))))
}

impl fmt::Debug for ClientHandshake {
    /// Leaves the request out, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Waiting => "waiting",
            State::Accepted => "accepted",
            State::Failed(_) => "failed",
        };
        f.debug_struct("ClientHandshake").field("state", &state).finish_non_exhaustive()
    }
}
