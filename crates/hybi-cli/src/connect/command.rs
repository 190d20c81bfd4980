//! Slash commands of the prompt.

use std::path::PathBuf;

use hybi::Message;

use crate::values::{CloseSpec, close_spec, decode_hex};

/// What `/help` prints.
pub(crate) const HELP: &str = "\
/ping [TEXT]            send a ping
/pong [TEXT]            send a pong that answers nothing
/text TEXT              send text
/bin HEX                send binary
/file PATH              send a file as one message
/close [CODE [REASON]]  close
/info                   show the connection
/quit                   close and leave
//TEXT                  send text that begins with a slash";

/// A line typed at the prompt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Send(Message),
    File(PathBuf),
    Close(CloseSpec),
    Info,
    Help,
    Quit,
    /// The line is no command but a message.
    Line,
}

/// Reads one line.
pub(crate) fn parse(line: &str) -> Result<Command, String> {
    let Some(rest) = line.strip_prefix('/') else { return Ok(Command::Line) };
    if rest.starts_with('/') {
        return Ok(Command::Send(Message::text(rest)));
    }
    let (name, argument) = rest.split_once(' ').unwrap_or((rest, ""));
    Ok(match name {
        "ping" => Command::Send(Message::Ping(control(argument)?.into())),
        "pong" => Command::Send(Message::Pong(control(argument)?.into())),
        "text" => Command::Send(Message::text(argument)),
        "bin" => Command::Send(Message::binary(decode_hex(argument)?)),
        "file" if argument.is_empty() => return Err("/file PATH sends a file".into()),
        "file" => Command::File(argument.into()),
        "close" if argument.is_empty() => Command::Close(CloseSpec::default()),
        "close" => Command::Close(close_spec(argument)?),
        "info" => Command::Info,
        "help" => Command::Help,
        "quit" => Command::Quit,
        _ => return Err(format!("there is no /{name}; /help lists what there is")),
    })
}

fn control(text: &str) -> Result<Vec<u8>, String> {
    if text.len() > 125 {
        return Err(format!(
            "{} bytes; a control frame carries at most 125 (RFC 6455 §5.5)",
            text.len()
        ));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        for (line, command) in [
            ("hello /ping", Command::Line),
            ("", Command::Line),
            ("//x y", Command::Send(Message::text("/x y"))),
            ("/ping", Command::Send(Message::Ping("".into()))),
            ("/pong a b", Command::Send(Message::Pong("a b".into()))),
            ("/text /ping", Command::Send(Message::text("/ping"))),
            ("/bin 00ff", Command::Send(Message::binary(vec![0, 255]))),
            ("/file a b", Command::File("a b".into())),
            ("/close", Command::Close(CloseSpec::default())),
            ("/close 3000 good bye", Command::Close(close_spec("3000 good bye").unwrap())),
            ("/close 3000:bye", Command::Close(close_spec("3000 bye").unwrap())),
            ("/close none", Command::Close(CloseSpec(None))),
            ("/quit", Command::Quit),
            ("/info", Command::Info),
            ("/help", Command::Help),
        ] {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn mistakes_are_explained() {
        let long = format!("/ping {}", "x".repeat(126));
        for (line, part) in [
            ("/pin", "/help"),
            ("/bin 0", "two digits"),
            ("/close 1005", "may not be sent"),
            ("/file", "PATH"),
            (&*long, "125"),
        ] {
            let message = parse(line).unwrap_err();
            assert!(message.contains(part), "{line}: {message}");
        }
    }
}
