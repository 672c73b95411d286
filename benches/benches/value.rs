//! Encoding, and decoding with validation, against `serde_json` and garde by hand.

use std::{hint::black_box, io};

use benches::{
    by_hand,
    program::Program,
    session::{self, Session},
};
use state_runtime::value::codec;

fn main() -> io::Result<()> {
    let mut program = Program::start("value");
    let session = session::sample(7);
    let plain = by_hand::Session::from(&session);
    let bytes = session::encoded(7);
    let peer = "serde_json + garde";

    program.compare(
        "value_encode",
        peer,
        || codec::encode(black_box(&session)),
        || by_hand::encode(black_box(&plain)),
    );
    program.compare(
        "value_decode_validate",
        peer,
        || codec::decode::<Session>(Session::key(session.session_id.clone()), black_box(&bytes)),
        || by_hand::decode(session.session_id.clone(), black_box(&bytes)),
    );
    program.finish()
}
