//! No channel starves: where the link is what is scarce, each gets the same of it, in both directions.

use core::{
    future::poll_fn,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    io::{self, IoSlice},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::{join, join_all, try_join};
use hybi::{
    Error, Message,
    io::Transport,
    mux::{ChannelId, Config, MultiplexedClient},
};
use hybi_frame::FrameHeader;
use hybi_testkit::{
    link::{Conditions, End, link},
    world::World,
};

use crate::support::{Setup, URI, Ws, serve};

/// What left at one end, in octets of what channels say, by channel.
#[derive(Clone, Debug, Default)]
struct Counts(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    channels: Vec<u64>,
    all: u64,
    waits: Option<(u64, Waker)>,
}

impl Counts {
    fn with<R>(&self, look: impl FnOnce(&mut Counted) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, channel: ChannelId, octets: u64) {
        let called = self.with(|counted| {
            let at = channel.get() as usize;
            if counted.channels.len() <= at {
                counted.channels.resize(at + 1, 0);
            }
            counted.channels[at] += octets;
            counted.all += octets;
            counted.waits.take_if(|(all, _)| *all <= counted.all)
        });
        called.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// What each channel got when so much more had left.
    async fn behind(&self, more: u64) -> Vec<u64> {
        let all = self.with(|counted| counted.all) + more;
        poll_fn(|cx| {
            self.with(|counted| {
                if counted.all >= all {
                    return Poll::Ready(counted.channels.clone());
                }
                counted.waits = Some((all, cx.waker().clone()));
                Poll::Pending
            })
        })
        .await
    }
}

/// An end of a link that looks at what is written.
struct Tap {
    end: End,
    counts: Counts,
    /// What was written of a frame whose channel is not known yet.
    begin: Vec<u8>,
    /// How much of a frame is still to be written.
    left: u64,
    /// The handshake is over.
    is_open: bool,
}

impl Tap {
    fn new(end: End) -> (Self, Counts) {
        let counts = Counts::default();
        let tap = Self { end, counts: counts.clone(), begin: Vec::new(), left: 0, is_open: false };
        (tap, counts)
    }

    fn look(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            if self.left > 0 {
                let len = self.left.min(octets.len() as u64);
                self.left -= len;
                octets = &octets[len as usize..];
                continue;
            }
            self.begin.push(octets[0]);
            octets = &octets[1..];
            if !self.is_open {
                self.is_open = self.begin.ends_with(b"\r\n\r\n");
                if self.is_open {
                    self.begin.clear();
                }
                continue;
            }
            let Ok(Some((header, len))) = FrameHeader::parse(&self.begin) else { continue };
            // A channel id has four octets at most.
            let seen = (self.begin.len() - len) as u64;
            if seen < header.payload_len.min(4) {
                continue;
            }
            let mut id = self.begin[len..].to_vec();
            if let Some(key) = header.masking_key {
                id.iter_mut().zip(key.to_bytes()).for_each(|(octet, key)| *octet ^= key);
            }
            if let Ok((channel, len)) = ChannelId::decode(&id) {
                // Beside the payload of its frame there is one octet of a header.
                self.counts.add(channel, header.payload_len.saturating_sub(len as u64 + 1));
            }
            self.left = header.payload_len - seen;
            self.begin.clear();
        }
    }
}

impl Transport for Tap {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        self.end.poll_read(cx, chunk)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.end.poll_write(cx, slices);
        if let Poll::Ready(Ok(len)) = outcome {
            let mut left = len;
            for slice in slices {
                let part = left.min(slice.len());
                self.look(&slice[..part]);
                left -= part;
            }
        }
        outcome
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end.poll_shutdown(cx)
    }
}

/// Says messages of one length without end, and hears all that come.
async fn babble(ws: Ws) -> Result<(), Error> {
    let len = [200, 500, 3000, 70_000][ws.transport().id().get() as usize % 4];
    let message = Message::binary(vec![b'm'; len]);
    let (mut sender, mut receiver) = ws.split();
    let saying = async {
        loop {
            sender.feed(message.clone()).await?;
        }
        #[expect(unreachable_code, reason = "it says of which type it would be")]
        Ok::<(), Error>(())
    };
    let hearing = async {
        while receiver.recv_ref().await?.is_some() {}
        Ok(())
    };
    try_join(saying, hearing).await.map(|((), ())| ())
}

/// Says messages as long as anybody takes more, and hears none.
async fn deaf(ws: Ws) -> Result<(), Error> {
    let (mut sender, _receiver) = ws.split();
    loop {
        sender.feed(Message::binary(vec![b'm'; 500])).await?;
    }
}

/// Lets so many channels talk, of which one may be stuck, and looks at what each gets.
fn shares(channels: u32, config: Config, stuck: Option<u32>, each: u64, percent: u64) {
    let mut world = World::new().with_most_polls(100_000_000);
    let slow = Conditions::default().delay(Duration::from_millis(10)).capacity(16 * 1024);
    let (near, far) = link(world.clock(), slow, slow);
    let ((near, up), (far, down)) = (Tap::new(near), Tap::new(far));
    let setup = Setup { config: config.max_channels(channels - 1), ..Setup::default() };
    let (server, client) = setup.open_over(&mut world, near, far);
    let is_stuck = move |ws: &Ws| Some(ws.transport().id().get()) == stuck;
    serve(&mut world, server, move |ws| async move {
        if is_stuck(&ws) { deaf(ws).await } else { babble(ws).await }
    });
    let MultiplexedClient { first, opener, driver, .. } = client;
    world.spawn("the client's driver", async move {
        driver.run().await.expect("it goes on");
    });
    world.spawn("the client", async move {
        let others = join_all((1..channels).map(|_| opener.open_channel(URI))).await;
        let others = others.into_iter().map(|opened| opened.expect("there are slots").0);
        let talks = [first]
            .into_iter()
            .chain(others)
            .map(|ws| async move { if is_stuck(&ws) { deaf(ws).await } else { babble(ws).await } });
        join_all(talks).await;
    });
    world.block_on(async move {
        let fair = |which, counts| fair(which, counts, channels, stuck, each, percent);
        join(fair("up", up), fair("down", down)).await
    });
}

/// Looks twice at what each got of `each` octets, on the average, in one direction.
async fn fair(
    which: &str,
    counts: Counts,
    channels: u32,
    stuck: Option<u32>,
    each: u64,
    percent: u64,
) {
    let all = each * u64::from(channels);
    // Everybody has begun by then.
    let mut before = counts.behind(all / 2).await;
    for _ in 0..2 {
        let now = counts.behind(all).await;
        assert_eq!(now.len(), channels as usize + 1);
        let got = |channel: u32| now[channel as usize] - before[channel as usize];
        let others = (1..=channels).filter(|channel| Some(*channel) != stuck);
        let talking = others.clone().count() as u64;
        let fair = others.clone().map(got).sum::<u64>() / talking;
        for channel in others {
            let got = got(channel);
            let is_fair = got.abs_diff(fair) * 100 <= fair * percent;
            assert!(is_fair, "{which}: channel {channel} got {got} and not {fair}");
        }
        if let Some(stuck) = stuck {
            assert_eq!(got(stuck), 0, "nobody reads what it says");
        }
        before = now;
    }
}

#[test]
fn twenty_with_large_windows_get_the_same() {
    shares(21, Config::default(), Some(7), 500_000, 10);
}

/// With windows of two turns, the link alone is scarce; a hundred in a moment, a thousand where there is time.
#[test]
fn a_thousand_get_the_same() {
    let channels = if std::env::var_os("HYBI_MODELS_DEEP").is_some() { 1000 } else { 100 };
    shares(channels, Config::default().window(32 * 1024), Some(7), 320_000, 10);
}

/// Where a window is less than a turn, quota says what leaves in one, and it is granted by halves.
#[test]
fn of_a_thousand_with_small_windows_none_starves() {
    shares(1001, Config::default().window(400).queue_limit(600), Some(7), 4_000, 50);
}
