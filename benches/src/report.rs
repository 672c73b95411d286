//! Results as `cargo xtask bench` collects them; the contract is in the package's README.

use std::{env, fs, io, path::Path};

use serde::Serialize;

use crate::measure::Comparison;

/// Names the folder for results; unset when a program is run by hand.
const OUT: &str = "STATE_BENCH_OUT";

/// One measured figure.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
}

/// The figures of one program.
#[derive(Debug)]
pub struct Report {
    program: &'static str,
    figures: Vec<Figure>,
}

impl Report {
    /// An empty report of `program`.
    #[must_use]
    pub const fn new(program: &'static str) -> Self {
        Self { program, figures: Vec::new() }
    }

    /// Adds a figure that is compared with nothing.
    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let name = name.into();
        println!("{name}: {value:.1} {unit}");
        self.figures.push(Figure { name, value, unit, peer: None, ratio: None });
    }

    /// Adds a figure beside that of `peer`; a `ratio` above 1 is better than the peer.
    pub fn compared(
        &mut self,
        name: impl Into<String>,
        (ours, peers): (f64, f64),
        unit: &'static str,
        peer: &'static str,
        ratio: f64,
    ) {
        let name = name.into();
        println!("{name}: {ours:.3} {unit}, {peer}: {peers:.3} {unit}, {ratio:.2} times as good");
        let (peer, ratio) = (Some(peer), Some(ratio));
        self.figures.push(Figure { name, value: ours, unit, peer, ratio });
    }

    /// Adds a rate beside that of `peer`.
    pub fn rates(
        &mut self,
        name: impl Into<String>,
        compared: Comparison,
        unit: &'static str,
        peer: &'static str,
    ) {
        let Comparison { ours, peer: peers, ratio } = compared;
        self.compared(name, (ours, peers), unit, peer, ratio);
    }

    /// Writes the figures to where they are collected, if they are.
    ///
    /// # Errors
    ///
    /// Those of writing the file.
    pub fn write(&self) -> io::Result<()> {
        match env::var_os(OUT) {
            Some(folder) => self.write_to(Path::new(&folder)),
            None => Ok(()),
        }
    }

    fn write_to(&self, folder: &Path) -> io::Result<()> {
        let json = serde_json::to_vec_pretty(&self.figures)?;
        fs::write(folder.join(self.program).with_extension("json"), json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_has_a_peer_where_there_is_one_and_no_other_members() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = Report::new("file");
        report.add("file_size", 1.5, "MB");
        report.compared("file_set_64", (9.0, 3.0), "/s", "redb", 3.0);
        report.write_to(folder.path()).unwrap();
        let json = fs::read(folder.path().join("file.json")).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(
            read,
            serde_json::json!([
                {"name": "file_size", "value": 1.5, "unit": "MB"},
                {"name": "file_set_64", "value": 9.0, "unit": "/s", "peer": "redb", "ratio": 3.0},
            ])
        );
    }
}
