//! Negotiated: what the opening handshake settled.

use hybi_compression::Agreed;
use hybi_frame::Masking;
use hybi_handshake::Version;

use crate::legacy::{Terms, with_legacy};

/// What the opening handshake settled.
///
/// ```
/// use hybi::{Config, Connection, Negotiated, Role, Version};
///
/// // After an opening handshake made elsewhere.
/// let negotiated = Negotiated::new(Version::RFC6455, Some("chat.v2".to_owned()), Vec::new());
/// let connection = Connection::new(Role::Server, negotiated, Config::default().into());
/// assert_eq!(connection.negotiated().subprotocol.as_deref(), Some("chat.v2"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Negotiated {
    /// The protocol version.
    pub version: Version,
    /// The subprotocol, if one was chosen.
    pub subprotocol: Option<String>,
    /// The extensions in use, in the order in which they transform outgoing messages.
    pub extensions: Vec<Agreed>,
    /// What the framing of a version before hybi-07 needs to know.
    pub(crate) terms: Option<Terms>,
    /// Which frames of hybi-07 to RFC 6455 are masked.
    pub(crate) masking: Masking,
}

/// RFC 6455 and nothing else.
pub(super) static PLAIN: Negotiated = Negotiated {
    version: Version::RFC6455,
    subprotocol: None,
    extensions: Vec::new(),
    terms: None,
    masking: Masking::Client,
};

impl Negotiated {
    /// Version, subprotocol and extensions as the handshake left them. The version is one of hybi-07 to
    /// RFC 6455; what came before needs `with_terms`, of the feature `legacy`.
    #[must_use]
    pub fn new(version: Version, subprotocol: Option<String>, extensions: Vec<Agreed>) -> Self {
        Self { version, subprotocol, extensions, ..PLAIN.clone() }
    }

    /// The same for a connection that runs within another one, where no frame is masked, in neither
    /// direction.
    ///
    /// RFC 6455 demands the masks of a client on every transport that an intermediary may misread
    /// ([§5.1](https://www.rfc-editor.org/rfc/rfc6455#section-5.1),
    /// [§10.3](https://www.rfc-editor.org/rfc/rfc6455#section-10.3)): without them a page could plant bytes
    /// of its choice there. In a tunnel within a WebSocket connection the frames outside are masked already,
    /// and a second mask would cost time and stop nothing. So this is for a transport within another connection
    /// alone, and never for a socket. Nothing in the opening handshake tells of it: both ends have to know,
    /// since each fails the connection at a masked frame, with close code 1002.
    ///
    /// It is about the frames of hybi-07 to RFC 6455. What came before masks as its terms say.
    ///
    /// ```
    /// use hybi::{Config, Connection, Message, Negotiated, Role};
    ///
    /// let [mut client, mut server] = [Role::Client, Role::Server].map(|role| {
    ///     Connection::new(role, Negotiated::default().unmasked(), Config::default().into())
    /// });
    /// client.queue("hello")?;
    /// let mut tunnelled = client.transmit_to_vec();
    /// assert_eq!(tunnelled, b"\x81\x05hello");
    /// let (_, event) = server.handle_input(&mut tunnelled);
    /// assert_eq!(event.map(Message::from), Some(Message::from("hello")));
    /// # Ok::<(), hybi::Error>(())
    /// ```
    #[must_use]
    pub fn unmasked(self) -> Self {
        Self { masking: Masking::Nobody, ..self }
    }

    with_legacy! {
        /// The same for a version before hybi-07. Of the extensions, a connection uses those over the whole
        /// stream, from hybi-04 on, and marks: old frames have no bit to say that a payload was encoded.
        ///
        /// ```
        /// use hybi::{Config, Connection, Message, Negotiated, Role, Version, legacy::Terms};
        ///
        /// let terms = Terms::new(Version::HIXIE_75).expect("its framing needs no more");
        /// let negotiated = Negotiated::default().with_terms(terms);
        /// let mut server = Connection::new(Role::Server, negotiated, Config::default().into());
        /// server.queue(Message::from("hello"))?;
        /// assert_eq!(server.transmit_to_vec(), b"\0hello\xff");
        /// # Ok::<(), hybi::Error>(())
        /// ```
        #[must_use]
        pub fn with_terms(self, terms: Terms) -> Self {
            self.under(terms)
        }
    }

    /// The same for the version of these terms, which is one before hybi-07.
    pub(crate) fn under(self, terms: Terms) -> Self {
        Self { version: terms.version(), terms: Some(terms), ..self }
    }

    /// Lets go of extensions that the layout of the frames has no bits for.
    pub(super) fn drop_what_does_not_fit(&mut self) {
        if self.version < Version::HYBI_07 {
            let negotiates = self.version >= Version::HYBI_04;
            let fits = |agreed: &Agreed| agreed.is_stream() || agreed.is_mark();
            self.extensions.retain(|agreed| negotiates && fits(agreed));
        }
    }
}
