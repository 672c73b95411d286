//! What the server says of itself: whether it keeps what it acknowledged, and how much it takes.

use redis::{Pipeline, Value};

use super::node::{Lane, Node, reply};
use crate::backend::{Result, Risk, RiskKind};

/// The largest value that a server takes unless it was told otherwise.
pub(super) const MAX_VALUE: usize = 512 << 20;

/// The settings of one server, as far as the user may see them.
#[derive(Debug, Default)]
pub(super) struct Settings {
    told: bool,
    replica: bool,
    append_only: bool,
    synced: Option<String>,
    eviction: Option<String>,
    pub(super) max_value: Option<usize>,
}

/// Asks a server.
pub(super) async fn read(node: &Node) -> Result<Settings> {
    let mut commands = Pipeline::new();
    commands.cmd("INFO");
    for name in ["appendfsync", "proto-max-bulk-len"] {
        commands.cmd("CONFIG").arg("GET").arg(name);
    }
    let replies = node.read_all(Lane::Small, &commands).await?;
    let mut settings = Settings::default();
    // What the user may not see stays unknown, which is a risk of its own.
    let [info, synced, max_value] = <[Value; 3]>::try_from(replies).unwrap_or_default();
    if let Ok(Value::BulkString(info)) = reply(info) {
        settings.learn(&String::from_utf8_lossy(&info));
    }
    settings.synced = setting(synced);
    settings.max_value = setting(max_value).and_then(|bytes| bytes.parse().ok());
    Ok(settings)
}

/// The value of `CONFIG GET` of one name.
fn setting(value: Value) -> Option<String> {
    let Ok(Value::Array(pair)) = reply(value) else { return None };
    match pair.into_iter().nth(1) {
        Some(Value::BulkString(text)) => String::from_utf8(text).ok(),
        _ => None,
    }
}

impl Settings {
    fn learn(&mut self, info: &str) {
        for line in info.lines() {
            match line.trim_end().split_once(':') {
                Some(("role", role)) => {
                    self.told = true;
                    self.replica = role != "master";
                }
                Some(("aof_enabled", enabled)) => self.append_only = enabled == "1",
                Some(("maxmemory_policy", policy)) => self.eviction = Some(policy.to_owned()),
                _ => {}
            }
        }
    }

    /// The largest value that the server takes, in bytes.
    pub(super) fn max_value(&self) -> usize {
        self.max_value.unwrap_or(MAX_VALUE)
    }

    /// In which ways the server could lose what it acknowledged.
    pub(super) fn risks(&self) -> Vec<Risk> {
        if !self.told {
            return vec![Risk::new(
                RiskKind::UnknownSettings,
                "the user may not see the settings of the server; let it run INFO and CONFIG GET",
            )];
        }
        let mut risks = Vec::new();
        if self.replica {
            let reason = "the server is a replica, which follows its master and takes no writes; \
                          connect to the master";
            risks.push(Risk::new(RiskKind::Replica, reason));
        }
        match self.eviction.as_deref() {
            Some("noeviction") => {}
            Some(policy) => risks.push(Risk::new(
                RiskKind::Eviction,
                format!(
                    "the server removes entries when its memory is full (`maxmemory-policy \
                     {policy}`); set it to `noeviction`"
                ),
            )),
            None => risks.push(Risk::new(
                RiskKind::Eviction,
                "the server does not tell its `maxmemory-policy`; it should be `noeviction`",
            )),
        }
        if !self.append_only {
            let reason = "the server forgets its latest writes when it ends; set `appendonly yes`";
            risks.push(Risk::new(RiskKind::NoAppendOnlyFile, reason));
            return risks;
        }
        let reason = match self.synced.as_deref() {
            Some("always") => return risks,
            Some("everysec") => {
                "the server syncs its disk once a second (`appendfsync everysec`), and what came \
                 after that is lost when its machine fails; set `appendfsync always`, or accept it"
            }
            Some(_) => {
                "the server never syncs its disk (`appendfsync no`), and its latest writes are \
                 lost when its machine fails; set `appendfsync always`"
            }
            None => {
                "the user may not see whether the server syncs its disk; let it run CONFIG GET, \
                 or accept it"
            }
        };
        risks.push(Risk::new(RiskKind::AppendOnlyFileNotSynced, reason));
        risks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risks(info: &str, synced: Option<&str>) -> Vec<&'static str> {
        let mut settings = Settings { synced: synced.map(str::to_owned), ..Settings::default() };
        settings.learn(info);
        settings.risks().iter().map(Risk::name).collect()
    }

    #[test]
    fn a_server_that_syncs_each_write_and_evicts_nothing_has_no_risk() {
        let info = "role:master\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n";
        assert_eq!(risks(info, Some("always")), [""; 0]);
        for other in [Some("everysec"), Some("no"), None] {
            assert_eq!(risks(info, other), ["append-only-file-not-synced"]);
        }
    }

    #[test]
    fn each_risk_has_a_name() {
        let info = "role:slave\r\naof_enabled:0\r\nmaxmemory_policy:volatile-lru\r\n";
        assert_eq!(risks(info, Some("always")), ["replica", "eviction", "no-append-only-file"]);
    }

    #[test]
    fn what_is_not_told_is_a_risk() {
        assert_eq!(risks("", None), ["unknown-settings"]);
        assert_eq!(risks("role:master\r\naof_enabled:1\r\n", Some("always")), ["eviction"]);
    }
}
