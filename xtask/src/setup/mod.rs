//! `cargo xtask setup`: is everything here that the tests need, and if not, can it be installed?

mod debian;
mod go;
mod install;
mod npm;
mod servers;
mod tools;
mod wheel;

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
    let found = servers(&mut progress)?;
    println!("{}\n{}", tools.to_text(), table(&found).to_text());
    missing.extend(failures(&found));
    let excused = missing_of(&found, Need::LeftOut);
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

/// Installs the servers that are missing, and says of each whether it is there.
pub(crate) fn servers(progress: &mut Progress) -> Result<Vec<(&'static Server, Found)>, Failure> {
    let root = install::root()?;
    Ok(SERVERS.iter().map(|server| (server, install::ensure(server, &root, progress))).collect())
}

/// What is missing although the tests need it, each with the reason.
pub(crate) fn failures(found: &[(&'static Server, Found)]) -> Vec<String> {
    missing_of(found, Need::Required)
}

fn missing_of(found: &[(&'static Server, Found)], need: Need) -> Vec<String> {
    let servers = found.iter().filter(|(server, _)| server.need == need);
    let missing = servers.filter_map(|(server, found)| Some((server, found.reason()?)));
    missing.map(|(server, why)| format!("{} is missing: {why}", server.name)).collect()
}

/// The servers whose tests are left out because they could not be installed.
pub(crate) fn left_out() -> Result<Vec<&'static str>, Failure> {
    let root = install::root()?;
    let optional = SERVERS.iter().filter(|server| server.need == Need::LeftOut);
    Ok(optional
        .filter(|server| !install::is_there(server, &root))
        .map(|server| server.name)
        .collect())
}

fn table(found: &[(&'static Server, Found)]) -> Table {
    let mut table = Table::new(&["server", "version", "", "from"]);
    for (server, found) in found {
        let (version, state) = found.words();
        table.row([
            server.name.to_owned(),
            version.to_owned(),
            state.to_owned(),
            server.source.to_string(),
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
            assert!(line.contains("1.2") && line.ends_with(&server.source.to_string()), "{line}");
        }
        assert!(failures(&found).is_empty());
    }

    #[test]
    fn a_missing_server_is_named_with_the_reason() {
        let found = [(&SERVERS[0], Found::Missing("no network".into()))];
        assert_eq!(failures(&found), [format!("{} is missing: no network", SERVERS[0].name)]);
    }

    #[test]
    fn a_server_that_may_be_missing_is_no_failure() {
        let server = SERVERS.iter().find(|server| server.need == Need::LeftOut).unwrap();
        let found = [(server, Found::Missing("no Go".into()))];
        assert!(failures(&found).is_empty());
        let told = [format!("{} is missing: no Go", server.name)];
        assert_eq!(missing_of(&found, Need::LeftOut), told);
    }
}
