//! The command line that the examples share: `--store <URL>` and `--help`.

use std::{env, ffi::OsString, fmt::Write as _, process};

/// What an example says of itself, and what it takes.
#[derive(Debug)]
pub struct Program {
    /// Its name, as `cargo run --example` knows it.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What it takes beside the store; all of it has to be given.
    pub operands: &'static [&'static str],
    /// The URL of its store unless another is given; without one it takes none.
    pub store: Option<&'static str>,
}

/// What a URL can begin with. As a folder it is written `./redis`.
const SCHEMES: [&str; 8] = ["memory", "file", "redis", "rediss", "valkey", "nats", "tls", "dapr"];

/// What the user wants.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The URL of the store.
    pub store: String,
    /// What was given beside it.
    pub operands: Vec<String>,
}

/// Why there is nothing to run.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Helped,
    Refused(String),
}

impl Program {
    /// Reads the command line. Ends the process where the user asks for help, or for nonsense.
    #[must_use]
    pub fn arguments(&self) -> Arguments {
        match self.parse(env::args_os().skip(1)) {
            Ok(arguments) => arguments,
            Err(Ended::Helped) => {
                println!("{}", self.help());
                process::exit(0)
            }
            Err(Ended::Refused(why)) => {
                eprintln!("{why}\n{}", self.usage());
                process::exit(2)
            }
        }
    }

    fn parse(&self, given: impl Iterator<Item = OsString>) -> Result<Arguments, Ended> {
        let refused = |why: String| Err(Ended::Refused(why));
        let (mut store, mut operands) = (None, Vec::new());
        let mut given = given.map(OsString::into_string);
        while let Some(argument) = given.next() {
            let Ok(argument) = argument else {
                return refused("an argument is no text".to_owned());
            };
            let value = match argument.as_str() {
                "-h" | "--help" => return Err(Ended::Helped),
                "--store" => match given.next() {
                    Some(Ok(value)) => Some(value),
                    _ => return refused("`--store` needs the URL of a store".to_owned()),
                },
                argument => argument.strip_prefix("--store=").map(str::to_owned),
            };
            match value {
                Some(_) if self.store.is_none() => {
                    return refused(format!("`{}` brings its own store", self.name));
                }
                Some(_) if store.is_some() => {
                    return refused("`--store` is given twice".to_owned());
                }
                Some(value) if SCHEMES.contains(&value.as_str()) => {
                    return refused(format!(
                        "`{value}` is a scheme; write the URL, like `{value}:…`"
                    ));
                }
                Some(value) => store = Some(url(&value)),
                None if argument.starts_with('-') => {
                    return refused(format!("`{argument}` is unknown"));
                }
                None => operands.push(argument),
            }
        }
        match operands.get(self.operands.len()) {
            None if operands.len() < self.operands.len() => {
                refused(format!("<{}> is missing", self.operands[operands.len()]))
            }
            None => {
                let store = store.or_else(|| self.store.map(str::to_owned)).unwrap_or_default();
                Ok(Arguments { store, operands })
            }
            Some(extra) if self.store.is_some() => {
                refused(format!("`{extra}` is too much; if it is the store, say `--store {extra}`"))
            }
            Some(extra) => refused(format!("`{extra}` is too much")),
        }
    }

    fn usage(&self) -> String {
        let mut usage = format!("usage: cargo run --example {}", self.name);
        let mut separator = " --";
        for operand in self.operands {
            let _ = write!(usage, "{separator} <{operand}>");
            separator = "";
        }
        if self.store.is_some() {
            let _ = write!(usage, "{separator} [--store <URL>]");
        }
        usage
    }

    fn help(&self) -> String {
        let about = format!("{}\n\n{}", self.about, self.usage());
        let Some(store) = self.store else {
            return about;
        };
        let run = format!("cargo run --example {}", self.name);
        let rest =
            self.operands.iter().fold(String::new(), |rest, operand| rest + "<" + operand + "> ");
        format!(
            "{about}\n\n\
             The store is `{store}`, or what its URL says: `memory:`, `file:folder`, or a server,\n\
             whose client is compiled in by the feature of its name:\n\n  \
             {run} --features redis -- {rest}--store redis://127.0.0.1:6379\n  \
             {run} --features nats -- {rest}--store nats://127.0.0.1:4222/bucket\n  \
             {run} --features dapr -- {rest}--store dapr://127.0.0.1:3500/statestore"
        )
    }
}

/// A store that is no URL is a folder.
fn url(store: &str) -> String {
    if store.contains(':') {
        return store.to_owned();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let mut url = "file:".to_owned();
    for byte in store.bytes() {
        let _ = if plain(byte) {
            write!(url, "{}", char::from(byte))
        } else {
            write!(url, "%{byte:02X}")
        };
    }
    url
}

/// The command that compiles `feature` in and then does what this process was asked to do.
pub(crate) fn command_with(feature: &str) -> String {
    let mut given = env::args();
    let path = given.next().unwrap_or_default();
    let name = std::path::Path::new(&path).file_stem().unwrap_or_default().to_string_lossy();
    let mut command = format!("cargo run --example {name} --features {feature} --");
    for argument in given {
        // A URL can hold a password, and this is printed.
        let secret = argument.contains('@') || argument.contains('?');
        let _ = write!(command, " {}", if secret { "<URL>" } else { &argument });
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: Program = Program {
        name: "import",
        about: "Imports.",
        operands: &["file.json"],
        store: Some("file:state"),
    };

    fn parse(program: &Program, line: &str) -> Result<Arguments, Ended> {
        program.parse(line.split_whitespace().map(OsString::from))
    }

    fn arguments(store: &str, operands: &[&str]) -> Arguments {
        let operands = operands.iter().map(|&operand| operand.to_owned()).collect();
        Arguments { store: store.to_owned(), operands }
    }

    #[test]
    fn the_store_is_a_url_or_a_folder_and_may_be_left_out() {
        for (line, store) in [
            ("a.json", "file:state"),
            ("a.json --store redis://h", "redis://h"),
            ("--store=memory: a.json", "memory:"),
            ("a.json --store ./my/dir", "file:./my/dir"),
            ("a.json --store 100%é", "file:100%25%C3%A9"),
        ] {
            assert_eq!(parse(&PROGRAM, line), Ok(arguments(store, &["a.json"])), "{line}");
        }
    }

    #[test]
    fn nonsense_says_what_is_wrong() {
        let own = Program { operands: &[], store: None, ..PROGRAM };
        for (program, line, says) in [
            (&PROGRAM, "", "<file.json> is missing"),
            (&PROGRAM, "a --store", "`--store` needs the URL"),
            (&PROGRAM, "a --store b --store c", "given twice"),
            (&PROGRAM, "a --store redis", "write the URL, like `redis:…`"),
            (&PROGRAM, "a b", "say `--store b`"),
            (&PROGRAM, "a --shop b", "`--shop` is unknown"),
            (&own, "a", "`a` is too much"),
            (&own, "--store memory:", "brings its own store"),
        ] {
            match parse(program, line) {
                Err(Ended::Refused(why)) => assert!(why.contains(says), "{line}: {why}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert_eq!(parse(&PROGRAM, "--help"), Err(Ended::Helped));
    }

    #[test]
    fn the_help_shows_lines_that_can_be_typed() {
        assert_eq!(
            PROGRAM.usage(),
            "usage: cargo run --example import -- <file.json> [--store <URL>]"
        );
        let own = Program { operands: &[], store: None, ..PROGRAM };
        assert_eq!(own.usage(), "usage: cargo run --example import");
        let typed = "cargo run --example import --features redis -- <file.json> --store redis://";
        assert!(PROGRAM.help().contains(typed), "{}", PROGRAM.help());
    }
}
