//! Queries with more groups than fit in the memory of a session.

use std::fmt::Write as _;
use std::sync::Arc;

use flowagg_core::flow_log::FileFormat;
use flowagg_query::datafusion::arrow::util::pretty::pretty_format_batches;
use flowagg_query::object_store::ObjectStore;
use flowagg_query::{FlowLogs, SessionOptions};
use tempfile::TempDir;

use crate::bucket::{Home, Object, bucket};

const OBJECTS: usize = 16;
const RECORDS: usize = 8_000;

async fn objects() -> Arc<dyn ObjectStore> {
    let object = |number: usize| {
        let mut text = "srcaddr bytes end\n".to_owned();
        for record in 0..RECORDS {
            let address = std::net::Ipv4Addr::from_bits((number * RECORDS + record) as u32);
            writeln!(text, "{address} {record} 1772323200").unwrap();
        }
        Object::new(&Home::PLAIN, 1_772_323_200, number, FileFormat::PlainText, text)
    };
    bucket(&(0..OBJECTS).map(object).collect::<Vec<_>>()).await
}

async fn shown(store: &Arc<dyn ObjectStore>, options: &SessionOptions, sql: &str) -> String {
    let session = flowagg_query::session(options).unwrap();
    FlowLogs::new(Arc::clone(store)).register(&session).unwrap();
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

#[tokio::test]
async fn groups_that_exceed_the_memory_spill_to_disk() {
    let store = objects().await;
    let folder = TempDir::new().unwrap();
    let mut little = SessionOptions::default();
    little.memory = 24 * 1024 * 1024;
    little.partitions = Some(2.try_into().unwrap());
    little.spill = Some(folder.path().to_owned());
    let sql = "SELECT count(*), sum(bytes), max(srcaddr) FROM \
               (SELECT srcaddr, sum(bytes) AS bytes FROM vpc_flow_logs GROUP BY srcaddr ORDER BY bytes)";
    assert_eq!(shown(&store, &little, sql).await, shown(&store, &SessionOptions::default(), sql).await);
    let analyzed = "EXPLAIN ANALYZE SELECT srcaddr, sum(bytes) FROM vpc_flow_logs GROUP BY srcaddr";
    let plan = shown(&store, &little, analyzed).await;
    let spills = plan.split("spill_count=").skip(1).filter(|rest| !rest.starts_with('0')).count();
    assert!(spills > 0, "{plan}");
    assert!(folder.path().read_dir().unwrap().next().is_none(), "spill files are deleted");
}
