//! The generated bucket: text files in three formats, and the expected results.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use flowagg_core::flow_log::{FileFormat, Files};
use flowagg_core::id::{AccountId, FlowLogId, Place, Region};
use flowagg_core::layout::{FileName, Layout};
use libdeflater::{CompressionLvl, Compressor};

use crate::questions::Question;

/// The size of the bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) objects: u64,
    /// Records per object.
    pub(crate) records: u64,
}

/// 2026-03-01T00:00:00Z.
const START: i64 = 1_772_323_200;
pub(crate) const ACCOUNTS: u64 = 50;
/// An address that occurs in few records.
pub(crate) const RARE: &str = "10.250.250.250";

/// The formats, which objects use in turn.
pub(crate) const HEADERS: [&str; 3] = [
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
    "bytes action account-id srcaddr dstaddr srcport dstport protocol start end log-status interface-id vpc-id subnet-id",
    "account-id vpc-id interface-id type srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport dstport protocol tcp-flags packets bytes \
     start end action log-status flow-direction",
];

/// The expected results, computed from the generated records.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    pub(crate) bytes_by_account: BTreeMap<String, i64>,
    /// The pairs with the most bytes.
    pub(crate) top_pairs: Vec<(String, String, i64)>,
    pub(crate) rare: i64,
    pub(crate) rejected: BTreeMap<(String, u16), i64>,
    pub(crate) of_first_account: i64,
}

/// The bucket as a local folder.
pub(crate) struct Bucket {
    pub(crate) root: PathBuf,
    size: Size,
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A record before it is formatted as text.
struct Flow {
    from: u32,
    to: u32,
    ports: [u16; 2],
    protocol: u8,
    packets: u64,
    bytes: u64,
    end: i64,
    is_rejected: bool,
    interface: u64,
}

pub(crate) fn account(number: u64) -> String {
    (100_000_000_000 + number * 1_111_111_111).to_string()
}

fn address(number: u32) -> String {
    std::net::Ipv4Addr::from_bits(number).to_string()
}

impl Bucket {
    pub(crate) fn new(root: &Path, size: Size) -> Self {
        Self { root: root.join(format!("{}x{}", size.objects, size.records)), size }
    }

    /// Generates the bucket, unless it exists.
    pub(crate) fn make(&self) {
        let done = self.root.join("done");
        if done.exists() {
            return;
        }
        let _ = fs::remove_dir_all(&self.root);
        let mut compressor = Compressor::new(CompressionLvl::new(6).unwrap());
        let mut text_bytes = 0;
        let mut stored = 0;
        let mut lists = [const { String::new() }; 3];
        for object in 0..self.size.objects {
            let text = self.text(object);
            text_bytes += text.len();
            let mut body = vec![0; compressor.gzip_compress_bound(text.len())];
            let length = compressor.gzip_compress(text.as_bytes(), &mut body).unwrap();
            body.truncate(length);
            stored += length;
            let path = self.root.join("bucket").join(self.key(object));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, body).unwrap();
            writeln!(lists[self.format(object)], "{}", path.display()).unwrap();
        }
        for (number, list) in lists.iter().enumerate() {
            fs::write(self.root.join(format!("format-{number}.txt")), format!("{}\n{list}", HEADERS[number]))
                .unwrap();
        }
        let truth = self.truth();
        for question in Question::ALL {
            let rows: Vec<String> = question.expected(&truth).iter().map(|row| row.join(" ")).collect();
            fs::write(self.answer(question), rows.join("\n")).unwrap();
        }
        fs::write(done, format!("{} {text_bytes} {stored}", self.size.objects * self.size.records)).unwrap();
    }

    fn answer(&self, question: Question) -> PathBuf {
        self.root.join(format!("answer-{}.txt", question.number()))
    }

    /// Compares the rows of an answer, with values separated by spaces, with the expected ones.
    pub(crate) fn check(&self, question: Question, rows: &[String]) {
        assert_eq!(rows.join("\n"), fs::read_to_string(self.answer(question)).unwrap(), "{question:?}");
    }

    /// The number of records, bytes of text, and compressed bytes.
    pub(crate) fn totals(&self) -> (u64, u64, u64) {
        let text = fs::read_to_string(self.root.join("done")).unwrap();
        let numbers: Vec<u64> = text.split(' ').map(|number| number.parse().unwrap()).collect();
        (numbers[0], numbers[1], numbers[2])
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        (0..self.size.objects).map(|object| self.root.join("bucket").join(self.key(object))).collect()
    }

    pub(crate) fn records_of_an_object(&self) -> u64 {
        self.size.records
    }

    pub(crate) fn objects_of_an_account(&self) -> u64 {
        self.size.objects / ACCOUNTS
    }

    fn format(&self, object: u64) -> usize {
        (object % 3) as usize
    }

    fn time(&self, object: u64) -> i64 {
        START + (object / ACCOUNTS) as i64 * 300
    }

    fn key(&self, object: u64) -> String {
        let place = Place::new(
            AccountId::parse(&account(object % ACCOUNTS)).unwrap(),
            &Region::parse("eu-west-1").unwrap(),
        );
        let time = jiff::Timestamp::from_second(self.time(object)).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
        let flow_log = FlowLogId::parse("fl-0a1b2c3d4e5f67890").unwrap();
        let mut name = FileName::new(place, flow_log, time.datetime(), format!("{object:08x}"));
        name.format = FileFormat::PlainText;
        Layout::new(None, Files::default()).key(&name)
    }

    fn flows(&self, object: u64) -> impl Iterator<Item = Flow> {
        let mut random = Random(object.wrapping_mul(0x51_7c_c1_b7_27_22_0a_95));
        let time = self.time(object);
        (0..self.size.records).map(move |record| {
            // 4,096 x 2,048 pairs, a few of which have far more bytes than the others.
            let is_heavy = random.below(200) == 0;
            let (from, to) = if is_heavy {
                let pair = random.below(12) as u32;
                (0x0a00_0001 + pair * 3, 0x0a80_0001 + pair * 7)
            } else {
                (0x0a10_0000 + random.below(4_096) as u32, 0xac1f_0000 + random.below(2_048) as u32)
            };
            let is_rare = record == 0 && object.is_multiple_of(10);
            let from = if is_rare { 0x0afa_fafa } else { from };
            let bytes =
                if is_heavy { 1_000_000 + random.below(9_000_000) } else { 40 + random.below(60_000) };
            Flow {
                from,
                to,
                ports: [
                    1_024 + random.below(64_000) as u16,
                    [22, 80, 443, 3_306, 5_432, 8_080][random.below(6) as usize],
                ],
                protocol: if random.below(8) == 0 { 17 } else { 6 },
                packets: 1 + bytes / 900,
                bytes,
                end: time + random.below(300) as i64,
                is_rejected: random.below(10) == 0,
                interface: random.below(16),
            }
        })
    }

    fn text(&self, object: u64) -> String {
        let format = self.format(object);
        let account = account(object % ACCOUNTS);
        let mut text = format!("{}\n", HEADERS[format]);
        for flow in self.flows(object) {
            let Flow { ports: [srcport, dstport], protocol, packets, bytes, end, .. } = flow;
            let (from, to, start) = (address(flow.from), address(flow.to), end - 60);
            let action = if flow.is_rejected { "REJECT" } else { "ACCEPT" };
            let interface = format!("eni-{:017x}", (object % ACCOUNTS) * 16 + flow.interface);
            let vpc = format!("vpc-{:017x}", object % ACCOUNTS);
            let subnet = format!("subnet-{:017x}", flow.interface % 3);
            let line = match format {
                0 => writeln!(
                    text,
                    "2 {account} {interface} {from} {to} {srcport} {dstport} {protocol} {packets} {bytes} {start} {end} {action} OK"
                ),
                1 => writeln!(
                    text,
                    "{bytes} {action} {account} {from} {to} {srcport} {dstport} {protocol} {start} {end} OK {interface} {vpc} {subnet}"
                ),
                _ => writeln!(
                    text,
                    "{account} {vpc} {interface} IPv4 {from} {to} {from} {to} {srcport} {dstport} {protocol} 18 {packets} {bytes} \
                     {start} {end} {action} OK ingress"
                ),
            };
            line.unwrap();
        }
        text
    }

    /// Computes the expected results from the generated records.
    fn truth(&self) -> Truth {
        let mut truth = Truth::default();
        let mut pairs = BTreeMap::<u64, i64>::new();
        for object in 0..self.size.objects {
            let account = account(object % ACCOUNTS);
            for flow in self.flows(object) {
                let bytes = flow.bytes as i64;
                *truth.bytes_by_account.entry(account.clone()).or_default() += bytes;
                // Only heavy pairs can be in the top 10.
                if flow.from < 0x0a10_0000 {
                    *pairs.entry(u64::from(flow.from) << 32 | u64::from(flow.to)).or_default() += bytes;
                }
                truth.rare += i64::from(address(flow.from) == RARE);
                if flow.is_rejected {
                    *truth.rejected.entry((account.clone(), flow.ports[1])).or_default() += 1;
                }
                truth.of_first_account += i64::from(object % ACCOUNTS == 0);
            }
        }
        let mut top: Vec<_> = pairs.into_iter().collect();
        top.sort_by_key(|(_, bytes)| -bytes);
        top.truncate(10);
        truth.top_pairs = top
            .into_iter()
            .map(|(pair, bytes)| (address((pair >> 32) as u32), address(pair as u32), bytes))
            .collect();
        truth
    }
}
