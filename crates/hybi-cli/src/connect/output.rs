//! Output: received messages and events, as text, bytes, hexadecimal or JSON.

use core::time::Duration;
use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hybi::{CloseCode, CloseStatus, Endpoint, Message, WsUri, io::Transport};

use super::open::Opened;
use crate::args::connect::{ConnectArgs, Output};
use crate::exit::{Failure, stdout_failed};
use crate::json::Object;
use crate::values::{encode_hex, version_name};
use crate::{clock, escape};

/// Writes results to stdout and everything else to stderr.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    output: Output,
    end: u8,
    timestamps: bool,
    info: bool,
    /// stdout is a terminal, which received text must not steer.
    terminal: bool,
    /// A person types at a prompt.
    prompt: bool,
    /// Which channel it is about, if there may be several.
    channel: Option<u32>,
    /// There are several, so that lines say which.
    marks: bool,
}

impl Printer {
    pub(crate) fn new(args: &ConnectArgs, json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let output = if json { Output::Json } else { args.receiving.output };
        let for_people = matches!(output, Output::Text | Output::Hex);
        Self {
            output,
            end: if args.sending.null { 0 } else { b'\n' },
            timestamps: args.receiving.timestamps,
            info: args.receiving.info,
            terminal,
            prompt: args.is_interactive() && terminal && for_people,
            channel: None,
            marks: args.handshake.channels > 1,
        }
    }

    /// The same for what concerns one channel.
    pub(crate) fn of_channel(&self, number: u32) -> Self {
        Self { channel: Some(number), ..self.clone() }
    }

    /// What stands before a line that is about one of several channels.
    fn mark(&self) -> String {
        match self.channel {
            Some(number) if self.marks => format!("[{number}] "),
            _ => String::new(),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    pub(crate) fn connecting(&self, uri: &WsUri) -> Result<(), Failure> {
        if !self.is_json() {
            return Ok(());
        }
        self.event(Object::event("connecting").string("url", &uri.to_string()))
    }

    pub(crate) fn open<T: Transport>(&self, opened: &Opened<T>) -> Result<(), Failure> {
        if self.is_json() {
            return self.event(open_event(opened));
        }
        if self.info || self.prompt {
            self.note(&summary(opened));
        }
        if self.prompt {
            self.note("type a message, or /help");
        }
        self.show_prompt();
        Ok(())
    }

    /// Prints a received message or control frame.
    pub(crate) fn message(&self, message: &Message) -> Result<(), Failure> {
        match self.output {
            Output::Json => self.event(message_event(message)),
            Output::Raw if message.is_data() => self.write(message.as_bytes()),
            Output::Raw => Ok(()),
            Output::Text | Output::Hex => {
                let mut line = String::new();
                if self.prompt {
                    line.push_str("\r\x1b[K< ");
                }
                if self.timestamps {
                    line.push_str(&clock::now());
                    line.push(' ');
                }
                line.push_str(&self.mark());
                match message {
                    Message::Ping(_) => line.push_str("[ping] "),
                    Message::Pong(_) => line.push_str("[pong] "),
                    Message::Binary(_) if self.prompt => line.push_str("[binary] "),
                    _ => {}
                }
                line.push_str(&self.payload(message));
                let mut bytes = line.into_bytes();
                bytes.push(self.end);
                self.write(&bytes)?;
                self.show_prompt();
                Ok(())
            }
        }
    }

    fn payload<'a>(&self, message: &'a Message) -> Cow<'a, str> {
        let text = match message {
            Message::Text(text) if self.output == Output::Text => Some(Cow::Borrowed(&**text)),
            Message::Ping(bytes) | Message::Pong(bytes) if self.output == Output::Text => {
                Some(String::from_utf8_lossy(bytes))
            }
            _ => None,
        };
        match text {
            Some(text) if self.terminal => Cow::Owned(escape::controls(&text).into_owned()),
            Some(text) => text,
            None => Cow::Owned(encode_hex(message.as_bytes())),
        }
    }

    pub(crate) fn close(&self, status: &CloseStatus) -> Result<(), Failure> {
        let by = match status.began_by() {
            Some(Endpoint::Local) => "local",
            Some(Endpoint::Peer) => "peer",
            None => "nobody",
        };
        let code = status.code().as_u16();
        if self.is_json() {
            let event = Object::event("close")
                .number("code", code)
                .string("reason", status.reason())
                .string("by", by)
                .boolean("clean", status.is_clean());
            return self.event(event);
        }
        // A server that goes away may have had more to say, which the status does not tell.
        let went_away = by == "peer" && status.code() == CloseCode::GOING_AWAY;
        if self.info || self.prompt || went_away {
            let clean = if status.is_clean() { "clean" } else { "not clean" };
            let reason = match status.reason() {
                "" => String::new(),
                reason => format!(" {reason}"),
            };
            self.remark(&format!("closed by {by}: {code}{reason} ({clean})"));
        }
        Ok(())
    }

    /// Says why there is a pause before the next attempt, and how long it is.
    pub(crate) fn waiting(&self, pause: Duration, failure: &Failure) -> Result<(), Failure> {
        if self.is_json() {
            let event = Object::event("waiting")
                .seconds("delay", pause)
                .number("status", failure.status as u8)
                .string("message", &failure.message());
            return self.event(event);
        }
        self.remark(&format!("hybi: {}; connecting again in {pause:.1?}", failure.message()));
        Ok(())
    }

    /// Writes the `error` event; the line on stderr is written in any case.
    pub(crate) fn error(&self, failure: &Failure) {
        let _ = io::stderr().write_all(self.clear().as_bytes());
        if self.is_json() && failure.status != crate::exit::Status::Done {
            let mut event = Object::event("error")
                .number("status", failure.status as u8)
                .string("message", &failure.message());
            if let Some((rule, offset)) = &failure.rule {
                event = event.string("rule", rule);
                if let Some(offset) = offset {
                    event = event.number("offset", *offset);
                }
            }
            // The program ends with this very failure.
            let _ = self.event(event);
        }
    }

    /// A remark for the person at the prompt, or about a line that could not be sent.
    pub(crate) fn note(&self, text: &str) {
        self.remark(text);
        self.show_prompt();
    }

    /// The same where nothing more can be typed. Peers have a say in some of its lines.
    fn remark(&self, text: &str) {
        let mark = self.mark();
        for line in text.lines() {
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(io::stderr(), "{}{mark}{}", self.clear(), escape::controls(line));
        }
    }

    /// What takes the prompt away.
    fn clear(&self) -> &'static str {
        if self.prompt { "\r\x1b[K" } else { "" }
    }

    pub(crate) fn show_prompt(&self) {
        if self.prompt {
            let _ = io::stderr().write_all(b"\r\x1b[K> ");
        }
    }

    fn event(&self, event: Object) -> Result<(), Failure> {
        let event = match self.channel {
            Some(number) => event.number("channel", number),
            None => event,
        };
        let mut line = event.finish();
        line.push('\n');
        self.write(line.as_bytes())
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| stdout_failed(&error))
    }
}

/// The connection in two lines.
pub(crate) fn summary<T: Transport>(opened: &Opened<T>) -> String {
    let ws = &opened.ws;
    let times: Vec<_> =
        opened.times.iter().map(|(stage, took)| format!("{stage} {took:.1?}")).collect();
    let extensions = extensions(opened);
    format!(
        "connected to {} ({})\n\
         version {}, subprotocol {}, extensions {}",
        opened.uri,
        times.join(", "),
        version_name(ws.version()),
        ws.subprotocol().unwrap_or("none"),
        if extensions.is_empty() { "none".into() } else { extensions.join(", ") },
    )
}

/// What was agreed on, with parameters as in the header.
fn extensions<T: Transport>(opened: &Opened<T>) -> Vec<String> {
    opened.ws.extensions().map(ToString::to_string).collect()
}

fn open_event<T: Transport>(opened: &Opened<T>) -> Object {
    let mut headers = Object::new();
    for name in opened.response.headers().keys() {
        let values: Vec<_> = opened
            .response
            .headers()
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        headers = headers.string(name.as_str(), &values.join(", "));
    }
    let mut times = Object::new();
    for (stage, took) in &opened.times {
        times = times.seconds(&stage.to_string(), *took);
    }
    Object::event("open")
        .string("url", &opened.uri.to_string())
        .string("version", version_name(opened.ws.version()))
        .maybe("subprotocol", opened.ws.subprotocol())
        .strings("extensions", &extensions(opened))
        .object("headers", headers)
        .object("times", times)
}

fn message_event(message: &Message) -> Object {
    let (event, kind) = match message {
        Message::Text(_) => ("message", Some("text")),
        Message::Binary(_) => ("message", Some("binary")),
        Message::Ping(_) => ("ping", None),
        Message::Pong(_) | Message::Close(_) => ("pong", None),
    };
    let mut object = Object::event(event);
    if let Some(kind) = kind {
        object = object.string("type", kind);
    }
    object = object.number("size", message.len() as u64);
    match message.as_text() {
        Some(text) => object.string("text", text),
        None => object.string("base64", &BASE64_STANDARD.encode(message.as_bytes())),
    }
}
