//! Why a request does not become a WebSocket, as a response (RFC 6455 section 4.2.2).

use core::fmt;

use axum::{
    body::Body,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hybi::HandshakeError;

/// Why [`WebSocketUpgrade`](crate::WebSocketUpgrade) could not be extracted.
///
/// ```
/// use axum::response::{IntoResponse, Response};
/// use hybi_axum::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
///
/// /// A page for those who ask for one.
/// async fn either(ws: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) -> Response {
///     match ws {
///         Ok(ws) => ws.on_upgrade(|mut ws| async move { while ws.recv().await.is_some() {} }),
///         Err(rejection) => {
///             eprintln!("{rejection}");
///             rejection.into_response()
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WebSocketUpgradeRejection {
    /// The request breaks a rule of the opening handshake, or of the [`Server`](hybi::Server) that judges it.
    Handshake(HandshakeError),
    /// Nobody can hand over the connection that brought the request: the service runs in a test, or behind something that
    /// took it away. Answered with 426.
    ConnectionNotUpgradable,
}

impl From<HandshakeError> for WebSocketUpgradeRejection {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(error)
    }
}

impl IntoResponse for WebSocketUpgradeRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Handshake(error) => error.response().map(Body::from),
            Self::ConnectionNotUpgradable => {
                (StatusCode::UPGRADE_REQUIRED, format!("{self}\n")).into_response()
            }
        }
    }
}

impl fmt::Display for WebSocketUpgradeRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(error) => error.fmt(f),
            Self::ConnectionNotUpgradable => f.write_str("the connection cannot be handed over"),
        }
    }
}

impl core::error::Error for WebSocketUpgradeRejection {}
