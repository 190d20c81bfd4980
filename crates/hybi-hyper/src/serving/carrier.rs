//! A connection that hyper reads: pages are answered in it, and requests for WebSockets come out of it.

use core::{
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};
use std::{error, io, sync::Arc};

use hybi::{
    bytes::Bytes,
    handshake::Protocol,
    http::{Request, Response},
    opening::Requested,
    serve::Carrier,
};
use hybi_tokio::Stream;
use hyper::{
    body::{Body, Incoming},
    service::Service,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::{Builder, UpgradeableConnection},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Sleep, sleep},
};

use crate::{HyperIo, builder::HEAD};

/// A connection at work.
pub(super) struct Connection<P: Answering> {
    /// None once hyper is done with it.
    http: Option<Http<P>>,
    asked: mpsc::UnboundedReceiver<Requested<HyperIo>>,
    has_begun: Arc<AtomicBool>,
    /// By when it has to have brought a request: nobody else looks at how long the first bytes take, nor at header fields
    /// that do not end.
    waiting: Pin<Box<Sleep>>,
}

type Http<P> =
    Pin<Box<UpgradeableConnection<'static, TokioIo<Stream>, Requests<P>, TokioExecutor>>>;

/// What answers with pages.
pub(super) trait Answering: Send + Sync + 'static {
    type Body: Body<Data: Send, Error: Into<Box<dyn error::Error + Send + Sync>>>
        + From<Bytes>
        + Send
        + 'static;

    fn answer(&self, request: Request<Incoming>) -> Answer<Self::Body>;
}

type Answer<B> = Pin<Box<dyn Future<Output = io::Result<Response<B>>> + Send>>;

impl<P, G, B> Answering for P
where
    P: Fn(Request<Incoming>) -> G + Send + Sync + 'static,
    G: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn error::Error + Send + Sync>>>
        + From<Bytes>
        + Send
        + 'static,
{
    type Body = B;

    fn answer(&self, request: Request<Incoming>) -> Answer<B> {
        let answering = self(request);
        Box::pin(async { Ok(answering.await) })
    }
}

impl<P: Answering> Connection<P> {
    pub(super) fn new(http: &Builder<TokioExecutor>, stream: Stream, pages: Arc<P>) -> Self {
        // As many as hyper has streams of a client wait in it.
        let (ask, asked) = mpsc::unbounded_channel();
        let has_begun = Arc::<AtomicBool>::default();
        let requests = Requests { pages, ask, has_begun: has_begun.clone() };
        let http = http.serve_connection_with_upgrades(TokioIo::new(stream), requests).into_owned();
        Self { http: Some(Box::pin(http)), asked, has_begun, waiting: Box::pin(sleep(HEAD)) }
    }
}

impl<P: Answering> Carrier<HyperIo> for Connection<P> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Requested<HyperIo>>> {
        loop {
            if let Poll::Ready(Some(requested)) = self.asked.poll_recv(cx) {
                return Poll::Ready(Some(requested));
            }
            let Some(http) = &mut self.http else { return Poll::Ready(None) };
            // What it fails of was told to the peer, as far as that can be.
            if http.as_mut().poll(cx).is_ready() {
                self.http = None;
                continue;
            }
            let is_late = !self.has_begun.load(Ordering::Relaxed)
                && self.waiting.as_mut().poll(cx).is_ready();
            return if is_late { Poll::Ready(None) } else { Poll::Pending };
        }
    }

    fn close(&mut self) {
        if let Some(http) = &mut self.http {
            http.as_mut().graceful_shutdown();
        }
    }
}

/// What hyper calls with each request.
pub(super) struct Requests<P> {
    pages: Arc<P>,
    ask: mpsc::UnboundedSender<Requested<HyperIo>>,
    has_begun: Arc<AtomicBool>,
}

impl<P: Answering> Service<Request<Incoming>> for Requests<P> {
    type Response = Response<P::Body>;
    type Error = io::Error;
    type Future = Answer<P::Body>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.has_begun.store(true, Ordering::Relaxed);
        if !crate::is_upgrade(&request) {
            return self.pages.answer(request);
        }
        let (answer, answered) = oneshot::channel();
        let upgrading = hyper::upgrade::on(&mut request);
        let io = HyperIo::asked(answer, upgrading, request.version());
        // Where the end has come, nobody takes it, and the service has no answer.
        let _ = self.ask.send(Requested::new(head(request), io));
        Box::pin(async {
            let answer = answered.await.map_err(|_| io::ErrorKind::ConnectionAborted)?;
            Ok(answer.map(P::Body::from))
        })
    }
}

/// A request as the layers below know it: without what belongs to hyper, and with its `:protocol`.
fn head(request: Request<Incoming>) -> Request<()> {
    let (parts, _body) = request.into_parts();
    let mut head = Request::new(());
    if let Some(protocol) = parts.extensions.get::<hyper::ext::Protocol>() {
        head.extensions_mut().insert(Protocol::new(protocol.as_str()));
    }
    *head.method_mut() = parts.method;
    *head.uri_mut() = parts.uri;
    *head.version_mut() = parts.version;
    *head.headers_mut() = parts.headers;
    head
}
