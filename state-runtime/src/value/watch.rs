//! Compact JSON, watched on its way: what serde would write but could not read back.

use core::cell::Cell;
use std::io;

use serde_json::ser::Formatter;

/// How deep a stored value may be nested: as deep as `serde_json` reads.
const MAX_DEPTH: usize = 127;

/// What was noticed while a value was written.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    /// A `null`, which is also what a float becomes that is no number.
    pub(super) null: Cell<bool>,
    /// The value was nested deeper than it can be read, and writing stopped.
    pub(super) too_deep: Cell<bool>,
}

/// Writes what the compact formatter of `serde_json` writes.
#[derive(Debug)]
pub(super) struct Watched<'n> {
    noticed: &'n Noticed,
    depth: usize,
}

impl<'n> Watched<'n> {
    pub(super) const fn new(noticed: &'n Noticed) -> Self {
        Self { noticed, depth: 0 }
    }

    fn open<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        if self.depth == MAX_DEPTH {
            self.noticed.too_deep.set(true);
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.depth += 1;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        writer.write_all(bracket)
    }
}

impl Formatter for Watched<'_> {
    fn write_null<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.noticed.null.set(true);
        writer.write_all(b"null")
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }
}
