//! Finding the imports of a source file: every path that starts at the root of the crate.

use std::path::Path;

use proc_macro2::{Delimiter, LexError, TokenStream, TokenTree};

/// A path into the crate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// From the root of the crate, as far as it is written in one piece.
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// The module that a file defines, from the root of the crate: `key/writer.rs` is `key::writer`.
pub(super) fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

/// All imports of a file, those of its unit tests left out: tests may look down from any height.
pub(super) fn of(file: &Path, source: &str) -> Result<Vec<Import>, LexError> {
    // A token stream has neither comments nor the insides of strings to be fooled by.
    let tokens: TokenStream = source.parse()?;
    let mut imports = Vec::new();
    let module = module_of(file);
    if module.last().is_none_or(|last| last != "tests") {
        collect(&tokens.into_iter().collect::<Vec<_>>(), &module, &mut imports);
    }
    Ok(imports)
}

fn collect(tokens: &[TokenTree], module: &[String], imports: &mut Vec<Import>) {
    let mut rest = tokens;
    while let [first, tail @ ..] = rest {
        if let Some(after) = skip_tests(rest) {
            rest = after;
            continue;
        }
        if let Some((name, body, after)) = inline_module(rest) {
            let mut inner = module.to_vec();
            inner.push(name);
            collect(&body, &inner, imports);
            rest = after;
            continue;
        }
        if let Some((base, after)) = root(rest, module) {
            let line = first.span().start().line;
            rest = path(after, base, line, imports);
            continue;
        }
        if let TokenTree::Group(group) = first {
            collect(&group.stream().into_iter().collect::<Vec<_>>(), module, imports);
        }
        rest = tail;
    }
}

/// Skips `#[cfg(test)] mod tests { … }`.
fn skip_tests(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    let [hash, TokenTree::Group(attribute), rest @ ..] = tokens else { return None };
    let is_test =
        is_punct(hash, '#') && attribute.stream().to_string().replace(' ', "") == "cfg(test)";
    if !is_test {
        return None;
    }
    match rest {
        [keyword, TokenTree::Ident(_), TokenTree::Group(_), after @ ..]
            if is_ident(keyword, "mod") =>
        {
            Some(after)
        }
        _ => None,
    }
}

/// Reads `mod name { … }`.
fn inline_module(tokens: &[TokenTree]) -> Option<(String, Vec<TokenTree>, &[TokenTree])> {
    match tokens {
        [keyword, TokenTree::Ident(name), TokenTree::Group(body), after @ ..]
            if is_ident(keyword, "mod") && body.delimiter() == Delimiter::Brace =>
        {
            Some((name.to_string(), body.stream().into_iter().collect(), after))
        }
        _ => None,
    }
}

/// Reads the start of a path into the crate: `crate::`, `state_runtime::` or a row of `super::`.
/// Gives the module that it stands for and what follows.
fn root<'t>(tokens: &'t [TokenTree], module: &[String]) -> Option<(Vec<String>, &'t [TokenTree])> {
    let first = tokens.first()?;
    if is_ident(first, "crate") || is_ident(first, "state_runtime") {
        return Some((Vec::new(), colons(tokens.get(1..)?)?));
    }
    let mut base = module.to_vec();
    let mut rest = tokens;
    while let Some(after) =
        rest.first().filter(|it| is_ident(it, "super")).and_then(|_| colons(rest.get(1..)?))
    {
        base.pop();
        rest = after;
    }
    (rest.len() < tokens.len()).then_some((base, rest))
}

/// Reads the names after a root, through the braces of a `use`, and gives what follows.
fn path<'t>(
    tokens: &'t [TokenTree],
    mut base: Vec<String>,
    line: usize,
    imports: &mut Vec<Import>,
) -> &'t [TokenTree] {
    match tokens {
        [TokenTree::Ident(name), rest @ ..] => {
            base.push(name.to_string());
            if let Some(rest) = colons(rest) {
                path(rest, base, line, imports)
            } else {
                imports.push(Import { path: base, line });
                rest
            }
        }
        [TokenTree::Group(group), rest @ ..] if group.delimiter() == Delimiter::Brace => {
            let inside: Vec<TokenTree> = group.stream().into_iter().collect();
            for item in inside.split(|token| is_punct(token, ',')) {
                if let Some(first) = item.first() {
                    path(item, base.clone(), first.span().start().line, imports);
                }
            }
            rest
        }
        rest => {
            imports.push(Import { path: base, line });
            rest
        }
    }
}

fn colons(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    match tokens {
        [a, b, rest @ ..] if is_punct(a, ':') && is_punct(b, ':') => Some(rest),
        _ => None,
    }
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, source: &str) -> Vec<String> {
        let imports = of(Path::new(file), source).unwrap();
        imports.iter().map(|it| format!("{}:{}", it.line, it.path.join("::"))).collect()
    }

    #[test]
    fn a_use_with_braces_is_several_imports() {
        let source =
            "use std::fmt;\nuse crate::{\n    backend::{Backend, Page},\n    key::Key,\n};\n";
        assert_eq!(
            found("store/mod.rs", source),
            ["3:backend::Backend", "3:backend::Page", "4:key::Key"]
        );
    }

    #[test]
    fn a_path_in_the_middle_of_code_is_an_import() {
        let source = "fn f() -> crate::store::Access { g(crate::key::MAX_KEY_LEN) }";
        assert_eq!(found("key/part.rs", source), ["1:store::Access", "1:key::MAX_KEY_LEN"]);
    }

    #[test]
    fn super_is_followed_to_where_it_leads() {
        let source = "use super::memory::Shard;\nuse super::super::store::X;\nuse super::Y;";
        assert_eq!(
            found("backends/file.rs", source),
            ["1:backends::memory::Shard", "2:store::X", "3:backends::Y"]
        );
        assert_eq!(found("key/mod.rs", "mod sealed { use super::Key; }"), ["1:key::Key"]);
    }

    #[test]
    fn comments_texts_and_unit_tests_are_no_imports() {
        let source = "//! crate::store\n/// crate::store::A\nconst A: &str = \"crate::store\";\n\
                      #[cfg(test)]\nmod tests { use crate::store::B; }\n";
        assert_eq!(found("key/mod.rs", source), Vec::<String>::new());
    }

    #[test]
    fn macros_are_looked_into() {
        let source = "macro_rules! m { () => { $crate::store::A } }";
        assert_eq!(found("key/mod.rs", source), ["1:store::A"]);
    }

    #[test]
    fn globs_and_the_crate_by_its_own_name_are_seen() {
        assert_eq!(found("key/mod.rs", "use crate::store::*;"), ["1:store"]);
        assert_eq!(found("key/mod.rs", "use state_runtime::store::A;"), ["1:store::A"]);
    }

    #[test]
    fn files_are_modules() {
        assert_eq!(module_of(Path::new("key/writer.rs")), ["key", "writer"]);
        assert_eq!(module_of(Path::new("key/mod.rs")), ["key"]);
        assert_eq!(module_of(Path::new("lib.rs")), Vec::<String>::new());
    }
}
