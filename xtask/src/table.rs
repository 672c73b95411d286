//! Tables for people: aligned text for the terminal, Markdown for the docs.

/// A table of text cells under one row of headings.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|&heading| heading.to_owned()).collect()] }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Columns padded to their widest cell and set apart by two spaces.
    pub(crate) fn to_text(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  "));
            let line: String = cells.collect();
            text.push_str("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// A Markdown table; `|` in cells is escaped.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = String::new();
        for (i, row) in self.rows.iter().enumerate() {
            for cell in row {
                text.push_str("| ");
                text.push_str(&cell.replace('|', "\\|"));
                text.push(' ');
            }
            text.push_str("|\n");
            if i == 0 {
                text.push_str(&"|---".repeat(row.len()));
                text.push_str("|\n");
            }
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        (0..columns).map(|column| width(column).unwrap_or(0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["step", "took"]);
        table.row(["clippy".to_owned(), "1 s".to_owned()]);
        table.row(["é|".to_owned(), "22 s".to_owned()]);
        table
    }

    #[test]
    fn columns_are_aligned_by_characters() {
        assert_eq!(table().to_text(), "  step    took\n  clippy  1 s\n  é|      22 s\n");
    }

    #[test]
    fn a_pipe_does_not_break_a_markdown_row() {
        assert_eq!(
            table().to_markdown(),
            "| step | took |\n|---|---|\n| clippy | 1 s |\n| é\\| | 22 s |\n"
        );
    }
}
