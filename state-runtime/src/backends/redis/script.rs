//! Scripts that the server runs in one step, and how they are called.
//!
//! A script is called by its digest. A server that does not know it says so and does nothing; it is
//! then called once more by its text, and known from then on.

use std::sync::OnceLock;

use redis::{Arg, Cmd};
use sha1::{Digest, Sha1};

/// A script.
pub(super) struct Script {
    text: &'static str,
    digest: OnceLock<Vec<u8>>,
}

impl Script {
    const fn new(text: &'static str) -> Self {
        Self { text, digest: OnceLock::new() }
    }

    /// The digest by which servers know it.
    fn digest(&self) -> &[u8] {
        self.digest.get_or_init(|| hex(&Sha1::digest(self.text)))
    }

    /// The start of a call with this many keys. The keys follow, then the other arguments; `size`
    /// is about how many bytes they are.
    pub(super) fn call(&self, keys: usize, arguments: usize, size: usize) -> Cmd {
        let mut command = Cmd::with_capacity(3 + keys + arguments, 60 + size);
        command.arg("EVALSHA").arg(self.digest()).arg(keys);
        command
    }
}

/// A value and its expiry, perhaps renewed.
pub(super) static READ: Script = Script::new(include_str!("scripts/read.lua"));
/// A later expiry.
pub(super) static RENEW: Script = Script::new(include_str!("scripts/renew.lua"));
/// Writes under conditions, all or none.
pub(super) static WRITE: Script = Script::new(include_str!("scripts/write.lua"));
/// Adding to an integer within bounds.
pub(super) static ADD: Script = Script::new(include_str!("scripts/add.lua"));
/// Taking permits of a rate limit.
pub(super) static THROTTLE: Script = Script::new(include_str!("scripts/throttle.lua"));

/// All scripts, to find the text of one by its digest.
static ALL: [&Script; 5] = [&READ, &RENEW, &WRITE, &ADD, &THROTTLE];

/// The same call by the script's text; `None` if it is no call of a script.
pub(super) fn spelled_out(command: &Cmd) -> Option<Cmd> {
    let mut arguments = command.args_iter().filter_map(|argument| match argument {
        Arg::Simple(bytes) => Some(bytes),
        _ => None,
    });
    let (Some(b"EVALSHA"), Some(digest)) = (arguments.next(), arguments.next()) else {
        return None;
    };
    let script = ALL.iter().find(|script| script.digest() == digest)?;
    let mut call = redis::cmd("EVAL");
    call.arg(script.text);
    for argument in arguments {
        call.arg(argument);
    }
    Some(call)
}

/// Lower-case, as the server writes a digest.
pub(super) fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
