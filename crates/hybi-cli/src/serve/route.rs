//! Which handler answers a path, and how the query of the request tunes it.

use core::num::NonZero;
use core::str::FromStr;
use core::time::Duration;

use crate::exit::Failure;
use crate::values::{CloseSpec, close_parts, close_spec, count, duration, percent_decode, size};

/// The handlers of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handler {
    Echo,
    EchoNoExt,
    Chat,
    Close,
    Discard,
    Generate,
}

const HANDLERS: [(&str, Handler); 6] = [
    ("echo", Handler::Echo),
    ("echo-noext", Handler::EchoNoExt),
    ("chat", Handler::Chat),
    ("close", Handler::Close),
    ("discard", Handler::Discard),
    ("generate", Handler::Generate),
];

/// `PATH=HANDLER`: an exact path, or a prefix if it was written with a final `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    path: String,
    prefix: bool,
    handler: Handler,
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, name) = text.rsplit_once('=').ok_or("a handler is placed with PATH=HANDLER")?;
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the path begins with / and has no spaces or non-ASCII characters".into());
        }
        if path.contains(['?', '#']) {
            return Err("the path has neither query nor fragment".into());
        }
        let (path, prefix) = path.strip_suffix('*').map_or((path, false), |path| (path, true));
        let found = HANDLERS.iter().find(|(known, _)| *known == name);
        let handler = found.map(|(_, handler)| *handler).ok_or_else(|| {
            let names = HANDLERS.map(|(known, _)| known).join(", ");
            format!("there is no handler {name:?} in this build; it has {names}")
        })?;
        Ok(Self { path: path.to_owned(), prefix, handler })
    }
}

/// All routes; the longest that matches wins, and an exact one wins over a prefix.
#[derive(Debug)]
pub(crate) struct Routes(Vec<Route>);

impl Routes {
    /// The routes asked for, or the default ones when none were.
    pub(crate) fn new(mut asked: Vec<Route>) -> Result<Self, Failure> {
        if asked.is_empty() {
            let exact = |path: String, handler| Route { path, prefix: false, handler };
            asked.push(exact("/".into(), Handler::Echo));
            asked.extend(HANDLERS.map(|(name, handler)| exact(format!("/{name}"), handler)));
        }
        asked.sort_by_key(|route| (core::cmp::Reverse(route.path.len()), route.prefix));
        for pair in asked.windows(2) {
            if pair[0].path == pair[1].path && pair[0].prefix == pair[1].prefix {
                let star = if pair[0].prefix { "*" } else { "" };
                return Err(Failure::usage(
                    "usage",
                    format!("two handlers were placed at {}{star}", pair[0].path),
                ));
            }
        }
        Ok(Self(asked))
    }

    pub(crate) fn find(&self, path: &str) -> Option<Handler> {
        let matches = |route: &&Route| {
            if route.prefix { path.starts_with(&route.path) } else { path == route.path }
        };
        self.0.iter().find(matches).map(|route| route.handler)
    }
}

// What a query may ask for is bounded, since it costs the client nothing to ask. `hybi serve --help`
// names each bound.

/// The longest `?delay=`: an echo that waits notices neither pings nor the peer's Close frame, and
/// peers commonly give a ping 20 s.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// The longest `?room=` in bytes: each name is kept while somebody is in the room.
const MAX_ROOM_NAME: usize = 128;

/// The largest `?size=`, whatever the largest message is.
pub(crate) const MAX_GENERATED: usize = 16 * 1024 * 1024;

/// What one connection may have generated in all.
const MAX_GENERATED_IN_ALL: u64 = 256 * 1024 * 1024;

/// What a message counts at the least: empty ones are work, too.
const LEAST_COUNTED: u64 = 64;

/// A handler with what the query asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Echo { extensions: bool, fragment: Option<NonZero<usize>>, goodbye: bool, delay: Duration },
    Chat { room: String, include_sender: bool },
    Close(Option<CloseSpec>),
    Discard { ack: bool },
    Generate { count: u64, size: usize, interval: Duration, text: bool },
}

impl Plan {
    /// Reads the query; the error goes to the peer with status 400.
    pub(crate) fn new(handler: Handler, query: &str, max_message: usize) -> Result<Self, String> {
        let query = Query::new(query)?;
        Ok(match handler {
            Handler::Echo | Handler::EchoNoExt => Self::Echo {
                extensions: handler == Handler::Echo,
                fragment: query.read("fragment", size)?.and_then(NonZero::new),
                goodbye: query.flag("goodbye")?,
                delay: query.read("delay", short)?.unwrap_or_default(),
            },
            Handler::Chat => Self::Chat {
                room: query.read("room", room)?.unwrap_or_default(),
                include_sender: query.flag("self")?,
            },
            Handler::Close => Self::Close(match query.get("reason") {
                None => query.read("code", close_spec)?,
                Some(reason) => Some(
                    close_parts(query.get("code").unwrap_or("1000"), reason)
                        .map_err(|why| format!("?code=&reason=: {why}"))?,
                ),
            }),
            Handler::Discard => Self::Discard { ack: query.flag("ack")? },
            Handler::Generate => {
                let largest = max_message.min(MAX_GENERATED);
                let size = query.read("size", |text| at_most(size(text)?, largest))?;
                let size = size.unwrap_or_else(|| largest.min(64));
                let most = MAX_GENERATED_IN_ALL / LEAST_COUNTED.max(size as u64);
                let generated = |text: &str| match count(text, 0..=most)? {
                    0 => Ok(most),
                    count => Ok(count),
                };
                Self::Generate {
                    count: query.read("count", generated)?.unwrap_or(10),
                    size,
                    interval: query
                        .read("interval", duration)?
                        .unwrap_or(Duration::from_millis(100)),
                    text: query.read("type", text_or_binary)?.unwrap_or(true),
                }
            }
        })
    }
}

fn short(text: &str) -> Result<Duration, String> {
    let delay = duration(text)?;
    if delay <= MAX_DELAY { Ok(delay) } else { Err(format!("at most {MAX_DELAY:?}")) }
}

fn room(name: &str) -> Result<String, String> {
    at_most(name.len(), MAX_ROOM_NAME).map(|_| name.to_owned())
}

fn at_most(bytes: usize, max: usize) -> Result<usize, String> {
    if bytes <= max { Ok(bytes) } else { Err(format!("at most {max} bytes")) }
}

fn text_or_binary(text: &str) -> Result<bool, String> {
    match text {
        "text" => Ok(true),
        "binary" => Ok(false),
        _ => Err("text or binary".into()),
    }
}

/// The pairs of a query, decoded.
#[derive(Debug)]
struct Query(Vec<(String, String)>);

impl Query {
    fn new(query: &str) -> Result<Self, String> {
        let decode = |part: &str| {
            percent_decode(&part.replace('+', " ")).ok_or("the query is not percent-encoded UTF-8")
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        pairs.collect::<Result<_, &str>>().map(Self).map_err(Into::into)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn read<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        self.get(name).map(parse).transpose().map_err(|why| format!("?{name}=: {why}"))
    }

    fn flag(&self, name: &str) -> Result<bool, String> {
        let flag = self.read(name, |text| match text {
            "1" | "" => Ok(true),
            "0" => Ok(false),
            _ => Err("1 or 0".into()),
        })?;
        Ok(flag.unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(asked: &[&str]) -> Result<Routes, Failure> {
        Routes::new(asked.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn the_longest_match_wins() {
        let routes = routes(&["/*=discard", "/a=echo", "/a*=chat", "/a/b*=close"]).unwrap();
        for (path, handler) in [
            ("/a", Handler::Echo),
            ("/ab", Handler::Chat),
            ("/a/b", Handler::Close),
            ("/a/bc", Handler::Close),
            ("/x", Handler::Discard),
        ] {
            assert_eq!(routes.find(path), Some(handler), "{path}");
        }
    }

    #[test]
    fn without_routes_each_handler_sits_at_its_name() {
        let routes = routes(&[]).unwrap();
        assert_eq!(routes.find("/"), Some(Handler::Echo));
        assert_eq!(routes.find("/generate"), Some(Handler::Generate));
        assert_eq!(routes.find("/echo/"), None);
    }

    #[test]
    fn refused_routes() {
        for text in ["/a", "a=echo", "/a=exec:ls", "/a=nothing", "/a b=echo", "/a?b=echo"] {
            assert!(text.parse::<Route>().is_err(), "{text}");
        }
        assert!(routes(&["/a=echo", "/a=chat"]).is_err());
        assert!(routes(&["/a=echo", "/a*=chat"]).is_ok());
    }

    #[test]
    fn what_is_generated_has_a_bound_in_all() {
        let count = |query: &str| match Plan::new(Handler::Generate, query, usize::MAX) {
            Ok(Plan::Generate { count, .. }) => Ok(count),
            other => Err(format!("{other:?}")),
        };
        for (size, most) in [("16MiB", 16), ("1KiB", 262_144), ("64", 4_194_304), ("0", 4_194_304)]
        {
            assert_eq!(count(&format!("count=0&size={size}")), Ok(most), "without end");
            assert_eq!(count(&format!("count={most}&size={size}")), Ok(most));
            let refused = count(&format!("count={}&size={size}", most + 1)).unwrap_err();
            assert!(refused.contains(&format!("from 0 to {most}")), "{refused}");
        }
        assert!(count("size=16777217").is_err());
        // A server whose messages are smaller than the usual ones still generates.
        assert!(Plan::new(Handler::Generate, "", 10).is_ok());
    }

    #[test]
    fn queries_tune_handlers() {
        let plan = |handler, query| Plan::new(handler, query, 1000);
        assert_eq!(
            plan(Handler::Echo, "fragment=1kB&goodbye=1&delay=1s"),
            Ok(Plan::Echo {
                extensions: true,
                fragment: NonZero::new(1000),
                goodbye: true,
                delay: Duration::from_secs(1)
            })
        );
        assert_eq!(
            plan(Handler::Chat, "room=caf%C3%A9+one&self&cachebuster=7"),
            Ok(Plan::Chat { room: "café one".into(), include_sender: true })
        );
        assert_eq!(
            plan(Handler::Close, "code=3000&reason=a%20b"),
            Ok(Plan::Close(close_spec("3000:a b").ok()))
        );
        for (query, close) in [
            ("", None),
            ("code=none", Some("none")),
            ("code=3000:a%20b", Some("3000:a b")),
            ("code=3000+a", Some("3000:a")),
            ("reason=a:b", Some("1000:a:b")),
        ] {
            let close = close.map(|text| close_spec(text).unwrap());
            assert_eq!(plan(Handler::Close, query), Ok(Plan::Close(close)), "{query}");
        }
        assert_eq!(
            plan(Handler::Generate, "count=3&size=1000&interval=0&type=binary"),
            Ok(Plan::Generate { count: 3, size: 1000, interval: Duration::ZERO, text: false })
        );
        for (handler, query) in [
            (Handler::Echo, "delay=soon"),
            (Handler::Echo, "delay=10001ms"),
            (Handler::Echo, "goodbye=yes"),
            (Handler::Close, "code=1005"),
            (Handler::Close, "code=none&reason=x"),
            (Handler::Close, "code=3000:a&reason=b"),
            (Handler::Generate, "size=1001"),
            (Handler::Chat, "room=%ff"),
            (Handler::Chat, &format!("room={}", "x".repeat(129))),
            (Handler::Chat, "room=%2"),
        ] {
            assert!(plan(handler, query).is_err(), "{query}");
        }
    }
}
