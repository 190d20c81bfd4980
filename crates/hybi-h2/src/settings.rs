//! Settings: how much one connection of HTTP/2 may hold, and how long it may be silent (RFC 9113 section 6.5).

use core::time::Duration;

/// The limits of one connection of HTTP/2; those of its WebSockets are in [`hybi::Config`].
///
/// ```
/// use std::time::Duration;
/// use hybi_h2::Settings;
///
/// let settings = Settings::default().max_streams(32).stream_window(1024 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Settings {
    max_streams: u32,
    stream_window: u32,
    max_header_list: u32,
    ping_interval: Duration,
    ping_timeout: Duration,
    idle_timeout: Duration,
}

/// A window has no more (RFC 9113 section 6.9.1).
const MAX_WINDOW: u32 = (1 << 31) - 1;

/// How long a frame may be that comes. A read and a write of the system's is about a frame, so that one of the 16 KiB that
/// HTTP/2 begins with costs large messages most of their time; and a connection may hold one that has not all come.
const FRAME: u32 = 64 * 1024;

/// What is queued of one stream behind its outbox.
const SEND_BUFFER: usize = 128 * 1024;

impl Default for Settings {
    /// 128 streams of 128 KiB each, 16 KiB of header fields, a ping every 20 s that is to be answered within 20 s, and
    /// a minute without any stream.
    fn default() -> Self {
        Self {
            max_streams: 128,
            stream_window: 128 * 1024,
            max_header_list: 16 * 1024,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

impl Settings {
    /// Sets how many streams a client may have open at a time, from 1; 128 by default. More are refused.
    pub fn max_streams(mut self, streams: u32) -> Self {
        self.max_streams = streams.max(1);
        self
    }

    /// Sets how many bytes of one stream may have come that its WebSocket has not read; 128 KiB by default, and at the
    /// least the 65,535 that HTTP/2 begins with.
    ///
    /// The window of the connection is as large as those of all [`max_streams`](Self::max_streams) together, so that
    /// no one of them, nor all but one, keeps the others waiting: where the two windows are of one size, as is
    /// usual, a single WebSocket that is not read stalls its neighbours. It is also what one client can have the
    /// server hold: 16 MiB by default, as much as its WebSockets could over as many connections of their own, and
    /// twice that again for what it costs to keep small frames apart. More of these is the end of the connection
    /// (`ENHANCE_YOUR_CALM`).
    pub fn stream_window(mut self, bytes: u32) -> Self {
        self.stream_window = bytes.clamp(65_535, MAX_WINDOW);
        self
    }

    /// Sets how long the header fields of one request or response may be together, as HTTP/2 counts them (32 bytes more
    /// for each); 16 KiB by default.
    pub const fn max_header_list(mut self, bytes: u32) -> Self {
        self.max_header_list = bytes;
        self
    }

    /// Sets how often a ping of HTTP/2 asks whether the peer is still there, and by when it has to answer; 20 s each by
    /// default. It finds those whose frames no longer make sense as well, such as a block of header fields without end.
    pub const fn pings(mut self, interval: Duration, timeout: Duration) -> Self {
        (self.ping_interval, self.ping_timeout) = (interval, timeout);
        self
    }

    /// Sets after which time a server lets a connection go that has no stream; a minute by default. It is looked at with
    /// each ping.
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// The window of the connection.
    fn window(self) -> u32 {
        self.stream_window.saturating_mul(self.max_streams).min(MAX_WINDOW)
    }

    /// What small frames that nobody has read may lack of 256 bytes, all together: so much is lost to each in memory, and
    /// beyond it h2 ends the connection. WebSockets are made of small frames, and h2's own half of the window is used
    /// up by few that are not read.
    fn frame_budget(self) -> usize {
        self.window() as usize
    }

    pub(crate) fn server(self) -> h2::server::Builder {
        let mut builder = h2::server::Builder::new();
        builder
            .enable_connect_protocol()
            .initial_window_size(self.stream_window)
            .initial_connection_window_size(self.window())
            .max_concurrent_streams(self.max_streams)
            .max_frame_size(FRAME)
            .max_header_list_size(self.max_header_list)
            .max_send_buffer_size(SEND_BUFFER)
            .data_frame_budget(self.frame_budget());
        builder
    }

    pub(crate) fn client(self) -> h2::client::Builder {
        let mut builder = h2::client::Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(self.stream_window)
            .initial_connection_window_size(self.window())
            .max_concurrent_streams(0)
            .max_frame_size(FRAME)
            .max_header_list_size(self.max_header_list)
            .max_send_buffer_size(SEND_BUFFER)
            .data_frame_budget(self.frame_budget());
        builder
    }

    pub(crate) const fn ping_times(self) -> (Duration, Duration) {
        (self.ping_interval, self.ping_timeout)
    }

    pub(crate) const fn idle_time(self) -> Duration {
        self.idle_timeout
    }
}
