//! What each query must say, counted from the traffic itself: not from files, and without SQL.

use std::collections::{BTreeMap, BTreeSet};

/// What the queries ask of a record, as a flow log's format.
pub(super) const FORMAT: &str = "${interface-id} ${start} ${end} ${flow-direction} ${srcaddr} ${pkt-srcaddr} ${srcport} \
                                 ${dstaddr} ${pkt-dstaddr} ${dstport} ${protocol} ${tcp-flags} ${action} ${packets} ${bytes} \
                                 ${log-status}";
/// Those of them that the default format does not have.
const OF_LATER_VERSIONS: [&str; 4] = ["flow-direction", "pkt-srcaddr", "pkt-dstaddr", "tcp-flags"];
/// The ports at which `unexpected-ports` expects traffic.
const PORTS: [u64; 4] = [53, 80, 123, 443];

/// A record that was delivered.
pub(super) struct Told {
    /// The account in whose folder it lies.
    pub(super) account: String,
    /// The region.
    pub(super) region: String,
    /// The day of its folder, as in `2026-03-01`.
    pub(super) day: String,
    /// Its values, in the order of [`FORMAT`].
    pub(super) values: Vec<String>,
}

impl Told {
    fn text(&self, field: &str) -> &str {
        let fields = FORMAT.split_whitespace();
        let at = fields.map(|word| word.trim_matches(['$', '{', '}'])).position(|name| name == field);
        at.and_then(|at| self.values.get(at)).map_or("", String::as_str)
    }

    fn number(&self, field: &str) -> Option<u64> {
        self.text(field).parse().ok()
    }

    /// Source and destination: of the packets where those are recorded.
    fn ends(&self, has_fields: bool) -> [String; 2] {
        let fields = if has_fields { ["pkt-srcaddr", "pkt-dstaddr"] } else { ["srcaddr", "dstaddr"] };
        fields.map(|field| self.text(field).to_owned())
    }
}

/// Sums of bytes and packets, and records.
#[derive(Clone, Copy, Default)]
struct Sums {
    bytes: u64,
    packets: u64,
    records: u64,
}

impl Sums {
    fn words(self) -> [String; 3] {
        [self.bytes, self.packets, self.records].map(|number| number.to_string())
    }
}

/// Records, and whether they have all fields up to version 5.
pub(super) struct Expected<'a> {
    pub(super) told: &'a [Told],
    pub(super) has_fields: bool,
}

impl Expected<'_> {
    /// The rows of a query by its name; `None` where there is no such query.
    pub(super) fn rows(&self, query: &str) -> Option<Vec<Vec<String>>> {
        Some(match query {
            "top-talkers" => self.top_talkers(),
            "rejected-by-account" => self.rejected(),
            "between-accounts" => self.between_accounts(),
            "interface" => self.interface(&self.busiest()),
            "bytes-per-day" => self.bytes_per_day(|_| true),
            "unexpected-ports" => self.unexpected_ports(),
            _ => return None,
        })
    }

    fn sums<K: Ord>(&self, counts: impl Fn(&Told) -> bool, key: impl Fn(&Told) -> K) -> BTreeMap<K, Sums> {
        let mut sums = BTreeMap::new();
        for told in self.told.iter().filter(|told| counts(told)) {
            let sum: &mut Sums = sums.entry(key(told)).or_default();
            sum.bytes += told.number("bytes").unwrap_or_default();
            sum.packets += told.number("packets").unwrap_or_default();
            sum.records += 1;
        }
        sums
    }

    fn top_talkers(&self) -> Vec<Vec<String>> {
        let sums = self.sums(has_bytes, |told| told.ends(self.has_fields));
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.bytes));
        sums.truncate(100);
        sums.into_iter().map(|(ends, sum)| ends.into_iter().chain(sum.words()).collect()).collect()
    }

    fn rejected(&self) -> Vec<Vec<String>> {
        let sums = self
            .sums(|told| told.text("action") == "REJECT", |told| [told.account.clone(), told.region.clone()]);
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.records));
        sums.into_iter().map(|(place, sum)| place.into_iter().chain(sum.words()).collect()).collect()
    }

    fn between_accounts(&self) -> Vec<Vec<String>> {
        let flow = |told: &Told| {
            let numbers = ["srcport", "dstport", "protocol"].map(|field| told.number(field));
            (told.ends(self.has_fields), numbers)
        };
        let sums = self.sums(has_bytes, |told| (flow(told), told.account.clone()));
        let mut flows: BTreeMap<_, Vec<(String, u64)>> = BTreeMap::new();
        for ((flow, account), sum) in sums {
            flows.entry(flow).or_default().push((account, sum.bytes));
        }
        let mut pairs: BTreeMap<[String; 2], [u64; 3]> = BTreeMap::new();
        // The accounts of a flow come in order.
        for seen in flows.into_values() {
            for (n, (account, bytes)) in seen.iter().enumerate() {
                for (other, at_other) in &seen[n + 1..] {
                    let pair = pairs.entry([account.clone(), other.clone()]).or_default();
                    *pair = [pair[0] + bytes, pair[1] + at_other, pair[2] + 1];
                }
            }
        }
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(_, numbers)| std::cmp::Reverse(numbers[0]));
        let words = |numbers: [u64; 3]| numbers.map(|number| number.to_string());
        pairs.into_iter().map(|(pair, numbers)| pair.into_iter().chain(words(numbers)).collect()).collect()
    }

    /// The interface with the most bytes.
    pub(super) fn busiest(&self) -> String {
        let sums = self.sums(has_bytes, |told| told.text("interface-id").to_owned());
        // Of several with as many, the first.
        let most = sums.iter().rev().max_by_key(|(_, sum)| sum.bytes);
        most.map(|(interface, _)| interface.clone()).unwrap_or_default()
    }

    /// Another interface: the first by its id.
    pub(super) fn another(&self) -> String {
        let busiest = self.busiest();
        let all: BTreeSet<&str> = self.told.iter().map(|told| told.text("interface-id")).collect();
        all.into_iter().find(|id| *id != busiest && *id != "-").unwrap_or_default().to_owned()
    }

    pub(super) fn interface(&self, id: &str) -> Vec<Vec<String>> {
        let fields: Vec<&str> =
            FORMAT.split_whitespace().map(|word| word.trim_matches(['$', '{', '}'])).collect();
        let is_recorded = |field: &&&str| self.has_fields || !OF_LATER_VERSIONS.contains(field);
        let row = |told: &Told| {
            let value = |field: &&str| match *field {
                "start" | "end" => moment(told.text(field)),
                field => told.text(field).to_owned(),
            };
            [told.account.clone()].into_iter().chain(fields.iter().filter(is_recorded).map(value)).collect()
        };
        self.told.iter().filter(|told| told.text("interface-id") == id).map(row).collect()
    }

    /// Of the accounts that are asked for.
    pub(super) fn bytes_per_day(&self, is_asked: impl Fn(&Told) -> bool) -> Vec<Vec<String>> {
        let sums = self
            .sums(|told| has_bytes(told) && is_asked(told), |told| [told.account.clone(), told.day.clone()]);
        sums.into_iter().map(|(place, sum)| place.into_iter().chain(sum.words()).collect()).collect()
    }

    fn unexpected_ports(&self) -> Vec<Vec<String>> {
        let port = |told: &Told| told.number("dstport").unwrap_or_default();
        let is_asked = |told: &Told| {
            has_bytes(told)
                && matches!(told.number("protocol"), Some(6 | 17))
                && port(told) < 32_768.min(told.number("srcport").unwrap_or_default())
                && !PORTS.contains(&port(told))
                && told.text("action") == "ACCEPT"
        };
        let place = |told: &Told| (told.account.clone(), port(told), told.number("protocol"));
        let mut sources: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for told in self.told.iter().filter(|told| is_asked(told)) {
            let [source, _] = told.ends(self.has_fields);
            sources.entry(place(told)).or_default().insert(source);
        }
        let mut sums: Vec<_> = self.sums(is_asked, place).into_iter().collect();
        sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.bytes));
        let row = |(place, sum): ((String, u64, Option<u64>), Sums)| {
            let sources = sources.get(&place).map_or(0, BTreeSet::len).to_string();
            let (account, port, protocol) = place;
            let words = [account, port.to_string(), protocol.unwrap_or_default().to_string()];
            words.into_iter().chain(sum.words()).chain([sources]).collect()
        };
        sums.into_iter().take(100).map(row).collect()
    }
}

fn has_bytes(told: &Told) -> bool {
    told.number("bytes").is_some()
}

/// Unix seconds as people read them.
fn moment(seconds: &str) -> String {
    let moment = seconds.parse().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    moment.map(|moment| moment.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}
