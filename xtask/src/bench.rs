//! `cargo xtask bench`: runs every benchmark program and merges what they measured.
//!
//! What a program has to do is told in `benches/README.md`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    args,
    failure::Failure,
    process,
    steps::tests::emptied,
    table::Table,
    terminal::{Progress, Terminal, human},
    workspace::Workspace,
};

/// Names the folder that a program writes its results to.
const OUT: &str = "STATE_BENCH_OUT";

/// Asks a program to measure for a shorter time.
const QUICK: &str = "STATE_BENCH_QUICK";

/// The package that holds the programs.
const PACKAGE: &str = "benches";

/// One measured figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
    /// What it is compared with, if with anything.
    #[serde(default)]
    peer: Option<String>,
    /// How many times better than the peer: above 1 is better, whatever the unit.
    #[serde(default)]
    ratio: Option<f64>,
}

/// A benchmark program: criterion benches, or a comparison that measures by itself.
#[derive(Debug, PartialEq, Eq)]
struct Program<'w> {
    name: &'w str,
    is_bench: bool,
}

pub(crate) fn run(
    workspace: &Workspace,
    terminal: Terminal,
    options: &args::Bench,
) -> Result<(), Failure> {
    let programs = programs(workspace, options.filter.as_deref())?;
    let fragments = emptied(workspace.target("bench/fragments"))?;
    let mut broken = Vec::new();
    for (number, program) in programs.iter().enumerate() {
        let mut progress = Progress::start(terminal, program.name);
        let heading = format!("[{}/{}] {}", number + 1, programs.len(), program.name);
        progress.line(&terminal.bold(&heading));
        let command = program.command(terminal, &fragments, options.quick);
        let finished = process::run(command, &mut progress, follow)?;
        if finished.success {
            progress.line(&format!("  done in {}", human(progress.elapsed())));
        } else {
            progress.line(finished.explanation().trim_end());
            progress.line(&format!("  {}", terminal.red("FAILED")));
            broken.push(program.name);
        }
    }
    let figures = merge(&fragments)?;
    write(workspace, &figures)?;
    println!("\n{}", table(&figures).to_text());
    println!("written to {}", workspace.target("bench/summary.json").display());
    if broken.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!("these programs failed: {}", broken.join(", "))))
    }
}

fn programs<'w>(
    workspace: &'w Workspace,
    filter: Option<&str>,
) -> Result<Vec<Program<'w>>, Failure> {
    let package = workspace.member(PACKAGE)?;
    let benches = package.targets("bench").map(|name| Program { name, is_bench: true });
    let binaries = package.targets("bin").map(|name| Program { name, is_bench: false });
    let chosen: Vec<_> = benches
        .chain(binaries)
        .filter(|program| filter.is_none_or(|text| program.name.contains(text)))
        .collect();
    if chosen.is_empty() {
        return Err(Failure::new(format!("`{PACKAGE}` has no benchmark program to run")));
    }
    Ok(chosen)
}

impl Program<'_> {
    fn command(&self, terminal: Terminal, out: &Path, quick: bool) -> std::process::Command {
        let mut cargo = process::cargo(terminal);
        if self.is_bench {
            cargo.args(["bench", "-p", PACKAGE, "--bench", self.name]);
        } else {
            // The profile of `cargo bench`, so that the library is compiled once.
            cargo.args(["run", "--profile", "bench", "-p", PACKAGE, "--bin", self.name]);
        }
        cargo.env(OUT, out);
        if quick {
            cargo.env(QUICK, "1");
        } else {
            cargo.env_remove(QUICK);
        }
        cargo
    }
}

/// Shows what a program prints, and what cargo does before it as a status.
fn follow(line: &str, progress: &mut Progress) {
    if line.is_empty() || line.starts_with("     ") || line.starts_with("   ") {
        progress.doing(line);
    } else {
        progress.line(&format!("  {line}"));
    }
}

/// All figures of all programs, in the order of the fragments' names.
fn merge(fragments: &Path) -> Result<Vec<Figure>, Failure> {
    let failed = || Failure::while_doing(format!("cannot list {}", fragments.display()));
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(fragments).map_err(failed())? {
        files.push(entry.map_err(failed())?.path());
    }
    files.sort();
    let mut figures = Vec::new();
    for file in files {
        let shown = file.display();
        let json = fs::read_to_string(&file)
            .map_err(Failure::while_doing(format!("cannot read {shown}")))?;
        let part: Vec<Figure> = serde_json::from_str(&json)
            .map_err(Failure::while_doing(format!("{shown} is no array of figures")))?;
        figures.extend(part);
    }
    let mut names = BTreeSet::new();
    match figures.iter().find(|figure| !names.insert(&figure.name)) {
        Some(twice) => Err(Failure::new(format!("two programs measured `{}`", twice.name))),
        None => Ok(figures),
    }
}

fn write(workspace: &Workspace, figures: &[Figure]) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(figures)
        .map_err(Failure::while_doing("cannot write the figures as JSON"))?;
    for (name, text) in [("summary.json", json), ("summary.md", table(figures).to_markdown())] {
        let file = workspace.target("bench").join(name);
        fs::write(&file, text)
            .map_err(Failure::while_doing(format!("cannot write {}", file.display())))?;
    }
    Ok(())
}

fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new(&["measured", "value", "compared with", "times as good"]);
    for figure in figures {
        table.row([
            figure.name.clone(),
            format!("{} {}", number(figure.value), figure.unit),
            figure.peer.clone().unwrap_or_default(),
            figure.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        ]);
    }
    table
}

/// Three significant digits, or all digits of a large whole number.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        one if one >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str) -> Figure {
        serde_json::from_value(serde_json::json!({"name": name, "value": 53.25, "unit": "ns"}))
            .unwrap()
    }

    #[test]
    fn the_table_shows_a_comparison_where_there_is_one() {
        let compared = Figure {
            peer: Some("redb, one transaction a set".to_owned()),
            ratio: Some(9.375),
            value: 31_000.0,
            unit: "/s".to_owned(),
            ..figure("file_set_64")
        };
        assert_eq!(
            table(&[figure("key_encode"), compared]).to_markdown(),
            "| measured | value | compared with | times as good |\n|---|---|---|---|\n\
             | key_encode | 53.2 ns |  |  |\n\
             | file_set_64 | 31000 /s | redb, one transaction a set | 9.38 |\n"
        );
    }

    #[test]
    fn fragments_are_merged_in_order_and_no_figure_is_measured_twice() {
        let folder = std::env::temp_dir().join(format!("state-xtask-{}", std::process::id()));
        emptied(folder.clone()).unwrap();
        let put = |file: &str, names: &[&str]| {
            let figures: Vec<_> = names.iter().map(|name| figure(name)).collect();
            fs::write(folder.join(file), serde_json::to_string(&figures).unwrap()).unwrap();
        };
        put("b.json", &["three"]);
        put("a.json", &["one", "two"]);
        let names: Vec<_> = merge(&folder).unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["one", "two", "three"]);
        put("c.json", &["one"]);
        assert_eq!(merge(&folder).unwrap_err().to_string(), "two programs measured `one`");
        fs::write(folder.join("c.json"), "{").unwrap();
        assert!(merge(&folder).unwrap_err().to_string().contains("c.json"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
