//! What is tried with each proxy, and what has to come of it.

use super::clients::Client;
use super::peers::Kind;

/// One run of a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) client: Client,
    pub(super) through: Through,
    pub(super) scheme: &'static str,
    pub(super) credentials: Credentials,
    pub(super) server: Server,
    /// Whether the server has TLS.
    pub(super) tls: bool,
    /// What the client says behind the name of the proxy, if it is not to get through.
    pub(super) refusal: Option<&'static str>,
}

/// Which of the two proxies of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Through {
    /// On 127.0.0.1, for everybody.
    Open,
    /// On ::1, for those that it knows.
    Guarded,
}

/// What the URL of the proxy has in front of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    None,
    Right,
    Wrong,
}

/// What the URI of the server leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    V4,
    V6,
    /// By the name that the proxy alone knows.
    NamedThere,
    /// By the name that the client alone knows.
    NamedHere,
    /// A port where nobody listens.
    Nobody,
    /// An address that the proxy is not to connect to.
    Forbidden,
}

impl Case {
    /// That a client gets through an open proxy to a server on 127.0.0.1.
    const fn new(name: &'static str, kind: Kind, tls: bool) -> Self {
        Self {
            name,
            client: Client::Program,
            through: Through::Open,
            scheme: if kind.is_socks() { "socks5h" } else { "http" },
            credentials: Credentials::None,
            server: Server::V4,
            tls,
            refusal: None,
        }
    }

    const fn to(self, server: Server) -> Self {
        Self { server, ..self }
    }

    const fn with(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }

    const fn guarded(self) -> Self {
        Self { through: Through::Guarded, ..self }
    }

    const fn refused(self, why: &'static str) -> Self {
        Self { refusal: Some(why), ..self }
    }
}

/// What each proxy says of each reason not to connect.
impl Kind {
    const fn where_nobody_listens(self) -> &'static str {
        match self {
            Self::Tinyproxy => "it answered 500 Internal Server Error",
            Self::Squid => "it answered 503 Service Unavailable",
            Self::Microsocks | Self::Dante => "it answered: connection refused",
        }
    }

    /// `None` is one that forbids nothing.
    const fn where_it_may_not(self) -> Option<&'static str> {
        match self {
            Self::Tinyproxy | Self::Squid => Some("it answered 403 Forbidden"),
            Self::Microsocks => None,
            Self::Dante => Some("it answered: not allowed by its rules"),
        }
    }

    const fn without_credentials(self) -> &'static str {
        match self {
            Self::Tinyproxy => {
                "it answered 407 Proxy Authentication Required: Basic realm=\"Tinyproxy\""
            }
            Self::Squid => "it answered 407 Proxy Authentication Required: Basic realm=\"interop\"",
            Self::Microsocks | Self::Dante => {
                "it wants to know who asks, and there are no credentials for it"
            }
        }
    }

    const fn with_wrong_credentials(self) -> &'static str {
        match self {
            Self::Tinyproxy => "it answered 401 Unauthorized",
            Self::Squid => self.without_credentials(),
            Self::Microsocks | Self::Dante => "it does not take this user name and password",
        }
    }
}

/// All that is tried with a proxy.
pub(super) fn cases(kind: Kind) -> Vec<Case> {
    let mut cases = Vec::new();
    for tls in [false, true] {
        let case = |name| Case::new(name, kind, tls);
        cases.extend([
            case("a server on 127.0.0.1"),
            case("a server on ::1").to(Server::V6),
            case("a name that the proxy alone knows").to(Server::NamedThere),
            case("credentials that it does not ask for").with(Credentials::Right),
            case("credentials, and the proxy on ::1").with(Credentials::Right).guarded(),
        ]);
        if kind.is_socks() {
            let named = case("a name that the client alone knows").to(Server::NamedHere);
            cases.push(Case { scheme: "socks5", ..named });
        }
        if kind == Kind::Squid {
            let secure = case("TLS with the proxy, and credentials").with(Credentials::Right);
            cases.push(Case { scheme: "https", ..secure.guarded() });
        }
    }
    for adapter in ["tokio", "smol", "blocking", "async-std"] {
        let case = |name| {
            let case = Case::new(name, kind, true).with(Credentials::Right).guarded();
            Case { client: Client::Adapter(adapter), ..case }
        };
        cases.push(case("credentials, and the proxy on ::1"));
        if kind == Kind::Squid {
            cases.push(Case { scheme: "https", ..case("TLS with the proxy, and credentials") });
        }
    }
    let adapter =
        Case { client: Client::Adapter("tokio"), ..Case::new("nobody listens", kind, false) };
    cases.push(adapter.to(Server::Nobody).refused(kind.where_nobody_listens()));
    let case = |name| Case::new(name, kind, false);
    cases.push(case("nobody listens").to(Server::Nobody).refused(kind.where_nobody_listens()));
    if let Some(why) = kind.where_it_may_not() {
        cases.push(case("it may not connect there").to(Server::Forbidden).refused(why));
    }
    cases.extend([
        case("no credentials").guarded().refused(kind.without_credentials()),
        case("wrong credentials")
            .guarded()
            .with(Credentials::Wrong)
            .refused(kind.with_wrong_credentials()),
    ]);
    cases
}
