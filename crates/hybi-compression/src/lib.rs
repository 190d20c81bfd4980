//! WebSocket extensions.

#![forbid(unsafe_code)]

mod chain;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
mod deflate;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
mod deflate_frame;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
mod deflate_stream;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
mod draft_names;
mod extension;
mod extensions;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
mod methods;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
mod perframe_compress;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
mod permessage_compress;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
mod permessage_deflate;

// The public interface.
pub use chain::Chain;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
pub use deflate::Deflate;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
pub use deflate_frame::DeflateFrame;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
pub use deflate_stream::DeflateStream;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
pub use draft_names::PermessageDeflateDraft;
pub use extension::{
    Agreed, AnswerError, Compress, EncodingKey, Extension, PayloadCodec, StreamCodec,
};
pub use extensions::Extensions;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
pub use perframe_compress::PerframeCompress;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
pub use permessage_compress::PermessageCompress;
