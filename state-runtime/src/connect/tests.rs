//! What a URL is taken apart into, and what is said of one that is wrong.

use super::{scheme::SCHEMES, url::Url};

/// What a test looks at: credentials, addresses, path.
type Pieces = (Option<String>, Option<String>, Vec<String>, String);

fn pieces(text: &str) -> Pieces {
    let url = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    (url.user, url.password, url.addresses, url.path)
}

fn located(user: &str, password: &str, addresses: &[&str], path: &str) -> Pieces {
    let optional = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
    (optional(user), optional(password), addresses, path.to_owned())
}

#[test]
fn a_url_is_taken_apart() {
    for (text, expected) in [
        ("memory:", located("", "", &[], "")),
        ("MEMORY:", located("", "", &[], "")),
        ("file:state", located("", "", &[], "state")),
        ("file:./state/a", located("", "", &[], "./state/a")),
        ("file:/var/lib/state", located("", "", &[], "/var/lib/state")),
        ("file:///var/lib/state", located("", "", &[], "/var/lib/state")),
        ("file://localhost/var", located("", "", &[], "/var")),
        ("file:my%20state/é@1%25", located("", "", &[], "my state/é@1%")),
        ("redis://h", located("", "", &["h:6379"], "")),
        ("redis://h/", located("", "", &["h:6379"], "")),
        ("redis://h:7000/2", located("", "", &["h:7000"], "2")),
        ("redis://[::1]", located("", "", &["[::1]:6379"], "")),
        ("redis://127.0.0.1:/0", located("", "", &["127.0.0.1:6379"], "0")),
        ("rediss://:s%40cret@h", located("", "s@cret", &["h:6379"], "")),
        ("rediss://ada:p%3Aw@h", located("ada", "p:w", &["h:6379"], "")),
        ("redis+cluster://a,b:1,c", located("", "", &["a:6379", "b:1", "c:6379"], "")),
        (
            "redis+sentinel://u:p@a,b/mymaster",
            located("u", "p", &["a:26379", "b:26379"], "mymaster"),
        ),
        ("nats://t0ken@a,b/bucket", located("t0ken", "", &["a:4222", "b:4222"], "bucket")),
        ("tls+nats://h", located("", "", &["h:4222"], "")),
        ("dapr://127.0.0.1/store", located("", "", &["127.0.0.1:3500"], "store")),
    ] {
        assert_eq!(pieces(text), expected, "{text}");
    }
}

fn refusal(text: &str) -> String {
    Url::parse(text).err().unwrap_or_else(|| panic!("{text} is accepted")).to_string()
}

#[test]
fn a_url_of_another_form_says_which_one_to_write() {
    for (text, says) in [
        ("", "starts with no scheme; the schemes are `memory:`, `file:`, `redis:`"),
        ("state", "starts with no scheme"),
        ("127.0.0.1:6379", "starts with no scheme"),
        ("localhost:6379", "starts with no scheme"),
        ("redsi://h", "unknown scheme `redsi`; did you mean `redis`? the schemes are"),
        ("memroy:", "unknown scheme `memroy`; did you mean `memory`?"),
        ("postgres://h", "unknown scheme `postgres`; the schemes are"),
        ("memory:x", "write a `memory:` URL as `memory:`"),
        ("memory://", "write a `memory:` URL as `memory:`"),
        ("file:", "write a `file:` URL as `file:path/to/folder`"),
        ("file://", "write a `file:` URL as"),
        ("file://state", "write a `file:` URL as"),
        ("file:my state", "the path has a character that must not stand there; percent-encode"),
        ("file:%FF", "the path is no text once"),
        ("file:a%00b", "the path is no text once"),
        ("redis:h", "write a `redis:` URL as `redis://host:6379/0`"),
        ("redis://", "address number 1 is no host with a port"),
        ("redis://:6379", "address number 1 is no host"),
        ("redis://h:0", "address number 1 is no host with a port from 1 to 65535"),
        ("redis://h:65536", "address number 1 is no host"),
        ("redis://h h", "address number 1 is no host"),
        ("redis://a,b", "`redis:` takes one address; write it as `redis://host:6379/0`"),
        ("nats://a,,b", "address number 2 is no host"),
        ("redis://h:-1", "address number 1 is no host"),
        ("redis://h:6379:1", "an IPv6 address stands in brackets: `[::1]:6379`"),
        ("redis://::1", "an IPv6 address stands in brackets"),
        ("nats://a,::1:4222", "address number 2 is no host"),
        ("redis://[::1", "write the URL as `redis://host:6379/0`"),
        ("redis://[fe80::1%25eth0]", "address number 1 is no host"),
        ("redis://[h]", "address number 1 is no host"),
        ("redis://%68", "address number 1 is no host"),
        ("redis://h,", "`redis:` takes one address"),
        ("nats://a,", "address number 2 is no host"),
        ("redis:///0", "address number 1 is no host"),
        ("redis:////h", "address number 1 is no host"),
        ("nats://a,nats://b", "write the scheme once and the addresses behind it"),
        ("redis://redis://h", "write the scheme once"),
        ("redis://h#0", "a `#` has no meaning in this URL; percent-encode"),
        ("redis://u:p@h@h", "the user name or the password has a character that must not"),
        ("redis://@h", "there is an `@` without a login, or with an empty password"),
        ("redis://:@h", "an `@` without a login"),
        ("redis://u:@h", "or with an empty password"),
        ("nats://t:@h", "or with an empty password"),
        ("redis+cluster://u:p@a,u:p@b", "there is one login for all addresses, in front of the"),
        ("nats://u:p@a,b@c", "there is one login for all addresses"),
        (" redis://h", "the URL begins or ends with white space"),
        ("redis://h\n", "the URL begins or ends with white space"),
        ("redis://h/\u{a0}", "the URL begins or ends with white space"),
        ("redis-cluster://h", "did you mean `redis+cluster`?"),
        ("redis+ssl://h", "unknown scheme `redis+ssl`; the schemes are"),
        ("http://h", "unknown scheme `http`; the schemes are"),
        ("redis://u:p:q@h", "there are two colons before the `@`"),
        ("redis://u:%zz@h", "the user name or the password has a character that must not"),
        ("redis://u:%FF@h", "the user name or the password is no text once"),
        ("redis://u:p/q@h", "there is an `@` behind the address; percent-encode"),
        ("redis://u:p?q@h", "there is an `@` behind the address"),
        ("redis://h?client name=x", "an option has a character that must not stand there"),
    ] {
        let message = refusal(text);
        assert!(message.contains(says), "{text}: {message}");
    }
}

#[test]
fn every_scheme_has_the_form_that_its_messages_show() {
    for scheme in &SCHEMES {
        let shown = Url::parse(scheme.form).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(shown.scheme, scheme);
        assert!(scheme.not_compiled().missing_feature() == Some(scheme.feature));
    }
}

/// The configuration as its `Debug` form, in which secrets are hidden.
#[cfg(feature = "redis")]
fn redis(text: &str) -> Result<String, String> {
    let config = super::redis::config(Url::parse(text).map_err(|error| error.to_string())?);
    config.map(|config| format!("{config:?}")).map_err(|error| error.to_string())
}

#[cfg(feature = "redis")]
#[test]
fn the_options_of_redis_are_those_of_its_configuration() {
    use core::time::Duration;

    use crate::backends::RedisConfig;

    let secret = |config: RedisConfig| config.with_username("ada").with_password("p w");
    for (text, config) in [
        ("redis://h", RedisConfig::new("h:6379")),
        ("redis://h:7000/2", RedisConfig::new("h:7000").with_database(2)),
        ("redis://ada:p%20w@[::1]", secret(RedisConfig::new("[::1]:6379"))),
        (
            "redis://h?client_name=shop&connect_timeout=1s&response_timeout=250ms",
            RedisConfig::new("h:6379")
                .with_client_name("shop")
                .with_connect_timeout(Duration::from_secs(1))
                .with_response_timeout(Duration::from_millis(250)),
        ),
        ("rediss://h", RedisConfig::new("h:6379").with_tls()),
        (
            "rediss://h?ca_certificate=/ca.pem&client_certificate=me.pem&client_key=me.key",
            RedisConfig::new("h:6379")
                .with_ca_certificate("/ca.pem")
                .with_client_certificate("me.pem", "me.key"),
        ),
        ("redis+cluster://a,b:1", RedisConfig::cluster(["a:6379", "b:1"])),
        ("rediss+cluster://a", RedisConfig::cluster(["a:6379"]).with_tls()),
        (
            "redis+sentinel://ada:p%20w@a,b/mymaster?database=3&sentinel_username=eve&sentinel_password=s",
            secret(RedisConfig::sentinel(["a:26379", "b:26379"], "mymaster"))
                .with_database(3)
                .with_sentinel_username("eve")
                .with_sentinel_password("s"),
        ),
        ("rediss+sentinel://a/m", RedisConfig::sentinel(["a:26379"], "m").with_tls()),
    ] {
        assert_eq!(redis(text), Ok(format!("{config:?}")), "{text}");
    }
}

#[cfg(feature = "redis")]
#[test]
fn what_redis_cannot_be_told_says_what_can() {
    for (text, says) in [
        (
            "redis://h/db",
            "the path is the number of a database; write the URL as `redis://host:6379/0`",
        ),
        ("redis://h/-1", "the path is the number of a database"),
        ("redis://h/+1", "the path is the number of a database"),
        ("redis://h/1%20", "the path is the number of a database"),
        ("redis://h/4294967296", "the path is the number of a database"),
        ("redis://h/0/1", "write a `redis:` URL as"),
        ("redis://h/0/", "write a `redis:` URL as"),
        ("redis://h//", "write a `redis:` URL as"),
        ("redis://ada@h", "a user without a password cannot log in; write `user:password@`"),
        ("redis://h?password=x", "option `password`: a login stands in front of the address"),
        ("redis+cluster://h?username=x", "option `username`: a login stands in front of the"),
        ("redis+cluster://h?database=0", "option `database`: a cluster has only database 0"),
        ("redis+cluster://h/0", "a cluster has no path: its only database is 0"),
        ("redis+sentinel://h", "`redis+sentinel://host1:26379,host2:26379/mymaster?database=0`"),
        ("redis+sentinel://h/m/1", "/mymaster?database=0`"),
        ("redis+sentinel://h/m/", "write a `redis+sentinel:` URL as"),
        ("redis+sentinel://h/m?sentinel_username=u", "cannot log in without `sentinel_password`"),
        ("redis+sentinel://h/m?database=%2B1", "option `database=+1`: write a whole number"),
        ("redis+sentinel://h/m?database=x", "option `database=x`: write a whole number"),
        ("redis://h?database=1", "option `database`: the path is the number of the database"),
        ("redis://h?sentinel_password=1", "unknown option `sentinel_password` of `redis:`"),
        (
            "redis://h?ca_certificate=/x",
            "option `ca_certificate`: it is for TLS; write `rediss:` in place of `redis:`",
        ),
        ("redis+cluster://h?client_key=/x", "write `rediss+cluster:` in place of"),
        ("redis+sentinel://h/m?client_certificate=/x", "write `rediss+sentinel:` in place of"),
        ("redis://h?client_name=a&client_name=b", "option `client_name` is given twice"),
        ("redis://h?client_name", "option `client_name` is empty"),
        ("redis://h?=x", "an option is unknown to `redis:`; its options are"),
        ("redis://h?connect_timeout=0s", "zero is no time"),
        ("rediss://h?client_key=/x", "give both `client_certificate` and `client_key`"),
        ("redis://h?client_nam=x", "did you mean `client_name`?"),
    ] {
        let message = redis(text).expect_err(text);
        assert!(message.contains(says), "{text}: {message}");
    }
}

#[cfg(feature = "dapr")]
fn dapr(text: &str) -> Result<String, String> {
    let config = super::dapr::config(Url::parse(text).map_err(|error| error.to_string())?);
    config.map(|config| format!("{config:?}")).map_err(|error| error.to_string())
}

#[cfg(feature = "dapr")]
#[test]
fn the_options_of_dapr_are_those_of_its_configuration() {
    use core::time::Duration;

    use crate::backends::{DaprConfig, dapr::Consistency};

    for (text, config) in [
        ("dapr://h/store", DaprConfig::new("h:3500", "store")),
        ("dapr://[::1]:1/store", DaprConfig::new("[::1]:1", "store")),
        ("dapr://h/store?api_token=t", DaprConfig::new("h:3500", "store").with_api_token("t")),
        (
            "dapr://h/s?consistency=eventual&connect_timeout=1s&timeout=2s&max_body=8MiB",
            DaprConfig::new("h:3500", "s")
                .with_consistency(Consistency::Eventual)
                .with_connect_timeout(Duration::from_secs(1))
                .with_timeout(Duration::from_secs(2))
                .with_max_body(8 << 20),
        ),
    ] {
        assert_eq!(dapr(text), Ok(format!("{config:?}")), "{text}");
    }
    for (text, says) in [
        ("dapr://h", "write a `dapr:` URL as `dapr://host:3500/store`"),
        ("dapr://h/a/b", "write a `dapr:` URL as"),
        ("dapr://h/store/", "write a `dapr:` URL as"),
        ("dapr://t@h/store", "a sidecar knows no users; give its token as"),
        ("dapr://h/s?token=x", "unknown option `token` of `dapr:`; its options are `api_token`"),
        ("dapr://h/s?consistency=weak", "option `consistency=weak`: write `strong` or `eventual`"),
    ] {
        let message = dapr(text).expect_err(text);
        assert!(message.contains(says), "{text}: {message}");
    }
}

#[cfg(feature = "nats")]
fn nats(text: &str) -> Result<String, String> {
    let config = super::nats::config(Url::parse(text).map_err(|error| error.to_string())?);
    config.map(|config| format!("{config:?}")).map_err(|error| error.to_string())
}

#[cfg(feature = "nats")]
#[test]
fn the_options_of_nats_are_those_of_its_configuration() {
    use core::time::Duration;

    use crate::backends::{
        NatsConfig,
        nats::{KeyMapping, MissingBucket, Storage},
    };

    let new = || NatsConfig::new("h:4222");
    for (text, config) in [
        ("nats://h", new()),
        ("nats://h,[::1]:1/shop", new().with_server("[::1]:1").with_bucket("shop")),
        ("nats://t%40@h", new().with_token("t@")),
        ("nats://me:p%3Aw@h", new().with_user("me", "p:w")),
        ("nats://h?nkey=SUA", new().with_nkey("SUA")),
        ("nats://h?credentials_file=/a%20b", new().with_credentials_file("/a b")),
        (
            "nats://h?client_name=shop&connect_timeout=1s&response_timeout=2s&key_mapping=verbatim",
            new()
                .with_client_name("shop")
                .with_connect_timeout(Duration::from_secs(1))
                .with_response_timeout(Duration::from_secs(2))
                .with_key_mapping(KeyMapping::Verbatim),
        ),
        (
            "nats://h?missing_bucket=refuse&replicas=3&storage=memory&max_bytes=1GiB",
            new()
                .with_missing_bucket(MissingBucket::Refuse)
                .with_replicas(3)
                .with_storage(Storage::Memory)
                .with_max_bytes(1 << 30),
        ),
        ("tls+nats://h", new().with_tls()),
        (
            "tls+nats://h?ca_certificate=/ca&client_certificate=/c&client_key=/k",
            new().with_ca_certificate("/ca").with_client_certificate("/c", "/k"),
        ),
    ] {
        assert_eq!(nats(text), Ok(format!("{config:?}")), "{text}");
    }
    for (text, says) in [
        ("nats://h/a/b", "write a `nats:` URL as `nats://host:4222/bucket`"),
        ("nats://:pw@h", "a password needs a user in front of it"),
        ("nats://t@h?nkey=s", "log in by one of `token@`, `user:password@`, `nkey` and"),
        ("nats://h?client_key=/x", "it is for TLS; write `tls+nats:` in place of `nats:`"),
        ("nats://h?token=x", "option `token`: a token stands in front of the address"),
        ("nats://h?user=x", "option `user`: a login stands in front of the address"),
        ("nats://h/bucket/", "write a `nats:` URL as"),
        ("nats://h/a%2Fb", "write a `nats:` URL as"),
        ("nats://h?bucket=x", "unknown option `bucket` of `nats:`"),
        ("nats://h?storage=disk", "option `storage=disk`: write `file` or `memory`"),
    ] {
        let message = nats(text).expect_err(text);
        assert!(message.contains(says), "{text}: {message}");
    }
}
