//! Local folders, which are read by dedicated threads.

use std::fs;

use flowagg_core::flow_log::FileFormat;
use flowagg_query::{FlowLogs, ScanOptions};
use snapbox::{assert_data_eq, str};
use tempfile::TempDir;

use crate::bucket::{Home, Object, bucket};
use crate::run::{rows, session};

/// Text and Parquet objects in turn, each with one record.
fn objects() -> Vec<Object> {
    let object = |number: usize| {
        let text = format!("srcaddr bytes end\n10.0.0.{} {number} 1772323200\n", number % 250);
        Object::new(&Home::PLAIN, 1_772_323_200, number, FileFormat::ALL[number % 2], text)
    };
    (0..200).map(object).collect()
}

fn folder(objects: &[Object]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for object in objects {
        let path = folder.path().join(&object.key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, object.body()).unwrap();
    }
    folder
}

#[tokio::test]
async fn folder_has_the_rows_of_the_bucket_with_any_prefetch_limit() {
    let objects = objects();
    let folder = folder(&objects);
    let sql = "SELECT object_key, srcaddr, bytes, \"end\" FROM vpc_flow_logs ORDER BY 1";
    let expected = rows(&session(FlowLogs::new(bucket(&objects).await)), sql).await.unwrap();
    assert_eq!(expected.len(), 200);
    for (concurrency, prefetch) in [(1, 1), (4, 1), (4, 2_000), (16, 64 * 1024 * 1024)] {
        let mut options = ScanOptions::local();
        (options.concurrency, options.prefetch) = (concurrency, prefetch);
        let table = FlowLogs::in_folder(folder.path()).unwrap().options(options).build();
        let progress = table.progress();
        assert_eq!(rows(&session(table), sql).await.unwrap(), expected, "{concurrency} {prefetch}");
        assert_eq!(progress.read().objects, 200);
    }
}

#[tokio::test]
async fn limit_stops_reading_a_folder() {
    let folder = folder(&objects());
    let table = FlowLogs::in_folder(folder.path()).unwrap().build();
    let progress = table.progress();
    assert_eq!(rows(&session(table), "SELECT bytes FROM vpc_flow_logs LIMIT 3").await.unwrap().len(), 3);
    assert!(progress.read().objects < 200);
}

#[test]
fn missing_folder_is_an_error() {
    let error = FlowLogs::in_folder("does/not/exist".as_ref()).unwrap_err();
    assert_data_eq!(error.to_string(), str!["cannot list `does/not/exist`"]);
}
