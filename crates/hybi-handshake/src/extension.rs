//! `Sec-WebSocket-Extensions`: names, parameters, quoted strings (RFC 6455 §9.1).

use core::fmt;

use crate::error::{FieldError, HandshakeError};
use crate::head::fields::{self, NameCount};
use crate::version::Version;

/// One element of a `Sec-WebSocket-Extensions` list: a name and its parameters, in order.
///
/// The same type serves a client's offer and a server's answer. What a name or a parameter means is
/// the business of the extension; here everything is a token.
///
/// [RFC 6455 §9.1](https://www.rfc-editor.org/rfc/rfc6455#section-9.1)
///
/// ```
/// use hybi_handshake::ExtensionOffer;
///
/// let offer = ExtensionOffer::new("permessage-deflate")?
///     .with_param("client_max_window_bits", None)?
///     .with_param("server_max_window_bits", Some("10"))?;
/// assert_eq!(
///     offer.to_string(),
///     "permessage-deflate; client_max_window_bits; server_max_window_bits=10"
/// );
/// # Ok::<(), hybi_handshake::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExtensionOffer {
    name: String,
    params: Vec<ExtensionParam>,
}

/// A parameter of an extension: a name, and a value if it has one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExtensionParam {
    name: String,
    value: Option<String>,
}

impl ExtensionOffer {
    /// The extension of this name, without parameters.
    ///
    /// # Errors
    ///
    /// [`FieldError::NotAToken`] when the name is not a token of HTTP.
    pub fn new(name: &str) -> Result<Self, FieldError> {
        Ok(Self { name: token(name)?, params: Vec::new() })
    }

    /// Adds a parameter after those already there.
    ///
    /// # Errors
    ///
    /// [`FieldError::NotAToken`] when the name or the value is not a token of HTTP.
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Result<Self, FieldError> {
        let (name, value) = (token(name)?, value.map(token).transpose()?);
        self.params.push(ExtensionParam { name, value });
        Ok(self)
    }

    /// Adds the list of `method`s of the compression drafts of 2012, in which a value in quotes could
    /// have parameters of its own: `method="deflate; s2c_max_window_bits=10"`.
    ///
    /// It is written without quotes if it is a token.
    ///
    /// # Errors
    ///
    /// [`FieldError::NotAToken`] when the value is empty or has anything but visible ASCII and spaces,
    /// or quotes and backslashes, for which that grammar has no use.
    pub fn with_methods(mut self, methods: &str) -> Result<Self, FieldError> {
        if !is_method_list(methods.as_bytes()) {
            return Err(FieldError::NotAToken);
        }
        self.params
            .push(ExtensionParam { name: METHOD.to_owned(), value: Some(methods.to_owned()) });
        Ok(self)
    }

    /// The name, such as `permessage-deflate`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The parameters, in the order in which they were written.
    #[must_use]
    pub fn params(&self) -> &[ExtensionParam] {
        &self.params
    }

    /// Reads the `Sec-WebSocket-Extensions` fields of one head, in order. No field at all gives an
    /// empty list. Quoted values come out unescaped; they are part of version 13 only, and their
    /// content is a token, but for the [`method`](Self::with_methods) of `permessage-compress`,
    /// `x-webkit-permessage-compress` and `perframe-compress`.
    ///
    /// ```
    /// use hybi_handshake::{ExtensionOffer, Version};
    ///
    /// let list = ExtensionOffer::parse_list(["foo; bar=\"10\", baz"], Version::RFC6455)?;
    /// assert_eq!(list[0].params()[0].value(), Some("10"));
    /// assert_eq!(list[1].name(), "baz");
    /// # Ok::<(), hybi_handshake::HandshakeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError::MalformedExtensions`] unless each field follows the grammar and all of them
    /// together hold at least one extension; [`HandshakeError::TooManyNames`] for more extensions and
    /// parameters than [`HeadLimits::MAX_NAMES`](crate::HeadLimits::MAX_NAMES).
    pub fn parse_list<V: AsRef<[u8]>>(
        values: impl IntoIterator<Item = V>,
        version: Version,
    ) -> Result<Vec<Self>, HandshakeError> {
        let mut list = Vec::new();
        let mut count = NameCount::new("Sec-WebSocket-Extensions");
        let mut present = false;
        for value in values {
            present = true;
            count.add(value.as_ref())?;
            let mut parser = Parser { rest: value.as_ref(), quotes: version.quotes_parameters() };
            parser.list(&mut list).ok_or(HandshakeError::MalformedExtensions)?;
        }
        if present && list.is_empty() {
            return Err(HandshakeError::MalformedExtensions);
        }
        Ok(list)
    }
}

impl fmt::Display for ExtensionOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for ExtensionParam { name, value } in &self.params {
            match value {
                Some(value) if fields::token(value.as_bytes()).is_some() => {
                    write!(f, "; {name}={value}")?;
                }
                Some(value) => write!(f, "; {name}=\"{value}\"")?,
                None => write!(f, "; {name}")?,
            }
        }
        Ok(())
    }
}

impl ExtensionParam {
    /// The name, such as `server_max_window_bits`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value without its quotes, or `None` when the parameter is a bare name.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }
}

/// The value of a field that lists these extensions.
pub(crate) fn list_value(list: &[ExtensionOffer]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The parameter whose value may be a list.
const METHOD: &str = "method";

/// The extensions that have it.
const WITH_METHODS: [&str; 3] =
    ["permessage-compress", "x-webkit-permessage-compress", "perframe-compress"];

fn is_method_list(content: &[u8]) -> bool {
    let allowed = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    !content.is_empty() && content.iter().all(allowed)
}

fn token(text: &str) -> Result<String, FieldError> {
    fields::token(text.as_bytes()).map(str::to_owned).ok_or(FieldError::NotAToken)
}

/// What is left of one field; every method takes its element from the front, `None` is a violation.
struct Parser<'a> {
    rest: &'a [u8],
    quotes: bool,
}

impl Parser<'_> {
    fn list(&mut self, list: &mut Vec<ExtensionOffer>) -> Option<()> {
        loop {
            self.skip_space();
            if self.rest.is_empty() {
                return Some(());
            }
            if !self.rest.starts_with(b",") {
                list.push(self.extension()?);
            }
            // An element ends at a comma or at the end; empty ones are allowed.
            if !self.rest.is_empty() && !self.take(b',') {
                return None;
            }
        }
    }

    fn extension(&mut self) -> Option<ExtensionOffer> {
        let mut offer = ExtensionOffer { name: self.token()?, params: Vec::new() };
        self.skip_space();
        while self.take(b';') {
            self.skip_space();
            let name = self.token()?;
            self.skip_space();
            let value = if self.take(b'=') {
                self.skip_space();
                let list = name == METHOD && WITH_METHODS.contains(&offer.name.as_str());
                Some(if self.rest.starts_with(b"\"") { self.quoted(list)? } else { self.token()? })
            } else {
                None
            };
            offer.params.push(ExtensionParam { name, value });
            self.skip_space();
        }
        Some(offer)
    }

    fn token(&mut self) -> Option<String> {
        let end = self.rest.iter().position(|&byte| !fields::is_token_byte(byte));
        let (token, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        fields::token(token).map(str::to_owned)
    }

    /// A quoted string whose content, once unescaped, must itself be a token, or a list of methods.
    fn quoted(&mut self, list: bool) -> Option<String> {
        if !self.quotes || !self.take(b'"') {
            return None;
        }
        let mut content = Vec::new();
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'"' if list && is_method_list(&content) => return String::from_utf8(content).ok(),
                b'"' => return fields::token(&content).map(str::to_owned),
                b'\\' => {
                    let (&escaped, rest) = self.rest.split_first()?;
                    self.rest = rest;
                    content.push(escaped);
                }
                _ => content.push(byte),
            }
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }
}
