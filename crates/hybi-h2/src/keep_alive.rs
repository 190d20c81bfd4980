//! KeepAlive: pings of HTTP/2, which tell a peer that is gone or stuck (RFC 9113 section 6.7).

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep, sleep};

use crate::Settings;

/// Asks the peer again and again.
pub(crate) struct KeepAlive {
    pings: PingPong,
    timer: Pin<Box<Sleep>>,
    state: State,
    interval: Duration,
    timeout: Duration,
}

enum State {
    /// The next ping is due when the timer is.
    Answered,
    /// The answer is due when the timer is.
    Asked,
}

/// What a keep-alive finds.
pub(crate) enum Finding {
    /// The peer has answered.
    Alive,
    /// It has not in time.
    Gone,
}

impl KeepAlive {
    /// Nothing has been asked yet.
    pub(crate) fn new(pings: PingPong, settings: Settings) -> Self {
        let (interval, timeout) = settings.ping_times();
        Self { pings, timer: Box::pin(sleep(interval)), state: State::Answered, interval, timeout }
    }

    /// A ping was sent just now, and its answer has not been taken.
    pub(crate) fn asked(pings: PingPong, settings: Settings) -> Self {
        let (interval, timeout) = settings.ping_times();
        Self { pings, timer: Box::pin(sleep(timeout)), state: State::Asked, interval, timeout }
    }

    /// The next finding; to be polled by the task of the connection, behind the connection itself.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Finding> {
        loop {
            match self.state {
                State::Answered => {
                    ready!(self.timer.as_mut().poll(cx));
                    // One that cannot be sent belongs to a connection that has ended.
                    if self.pings.send_ping(Ping::opaque()).is_err() {
                        return Poll::Ready(Finding::Gone);
                    }
                    self.state = State::Asked;
                    self.wait(self.timeout);
                }
                State::Asked => match self.pings.poll_pong(cx) {
                    Poll::Ready(Ok(_)) => {
                        self.state = State::Answered;
                        self.wait(self.interval);
                        return Poll::Ready(Finding::Alive);
                    }
                    Poll::Ready(Err(_)) => return Poll::Ready(Finding::Gone),
                    Poll::Pending => {
                        return self.timer.as_mut().poll(cx).map(|()| Finding::Gone);
                    }
                },
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        let now = Instant::now();
        self.timer.as_mut().reset(now.checked_add(time).unwrap_or(now + FAR));
    }
}

/// As good as never.
const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
