//! The port file: its place is tried before anything is bound, and it appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::exit::{Failure, Status};

/// A file beside the port file, which becomes it when the addresses are known.
#[derive(Debug)]
pub(crate) struct PortFile {
    path: PathBuf,
    draft: PathBuf,
    file: File,
}

impl PortFile {
    /// Makes the draft, so that a place that cannot be written is a mistake in the options.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let refused = |why: &dyn core::fmt::Display| {
            Failure::usage("usage", format!("cannot write --port-file {}: {why}", path.display()))
                .hint("--port-file FILE makes FILE, in a directory that exists and can be written")
        };
        // The rename would put a file in the place of a device.
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(refused(&"it exists and is not a file"));
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{}", std::process::id()));
        let draft = PathBuf::from(draft);
        // Left over from an earlier process with this id.
        let _ = fs::remove_file(&draft);
        let file = OpenOptions::new().write(true).create_new(true).open(&draft);
        let file = file.map_err(|error| refused(&error))?;
        Ok(Self { path: path.to_owned(), draft, file })
    }

    /// Writes the text, and puts the file in its place.
    pub(crate) fn publish(mut self, text: &str) -> Result<(), Failure> {
        self.write(text).map_err(|error| {
            Failure::new(Status::Internal, format!("cannot write {}", self.path.display()), error)
        })
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        fs::rename(&self.draft, &self.path)
    }
}

impl Drop for PortFile {
    fn drop(&mut self) {
        // After the rename there is none.
        let _ = fs::remove_file(&self.draft);
    }
}
