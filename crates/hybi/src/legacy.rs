//! The versions before hybi-07: all of `hybi-legacy` with the feature `legacy`, and nothing without it.
//
// This is the one file of the crate that asks for the feature. Everywhere else the code is the same in
// both builds, and what it names of old versions it names as `crate::legacy::Name`: with the feature
// that is the item of `hybi-legacy`, without it a stand-in below with the same signature. A stand-in
// holds `Infallible`, so that there is an arm for it in every `match` but never a value of it, and the
// compiler leaves out the arm with all that only it needs; a function that would make one says that the
// version is not supported. What is public with the feature alone stands where it belongs, within
// `with_legacy!`. Whoever needs one more item adds it to `absent`, with the signature of `hybi-legacy`.
// The rooms of the crate use this file, and it uses none of them.

#[cfg(feature = "legacy")]
#[doc(no_inline)]
pub use hybi_legacy::*;

#[cfg(not(feature = "legacy"))]
pub(crate) use absent::{
    ClientHandshake, FieldOrder, FrameCodec, OLDEST, ServerAnswer, Terms, check, server_terms,
};
#[cfg(feature = "legacy")]
pub(crate) use present::{OLDEST, server_terms};

/// Items that are there with the feature alone.
#[cfg(feature = "legacy")]
macro_rules! with_legacy {
    ($($item:tt)*) => { $($item)* };
}

#[cfg(not(feature = "legacy"))]
macro_rules! with_legacy {
    ($($item:tt)*) => {};
}

pub(crate) use with_legacy;

/// What joins `hybi-legacy` to this crate.
#[cfg(feature = "legacy")]
mod present {
    use http::Response;
    use hybi_handshake::{ServerAccepted, Version};
    use hybi_legacy::{Terms, hybi_04_nonce};

    /// The first version that can be spoken.
    pub(crate) const OLDEST: Version = Version::HIXIE_75;

    /// The terms of a version before hybi-07, whose server may add to its response: hybi-04 has a field
    /// for its nonce. `None` from hybi-07 on.
    pub(crate) fn server_terms(
        accepted: &ServerAccepted,
        response: &mut Response<()>,
        random: impl FnOnce() -> [u8; 16],
    ) -> Option<Terms> {
        if accepted.version != Version::HYBI_04 {
            return Terms::new(accepted.version);
        }
        let (name, value, terms) = hybi_04_nonce(accepted, random());
        response.headers_mut().insert(name, value);
        Some(terms)
    }
}

/// Stand-ins for what is not compiled in.
#[cfg(not(feature = "legacy"))]
mod absent {
    #![expect(clippy::needless_pass_by_ref_mut, reason = "the signatures of `hybi-legacy`")]

    use core::convert::Infallible;

    use http::{Request, Response};
    use hybi_frame::{Counts, FrameError, FrameHeader, FramePart, FrameRules, Limits, Role};
    use hybi_handshake::{
        ClientAccepted, ClientRequest, FieldError, HandshakeError, HeadLimits, ServerAccepted,
        ServerPolicy, Version,
    };

    pub(crate) const OLDEST: Version = Version::HYBI_07;

    #[derive(Debug)]
    pub(crate) struct ClientHandshake(Infallible);

    impl ClientHandshake {
        pub(crate) fn new(
            request: &ClientRequest,
            _random: &mut dyn FnMut(&mut [u8]),
            _limits: HeadLimits,
        ) -> Result<Self, FieldError> {
            Err(FieldError::UnsupportedVersion { requested: request.requested_version() })
        }

        pub(crate) fn request_bytes(&self) -> &[u8] {
            match self.0 {}
        }

        pub(crate) fn handle_input(
            &mut self,
            _chunk: &[u8],
        ) -> Result<(usize, Option<(ClientAccepted, Terms)>), HandshakeError> {
            match self.0 {}
        }

        pub(crate) fn handle_eof(&mut self) -> HandshakeError {
            match self.0 {}
        }

        pub(crate) fn is_rejection(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn give_up(&mut self) -> Option<HandshakeError> {
            match self.0 {}
        }
    }

    #[derive(Clone, Copy, Debug, Default)]
    pub(crate) struct FieldOrder(());

    pub(crate) fn check<B>(
        policy: &ServerPolicy,
        request: &Request<B>,
        _order: FieldOrder,
    ) -> Result<ServerAccepted, HandshakeError> {
        policy.check(request)
    }

    #[derive(Debug)]
    pub(crate) struct ServerAnswer(Infallible);

    impl ServerAnswer {
        pub(crate) const CHALLENGE_LEN: usize = 8;

        pub(crate) fn new<B>(
            policy: &ServerPolicy,
            _request: &Request<B>,
            accepted: &ServerAccepted,
        ) -> Result<Self, HandshakeError> {
            let (requested, accepted) = (accepted.version, policy.versions());
            Err(HandshakeError::UnsupportedVersion { requested, accepted })
        }

        pub(crate) fn head(&self) -> &[u8] {
            match self.0 {}
        }

        pub(crate) fn has_challenge(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn answer(&self, _challenge: [u8; Self::CHALLENGE_LEN]) -> [u8; 16] {
            match self.0 {}
        }

        pub(crate) fn terms(&self) -> &Terms {
            match self.0 {}
        }
    }

    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) struct Terms(Infallible);

    impl Terms {
        #[cfg(test)]
        pub(crate) fn new(_version: Version) -> Option<Self> {
            None
        }

        pub(crate) fn version(&self) -> Version {
            match self.0 {}
        }
    }

    #[derive(Debug)]
    pub(crate) struct FrameCodec(Infallible);

    impl FrameCodec {
        pub(crate) fn new(terms: &Terms, _role: Role, _limits: Limits) -> Self {
            match terms.0 {}
        }

        pub(crate) fn rules(&self) -> FrameRules {
            match self.0 {}
        }

        pub(crate) fn version(&self) -> Version {
            match self.0 {}
        }

        pub(crate) fn masks(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn set_limits(&mut self, _limits: Limits) {
            match self.0 {}
        }

        pub(crate) fn counts(&self) -> Counts {
            match self.0 {}
        }

        pub(crate) fn is_settled(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn at_frame_boundary(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn next_is_control(&self, _chunk: &[u8]) -> Option<bool> {
            match self.0 {}
        }

        pub(crate) fn decode<'a>(
            &mut self,
            _chunk: &'a mut [u8],
        ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
            match self.0 {}
        }

        pub(crate) fn encode(
            &mut self,
            _out: &mut Vec<u8>,
            _header: &FrameHeader,
            _payload: &[u8],
        ) {
            match self.0 {}
        }

        pub(crate) fn encode_around(
            &mut self,
            _out: &mut Vec<u8>,
            _header: &FrameHeader,
        ) -> &'static [u8] {
            match self.0 {}
        }
    }

    pub(crate) fn server_terms(
        _accepted: &ServerAccepted,
        _response: &mut Response<()>,
        _random: impl FnOnce() -> [u8; 16],
    ) -> Option<Terms> {
        None
    }
}

#[cfg(test)]
mod tests {
    use hybi_handshake::{FieldError, Version};

    use crate::{connection::Error, opening::client::Client};

    #[test]
    fn a_client_asks_only_for_versions_that_it_can_speak() {
        let spoken: &[u8] =
            if cfg!(feature = "legacy") { &[0, 1, 2, 3, 4, 5, 6, 7, 8, 13] } else { &[7, 8, 13] };
        for number in 0..=u8::MAX {
            let requested = Version::new(number);
            match Client::builder().version(requested).build() {
                Ok(_) => assert!(spoken.contains(&number), "{number}"),
                Err(Error::Field(error)) => {
                    assert_eq!(error, FieldError::UnsupportedVersion { requested });
                    assert!(!spoken.contains(&number), "{number}");
                }
                Err(error) => panic!("{number}: {error}"),
            }
        }
    }
}
