//! The grammar of key formats, fault by fault.

use super::*;

fn literal(text: &str) -> Piece {
    Piece::Literal(text.into())
}

fn field(name: &str, at: Range<usize>) -> Piece {
    Piece::Field { name: name.into(), at }
}

#[test]
fn a_format_is_literals_and_fields() {
    assert_eq!(parse("leader"), Ok(vec![literal("leader")]));
    assert_eq!(
        parse("session:{id}/cart.{n}"),
        Ok(vec![literal("session:"), field("id", 8..12), literal("/cart."), field("n", 18..21)])
    );
}

#[test]
fn doubled_braces_are_literal_and_border_a_field() {
    assert_eq!(
        parse("user:{{{id}}}:cart"),
        Ok(vec![literal("user:{"), field("id", 7..11), literal("}:cart")])
    );
    assert_eq!(parse("{{app}}:x"), Ok(vec![literal("{app}:x")]));
}

#[test]
fn every_fault_names_its_place_and_remedy() {
    for (format, at, says) in [
        ("", 0..0, "is empty"),
        (":a", 0..1, "starts with `:`"),
        ("a:", 1..2, "ends with `:`"),
        ("a::b", 2..3, "nothing stands before"),
        ("a:{id", 2..3, "not closed"),
        ("a:id}", 4..5, "closes nothing"),
        ("a:{}", 2..4, "placeholder is empty"),
        ("a:{id:x}", 2..8, "`id:x` is not the name of a field"),
        ("a b", 1..2, "' ' cannot stand"),
        ("é", 0..2, "cannot stand"),
        ("a*", 1..2, "cannot stand"),
        ("{id}", 0..4, "first segment holds a field"),
        ("{{{id}}}:x", 2..6, "first segment holds a field"),
        ("user-{id}", 5..9, "first segment holds a field"),
        ("a:user-{id}", 2..11, "write `user:{id}`"),
        ("a:{id}x", 2..7, "write `{id}:x`"),
        ("a:{x}{y}", 2..8, "write `{x}:{y}`"),
        ("a/{x}-{y}_v1", 2..12, "write `{x}/{y}/v1`"),
        ("a:{{{x}-{y}}}", 4..11, "write `{x}:{y}`"),
        ("a:{ id }", 2..8, "has spaces; write `{id}`"),
        ("a:{{}}", 2..6, "hash tag is empty"),
        ("a:{{b", 2..4, "hash tag is not closed"),
        ("a:b}}", 3..5, "closes no hash tag"),
        ("a:{{b:{{c}}}}", 6..8, "inside another"),
        ("a:{{:b}}", 4..5, "nothing stands before"),
        ("a:{{b:}}", 2..8, "ends with `:`"),
    ] {
        let faults = parse(format).unwrap_err();
        let fault = &faults[0];
        assert_eq!(fault.at, at, "{format}: {}", fault.message);
        assert!(fault.message.contains(says), "{format}: {}", fault.message);
    }
}

#[test]
fn faults_accumulate() {
    assert_eq!(parse("a::b:{x}{y}").unwrap_err().len(), 2);
    assert_eq!(parse("a:{x}{y}:{z}-v1").unwrap_err().len(), 2);
    assert_eq!(parse("a b*{").unwrap_err().len(), 3);
}

#[test]
fn no_key_can_be_over_the_length_limit() {
    let fits = format!("{}:{{id}}", "a".repeat(MAX_KEY_LEN - 2));
    assert!(parse(&fits).is_ok());
    let over = format!("a{fits}");
    assert!(parse(&over).unwrap_err()[0].message.contains("longer than 1024 bytes"));
}

#[test]
fn the_fault_is_marked_under_the_format() {
    let fault = &parse("user:{id").unwrap_err()[0];
    let shown = fault.render("user:{id");
    assert!(shown.ends_with("\n\n    user:{id\n         ^"), "{shown}");
}

#[test]
fn one_segment_has_one_fault() {
    assert_eq!(parse("a:{x}-{y}{z}").unwrap_err().len(), 1);
    assert_eq!(parse("a{x}:b").unwrap_err().len(), 1);
}

#[test]
fn a_fault_of_the_whole_format_is_not_marked() {
    let fault = &parse("").unwrap_err()[0];
    assert_eq!(fault.render(""), fault.message);
}

#[test]
fn names_are_found_in_faulty_formats_too() {
    assert_eq!(names_in("::{a}-{b}{"), ["a", "b"]);
}
