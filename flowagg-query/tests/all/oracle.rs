//! A minimal line-by-line parser that computes the expected rows of the table.

use std::collections::BTreeMap;

use crate::bucket::Object;

/// A row: the text of each column that is not NULL.
pub(crate) type Row = BTreeMap<String, String>;

/// All rows of these objects.
pub(crate) fn rows(objects: &[Object]) -> Vec<Row> {
    objects.iter().flat_map(of_object).collect()
}

fn of_object(object: &Object) -> Vec<Row> {
    let mut lines = object.text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(' ').collect();
    lines
        .map(|line| {
            let values = header.iter().zip(line.split(' ')).filter(|(_, value)| *value != "-");
            let mut row: Row =
                values.map(|(name, value)| (name.replace('-', "_"), value.to_owned())).collect();
            for (name, source) in [("start_time", "start"), ("end_time", "end")] {
                if let Some(value) = row.get(source).cloned() {
                    row.insert(name.to_owned(), value);
                }
            }
            of_key(&object.key, &mut row);
            row
        })
        .collect()
}

fn of_key(key: &str, row: &mut Row) {
    let (_, below) = key.split_once("AWSLogs/").unwrap();
    let bare = |part: &str| part.rsplit('=').next().unwrap().to_owned();
    let parts: Vec<String> = below.split('/').map(bare).collect();
    let mut insert = |name: &str, value: String| row.insert(name.to_owned(), value);
    insert("log_account", parts[0].clone());
    insert("log_region", parts[2].clone());
    insert("log_date", parts[3..6].join("/"));
    // `…_20260301T0905Z_…`: the hour is in the name, whether or not it has a folder.
    let (_, time) = key.rsplit_once('T').unwrap();
    insert("log_hour", time.split_at(2).0.to_owned());
    insert("object_key", key.to_owned());
}
