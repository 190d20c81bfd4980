//! A network in which one call goes wrong on the way to a server: a lookup, an attempt to connect, a call of a stream.

use core::{
    cell::{Cell, RefCell},
    future::{pending, poll_fn},
    net::SocketAddr,
};
use std::{
    io::{self, IoSlice},
    path::Path,
    rc::Rc,
};

use hybi::{Error, WsUri, io::Transport as _, opening::Dial};
use hybi_testkit::{
    clock::ClockTimer,
    faulty::{Calls, Fault, Faulty, Operation, What},
    link::End,
    world::pause,
};

use crate::network::{Network, at};

/// Where the Unix socket is, whatever its path: this network knows addresses alone.
pub(crate) const UNIX: &str = "192.0.2.5:1";

/// Which call goes wrong, and how; all are counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Breaks {
    /// A step that the runtime takes: a lookup, an attempt to connect.
    Step(usize, What),
    /// A call of a stream.
    Stream(usize, Fault),
}

/// What was called on the way.
#[derive(Default)]
pub(crate) struct Called {
    pub(crate) steps: Cell<usize>,
    pub(crate) streams: RefCell<Vec<Calls>>,
}

impl Called {
    /// How often each operation of each stream was called until now.
    pub(crate) fn counts(&self) -> Vec<[usize; 4]> {
        let counts = |calls: &Calls| Operation::ALL.map(|operation| calls.of(operation));
        self.streams.borrow().iter().map(counts).collect()
    }
}

/// The network as one client sees it.
#[derive(Clone)]
pub(crate) struct Breaking {
    network: Network,
    breaks: Option<Breaks>,
    called: Rc<Called>,
}

impl Breaking {
    pub(crate) fn new(network: Network, breaks: Option<Breaks>) -> (Self, Rc<Called>) {
        let called = Rc::<Called>::default();
        (Self { network, breaks, called: called.clone() }, called)
    }

    async fn step(&self) -> io::Result<()> {
        let n = self.called.steps.get() + 1;
        self.called.steps.set(n);
        match self.breaks {
            Some(Breaks::Step(hit, what)) if hit == n => match what {
                What::Fails(kind) => Err(kind.into()),
                What::PendingOnce => {
                    pause().await;
                    Ok(())
                }
                What::Pending => pending().await,
                what => panic!("{what:?} is for streams"),
            },
            _ => Ok(()),
        }
    }

    fn over(&self, stream: End) -> Faulty<End> {
        let mut streams = self.called.streams.borrow_mut();
        let fault = match self.breaks {
            Some(Breaks::Stream(hit, fault)) if hit == streams.len() + 1 => Some(fault),
            _ => None,
        };
        let (stream, calls) = Faulty::new(stream, fault);
        streams.push(calls);
        stream
    }
}

impl Dial for Breaking {
    type Tls = String;
    type Transport = Faulty<End>;
    type Timer = ClockTimer;

    fn timer(&self) -> ClockTimer {
        self.network.timer()
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.step().await?;
        self.network.look_up(host, port).await
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Faulty<End>> {
        self.step().await?;
        Ok(self.over(Dial::connect(&self.network, address).await?))
    }

    async fn connect_unix(&self, _: &Path) -> io::Result<Faulty<End>> {
        self.connect(at(UNIX)).await
    }

    fn tls(&self, uri: &WsUri) -> Result<Option<String>, Error> {
        self.network.tls(uri)
    }

    /// In the place of a handshake of TLS there is one line each way, and nothing is encrypted.
    async fn secure(&self, name: String, mut stream: Faulty<End>) -> io::Result<Faulty<End>> {
        let hello = format!("TLS {name}\n").into_bytes();
        let mut rest = &hello[..];
        while !rest.is_empty() {
            let slices = [IoSlice::new(rest)];
            match poll_fn(|cx| stream.poll_write(cx, &slices)).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                len => rest = &rest[len..],
            }
        }
        poll_fn(|cx| stream.poll_flush(cx)).await?;
        let mut byte = [0];
        while byte != *b"\n" {
            if poll_fn(|cx| stream.poll_read(cx, &mut byte)).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(stream)
    }
}
