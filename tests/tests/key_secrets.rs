//! A secret key field is in the encoded key and in nothing that people are shown.

use std::cell::RefCell;

use state_runtime::key::{Key, KeyError, KeyPart, KeyReader, KeyWriter, PartError, Segment};

const CANARY: &str = "canary4711";

thread_local! {
    /// How segments that a [`Spy`] was written into look to people.
    static SEEN: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Records how the segment that it is written into looks to people.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Spy;

impl KeyPart for Spy {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.push_str(CANARY);
        SEEN.with_borrow_mut(|seen| *seen = format!("{segment:?}"));
    }

    fn parse(_: &str) -> Result<Self, PartError> {
        Err(PartError::expected("nothing"))
    }
}

fn shown(key: &Key) -> [String; 2] {
    [key.to_string(), format!("{key:?}")]
}

#[test]
fn no_form_of_a_key_shows_its_secret() {
    let mut writer = KeyWriter::new();
    writer.literal("reset:");
    writer.part("user", "ann");
    writer.literal(":");
    writer.secret("token", CANARY);
    writer.literal(":");
    writer.part("after", CANARY);
    let mut texts = vec![format!("{writer:?}")];
    let key = writer.finish().unwrap();
    assert!(key.as_str().contains(CANARY));
    texts.extend(shown(&key));
    for text in texts {
        assert!(text.contains("reset:ann:***"), "{text}");
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[test]
fn a_segment_does_not_show_the_secret_that_is_written_into_it() {
    let mut writer = KeyWriter::new();
    writer.literal("reset:");
    writer.secret("token", &Spy);
    let seen = SEEN.take();
    assert!(seen.starts_with("Segment"), "the spy was not asked: {seen}");
    assert!(!seen.contains(CANARY), "{seen}");
}

#[test]
fn an_unfinished_key_does_not_show_its_secret() {
    let mut writer = KeyWriter::new();
    writer.literal("reset:");
    writer.secret("token", &format!("{CANARY}{}", ":".repeat(2_000)));
    let unfinished = format!("{writer:?}");
    assert!(unfinished.contains("reset:***"), "{unfinished}");
    let error = writer.finish().unwrap_err();
    for text in [unfinished, error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[test]
fn an_error_of_a_reader_does_not_repeat_what_was_read() {
    let read = |text: &str| -> Result<u32, KeyError> {
        let mut reader = KeyReader::new("reset:{token}", text);
        reader.literal("reset:")?;
        let token = reader.part("token")?;
        reader.finish()?;
        Ok(token)
    };
    for text in [CANARY, "reset:canary4711", "reset:7:canary4711", "reset:=canary4711"] {
        let error = read(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
    }
    let reader = KeyReader::new("reset:{token}", CANARY);
    assert!(!format!("{reader:?}").contains(CANARY));
}

#[test]
fn a_stored_key_of_unknown_fields_is_hidden_whole() {
    let key = Key::from_stored(CANARY);
    assert_eq!(shown(&key), ["***", "Key(***)"]);
}
