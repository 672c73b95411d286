//! `cargo xtask setup`: is everything here that the tests need, and if not, can it be installed?

mod debian;
mod exchange;
mod go;
mod install;
mod npm;
mod servers;
mod tools;
mod wheel;

use std::cell::OnceCell;

use self::{
    install::Found,
    servers::{Need, SERVERS, Server},
};
use crate::{
    failure::Failure,
    table::Table,
    terminal::{Progress, Terminal},
};

/// Looks for all tools, installs the servers that are missing, and shows what there is.
pub(crate) fn run(terminal: Terminal) -> Result<(), Failure> {
    let (tools, mut missing) = tools::look(terminal);
    let mut progress = Progress::start(terminal, "setup");
    let servers = Servers::default();
    let found = servers.found(&mut progress)?;
    println!("{}\n{}", tools.to_text(), table(found).to_text());
    missing.extend(missing_of(found, Need::Required));
    let excused = missing_of(found, Need::LeftOut);
    for missing in &excused {
        println!("{missing}");
    }
    if missing.is_empty() {
        let what = if excused.is_empty() { "everything" } else { "everything else" };
        println!("{what} is here; next: cargo xtask test");
        Ok(())
    } else {
        Err(Failure::new(missing.join("\n")))
    }
}

/// A server and whether it is there.
type Row = (&'static Server, Found);

/// The servers of one task: looked for, and installed where they are missing, when they are first
/// asked for, and never twice.
#[derive(Debug, Default)]
pub(crate) struct Servers(OnceCell<Vec<Row>>);

/// A server without which the tests go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) name: &'static str,
    /// In a line.
    pub(crate) why: String,
}

impl Servers {
    /// All of them, each with whether it is there.
    pub(crate) fn found(&self, progress: &mut Progress) -> Result<&[Row], Failure> {
        if let Some(found) = self.0.get() {
            return Ok(found);
        }
        let root = install::root()?;
        let ensure = |server| (server, install::ensure(server, &root, progress));
        let found = SERVERS.iter().map(ensure).collect();
        Ok(self.0.get_or_init(|| found))
    }

    /// What is missing although the tests need it, each with the reason.
    pub(crate) fn failures(&self, progress: &mut Progress) -> Result<Vec<String>, Failure> {
        Ok(missing_of(self.found(progress)?, Need::Required))
    }

    /// What is missing and whose tests are left out for it.
    pub(crate) fn left_out(&self, progress: &mut Progress) -> Result<Vec<LeftOut>, Failure> {
        Ok(left_out_of(self.found(progress)?))
    }
}

fn missing_of(found: &[Row], need: Need) -> Vec<String> {
    let missing = missing(found, need);
    missing.map(|(server, why)| format!("{} is missing: {why}", server.name)).collect()
}

fn left_out_of(found: &[Row]) -> Vec<LeftOut> {
    let missing = missing(found, Need::LeftOut);
    let line = |why: &str| why.lines().next().unwrap_or_default().to_owned();
    missing.map(|(server, why)| LeftOut { name: server.name, why: line(why) }).collect()
}

fn missing(found: &[Row], need: Need) -> impl Iterator<Item = (&'static Server, &str)> {
    let servers = found.iter().filter(move |(server, _)| server.need == need);
    servers.filter_map(|(server, found)| Some((*server, found.reason()?)))
}

fn table(found: &[Row]) -> Table {
    let mut table = Table::new(&["server", "version", "", "from"]);
    for (server, found) in found {
        let (version, state) = found.words();
        table.row([
            server.name.to_owned(),
            version.to_owned(),
            state.to_owned(),
            server.sources.iter().map(ToString::to_string).collect::<Vec<_>>().join("; or "),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_of_each_server_where_it_is_from() {
        let found: Vec<_> =
            SERVERS.iter().map(|server| (server, Found::Own("1.2".into()))).collect();
        let text = table(&found).to_text();
        for server in SERVERS {
            let line = text.lines().find(|line| line.contains(server.name)).unwrap();
            assert!(
                line.contains("1.2") && line.ends_with(&server.sources.last().unwrap().to_string()),
                "{line}"
            );
        }
        assert!(missing_of(&found, Need::Required).is_empty());
    }

    #[test]
    fn a_missing_server_is_named_with_the_reason() {
        let found = [(&SERVERS[0], Found::Missing("no network".into()))];
        assert_eq!(
            missing_of(&found, Need::Required),
            [format!("{} is missing: no network", SERVERS[0].name)]
        );
    }

    #[test]
    fn a_server_that_may_be_missing_is_no_failure() {
        let server = SERVERS.iter().find(|server| server.need == Need::LeftOut).unwrap();
        let found = [(server, Found::Missing("no Go\nbut a remedy".into()))];
        assert!(missing_of(&found, Need::Required).is_empty());
        let told = [format!("{} is missing: no Go\nbut a remedy", server.name)];
        assert_eq!(missing_of(&found, Need::LeftOut), told);
        let left_out = LeftOut { name: server.name, why: "no Go".to_owned() };
        assert_eq!(left_out_of(&found), [left_out]);
    }
}
