//! Framing: what a connection reads and writes frames with; chosen once, when it begins.
//!
//! The rest of the connection knows no version by name: here are the layout of its frames and the
//! rules about messages and their end. Old layouts give the same parts of frames as that of RFC 6455,
//! and take the same headers.

use hybi_frame::{FrameDecoder, FrameHeader, FrameRules, Limits, MaskingKey, Role};
use hybi_handshake::Version;
#[cfg(feature = "legacy")]
use hybi_legacy::FrameCodec;

use super::Negotiated;

/// The layout of frames in both directions.
#[derive(Debug)]
pub(super) enum Framing {
    /// hybi-07 to RFC 6455.
    Rfc6455(FrameDecoder),
    /// What came before. Boxed, so that others pay for none of its state.
    #[cfg(feature = "legacy")]
    Legacy(Box<FrameCodec>),
}

impl Framing {
    pub(super) fn new(negotiated: &Negotiated, role: Role, limits: Limits) -> Self {
        #[cfg(feature = "legacy")]
        if let Some(terms) = &negotiated.terms {
            return Self::Legacy(Box::new(FrameCodec::new(terms, role, limits)));
        }
        let rules = match negotiated.version {
            Version::HYBI_07 => FrameRules::HYBI_07,
            Version::HYBI_08 => FrameRules::HYBI_08,
            _ => FrameRules::RFC6455,
        };
        Self::Rfc6455(FrameDecoder::new(role, rules, limits))
    }

    pub(super) fn rules(&self) -> FrameRules {
        match self {
            Self::Rfc6455(decoder) => decoder.rules(),
            #[cfg(feature = "legacy")]
            Self::Legacy(codec) => codec.rules(),
        }
    }

    /// Whether the frames that an endpoint in `role` sends are masked.
    pub(super) fn masks(&self, role: Role) -> bool {
        match self {
            Self::Rfc6455(_) => role.masks_outgoing(),
            #[cfg(feature = "legacy")]
            Self::Legacy(codec) => codec.masks(),
        }
    }

    /// Whether the version is known; a ping of ours must not be what decides it.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Rfc6455(_) => true,
            #[cfg(feature = "legacy")]
            Self::Legacy(codec) => codec.is_settled(),
        }
    }

    /// Whether all bytes received belong to complete frames.
    pub(super) fn at_frame_boundary(&self) -> bool {
        match self {
            Self::Rfc6455(decoder) => decoder.at_frame_boundary(),
            #[cfg(feature = "legacy")]
            Self::Legacy(codec) => codec.at_frame_boundary(),
        }
    }

    /// Appends what stands before the payload of a frame that is not masked; gives what stands behind.
    #[cfg_attr(
        not(feature = "legacy"),
        expect(
            clippy::needless_pass_by_ref_mut,
            reason = "the first frame may settle an old version"
        )
    )]
    pub(super) fn encode_around(
        &mut self,
        out: &mut Vec<u8>,
        header: &FrameHeader,
    ) -> &'static [u8] {
        match self {
            Self::Rfc6455(_) => {
                header.encode(out);
                &[]
            }
            #[cfg(feature = "legacy")]
            Self::Legacy(codec) => codec.encode_around(out, header),
        }
    }
}

/// Where masking keys come from, other than the generator of the thread.
pub(super) type KeySource = Box<dyn FnMut() -> MaskingKey + Send>;
