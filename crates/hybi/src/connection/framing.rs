//! Framing: what a connection reads and writes frames with; chosen once, when it begins.
//!
//! The rest of the connection knows no version by name: here are the layout of its frames and the
//! rules about messages and their end. Old layouts give the same parts of frames as that of RFC 6455,
//! and take the same headers. They settle which version is spoken by the first byte of the client, in
//! whichever direction it goes, so one value reads and writes.

use hybi_frame::{
    Counts, FrameDecoder, FrameHeader, FrameRules, Limits, MaskingKey, Role, encode_frame,
};
use hybi_handshake::Version;

use super::Negotiated;
use crate::legacy::FrameCodec;

/// The layout of frames in both directions.
#[derive(Debug)]
pub(super) enum Framing {
    /// hybi-07 to RFC 6455.
    Rfc6455(FrameDecoder),
    /// What came before. Boxed, so that others pay for none of its state.
    Legacy(Box<FrameCodec>),
}

impl Framing {
    pub(super) fn new(negotiated: &Negotiated, role: Role, limits: Limits) -> Self {
        if let Some(terms) = &negotiated.terms {
            return Self::Legacy(Box::new(FrameCodec::new(terms, role, limits)));
        }
        let rules = match negotiated.version {
            Version::HYBI_07 => FrameRules::HYBI_07,
            Version::HYBI_08 => FrameRules::HYBI_08,
            _ => FrameRules::RFC6455,
        };
        Self::Rfc6455(FrameDecoder::with_masking(negotiated.masking, role, rules, limits))
    }

    #[inline]
    pub(super) fn rules(&self) -> FrameRules {
        match self {
            Self::Rfc6455(decoder) => decoder.rules(),
            Self::Legacy(codec) => codec.rules(),
        }
    }

    /// Sets the limits anew, for frames that begin from now on.
    pub(super) fn set_limits(&mut self, limits: Limits) {
        match self {
            Self::Rfc6455(decoder) => decoder.set_max_frame(limits.max_frame()),
            Self::Legacy(codec) => codec.set_limits(limits),
        }
    }

    /// How much was received.
    pub(super) fn counts(&self) -> Counts {
        match self {
            Self::Rfc6455(decoder) => decoder.counts(),
            Self::Legacy(codec) => codec.counts(),
        }
    }

    /// Whether the frames that an endpoint in `role` sends are masked.
    #[inline]
    pub(super) fn masks(&self, role: Role) -> bool {
        match self {
            Self::Rfc6455(decoder) => decoder.masking().masks(role),
            Self::Legacy(codec) => codec.masks(),
        }
    }

    /// Whether a payload may be masked before it is encoded: where the mask covers nothing else.
    pub(super) fn masks_payloads_alone(&self) -> bool {
        matches!(self, Self::Rfc6455(_))
    }

    /// Whether the version is known; a ping of ours must not be what decides it.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Rfc6455(_) => true,
            Self::Legacy(codec) => codec.is_settled(),
        }
    }

    /// Whether all bytes received belong to complete frames.
    pub(super) fn at_frame_boundary(&self) -> bool {
        match self {
            Self::Rfc6455(decoder) => decoder.at_frame_boundary(),
            Self::Legacy(codec) => codec.at_frame_boundary(),
        }
    }

    /// Whether the next byte belongs to a control frame; `None` as long as `chunk` does not tell.
    pub(super) fn next_is_control(&self, chunk: &[u8]) -> Option<bool> {
        match self {
            Self::Rfc6455(decoder) => decoder.next_is_control(chunk),
            Self::Legacy(codec) => codec.next_is_control(chunk),
        }
    }

    /// Appends a frame.
    #[inline]
    pub(super) fn encode(&mut self, out: &mut Vec<u8>, header: &FrameHeader, payload: &[u8]) {
        match self {
            Self::Rfc6455(_) => {
                let FrameHeader { fin, rsv, opcode, masking_key, .. } = *header;
                encode_frame(out, fin, rsv, opcode, payload, masking_key);
            }
            Self::Legacy(codec) => codec.encode(out, header, payload),
        }
    }

    /// Appends what stands before the payload of a frame; gives what stands behind. The payload is not
    /// masked, or masked already.
    #[inline]
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
            Self::Legacy(codec) => codec.encode_around(out, header),
        }
    }
}

/// Where masking keys come from, other than the generator of the thread.
pub(super) struct KeySource(pub(super) Box<dyn FnMut() -> MaskingKey + Send>);
