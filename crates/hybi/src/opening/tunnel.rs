//! Tunnel: through a proxy to a server (RFC 9110 section 9.3.6, RFC 1928).

use core::{
    future::poll_fn,
    net::IpAddr,
    task::{Context, Poll, ready},
};
use std::{io, time::Instant};

use hybi_handshake::{
    WsUri,
    proxy::{Proxy, SocksReply, TunnelError, TunnelHandshake},
};

use super::{
    client::{Client, Stage, Step},
    connect::REFUSAL_BODY_TIME,
    deadline::within,
    dial::{Dial, dial_from, look_up_from, secure_by, too_late},
    wire::poll_all,
};
use crate::{
    connection::{Error, OpeningError, ProxyError},
    socket::io::{Timer, Transport},
};

/// A transport whose other end is the server of this URI, made by a proxy. One that is to be given an address is given
/// the next when it could not connect to one, on a connection of its own: this one is over then (RFC 1928 section 6).
pub(super) async fn through<D: Dial>(
    this: &D,
    client: &Client,
    proxy: &Proxy,
    uri: &WsUri,
    timer: &mut D::Timer,
    deadline: Instant,
) -> Result<D::Transport, Error> {
    if !proxy.wants_address() || uri.host().parse::<IpAddr>().is_ok() {
        return ask(this, client, proxy, (uri.host(), uri.port()), timer, deadline).await;
    }
    let mut attempts = Vec::new();
    let until = client.route().deadline(Step::Connect, timer.now(), deadline);
    for address in look_up_from(this, client, uri.host(), uri.port(), timer, until).await? {
        let host = address.ip().to_string();
        match ask(this, client, proxy, (&host, address.port()), timer, deadline).await {
            Err(error) => match reply_in(&error) {
                Some(reply) => attempts.push((address, reply)),
                None => return Err(error),
            },
            reached => return reached,
        }
    }
    let error = match &*attempts {
        [(_, reply)] => ProxyError::Refused(TunnelError::Failed(*reply)),
        _ => ProxyError::Addresses { attempts },
    };
    Err(OpeningError::Proxy { proxy: proxy.clone(), error }.into())
}

/// Why a proxy of SOCKS could not connect, if that is the error.
fn reply_in(error: &Error) -> Option<SocksReply> {
    let Error::Opening(step) = error else { return None };
    match &**step {
        OpeningError::Proxy { error: ProxyError::Refused(TunnelError::Failed(reply)), .. } => {
            Some(*reply)
        }
        _ => None,
    }
}

/// Connects to a proxy, and asks it for a connection to a host: a name, or an address without brackets.
async fn ask<D: Dial>(
    this: &D,
    client: &Client,
    proxy: &Proxy,
    (host, port): (&str, u16),
    timer: &mut D::Timer,
    deadline: Instant,
) -> Result<D::Transport, Error> {
    let at_proxy = |error| OpeningError::Proxy { proxy: proxy.clone(), error };
    let unreachable = |error| match error {
        Error::Opening(step) => at_proxy(ProxyError::Unreachable(step)).into(),
        error => error,
    };
    let secure_uri = proxy.secure_uri();
    let needs = secure_uri.map_or(Ok(None), |uri| this.tls(&uri)).map_err(unreachable)?;
    let limits = client.config().head_limits;
    let mut tunnel = TunnelHandshake::new(proxy, host, port, limits);
    let refused = |error| Error::from(at_proxy(ProxyError::Refused(error)));
    // What cannot be asked for is known before anybody is.
    tunnel.handle_input(&[]).map_err(refused)?;
    let transport = dial_from(this, client, proxy.host(), proxy.port(), timer, deadline).await;
    let mut transport = transport.map_err(unreachable)?;
    if let Some(needs) = needs {
        let secured =
            secure_by(this, client, proxy.host(), needs, transport, timer, deadline).await;
        transport = secured.map_err(unreachable)?;
    }
    let begun = timer.now();
    let asked = exchange(client, &mut tunnel, &mut transport, timer, deadline).await;
    client.stage_over(Stage::Proxy, begun, timer);
    asked.map(|()| transport).map_err(|error| at_proxy(error).into())
}

/// Asks, and waits for the whole answer.
async fn exchange<T: Transport, C: Timer>(
    client: &Client,
    tunnel: &mut TunnelHandshake,
    transport: &mut T,
    timer: &mut C,
    deadline: Instant,
) -> Result<(), ProxyError> {
    let mut deadline = client.route().deadline(Step::Proxy, timer.now(), deadline);
    let mut exchange = Exchange { waiting: Vec::new(), taken: 0 };
    loop {
        let polled = poll_fn(|cx| exchange.poll(cx, tunnel, transport));
        match within(timer, deadline, polled).await {
            Some(Ok(())) if tunnel.is_open() => return Ok(()),
            Some(Ok(())) => deadline = deadline.min(timer.now() + REFUSAL_BODY_TIME),
            Some(Err(error)) => return Err(error),
            // What is known of a refusal says more than that its body has no end.
            None => {
                let refusal = tunnel.give_up().map(ProxyError::Refused);
                return Err(refusal.unwrap_or_else(|| ProxyError::Transport(too_late())));
            }
        }
    }
}

/// What is on its way to the proxy.
struct Exchange {
    waiting: Vec<u8>,
    taken: usize,
}

impl Exchange {
    /// Talks to the proxy until its bytes are the server's, and reads none of those; or until it is known to refuse,
    /// and then to the end of that.
    fn poll<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        tunnel: &mut TunnelHandshake,
        transport: &mut T,
    ) -> Poll<Result<(), ProxyError>> {
        loop {
            ready!(self.poll_send(cx, tunnel, transport)).map_err(ProxyError::Transport)?;
            if tunnel.is_open() {
                return Poll::Ready(Ok(()));
            }
            let mut chunk = [0; 256];
            let was_known = tunnel.is_rejection();
            let wants = tunnel.wants().clamp(1, chunk.len());
            let read = match ready!(transport.poll_read(cx, &mut chunk[..wants])) {
                Ok(0) => Err(tunnel.handle_eof()),
                Ok(len) => tunnel.handle_input(&chunk[..len]).map(drop),
                // It may have said why before.
                Err(error) => {
                    let refusal = tunnel.give_up().map(ProxyError::Refused);
                    return Poll::Ready(Err(refusal.unwrap_or(ProxyError::Transport(error))));
                }
            };
            read.map_err(ProxyError::Refused)?;
            if tunnel.is_rejection() && !was_known {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn poll_send<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        tunnel: &mut TunnelHandshake,
        transport: &mut T,
    ) -> Poll<io::Result<()>> {
        let mut more = tunnel.take_output();
        if self.waiting.is_empty() && more.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.waiting.append(&mut more);
        ready!(poll_all(transport, cx, &self.waiting, &mut self.taken))?;
        (self.waiting, self.taken) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }
}
