//! Which column of a CSV file is what: by its header, or JMeter's default set where there is none.

use crate::read::ReadError;

/// A column that is not there.
pub(super) const NONE: u8 = u8::MAX;

/// Columns that are looked at; past them a file may have more.
pub(super) const MOST: usize = 64;

macro_rules! columns {
    ($($field:ident = $name:literal;)*) => {
        /// The number of each column that is read, from 0; [`NONE`] where the file lacks it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) struct Columns { $(pub(super) $field: u8,)* }

        impl Columns {
            const EMPTY: Self = Self { $($field: NONE,)* };

            fn set(&mut self, name: &str, number: u8) {
                match name { $($name => self.$field = number,)* _ => {} }
            }
        }
    };
}

// JMeter's own names: <https://jmeter.apache.org/usermanual/listeners.html#csvlogformat>.
columns! {
    timestamp = "timeStamp";
    elapsed = "elapsed";
    label = "label";
    code = "responseCode";
    message = "responseMessage";
    thread = "threadName";
    data_type = "dataType";
    success = "success";
    failure = "failureMessage";
    bytes = "bytes";
    sent_bytes = "sentBytes";
    group_threads = "grpThreads";
    all_threads = "allThreads";
    url = "URL";
    latency = "Latency";
    idle = "IdleTime";
    connect = "Connect";
}

/// What 5.6 writes by default.
const DEFAULT_5: [&str; 17] = [
    "timeStamp",
    "elapsed",
    "label",
    "responseCode",
    "responseMessage",
    "threadName",
    "dataType",
    "success",
    "failureMessage",
    "bytes",
    "sentBytes",
    "grpThreads",
    "allThreads",
    "URL",
    "Latency",
    "IdleTime",
    "Connect",
];

/// What 2.13 writes by default, without a header.
const DEFAULT_2: [&str; 12] = [
    "timeStamp",
    "elapsed",
    "label",
    "responseCode",
    "responseMessage",
    "threadName",
    "dataType",
    "success",
    "bytes",
    "grpThreads",
    "allThreads",
    "Latency",
];

impl Columns {
    fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut columns = Self::EMPTY;
        for (number, name) in names.into_iter().take(MOST).enumerate() {
            let name = name.trim().trim_matches('"');
            columns.set(name, number as u8);
        }
        columns
    }

    /// How many fields a record has to have.
    pub(super) fn needed(&self) -> usize {
        let last = [self.timestamp, self.elapsed, self.label, self.success];
        last.into_iter()
            .max()
            .map_or(0, |last| usize::from(last) + 1)
    }
}

/// What the first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) columns: Columns,
    pub(super) delimiter: u8,
    /// How many there are.
    pub(super) fields: usize,
    /// Whether the line was a header, and no sample.
    pub(super) header: bool,
}

/// Reads the first line, without its end.
///
/// # Errors
/// [`ReadError::Unknown`] if it is neither a header with the columns that are needed nor a sample of a default set.
pub(super) fn layout(line: &[u8]) -> Result<Layout, ReadError> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let text = String::from_utf8_lossy(line);
    let unknown = |what: &'static str, found: &str, remedy: &str| ReadError::Unknown {
        what,
        found: found.chars().take(200).collect(),
        remedy: remedy.to_owned(),
    };
    if text.contains("timeStamp") {
        let delimiter = [b',', b'\t', b';', b'|']
            .into_iter()
            .find(|&d| line.contains(&d))
            .unwrap_or(b',');
        let columns = Columns::of(text.split(char::from(delimiter)));
        let must = [
            ("timeStamp", columns.timestamp),
            ("elapsed", columns.elapsed),
            ("label", columns.label),
            ("success", columns.success),
        ];
        if let Some((missing, _)) = must.iter().find(|(_, number)| *number == NONE) {
            return Err(unknown(
                "the header",
                &text,
                &format!(
                    "the column {missing} is missing: have JMeter save it (jmeter.save.saveservice.*)"
                ),
            ));
        }
        return Ok(Layout {
            columns,
            delimiter,
            fields: text.split(char::from(delimiter)).count(),
            header: true,
        });
    }
    let fields = text.split(',').count();
    let starts_with_time = text
        .split(',')
        .next()
        .is_some_and(|first| !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit()));
    // A quoted field may hold delimiters, so that there seem to be more fields.
    let (columns, fields) = match fields {
        12..17 if starts_with_time => (Columns::of(DEFAULT_2), DEFAULT_2.len()),
        17.. if starts_with_time => (Columns::of(DEFAULT_5), DEFAULT_5.len()),
        _ => {
            return Err(unknown(
                "the first line",
                &text,
                "a header that begins with timeStamp is expected (jmeter.save.saveservice.print_field_names=true)",
            ));
        }
    };
    Ok(Layout {
        columns,
        delimiter: b',',
        fields,
        header: false,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_in_any_order_and_with_any_delimiter() {
        let found = layout(b"label\ttimeStamp\tsuccess\telapsed\tmyVariable").unwrap();
        assert_eq!(found.delimiter, b'\t');
        assert!(found.header);
        let c = found.columns;
        assert_eq!((c.label, c.timestamp, c.success, c.elapsed), (0, 1, 2, 3));
        assert_eq!((c.connect, c.needed()), (NONE, 4));
    }

    #[test]
    fn without_a_header_the_default_sets_are_known() {
        let old =
            layout(b"1795328713719,72,before,200,OK,Before 1-1,text,true,307,1,1,72").unwrap();
        assert!(!old.header);
        assert_eq!((old.columns.bytes, old.columns.latency), (8, 11));
        let new = layout(
            b"1795328407294,41,before,200,OK,Before 1-1,text,true,,307,117,1,1,http://x/,37,0,25",
        )
        .unwrap();
        assert_eq!((new.columns.bytes, new.columns.connect), (9, 16));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let error = layout(b"timeStamp,label,success").unwrap_err();
        assert!(
            error.to_string().contains("the column elapsed is missing"),
            "{error}"
        );
        let error = layout(b"{\"metric\": 1}").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("a header that begins with timeStamp"),
            "{error}"
        );
    }
}
