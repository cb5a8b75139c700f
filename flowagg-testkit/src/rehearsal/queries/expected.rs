//! The expected answers, computed from the traffic itself: not from files, and without SQL.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::question::Question;
use jiff::Timestamp;

use super::engines::Rows;

/// The fields that the questions read, as a flow log's format.
pub(super) const FORMAT: &str = "${interface-id} ${start} ${end} ${flow-direction} ${srcaddr} ${pkt-srcaddr} ${srcport} \
                                 ${dstaddr} ${pkt-dstaddr} ${dstport} ${protocol} ${action} ${bytes} ${log-status}";

/// A delivered record.
pub(super) struct Told {
    /// The account of its folder.
    pub(super) account: String,
    /// The region of its folder.
    pub(super) region: String,
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

    /// Whether it has bytes and was not rejected.
    fn counts(&self) -> bool {
        self.number("bytes").is_some() && self.text("action") != "REJECT"
    }

    fn port(&self) -> String {
        let ports = ["srcport", "dstport"].map(|field| self.number(field).unwrap_or_default());
        ports.into_iter().min().unwrap_or_default().to_string()
    }
}

/// The values that identify a row; `None` is null.
type Key = Vec<Option<String>>;

/// Records, and whether they have all fields up to version 5.
pub(super) struct Expected<'a> {
    pub(super) told: &'a [Told],
    pub(super) has_fields: bool,
}

impl<'a> Expected<'a> {
    /// The rows of a question; `None` if this module does not compute them.
    pub(super) fn rows(&self, line: &[String]) -> Option<Rows> {
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        Some(match words.as_slice() {
            ["pairs"] => self.pairs(),
            ["rejected"] => self.rejected(),
            ["interface", id] => self.interface(id),
            ["between-accounts"] => self.between_accounts(),
            ["by-day"] => self.by_day(10, |_| true),
            ["by-day", "hour"] => self.by_day(13, |_| true),
            ["by-day", "--only", account, "--only", region] => {
                self.by_day(10, |told| told.account == *account && told.region == *region)
            }
            _ => return None,
        })
    }

    /// Groups records by key, in the order of the keys, nulls last.
    fn groups(
        &self,
        counts: impl Fn(&Told) -> bool,
        key: impl Fn(&Told) -> Key,
    ) -> Vec<(Key, Vec<&'a Told>)> {
        let mut groups: BTreeMap<Vec<(bool, Option<String>)>, Vec<&Told>> = BTreeMap::new();
        for told in self.told.iter().filter(|told| counts(told)) {
            let key = key(told).into_iter().map(|value| (value.is_none(), value)).collect();
            groups.entry(key).or_default().push(told);
        }
        let without_mark =
            |key: Vec<(bool, Option<String>)>| key.into_iter().map(|(_, value)| value).collect();
        groups.into_iter().map(|(key, told)| (without_mark(key), told)).collect()
    }

    fn direction(&self, told: &Told) -> Option<String> {
        self.has_fields.then(|| told.text("flow-direction").to_owned())
    }

    /// Source and destination; those of the packets if recorded.
    fn ends(&self, told: &Told) -> [Option<String>; 2] {
        let fields = if self.has_fields { ["pkt-srcaddr", "pkt-dstaddr"] } else { ["srcaddr", "dstaddr"] };
        fields.map(|field| Some(told.text(field).to_owned()))
    }

    /// The larger of the bytes sent and the bytes received.
    fn once(&self, told: &[&Told]) -> u64 {
        let sum = |direction: &str| {
            sum(told.iter().copied().filter(|told| told.text("flow-direction") == direction))
        };
        if self.has_fields { sum("egress").max(sum("ingress")) } else { total(told) }
    }

    fn pairs(&self) -> Rows {
        let ends =
            |told: &Told| ["srcaddr", "dstaddr"].map(|field| Some(told.text(field).to_owned())).to_vec();
        let groups = self.groups(Told::counts, ends).into_iter();
        let mut rows: Vec<(Key, u64)> = groups.map(|(key, told)| (key, self.once(&told))).collect();
        rows.sort_by_key(|(_, bytes)| Reverse(*bytes));
        rows.truncate(Question::ROWS);
        let mark = Some((!self.has_fields).to_string());
        rows.into_iter()
            .map(|(key, bytes)| [key, vec![Some(bytes.to_string()), mark.clone()]].concat())
            .collect()
    }

    fn rejected(&self) -> Rows {
        let groups = self.groups(
            |told| told.text("action") == "REJECT",
            |told| {
                let [source, destination] = self.ends(told);
                let text = |field| Some(told.text(field).to_owned());
                let start = [
                    Some(told.account.clone()),
                    text("interface-id"),
                    self.direction(told),
                    source,
                    destination,
                ];
                [start.to_vec(), vec![text("protocol"), text("dstport"), None]].concat()
            },
        );
        let mut rows: Vec<(Key, Vec<&Told>)> = groups;
        rows.sort_by_key(|(_, told)| Reverse(told.len()));
        rows.truncate(Question::ROWS);
        let row =
            |(key, told): (Key, Vec<&Told>)| [key, vec![Some(told.len().to_string())], seen(&told)].concat();
        rows.into_iter().map(row).collect()
    }

    fn interface(&self, id: &str) -> Rows {
        let groups = self.groups(
            |told| told.text("interface-id") == id && told.number("bytes").is_some(),
            |told| {
                let [source, destination] = self.ends(told);
                let text = |field| Some(told.text(field).to_owned());
                vec![
                    text("interface-id"),
                    self.direction(told),
                    source,
                    destination,
                    text("protocol"),
                    Some(format!("{:0>5}", told.port())),
                    text("action"),
                ]
            },
        );
        let mut rows = groups;
        rows.sort_by_key(|(_, told)| Reverse(total(told)));
        rows.truncate(Question::ROWS);
        let row = |(mut key, told): (Key, Vec<&Told>)| {
            key[5] = told.first().map(|told| told.port());
            [key, vec![Some(total(&told).to_string()), Some(told.len().to_string())], seen(&told)].concat()
        };
        rows.into_iter().map(row).collect()
    }

    fn between_accounts(&self) -> Rows {
        const FLOW: [&str; 5] = ["srcaddr", "dstaddr", "srcport", "dstport", "protocol"];
        let flow = |told: &Told| FLOW.map(|field| Some(told.text(field).to_owned())).to_vec();
        let mut pairs: BTreeMap<Vec<String>, (u64, usize)> = BTreeMap::new();
        for (_, told) in self.groups(Told::counts, flow) {
            let accounts: BTreeSet<&String> = told.iter().map(|told| &told.account).collect();
            if accounts.len() != 2 {
                continue;
            }
            let of = |account: &String| {
                let told: Vec<&Told> = told.iter().copied().filter(|told| told.account == *account).collect();
                self.once(&told)
            };
            let bytes = accounts.iter().map(|account| of(account)).max().unwrap_or_default();
            let pair = pairs.entry(accounts.into_iter().cloned().collect()).or_default();
            (pair.0, pair.1) = (pair.0 + bytes, pair.1 + 1);
        }
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(_, (bytes, _))| Reverse(*bytes));
        let row = |(pair, (bytes, flows)): (Vec<String>, (u64, usize))| {
            pair.into_iter().chain([bytes.to_string(), flows.to_string()]).map(Some).collect()
        };
        pairs.into_iter().map(row).collect()
    }

    fn by_day(&self, length: usize, is_asked: impl Fn(&Told) -> bool) -> Rows {
        let period = |told: &Told| time(told.number("end")).chars().take(length).collect();
        let groups = self.groups(
            |told| told.counts() && is_asked(told),
            |told| vec![Some(told.account.clone()), Some(period(told))],
        );
        let row = |(key, told): &(Key, Vec<&Told>)| {
            let directed = |direction: &str| {
                let sent = sum(told.iter().copied().filter(|told| told.text("flow-direction") == direction));
                self.has_fields.then(|| sent.to_string())
            };
            let undirected = (!self.has_fields).then(|| total(told).to_string());
            let all: Vec<u64> =
                groups.iter().filter(|(other, _)| other[0] == key[0]).map(|(_, told)| total(told)).collect();
            #[allow(clippy::cast_precision_loss, reason = "percentages are rounded")]
            let percent = 100.0 * total(told) as f64 * all.len() as f64 / all.iter().sum::<u64>() as f64;
            let rest = [
                directed("egress"),
                directed("ingress"),
                undirected,
                Some(format!("{:.0}", percent.round())),
            ];
            [key.clone(), rest.to_vec(), vec![Some((!self.has_fields).to_string())]].concat()
        };
        groups.iter().map(row).collect()
    }

    /// The interface with the most bytes.
    pub(super) fn busiest(&self) -> String {
        let groups = self.groups(Told::counts, |told| vec![Some(told.text("interface-id").to_owned())]);
        let most = groups.iter().max_by_key(|(_, told)| total(told));
        most.and_then(|(key, _)| key[0].clone()).unwrap_or_default()
    }

    /// An address of the busiest interface.
    pub(super) fn address(&self) -> String {
        let busiest = self.busiest();
        let told = self.told.iter().find(|told| told.counts() && told.text("interface-id") == busiest);
        told.map(|told| told.text("srcaddr").to_owned()).unwrap_or_default()
    }
}

fn sum<'a>(told: impl Iterator<Item = &'a Told>) -> u64 {
    told.filter_map(|told| told.number("bytes")).sum()
}

fn total(told: &[&Told]) -> u64 {
    sum(told.iter().copied())
}

/// The first and the last time of these records.
fn seen(told: &[&Told]) -> Vec<Option<String>> {
    let first = told.iter().filter_map(|told| told.number("start")).min();
    let last = told.iter().filter_map(|told| told.number("end")).max();
    vec![Some(time(first)), Some(time(last))]
}

/// Formats Unix seconds as a timestamp.
fn time(seconds: Option<u64>) -> String {
    let time = seconds.and_then(|seconds| Timestamp::from_second(i64::try_from(seconds).ok()?).ok());
    time.map(|time| time.to_string()).unwrap_or_default()
}
