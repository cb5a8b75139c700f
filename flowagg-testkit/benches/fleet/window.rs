//! The time during which a change by another process is lost: from the last byte of the last read of a document to the
//! first byte of the write that replaces it. Run by `cargo xtask bench window`.
//!
//! Each run is a separate process, like `flowagg apply`, because one-time initialization counts.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::aws::Made;
use crate::endpoint::Endpoint;
use crate::fleet::Size;

/// The documents of a bucket, by the suffix of their operations' names.
const DOCUMENTS: [&str; 2] = ["BucketPolicy", "BucketLifecycleConfiguration"];
/// Number of foreign statements in the live policy, about 7 KB.
const STATEMENTS: usize = 40;

/// Runs `apply` this many times on an existing bucket, and prints the windows.
pub(crate) fn measure(runs: usize) -> Result<(), Box<dyn std::error::Error>> {
    let size = Size { accounts: 1, regions: 1, vpcs: 1 };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("flowagg.toml");
    std::fs::write(&file, size.shape().fleet_file())?;
    let mut windows: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for _ in 0..runs {
        let endpoint = Endpoint::start_with_policy(&size, &live_policy())?;
        apply(endpoint.url(), &file)?;
        let calls = endpoint.calls();
        for document in DOCUMENTS {
            windows.entry(document).or_default().extend(of(document, &calls));
        }
    }
    println!(
        "from the last byte of the last read to the first byte of the write, {runs} runs of `flowagg apply`"
    );
    for (document, mut windows) in windows {
        windows.sort();
        let (Some(median), Some(longest)) = (windows.get(windows.len() / 2), windows.last()) else {
            continue;
        };
        let [median, longest] = [median, longest].map(|window| window.as_secs_f64() * 1e3);
        let writes = windows.len();
        println!("{document:30} {writes:4} writes   median {median:6.2} ms   maximum {longest:6.2} ms");
    }
    Ok(())
}

/// The windows of the writes of a document.
fn of(document: &str, calls: &[Made]) -> Vec<Duration> {
    let of_document = calls.iter().filter(|call| call.operation.ends_with(document));
    let of_document: Vec<&Made> = of_document.collect();
    let pairs = of_document.windows(2).filter_map(|pair| {
        let [read, write] = pair else { return None };
        let is_write = read.operation.starts_with("Get") && write.operation.starts_with("Put");
        let (read, write) = (read.on_wire()?, write.on_wire()?);
        is_write.then(|| write.from.saturating_duration_since(read.to))
    });
    pairs.collect()
}

/// Runs this program as `flowagg apply`.
fn apply(url: &str, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut command = Command::new(env::current_exe()?);
    let output = command.arg("--apply").arg(url).arg(file).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let written = [output.stdout, output.stderr].concat();
        return Err(
            format!("flowagg exited with {}:\n{}", output.status, String::from_utf8_lossy(&written)).into()
        );
    }
    Ok(())
}

fn live_policy() -> String {
    let statements = (0..STATEMENTS).map(|n| {
        format!(
            "{{\"Sid\":\"Reader{n}\",\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"arn:aws:iam::999988887777:root\"}},\
             \"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::acme-flow-logs/reader-{n}/*\"}}"
        )
    });
    let statements: Vec<String> = statements.collect();
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(","))
}
