//! Either end of a connection that carries a long message: whoever writes it, and whoever reads it.

use core::{fmt, str::FromStr, time::Duration};
use std::{fs, process, time::Instant};

use bytes::Bytes;
use hybi_tokio::{CloseCode, Message, MessageKind, Sender, TokioIo, TokioTimer, WebSocket};
use hybi_trials::process::resident;
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::content::{BLOCK, Checking, blank, fill};

/// How often either end asks the other for a sign of life.
const PING: Duration = Duration::from_millis(10);

/// What is written before anything is measured, so that what every connection needs is there.
const WARM_UP: u64 = 4 << 20;

/// How much is given to the writer at a time.
const PIECE: usize = 16 * BLOCK;

/// What a message cost one end.
pub(crate) struct Figures {
    /// By how much the memory of the process grew, in bytes.
    pub(crate) growth: usize,
    /// The longest that a ping waited, or what came paused.
    pub(crate) wait: Duration,
    /// How that was measured.
    how: String,
}

impl Figures {
    pub(crate) fn to_line(&self) -> String {
        format!("{} {} {}", self.growth, self.wait.as_nanos(), self.how)
    }
}

impl FromStr for Figures {
    type Err = core::num::ParseIntError;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (growth, wait) = (word().parse()?, Duration::from_nanos(word().parse()?));
        Ok(Self { growth, wait, how: word().to_owned() })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory grew by {} KiB; {}", self.growth / 1024, self.how)
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

type Half = Sender<TokioIo<hybi_tokio::Stream>, TokioTimer>;

/// Sends pings that say when, until it is dropped.
fn pings(mut sender: Half, began: Instant) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = interval(PING);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = began.elapsed().as_nanos() as u64;
            let ping = Message::Ping(Bytes::copy_from_slice(&now.to_be_bytes()));
            if sender.send(ping).await.is_err() {
                return;
            }
        }
    })
}

async fn write_one(sender: &mut Half, len: u64) {
    let mut piece = blank(PIECE);
    let mut writer = sender.send_writer(MessageKind::Text).expect("open");
    let mut place = 0;
    while place < len {
        fill(&mut piece, place);
        let some = &piece[..(len - place).min(PIECE as u64) as usize];
        writer.write_all(some).await.expect("open");
        place += some.len() as u64;
    }
    writer.finish().await.expect("open");
}

/// Writes one message, and hears meanwhile what is asked and answered.
pub(crate) async fn write(ws: WebSocket, len: u64) -> Figures {
    let began = Instant::now();
    let (mut sender, mut receiver) = ws.split();
    write_one(&mut sender, WARM_UP).await;
    let memory = Memory::now();
    let asking = pings(sender.clone(), began);
    let hearing = tokio::spawn(async move {
        let (mut longest, mut answers) = (Duration::ZERO, 0);
        let (mut last, mut gap, mut asked) = (None, Duration::ZERO, 0);
        while let Some(message) = receiver.recv().await.expect("an end in order") {
            let now = began.elapsed();
            match message {
                Message::Pong(sent) => {
                    let Ok(sent) = <[u8; 8]>::try_from(&sent[..]) else { continue };
                    let sent = Duration::from_nanos(u64::from_be_bytes(sent));
                    longest = longest.max(now.saturating_sub(sent));
                    answers += 1;
                }
                Message::Ping(_) => {
                    let before = last.replace(now).unwrap_or(now);
                    gap = gap.max(now.saturating_sub(before));
                    asked += 1;
                }
                _ => {}
            }
        }
        (longest, answers, gap, asked)
    });
    write_one(&mut sender, len).await;
    asking.abort();
    let growth = memory.growth();
    sender.close(CloseCode::NORMAL, "").await.expect("an end in order");
    let (longest, answers, gap, asked) = hearing.await.expect("no panic");
    let how = format!(
        "{answers} pings were answered within it, the slowest in {:.1} ms; {asked} came that it answered, {:.1} ms apart \
         at most",
        ms(longest),
        ms(gap)
    );
    Figures { growth, wait: longest.max(gap), how }
}

/// Reads one message, and asks meanwhile.
pub(crate) async fn read(ws: WebSocket, len: u64) -> Figures {
    let began = Instant::now();
    let (sender, mut receiver) = ws.split();
    let mut reader = receiver.recv_reader().await.expect("open").expect("a message");
    while reader.next_piece().await.expect("open").is_some() {}
    drop(reader);
    let memory = Memory::now();
    let asking = pings(sender.clone(), began);
    let mut checking = Checking::new();
    let mut reader = receiver.recv_reader().await.expect("open").expect("a message");
    let (mut last, mut longest, mut pieces) = (Instant::now(), Duration::ZERO, 0);
    while let Some(piece) = reader.next_piece().await.expect("open") {
        longest = longest.max(last.elapsed());
        last = Instant::now();
        pieces += 1;
        checking.take(&piece);
    }
    drop(reader);
    asking.abort();
    let growth = memory.growth();
    assert_eq!(checking.len(), len, "all of it came");
    while receiver.recv().await.expect("an end in order").is_some() {}
    let how = format!("{pieces} pieces, {:.1} ms apart at most", ms(longest));
    Figures { growth, wait: longest, how }
}

/// The memory of this process, from now on.
struct Memory {
    before: usize,
}

impl Memory {
    fn now() -> Self {
        // The peak begins anew (proc(5)).
        fs::write("/proc/self/clear_refs", "5").expect("a system that tells the peak of memory");
        Self { before: resident(process::id()).expect("a system that tells memory") }
    }

    /// By how much it grew at most.
    fn growth(&self) -> usize {
        let status = fs::read_to_string("/proc/self/status").expect("a system that tells memory");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
        let peak: usize = line.split_whitespace().nth(1).expect("a number").parse().expect("KiB");
        (peak * 1024).saturating_sub(self.before)
    }
}
