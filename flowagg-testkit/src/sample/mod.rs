//! A copy of a bucket with two days of a small company's flow logs, always the same. The documentation queries it.
//!
//! Three accounts have one VPC each in `eu-west-1`. The first day is normal but expensive: two accounts read from
//! Amazon S3 through their NAT gateways. On the second day `shop` has a gateway endpoint, and an attacker from the
//! internet gets into a host of `payments`.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let objects = flowagg_testkit::sample::write("acme-flow-logs".as_ref())?;
//! # Ok(())
//! # }
//! ```

mod network;
mod record;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use flowagg_core::flow_log::{FileFormat, Files};
use flowagg_core::id::{FlowLogId, Place, Region};
use flowagg_core::layout::{FileName, Layout};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use self::network::flows;
use self::record::{FIELDS, Record};
use crate::delivery::recording::LEVEL;

/// The first of the two days, in UTC.
pub const FIRST_DAY: Date = date(2026, 11, 17);

const REGION: &str = "eu-west-1";

/// Writes the objects to a folder, below `AWSLogs/`, and returns their number. Existing files of the same names are
/// overwritten.
pub fn write(folder: &Path) -> io::Result<usize> {
    let region = Region::parse(REGION).map_err(io::Error::other)?;
    let layout = Layout::new(None, Files::new(FileFormat::PlainText));
    let midnight = FIRST_DAY.to_zoned(TimeZone::UTC).map_err(io::Error::other)?.timestamp().as_second();
    let mut objects = BTreeMap::<_, String>::new();
    for flow in flows() {
        for record in Record::of(&flow, midnight) {
            let object =
                objects.entry((record.account(), flow.hour)).or_insert_with(|| FIELDS.join(" ") + "\n");
            *object += &record.line();
        }
    }
    for ((account, hour), text) in &objects {
        let place = Place::new(account.parse().map_err(io::Error::other)?, &region);
        let flow_log = FlowLogId::parse(network::flow_log(account)).map_err(io::Error::other)?;
        // The time in the name of a file is the end of its interval.
        let end = FIRST_DAY.at(0, 0, 0, 0).saturating_add(jiff::Span::new().hours(hour + 1));
        let name = FileName::new(place, flow_log, end, format!("{:08x}", 0x0a1b_2c3d + hour));
        let path = folder.join(layout.key(&name));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
        encoder.write_all(text.as_bytes())?;
        fs::write(path, encoder.finish()?)?;
    }
    Ok(objects.len())
}

#[cfg(test)]
mod tests {
    use super::network::HOURS;
    use super::*;

    #[test]
    fn accounts_have_an_object_for_every_hour() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(write(folder.path()).unwrap(), 3 * usize::try_from(HOURS).unwrap());
        let first = "AWSLogs/222222222222/vpcflowlogs/eu-west-1/2026/11/17/\
                     222222222222_vpcflowlogs_eu-west-1_fl-0222222222222222a_20261117T0100Z_0a1b2c3d.log.gz";
        assert!(folder.path().join(first).is_file());
    }
}
