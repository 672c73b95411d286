//! A URL in pieces: scheme, credentials, addresses, path, options.
//!
//! A URL may hold a password, and one with a character that should have been percent-encoded holds
//! pieces of it in unexpected places. So no message repeats anything but the names of schemes and
//! options, and [`Url`] has no `Debug`.

use fluent_uri::{
    UriRef,
    component::Host,
    pct_enc::{
        EStr, Encoder,
        encoder::{IPath, IQuery, IUserinfo},
    },
};

use super::{
    options::Options,
    scheme::{Address, Scheme},
};
use crate::error::InvalidUrl;

/// A URL whose every piece was looked at and percent-decoded.
pub(super) struct Url {
    pub(super) scheme: &'static Scheme,
    /// What stands before the `@`.
    pub(super) user: Option<String>,
    /// What stands behind the colon of the user.
    pub(super) password: Option<String>,
    /// `host:port` of each server.
    pub(super) addresses: Vec<String>,
    /// What stands behind the address without the slash in front, or the folder.
    pub(super) path: String,
    pub(super) options: Options,
}

const ENCODE: &str = "percent-encode what is special in a user name, a password, a path or an \
                      option: `%` is `%25`, `@` is `%40`, `:` is `%3A`, `/` is `%2F`, `?` is \
                      `%3F`, `#` is `%23`, `&` is `%26`, a space is `%20`";

impl Url {
    /// Takes `text` apart.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidUrl> {
        if text.trim() != text {
            let message = "the URL begins or ends with white space, perhaps the end of a line; \
                           leave that out";
            return Err(InvalidUrl::new(message));
        }
        let (scheme, rest) = Scheme::split(text)?;
        if rest.contains('#') {
            return Err(malformed("a `#` has no meaning in this URL"));
        }
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (rest, None),
        };
        let mut url = Self {
            scheme,
            user: None,
            password: None,
            addresses: Vec::new(),
            path: String::new(),
            options: Options::NONE,
        };
        match scheme.address {
            Address::None if place.is_empty() => {}
            Address::None => return Err(url.misshapen()),
            Address::Folder => url.path = url.folder(place)?,
            Address::One(port) | Address::Several(port) => url.locate(place, query, port)?,
        }
        if let Some(query) = query {
            let pairs = checked::<IQuery>(query, "an option")?;
            url.options = Options::parse(pairs)?;
        }
        Ok(url)
    }

    /// `path`, `/path`, `///path` or `//localhost/path`.
    fn folder(&self, place: &str) -> Result<String, InvalidUrl> {
        let (path, has_authority) = match place.strip_prefix("//") {
            Some(rest) => (rest.strip_prefix("localhost").unwrap_or(rest), true),
            None => (place, false),
        };
        if path.is_empty() || (has_authority && !path.starts_with('/')) {
            return Err(self.misshapen());
        }
        decoded(checked::<IPath>(path, "the path")?, "the path")
    }

    /// `//user:password@host:port,host:port/path`.
    fn locate(&mut self, place: &str, query: Option<&str>, port: u16) -> Result<(), InvalidUrl> {
        let rest = place.strip_prefix("//").ok_or_else(|| self.misshapen())?;
        if rest.contains("://") {
            return Err(InvalidUrl::new(format!(
                "write the scheme once and the addresses behind it, separated by commas: `{}`",
                self.scheme.form
            )));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains('@') || query.is_some_and(|query| query.contains('@')) {
            return Err(malformed("there is an `@` behind the address"));
        }
        let several = matches!(self.scheme.address, Address::Several(_));
        let hosts = match authority.rsplit_once('@') {
            Some((logins, _)) if several && logins.contains(',') && logins.contains('@') => {
                return Err(malformed(
                    "there is one login for all addresses, in front of the first",
                ));
            }
            Some((login, hosts)) => {
                self.sign_in(login)?;
                hosts
            }
            None => authority,
        };
        if !several && hosts.contains(',') {
            return Err(InvalidUrl::new(format!(
                "`{}:` takes one address; write it as `{}`",
                self.scheme.name, self.scheme.form
            )));
        }
        for (index, host) in hosts.split(',').enumerate() {
            let address = address(host, port);
            self.addresses.push(address.ok_or_else(|| self.no_address(index + 1, host, port))?);
        }
        self.path = decoded(checked::<IPath>(path, "the path")?, "the path")?;
        Ok(())
    }

    /// `user`, `user:password` or `:password`.
    fn sign_in(&mut self, credentials: &str) -> Result<(), InvalidUrl> {
        let what = "the user name or the password";
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (credentials, None),
        };
        if password.is_some_and(|password| password.contains(':')) {
            return Err(malformed("there are two colons before the `@`"));
        }
        if password.unwrap_or(user).is_empty() {
            return Err(InvalidUrl::new(
                "there is an `@` without a login, or with an empty password, in front of it; write \
                 `user:password@`, or leave out all of it",
            ));
        }
        let decode = |text: &str| decoded(checked::<IUserinfo>(text, what)?, what);
        self.user = Some(user).filter(|user| !user.is_empty()).map(decode).transpose()?;
        self.password = password.map(decode).transpose()?;
        Ok(())
    }

    /// Address number `number` is none.
    fn no_address(&self, number: usize, host: &str, port: u16) -> InvalidUrl {
        let form = self.scheme.form;
        let hint = if host.matches(':').count() > 1 && !host.contains('[') {
            format!("; an IPv6 address stands in brackets: `[::1]:{port}`")
        } else {
            String::new()
        };
        InvalidUrl::new(format!(
            "address number {number} is no host with a port from 1 to 65535; write the URL as \
             `{form}`{hint}"
        ))
    }

    /// The path, which is one word or nothing.
    pub(super) fn segment(&mut self) -> Result<Option<String>, InvalidUrl> {
        let path = core::mem::take(&mut self.path);
        if path.contains('/') {
            Err(self.misshapen())
        } else {
            Ok(Some(path).filter(|path| !path.is_empty()))
        }
    }

    /// The URL has not the form that its scheme asks for.
    pub(super) fn misshapen(&self) -> InvalidUrl {
        InvalidUrl::new(format!("write a `{}:` URL as `{}`", self.scheme.name, self.scheme.form))
    }
}

fn malformed(what: &str) -> InvalidUrl {
    InvalidUrl::new(format!("{what}; {ENCODE}"))
}

fn checked<'t, E: Encoder>(text: &'t str, what: &str) -> Result<&'t EStr<E>, InvalidUrl> {
    EStr::new(text)
        .ok_or_else(|| malformed(&format!("{what} has a character that must not stand there")))
}

/// The text with `%XX` replaced.
pub(super) fn decoded<E: Encoder>(text: &EStr<E>, what: &str) -> Result<String, InvalidUrl> {
    match text.decode().to_string() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(InvalidUrl::new(format!("{what} is no text once `%XX` is replaced"))),
    }
}

/// `host:port` of what may have no port.
fn address(text: &str, port: u16) -> Option<String> {
    let reference = format!("//{text}");
    let reference = UriRef::parse(reference.as_str()).ok()?;
    let authority = reference.authority().filter(|authority| authority.as_str() == text)?;
    let known = match authority.host_parsed() {
        Host::RegName(name) => !name.is_empty() && !name.as_str().contains('%'),
        Host::Ipv4 { .. } | Host::Ipv6 { .. } => true,
        Host::IpvFuture { .. } => false,
    };
    let port = authority.port_to_u16().ok()?.unwrap_or(port);
    (known && port != 0).then(|| format!("{}:{port}", authority.host()))
}
