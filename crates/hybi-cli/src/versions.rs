//! `hybi versions`: every version ever published, what it can do, and how it is selected.

use std::io::Write as _;

use hybi::legacy::{Draft, ExtensionSyntax, FramingFamily, Selector};
use hybi::{Version, frame::Closing};

use crate::exit::{Failure, Status, stdout_failed};
use crate::json::Object;
use crate::values::{aliases, drafts, version_name};

/// Prints the table, or one JSON object for each version.
pub(crate) fn print(json: bool) -> Result<Status, Failure> {
    let rows = Version::ALL.into_iter().filter_map(Row::new);
    let mut lines: Vec<String> = Vec::new();
    if json {
        lines.extend(rows.map(|row| row.json()));
    } else {
        lines.push(line(HEADINGS));
        lines.extend(rows.map(|row| row.text()));
    }
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all((lines.join("\n") + "\n").as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| stdout_failed(&error))?;
    Ok(Status::Done)
}

const HEADINGS: [&str; 8] =
    ["NAME", "BINARY", "PING", "CLOSE", "EXTENSIONS", "MASKED", "SELECTED BY", "ALIASES"];
const WIDTHS: [usize; 8] = [8, 6, 4, 5, 10, 6, 37, 0];

/// One line of the table.
fn line(cells: [&str; 8]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.into_iter().zip(WIDTHS) {
        line.push_str(&format!("{cell:<width$}  "));
    }
    line.truncate(line.trim_end().len());
    line
}

/// One version, as the newest of its drafts has it.
struct Row {
    version: Version,
    draft: Draft,
}

impl Row {
    fn new(version: Version) -> Option<Self> {
        Draft::spoken_as(version).map(|draft| Self { version, draft })
    }

    /// Binary messages and pings came together.
    fn more_than_text(&self) -> bool {
        !self.draft.rules().text_only()
    }

    fn extensions(&self) -> bool {
        self.draft.extensions() != ExtensionSyntax::Absent
    }

    /// Whether what a client sends is masked.
    fn masked(&self) -> bool {
        match self.draft.framing() {
            FramingFamily::Hixie75 | FramingFamily::Hixie76 | FramingFamily::Hybi01 => false,
            FramingFamily::Hybi04 | FramingFamily::Hybi05 | FramingFamily::Hybi07 => true,
        }
    }

    /// What ends a connection.
    fn closing(&self) -> &'static str {
        match self.draft.rules().closing() {
            Closing::Transport => "none",
            Closing::Marker => "FF 00",
            Closing::Frame | Closing::Echo | Closing::Letter => "frame",
            Closing::Codes => "code",
        }
    }

    fn selected_by(&self) -> String {
        match self.draft.selector() {
            Selector::Nothing => "Upgrade: WebSocket".into(),
            Selector::Keys { draft, optional } => {
                let mut values: Vec<String> = draft.iter().map(ToString::to_string).collect();
                if optional {
                    values.push("none".into());
                }
                format!("Sec-WebSocket-Key1, -Draft: {}", values.join(" or "))
            }
            Selector::Version => format!("Sec-WebSocket-Version: {}", self.version),
        }
    }

    fn text(&self) -> String {
        let yes = |has| if has { "yes" } else { "no" };
        line([
            version_name(self.version),
            yes(self.more_than_text()),
            yes(self.more_than_text()),
            self.closing(),
            yes(self.extensions()),
            yes(self.masked()),
            &self.selected_by(),
            &aliases(self.version).join(" "),
        ])
    }

    fn json(&self) -> String {
        let rules = self.draft.rules();
        let documents: Vec<String> =
            drafts(self.version).map(|draft| draft.name().into()).collect();
        let object = Object::event("version").string("name", version_name(self.version));
        let object = match self.version.number() {
            Some(number) => object.number("number", number),
            None => object.raw("number", "null"),
        };
        object
            .strings("aliases", &aliases(self.version))
            .strings("documents", &documents)
            .string("selected_by", &self.selected_by())
            .boolean("binary", self.more_than_text())
            .boolean("ping", self.more_than_text())
            .boolean("closing_handshake", rules.closing() != Closing::Transport)
            .boolean("close_codes", rules.has_close_codes())
            .boolean("extensions", self.extensions())
            .boolean("masked", self.masked())
            .finish()
    }
}
