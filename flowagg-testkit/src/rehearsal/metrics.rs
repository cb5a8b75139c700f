//! The metrics of a report, parsed by Prometheus's own client and compared with the JSON of the same report.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use super::RehearsalError;
use crate::emulator::tail;
use crate::world::World;

const WITH_PROMETHEUS: &str = include_str!("../../readers/with_prometheus.py");

/// Writes the metrics of a world, and returns the number of samples that Prometheus's client parses. Fails if they
/// differ from the report.
pub(super) async fn compare(world: &World, python: &Path) -> Result<usize, RehearsalError> {
    let path = world.fleet_path().with_file_name("flowagg.prom");
    let ran = world.flowagg(["report", "--json", "--metrics", &path.display().to_string()]).await?;
    let report: Value = serde_json::from_str(&ran.stdout).map_err(io::Error::other)?;
    let mut command = Command::new(python);
    let output = command.args(["-I", "-c", WITH_PROMETHEUS]).arg(&path).kill_on_drop(true).output().await?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let why = tail(&(printed.into_owned() + &String::from_utf8_lossy(&output.stderr)));
        return Err(RehearsalError::NotSo(format!("Prometheus's client rejects the metrics:\n{why}")));
    }
    let samples: Vec<Value> =
        printed.lines().map(serde_json::from_str).collect::<Result<_, _>>().map_err(io::Error::other)?;
    let mut found: BTreeMap<String, f64> = BTreeMap::new();
    for sample in &samples {
        let state = sample["labels"]["state"].as_str().map(|state| format!(" {state}")).unwrap_or_default();
        let name = format!("{}{state}", sample["name"].as_str().unwrap_or_default());
        *found.entry(name).or_default() += sample["value"].as_f64().unwrap_or(f64::NAN);
    }
    let totals = &report["totals"];
    let resources = &totals["coverage"]["resources"];
    let states = totals["flow-logs"].as_object().into_iter().flatten();
    let expected = [
        ("flowagg_resources".to_owned(), &resources["of"]),
        ("flowagg_resources_logged".to_owned(), &resources["count"]),
        ("flowagg_policy_bytes".to_owned(), &report["policy"]["bytes"]),
    ];
    let states = states.map(|(state, number)| (format!("flowagg_flow_logs {state}"), number));
    for (name, number) in expected.into_iter().chain(states) {
        if number.as_f64().is_none() || found.get(&name).copied() != number.as_f64() {
            let read = found.get(&name);
            return Err(RehearsalError::NotSo(format!(
                "{name} is {number} in the report, but Prometheus's client reads {read:?}"
            )));
        }
    }
    let success = found.get("flowagg_last_success_timestamp_seconds").copied().unwrap_or_default();
    if success < 1e9 {
        return Err(RehearsalError::NotSo(format!("the report is incomplete: {ran}")));
    }
    Ok(samples.len())
}
