//! What the derives generate, pretty-printed, so that a reviewer sees it; and that a mistake is
//! told once, beside code that parses.

use std::{fs, path::PathBuf};

use syn::{DeriveInput, parse_quote};

use super::{TokenStream2, expand_key_part, expand_state_key};

/// Compares with the file, or writes it if `UPDATE_SNAPSHOTS` is set.
fn snapshot(name: &str, expanded: TokenStream2) {
    let file = syn::parse2(expanded).expect("generated code parses");
    let pretty = prettyplease::unparse(&file);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name)
        .with_extension("rs.snap");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &pretty).expect("the folder of snapshots can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        pretty, expected,
        "the expansion differs from tests/snapshots/{name}.rs.snap; if that is meant, run with UPDATE_SNAPSHOTS=1"
    );
}

#[test]
fn a_plain_struct() {
    snapshot(
        "plain",
        expand_state_key(&parse_quote! {
            #[state(key = "session:{session_id}", ttl = "30m", sliding)]
            #[serde(rename_all = "camelCase")]
            pub struct Session {
                /// Who is logged in where.
                #[garde(length(min = 1, max = 64))]
                pub session_id: String,
                #[garde(length(min = 1))]
                pub user_id: String,
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                #[garde(dive)]
                pub cart: Vec<CartItem>,
            }
        }),
    );
}

#[test]
fn a_generic_struct() {
    snapshot(
        "generic",
        expand_state_key(&parse_quote! {
            #[state(key = "cache:{id}", persistent, version = 2, upgrade_from = CacheV1<T>)]
            struct Cache<T, const N: usize> {
                id: u64,
                entry: Option<T>,
                sums: [u8; N],
            }
        }),
    );
}

#[test]
fn a_key_of_several_fields() {
    snapshot(
        "prefix",
        expand_state_key(&parse_quote! {
            #[state(key = "order:{order}:shelf:{shelf}:line:{line}", persistent)]
            struct Line<S> {
                order: u64,
                #[state(secret)]
                shelf: S,
                line: String,
            }
        }),
    );
}

#[test]
fn a_single_value() {
    snapshot(
        "value",
        expand_state_key(&parse_quote! {
            #[state(key = "counter:{name}", persistent, max_size = "1KiB", crate = runtime)]
            struct Counter {
                #[state(secret)]
                name: String,
                #[state(value)]
                count: i64,
            }
        }),
    );
}

#[test]
fn a_key_part() {
    snapshot(
        "key_part",
        expand_key_part(&parse_quote! {
            #[state(rename_all = "kebab-case")]
            enum Status {
                InProgress,
                #[state(rename = "gone")]
                Sent,
            }
        }),
    );
}

/// The messages of the errors in an expansion.
fn messages(input: &DeriveInput) -> Vec<String> {
    struct Messages(Vec<String>);
    impl<'ast> syn::visit::Visit<'ast> for Messages {
        fn visit_macro(&mut self, node: &'ast syn::Macro) {
            if node.path.segments.last().is_some_and(|last| last.ident == "compile_error") {
                let text: syn::LitStr = node.parse_body().expect("one text");
                self.0.push(text.value());
            }
        }
    }
    let file: syn::File = syn::parse2(expand_state_key(input)).expect("stubs parse");
    let mut messages = Messages(Vec::new());
    syn::visit::visit_file(&mut messages, &file);
    messages.0
}

#[test]
fn all_mistakes_are_told_at_once() {
    let told = messages(&parse_quote! {
        #[state(key = "a:{idd}", ttl = "30min", sliding, on_invalid = "ignore")]
        struct Wrong {
            id: u8,
            #[state(valu)]
            #[serde(rename = "$v")]
            count: u8,
        }
    });
    for (message, says) in told.iter().zip([
        "unknown attribute `valu`; did you mean `value`?",
        "stored members that start with `$`",
        "did you mean `30m`?",
        "unknown choice `ignore`",
        "no field is called `idd`; did you mean `id`?",
    ]) {
        assert!(message.contains(says), "{says} in {message}");
    }
    assert_eq!(told.len(), 5, "{told:#?}");
}

#[test]
fn a_misspelt_attribute_is_not_missing_too() {
    for input in [
        parse_quote!(
            #[state(key = "a:{id}", tll = "30m")]
            struct S {
                id: u8,
            }
        ),
        parse_quote!(
            #[state(kay = "a:{id}", ttl = "30m")]
            struct S {
                id: u8,
            }
        ),
        parse_quote!(
            #[state(key = "a:{id}", persistent, version = 2, upgrade_fom = Old)]
            struct S {
                id: u8,
            }
        ),
    ] {
        let told = messages(&input);
        assert!(matches!(&told[..], [one] if one.contains("did you mean")), "{told:#?}");
    }
}
