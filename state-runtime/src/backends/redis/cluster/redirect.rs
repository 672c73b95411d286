//! The replies by which a node of a cluster sends a client elsewhere.
//!
//! Each of them says that the command was not carried out, so it can be sent again.

use redis::ServerError;

use super::super::config::Address;

/// Where a command has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Redirect {
    /// The slot belongs to another master.
    Moved(Address),
    /// The slot is on its way to another master, and the key may be there already: this one command
    /// goes there, announced by `ASKING`.
    Ask(Address),
    /// Some of several keys are on their way; later they will be in one place again.
    Wait,
}

impl Redirect {
    /// What the error reply of the node at `from` asks for; `None` if it is another error.
    pub(super) fn of(error: &ServerError, from: &Address) -> Option<Self> {
        match error.code() {
            "MOVED" => target(error, from).map(Self::Moved),
            "ASK" => target(error, from).map(Self::Ask),
            "TRYAGAIN" => Some(Self::Wait),
            _ => None,
        }
    }
}

/// The address in `3999 127.0.0.1:6381`. Without a host it is that of the node that answered.
fn target(error: &ServerError, from: &Address) -> Option<Address> {
    let (host, port) = error.details()?.split(' ').nth(1)?.rsplit_once(':')?;
    let host = match host {
        "?" => return None,
        "" => &from.host,
        host => host,
    };
    let port = port.parse().ok().filter(|port| *port != 0)?;
    Some(Address { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    fn redirect(reply: &str) -> Option<Redirect> {
        let from = Address { host: "here".to_owned(), port: 1 };
        match redis::parse_redis_value(format!("-{reply}\r\n").as_bytes()) {
            Ok(Value::ServerError(error)) => Redirect::of(&error, &from),
            other => panic!("no error reply: {other:?}"),
        }
    }

    fn at(host: &str, port: u16) -> Address {
        Address { host: host.to_owned(), port }
    }

    #[test]
    fn a_redirect_names_where_to_go() {
        let moved = |host, port| Some(Redirect::Moved(at(host, port)));
        assert_eq!(redirect("MOVED 3999 127.0.0.1:6381"), moved("127.0.0.1", 6381));
        assert_eq!(redirect("MOVED 3999 ::1:6381"), moved("::1", 6381));
        assert_eq!(redirect("MOVED 3999 :6381"), moved("here", 6381));
        assert_eq!(redirect("ASK 3999 b.local:7"), Some(Redirect::Ask(at("b.local", 7))));
        assert_eq!(redirect("TRYAGAIN Multiple keys"), Some(Redirect::Wait));
    }

    #[test]
    fn everything_else_is_none() {
        for reply in
            ["MOVED", "MOVED 1", "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 ?:7", "ASK 1 a:b", "ERR no"]
        {
            assert_eq!(redirect(reply), None, "{reply}");
        }
    }
}
