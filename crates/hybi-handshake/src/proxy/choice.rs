//! Which proxy is for which server, by choice or as the environment says.

use core::net::IpAddr;
use core::{error, fmt};
use std::env;

use super::Proxy;
use crate::authority::{parse_port, same_host};
use crate::error::UriError;
use crate::uri::WsUri;

/// The proxies of a client: which server is reached through which, or directly. By default there is none.
///
/// ```
/// use hybi_handshake::proxy::Proxies;
///
/// let proxies = Proxies::all("http://proxy:3128".parse()?)
///     .except("localhost, .example.org, 10.0.0.0/8, [2001:db8::1]:8080");
/// let through = |uri: &str| Ok::<_, hybi_handshake::UriError>(proxies.of(&uri.parse()?).is_some());
/// assert!(through("wss://elsewhere.org/")?);
/// assert!(!through("wss://chat.example.org/")?);
/// assert!(!through("ws://10.1.2.3/")?);
/// assert!(!through("ws://[2001:db8::1]:8080/")?);
/// assert!(through("ws://[2001:db8::1]/")?);
/// # Ok::<(), hybi_handshake::UriError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    ws: Option<Proxy>,
    wss: Option<Proxy>,
    except: Vec<Exception>,
}

/// Servers that are reached directly.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    host: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// A name, and all names below it.
    Domain(String),
    Network {
        address: IpAddr,
        bits: u32,
    },
}

/// A variable of the environment that names no proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvironmentError {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong with its value.
    pub error: UriError,
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.error)
    }
}

impl error::Error for EnvironmentError {}

impl Proxies {
    /// This one for all servers.
    #[must_use]
    pub fn all(proxy: Proxy) -> Self {
        Self { ws: Some(proxy.clone()), wss: Some(proxy), except: Vec::new() }
    }

    /// Those of the environment of this process, as curl reads it: `ws_proxy` or else `http_proxy` is for `ws`,
    /// `wss_proxy` or else `https_proxy` for `wss`, `all_proxy` for what has none, and `no_proxy` says
    /// [which](Self::except) have none at all. In lower case or in upper case; lower case goes first. A variable that is
    /// empty is none, and one that is no text names no proxy.
    ///
    /// `HTTP_PROXY` in upper case is not read where `REQUEST_METHOD` is set: in a CGI program it is a header field of
    /// whoever asks.
    ///
    /// # Errors
    ///
    /// The variable that names no proxy.
    pub fn of_environment() -> Result<Self, EnvironmentError> {
        // What is no text is a mistake as well: nobody is to go directly for that.
        Self::of_variables(|name| Some(env::var_os(name)?.to_string_lossy().into_owned()))
    }

    /// The same for other variables than those of this process.
    ///
    /// ```
    /// use hybi_handshake::proxy::Proxies;
    ///
    /// let variables = [("ALL_PROXY", "socks5h://proxy"), ("NO_PROXY", "localhost")];
    /// let variable = |name: &str| {
    ///     variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
    /// };
    /// let proxies = Proxies::of_variables(variable)?;
    /// assert!(proxies.of(&"wss://example.org/".parse()?).is_some());
    /// assert!(proxies.of(&"wss://localhost/".parse()?).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`of_environment`](Self::of_environment).
    pub fn of_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, EnvironmentError> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let proxy = |names: &[&'static str]| {
            let found = names.iter().find_map(|name| Some((*name, set(name)?)));
            let parsed = found.map(|(variable, value)| {
                value.trim().parse().map_err(|error| EnvironmentError { variable, error })
            });
            parsed.transpose()
        };
        let is_cgi = set("REQUEST_METHOD").is_some();
        let of_http: &[_] = match is_cgi {
            true => &["ws_proxy", "WS_PROXY", "http_proxy"],
            false => &["ws_proxy", "WS_PROXY", "http_proxy", "HTTP_PROXY"],
        };
        let of_https = ["wss_proxy", "WSS_PROXY", "https_proxy", "HTTPS_PROXY"];
        let all = proxy(&["all_proxy", "ALL_PROXY"])?;
        let ws = proxy(of_http)?.or_else(|| all.clone());
        let wss = proxy(&of_https)?.or(all);
        let except = set("no_proxy").or_else(|| set("NO_PROXY")).unwrap_or_default();
        Ok(Self { ws, wss, except: Vec::new() }.except(&except))
    }

    /// Adds servers that are reached directly: a list with commas or spaces between, each of which is `*` for all, a name
    /// for itself and all names below it, with or without a dot in front, an address, or a network such as
    /// `10.0.0.0/8` or `fd00::/8`; and behind it perhaps the one port that this is about, an IPv6 address in brackets
    /// then. What is none of these matches nothing.
    #[must_use]
    pub fn except(mut self, list: &str) -> Self {
        let words = list.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        self.except.extend(words.filter_map(Exception::parse));
        self
    }

    /// The one that this server is reached through; `None` is directly.
    #[must_use]
    pub fn of(&self, uri: &WsUri) -> Option<&Proxy> {
        let proxy = if uri.is_secure() { &self.wss } else { &self.ws };
        let proxy = proxy.as_ref()?;
        let is_excepted = |exception: &Exception| exception.matches(uri.host(), uri.port());
        (!self.except.iter().any(is_excepted)).then_some(proxy)
    }
}

impl Exception {
    fn parse(word: &str) -> Option<Self> {
        if word == "*" {
            return Some(Self { host: Hosts::All, port: None });
        }
        // Of addresses without brackets, no part is a port.
        if let Some(host) = network(word) {
            return Some(Self { host, port: None });
        }
        let (host, port) = match word.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']')?;
                let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
                (network(address)?, port)
            }
            None => match word.split_once(':') {
                Some((host, port)) => (network(host).or_else(|| domain(host))?, Some(port)),
                None => (domain(word)?, None),
            },
        };
        let port = port.map(|port| parse_port(port).ok_or(())).transpose().ok()?;
        Some(Self { host, port })
    }

    fn matches(&self, host: &str, port: u16) -> bool {
        if self.port.is_some_and(|own| own != port) {
            return false;
        }
        // A name may be written with the dot of the root behind it.
        let host = host.strip_suffix('.').unwrap_or(host);
        match &self.host {
            Hosts::All => true,
            Hosts::Domain(domain) => {
                let is_below = host.strip_suffix(&**domain).is_some_and(|rest| rest.ends_with('.'));
                is_below || same_host(domain, host)
            }
            Hosts::Network { address, bits } => host.parse::<IpAddr>().is_ok_and(|host| {
                let is_in = |host| is_in_network(host, *address, *bits);
                is_in(host) || is_in(host.to_canonical())
            }),
        }
    }
}

fn domain(host: &str) -> Option<Hosts> {
    let host = host.strip_prefix('.').unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_name = !host.is_empty() && !host.contains(['[', ']', ':', '/', '*']);
    is_name.then(|| Hosts::Domain(host.to_ascii_lowercase()))
}

/// An address, or a network of them.
fn network(word: &str) -> Option<Hosts> {
    let (address, bits) = match word.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (word, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    if bits > most {
        return None;
    }
    Some(match (address.to_canonical(), bits.checked_sub(96)) {
        // It is written as those of IPv6 that stand for addresses of IPv4.
        (mapped @ IpAddr::V4(_), Some(bits)) if address.is_ipv6() => {
            Hosts::Network { address: mapped, bits }
        }
        _ => Hosts::Network { address, bits },
    })
}

fn is_in_network(host: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => {
            let differ = host.to_bits() ^ network.to_bits();
            differ.checked_shr(32 - bits).unwrap_or_default() == 0
        }
        (IpAddr::V6(host), IpAddr::V6(network)) => {
            let differ = host.to_bits() ^ network.to_bits();
            differ.checked_shr(128 - bits).unwrap_or_default() == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_names_addresses_networks_and_ports() {
        for (list, matching, others) in [
            ("*", &["ws://a/", "ws://[::1]/"][..], &[][..]),
            (
                "example.org",
                &["ws://example.org/", "wss://a.b.Example.org:8/", "ws://example.org./"],
                &["ws://notexample.org/", "ws://example.org.evil/", "ws://org/"],
            ),
            (
                ".example.org",
                &["ws://example.org/", "ws://a.example.org/"],
                &["ws://aexample.org/"],
            ),
            ("example.org:8080", &["ws://x.example.org:8080/"], &["ws://example.org/"]),
            ("127.0.0.1", &["ws://127.0.0.1/", "ws://[::ffff:127.0.0.1]/"], &["ws://127.0.0.2/"]),
            ("127.0.0.1:81", &["ws://127.0.0.1:81/"], &["ws://127.0.0.1:80/"]),
            ("10.0.0.0/8", &["ws://10.255.1.2/"], &["ws://11.0.0.1/", "ws://a10.0.0.0/"]),
            ("0.0.0.0/0", &["ws://10.255.1.2/"], &["ws://[::1]/", "ws://name/"]),
            ("192.168.1.1/32", &["ws://192.168.1.1/"], &["ws://192.168.1.2/"]),
            ("fd00::/8", &["ws://[fd12::1]/"], &["ws://[fe00::1]/"]),
            ("::ffff:127.0.0.1", &["ws://[::ffff:127.0.0.1]/", "ws://127.0.0.1/"], &[]),
            ("::ffff:10.0.0.0/104", &["ws://10.1.2.3/"], &["ws://11.0.0.1/"]),
            ("::/0", &["ws://[::1]/", "ws://[::ffff:1.2.3.4]/"], &["ws://1.2.3.4/"]),
            ("::1", &["ws://[0:0:0:0:0:0:0:1]/"], &["ws://[::2]/"]),
            ("[::1]:8", &["ws://[::1]:8/"], &["ws://[::1]/"]),
            ("[::1]", &["ws://[::1]:8/"], &["ws://[::2]/"]),
            ("a, b\tc,,d", &["ws://a/", "ws://b/", "ws://c/", "ws://d/"], &["ws://e/"]),
            ("10.0.0.0/33,1.2.3.4/x,a:b,[x]:1,a/b,*.x", &[], &["ws://10.0.0.0/", "ws://1.2.3.4/"]),
        ] {
            let proxies = Proxies::all("proxy".parse().expect("a proxy")).except(list);
            let is_excepted = |uri: &str| proxies.of(&uri.parse().expect("a URI")).is_none();
            for uri in matching {
                assert!(is_excepted(uri), "{list}: {uri}");
            }
            for uri in others {
                assert!(!is_excepted(uri), "{list}: {uri}");
            }
        }
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let of = |variables: &[(&str, &str)]| {
            let proxies = Proxies::of_variables(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
            })?;
            let through = |uri: &str| {
                let proxy = proxies.of(&uri.parse().expect("a URI"));
                proxy.map_or_else(|| "directly".to_owned(), |proxy| proxy.host().to_owned())
            };
            Ok::<_, EnvironmentError>([through("ws://example.org/"), through("wss://example.org/")])
        };
        for (variables, expected) in [
            (&[][..], ["directly", "directly"]),
            (&[("http_proxy", "a")], ["a", "directly"]),
            (&[("HTTP_PROXY", "a"), ("https_proxy", "b")], ["a", "b"]),
            (&[("HTTP_PROXY", "a"), ("http_proxy", "b")], ["b", "directly"]),
            (&[("HTTP_PROXY", "a"), ("REQUEST_METHOD", "GET")], ["directly", "directly"]),
            (&[("http_proxy", "a"), ("REQUEST_METHOD", "GET")], ["a", "directly"]),
            (&[("ALL_PROXY", "a"), ("HTTPS_PROXY", "b")], ["a", "b"]),
            (&[("all_proxy", "a"), ("http_proxy", " ")], ["a", "a"]),
            (&[("ws_proxy", "a"), ("http_proxy", "b"), ("WSS_PROXY", "c")], ["a", "c"]),
            (&[("all_proxy", "a"), ("NO_PROXY", "example.org")], ["directly", "directly"]),
            (&[("all_proxy", "a"), ("NO_PROXY", "*"), ("no_proxy", "other")], ["a", "a"]),
        ] {
            assert_eq!(of(variables), Ok(expected.map(str::to_owned)), "{variables:?}");
        }
        let error = of(&[("ALL_PROXY", "quic://a")]).expect_err("no proxy");
        assert_eq!((error.variable, error.error), ("ALL_PROXY", UriError::ProxyScheme));
    }
}
