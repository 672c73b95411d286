//! The options of a URL: `?name=value&name=value`, each of which is asked for by its name.

use core::{fmt::Display, str::FromStr, time::Duration};

use fluent_uri::pct_enc::{EStr, encoder::IQuery};

use super::{scheme::Scheme, units, url::decoded};
use crate::{backend::suggest::did_you_mean, error::InvalidUrl};

/// Options whose values are never told. Where one of them is given, no other value is told either,
/// nor any name that is not known: a `&` that should have been encoded has cut the secret in two.
const SECRETS: [&str; 5] = ["password", "sentinel_password", "token", "api_token", "nkey"];

/// Nothing longer than this is repeated in a message.
const LONGEST: usize = 40;

/// The options that were given and have not been asked for, and those that have been asked for.
pub(super) struct Options {
    given: Vec<(String, String)>,
    known: Vec<&'static str>,
    may_tell: bool,
}

impl Options {
    /// None were given.
    pub(super) const NONE: Self = Self { given: Vec::new(), known: Vec::new(), may_tell: true };

    /// Takes a query apart.
    pub(super) fn parse(query: &EStr<IQuery>) -> Result<Self, InvalidUrl> {
        let mut options = Self::NONE;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, EStr::EMPTY));
            let name = decoded(name, "the name of an option")?;
            options.may_tell &= !SECRETS.contains(&name.as_str());
            options.given.push((name, decoded(value, "the value of an option")?));
        }
        Ok(options)
    }

    /// The text of an option.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, InvalidUrl> {
        self.known.push(name);
        let Some(index) = self.given.iter().position(|(given, _)| given == name) else {
            return Ok(None);
        };
        let (_, value) = self.given.remove(index);
        if self.given.iter().any(|(given, _)| given == name) {
            return Err(InvalidUrl::new(format!("option `{name}` is given twice; give it once")));
        }
        if value.is_empty() {
            return Err(InvalidUrl::new(format!(
                "option `{name}` is empty; write `{name}=…` or leave it out"
            )));
        }
        Ok(Some(value))
    }

    /// Two options that make no sense without each other.
    pub(super) fn both(
        &mut self,
        one: &'static str,
        other: &'static str,
    ) -> Result<Option<(String, String)>, InvalidUrl> {
        match (self.text(one)?, self.text(other)?) {
            (Some(one), Some(other)) => Ok(Some((one, other))),
            (None, None) => Ok(None),
            _ => Err(InvalidUrl::new(format!("give both `{one}` and `{other}`, or neither"))),
        }
    }

    /// What `read` makes of the text, which otherwise says what to write.
    pub(super) fn read<T, E: Display>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, InvalidUrl> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let value = read(&text).map_err(|remedy| {
            let told = match text {
                text if self.may_tell && text.len() <= LONGEST => {
                    format!("={}", text.escape_debug())
                }
                _ => String::new(),
            };
            InvalidUrl::new(format!("option `{name}{told}`: {remedy}"))
        })?;
        Ok(Some(value))
    }

    /// A time like `500ms`.
    pub(super) fn duration(&mut self, name: &'static str) -> Result<Option<Duration>, InvalidUrl> {
        self.read(name, units::duration)
    }

    /// A number of bytes like `16MiB`.
    pub(super) fn size<T: TryFrom<u64>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, InvalidUrl> {
        self.read(name, |text| {
            T::try_from(units::size(text)?).map_err(|_| "it is too large".to_owned())
        })
    }

    /// A whole number.
    pub(super) fn number<T: FromStr>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, InvalidUrl> {
        self.read(name, |text| {
            units::number(text).ok_or("write a whole number that is not too large")
        })
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, InvalidUrl> {
        self.choice(name, &[("true", true), ("false", false)])
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, InvalidUrl> {
        self.read(name, |text| {
            let chosen = choices.iter().find(|(word, _)| *word == text);
            chosen.map(|(_, value)| *value).ok_or_else(|| {
                let words = choices.iter().map(|(word, _)| *word);
                let listed = listed(words.clone(), "or");
                format!("write {listed}{}", did_you_mean(text, words))
            })
        })
    }

    /// That an option was not given which has no meaning here; `instead` says what has.
    pub(super) fn refuse(&self, name: &str, instead: impl Display) -> Result<(), InvalidUrl> {
        if self.given.iter().any(|(given, _)| given == name) {
            return Err(InvalidUrl::new(format!("option `{name}`: {instead}")));
        }
        Ok(())
    }

    /// That no login was given as an option.
    pub(super) fn refuse_login(&self) -> Result<(), InvalidUrl> {
        let instead = "a login stands in front of the address, as in `user:password@host`";
        ["user", "username", "password"].into_iter().try_for_each(|name| self.refuse(name, instead))
    }

    /// That nothing was said of TLS, which `scheme` does not speak.
    pub(super) fn refuse_tls(&self, scheme: &Scheme) -> Result<(), InvalidUrl> {
        let (plain, tls) = (scheme.name, scheme.with_tls());
        let instead = format!("it is for TLS; write `{tls}:` in place of `{plain}:`");
        ["ca_certificate", "client_certificate", "client_key"]
            .into_iter()
            .try_for_each(|name| self.refuse(name, &instead))
    }

    /// That nothing was given that nobody has asked for.
    pub(super) fn finish(mut self, scheme: &Scheme) -> Result<(), InvalidUrl> {
        let Some((name, _)) = self.given.first() else {
            return Ok(());
        };
        self.known.sort_unstable();
        let names = self.known.iter().copied();
        let possible = match listed(names.clone(), "and") {
            none if none.is_empty() => "it has no options".to_owned(),
            listed => format!("its options are {listed}"),
        };
        let is_name = (1..=LONGEST).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        let unknown = if is_name && (self.may_tell || SECRETS.contains(&name.as_str())) {
            let hint = did_you_mean(name, names);
            let end = if hint.is_empty() { ";" } else { "" };
            format!("unknown option `{name}` of `{}:`{hint}{end}", scheme.name)
        } else {
            format!("an option is unknown to `{}:`;", scheme.name)
        };
        Err(InvalidUrl::new(format!("{unknown} {possible}")))
    }
}

/// ``a`, `b` and `c``.
fn listed<'n>(names: impl Iterator<Item = &'n str>, last: &str) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((name, [])) => name.clone(),
        Some((name, before)) => format!("{} {last} {name}", before.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::scheme::SCHEMES;

    type Asked = (Option<String>, Option<u8>, Option<Duration>);

    /// Asks for an option of each sort, as a backend does.
    fn ask(query: &str) -> Result<Asked, InvalidUrl> {
        let mut options = Options::parse(EStr::new(query).expect("a query"))?;
        let name = options.text("name")?;
        let _ = options.text("token")?;
        let number = options.number("number")?;
        let _ = options.flag("create")?;
        let _ = options.choice("storage", &[("file", 1), ("memory", 2)])?;
        let _ = options.size::<u16>("bytes")?;
        let wait = options.duration("wait")?;
        options.finish(&SCHEMES[0])?;
        Ok((name, number, wait))
    }

    #[test]
    fn options_are_decoded_and_in_any_order() {
        let wait = Some(Duration::from_secs(2));
        assert_eq!(ask("wait=2s&name=a%26b+c&"), Ok((Some("a&b+c".into()), None, wait)));
        assert_eq!(ask("number=7"), Ok((None, Some(7), None)));
    }

    #[test]
    fn a_wrong_option_says_what_is_possible() {
        for (query, says) in [
            (
                "nmae=x",
                "unknown option `nmae` of `memory:`; did you mean `name`? its options are `bytes`",
            ),
            ("colour=x", "unknown option `colour` of `memory:`; its options are"),
            ("%0A=x", "an option is unknown to `memory:`; its options are"),
            ("name=a&name=a", "option `name` is given twice"),
            ("name=", "option `name` is empty"),
            ("name", "option `name` is empty"),
            ("number=+7", "option `number=+7`: write a whole number that is not too large"),
            ("number=256", "option `number=256`: write a whole number that is not too large"),
            ("number=%0A", "option `number=\\n`: write"),
            ("create=yes", "option `create=yes`: write `true` or `false`"),
            ("storage=files", "write `file` or `memory`; did you mean `file`?"),
            ("bytes=64KiB", "option `bytes=64KiB`: it is too large"),
            ("wait=2", "option `wait=2`: write a whole number and a unit, like `2s`"),
        ] {
            let message = ask(query).unwrap_err().to_string();
            assert!(message.contains(says), "{query}: {message}");
        }
    }

    #[test]
    fn beside_a_secret_nothing_is_told_that_may_be_a_piece_of_it() {
        for (query, says) in [
            ("token=a&hunter2", "an option is unknown to `memory:`; its options are"),
            ("token=a&number=hunter2", "option `number`: write a whole number"),
            ("token=hunter2&token=hunter2", "option `token` is given twice"),
            ("password=hunter2", "unknown option `password` of `memory:`"),
        ] {
            let message = ask(query).unwrap_err().to_string();
            assert!(message.contains(says) && !message.contains("hunter2"), "{query}: {message}");
        }
    }
}
