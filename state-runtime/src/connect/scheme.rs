//! The schemes of URLs, and which backend each of them opens.

use crate::{backend::suggest::did_you_mean, error::InvalidUrl};

/// One scheme.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scheme {
    /// As it is written, up to and without the colon.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The feature of the crate that compiles the backend.
    pub(super) feature: &'static str,
    pub(super) address: Address,
    /// How the URL looks.
    pub(super) form: &'static str,
}

/// What a scheme opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Memory,
    File,
    Redis { topology: Topology, tls: bool },
    Nats { tls: bool },
    Dapr,
}

/// How servers of Redis stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topology {
    Single,
    Cluster,
    Sentinel,
}

/// What stands behind the scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    /// Options alone.
    None,
    /// A folder.
    Folder,
    /// One `host:port`, with this port where none is written.
    One(u16),
    /// Several of them, separated by commas.
    Several(u16),
}

const fn redis(
    name: &'static str,
    topology: Topology,
    tls: bool,
    address: Address,
    form: &'static str,
) -> Scheme {
    Scheme { name, kind: Kind::Redis { topology, tls }, feature: "redis", address, form }
}

/// All of them, in the order in which messages list them.
pub(super) static SCHEMES: [Scheme; 11] = [
    Scheme {
        name: "memory",
        kind: Kind::Memory,
        feature: "memory",
        address: Address::None,
        form: "memory:",
    },
    Scheme {
        name: "file",
        kind: Kind::File,
        feature: "file",
        address: Address::Folder,
        form: "file:path/to/folder",
    },
    redis("redis", Topology::Single, false, Address::One(6379), "redis://host:6379/0"),
    redis("rediss", Topology::Single, true, Address::One(6379), "rediss://host:6379/0"),
    redis(
        "redis+cluster",
        Topology::Cluster,
        false,
        Address::Several(6379),
        "redis+cluster://host1:6379,host2:6379",
    ),
    redis(
        "rediss+cluster",
        Topology::Cluster,
        true,
        Address::Several(6379),
        "rediss+cluster://host1:6379,host2:6379",
    ),
    redis(
        "redis+sentinel",
        Topology::Sentinel,
        false,
        Address::Several(26379),
        "redis+sentinel://host1:26379,host2:26379/mymaster?database=0",
    ),
    redis(
        "rediss+sentinel",
        Topology::Sentinel,
        true,
        Address::Several(26379),
        "rediss+sentinel://host1:26379,host2:26379/mymaster?database=0",
    ),
    Scheme {
        name: "nats",
        kind: Kind::Nats { tls: false },
        feature: "nats",
        address: Address::Several(4222),
        form: "nats://host:4222/bucket",
    },
    Scheme {
        name: "tls+nats",
        kind: Kind::Nats { tls: true },
        feature: "nats",
        address: Address::Several(4222),
        form: "tls+nats://host:4222/bucket",
    },
    Scheme {
        name: "dapr",
        kind: Kind::Dapr,
        feature: "dapr",
        address: Address::One(3500),
        form: "dapr://host:3500/store",
    },
];

impl Scheme {
    /// The scheme at the start of `url`, and what stands behind its colon.
    ///
    /// Of a text without one nothing is told: it may be a user name and a password.
    pub(super) fn split(url: &str) -> Result<(&'static Self, &str), InvalidUrl> {
        let (name, rest) = url.split_once(':').ok_or_else(no_scheme)?;
        let known = SCHEMES.iter().find(|scheme| scheme.name.eq_ignore_ascii_case(name));
        if let Some(scheme) = known {
            return Ok((scheme, rest));
        }
        let hint = did_you_mean(name, SCHEMES.iter().map(|scheme| scheme.name));
        let may_be_told = rest.starts_with("//") || !hint.is_empty();
        if !may_be_told || !is_scheme(name) {
            return Err(no_scheme());
        }
        let end = if hint.is_empty() { ";" } else { "" };
        Err(InvalidUrl::new(format!(
            "unknown scheme `{name}`{hint}{end} the schemes are {}",
            listed()
        )))
    }

    /// The scheme of the same with TLS.
    pub(super) fn with_tls(&self) -> &'static str {
        let kind = match self.kind {
            Kind::Redis { topology, .. } => Kind::Redis { topology, tls: true },
            Kind::Nats { .. } => Kind::Nats { tls: true },
            kind => kind,
        };
        SCHEMES.iter().find(|scheme| scheme.kind == kind).map_or(self.name, |scheme| scheme.name)
    }

    /// The feature that compiles the backend is off.
    pub(super) fn not_compiled(&self) -> InvalidUrl {
        let feature = self.feature;
        let message = format!(
            "`{}:` needs the feature `{feature}`, which is switched off: \
             `cargo add state-runtime --features {feature}`; switched on are {}",
            self.name,
            compiled(),
        );
        InvalidUrl::new(message).with_missing_feature(feature)
    }
}

fn no_scheme() -> InvalidUrl {
    InvalidUrl::new(format!("the URL starts with no scheme; the schemes are {}", listed()))
}

/// What RFC 3986 calls one, and no longer than one that a person would write.
fn is_scheme(name: &str) -> bool {
    name.len() <= 20
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn listed() -> String {
    SCHEMES.iter().map(|scheme| format!("`{}:`", scheme.name)).collect::<Vec<_>>().join(", ")
}

/// The features of backends that are on.
fn compiled() -> String {
    let all = [
        ("memory", cfg!(feature = "memory")),
        ("file", cfg!(feature = "file")),
        ("redis", cfg!(feature = "redis")),
        ("nats", cfg!(feature = "nats")),
        ("dapr", cfg!(feature = "dapr")),
    ];
    let on = all.into_iter().filter(|(_, on)| *on).map(|(name, _)| format!("`{name}`"));
    let on = on.collect::<Vec<_>>().join(", ");
    if on.is_empty() { "none".to_owned() } else { on }
}
