//! Encoding and decoding a key, against `format!` and a split by hand.

use std::{hint::black_box, io};

use benches::{
    by_hand,
    program::Program,
    session::{self, Session, SessionKey},
};
use state_runtime::{key::KeyWriter, schema::TypedKey as _};

fn main() -> io::Result<()> {
    let mut program = Program::start("key");
    let id = session::id(7);
    let typed = Session::key(id.clone());
    let encoded = by_hand::encode_key(&id);

    program.compare(
        "key_encode",
        "format!",
        || {
            let mut writer = KeyWriter::new();
            black_box(&typed).write(&mut writer);
            writer.finish().is_ok_and(|key| !black_box(key).as_str().is_empty())
        },
        || !black_box(by_hand::encode_key(black_box(&id))).is_empty(),
    );
    program.compare(
        "key_decode",
        "split by hand",
        || black_box(encoded.as_str()).parse::<SessionKey>(),
        || by_hand::decode_key(black_box(&encoded)),
    );
    program.finish()
}
