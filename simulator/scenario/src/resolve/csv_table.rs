//! Rows of a CSV file, one for each device of a group. No message shows a field: it may be a password.

use std::collections::BTreeSet;

/// The columns of a file, each with a text for each `{index}`.
pub(super) struct CsvTable {
    columns: Vec<(String, Vec<String>)>,
}

impl CsvTable {
    /// Reads the bytes of a file: a row of names, then at least `count` rows, of which the first `count` are
    /// kept.
    ///
    /// # Errors
    /// What is wrong with the file, with the line where that helps.
    pub(super) fn read(bytes: &[u8], count: usize) -> Result<Self, String> {
        match Self::read_rows(bytes, count)? {
            (_, rows) if rows < count => {
                Err(format!("it has {rows} rows, and the group {count} devices"))
            }
            (table, _) => Ok(table),
        }
    }

    /// The first `count` rows, and how many there are.
    fn read_rows(bytes: &[u8], count: usize) -> Result<(Self, usize), String> {
        // Some programs begin a file in UTF-8 with a mark.
        let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
        let malformed = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            if let csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } = error.kind()
            {
                format!("line {line} has {len} fields and the first row {expected_len}")
            } else if let csv::ErrorKind::Utf8 { .. } = error.kind() {
                format!("line {line} is not UTF-8 text")
            } else {
                format!("line {line} is malformed")
            }
        };
        let mut reader = csv::Reader::from_reader(bytes);
        let names = reader.headers().map_err(malformed)?.clone();
        let names: Vec<&str> = names.iter().map(str::trim).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        if distinct.len() < names.len() {
            return Err("two columns have one name".to_owned());
        }
        let mut columns: Vec<(String, Vec<String>)> = names
            .into_iter()
            .map(|name| (name.to_owned(), Vec::new()))
            .collect();
        let mut rows = 0;
        for row in reader.records() {
            let row = row.map_err(malformed)?;
            rows += 1;
            if rows > count {
                continue;
            }
            for ((_, texts), field) in columns.iter_mut().zip(&row) {
                texts.push(field.to_owned());
            }
        }
        Ok((Self { columns }, rows))
    }

    /// Reads the bytes of a file: a row of names, then at least one row; all are kept.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn read_all(bytes: &[u8]) -> Result<Self, String> {
        match Self::read_rows(bytes, usize::MAX)? {
            (_, 0) => Err("it has no row behind the names".to_owned()),
            (table, _) => Ok(table),
        }
    }

    /// The columns by name, each with its rows.
    pub(super) fn into_columns(self) -> Vec<(String, Vec<String>)> {
        self.columns
    }

    pub(super) fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|(column, _)| column == name)
    }

    /// Takes the column `name` out, if there is one.
    pub(super) fn take_column(&mut self, name: &str) -> Option<Vec<String>> {
        let place = self.columns.iter().position(|(column, _)| column == name)?;
        Some(self.columns.swap_remove(place).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, count: usize) -> String {
        CsvTable::read(text.as_bytes(), count)
            .err()
            .expect("it is refused")
    }

    /// Quotes, a mark at the beginning, ends of lines of Windows, spaces around names, more rows than devices.
    #[test]
    fn a_column_has_a_text_for_each_device() {
        let text = "\u{FEFF}username , password\r\na,\"s,1\"\r\nb,s2\r\nc,s3\r\n";

        let mut table = CsvTable::read(text.as_bytes(), 2).expect("it is CSV");

        assert_eq!(
            table.take_column("username"),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(
            table.take_column("password"),
            Some(vec!["s,1".to_owned(), "s2".to_owned()])
        );
        assert!(!table.has_column("password"));
    }

    /// Each says what is wrong and where, and shows no field.
    #[test]
    fn what_is_wrong_is_said_without_a_field() {
        assert_eq!(
            error("username\na\n", 3),
            "it has 1 rows, and the group 3 devices"
        );
        assert_eq!(
            error("username,password\na,s3cret,x\n", 1),
            "line 2 has 3 fields and the first row 2"
        );
        assert_eq!(error("a,a\n", 0), "two columns have one name");
    }
}
