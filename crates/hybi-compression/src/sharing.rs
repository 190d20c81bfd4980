//! Sharing: what a thread keeps for its next message, left to whichever thread needs it next.

/// Leaves the states of compressors and decompressors, and the room, that this thread keeps for its next message to
/// whichever thread of the process needs some next. Of each kind, eight are kept for all.
///
/// It is for threads that wait for one connection alone, before they do; `hybi::io::share_buffers` calls it. Threads
/// that serve many connections keep what they have.
///
/// ```
/// hybi_compression::share_buffers();
/// ```
pub fn share_buffers() {
    #[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
    crate::deflate::share();
}
