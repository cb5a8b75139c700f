//! A world as the documentation shows it, with readable names and nothing that differs between runs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use flowagg_core::id::{BucketName, FleetName};
use flowagg_testkit::world::World;
use jiff::civil::Date;
use regex_lite::{Captures, Regex};

/// The names that the documentation uses for the objects of a world, and vice versa.
///
/// The hub is 111122223333, and the accounts of the world are 222222222222, 333333333333 and so on, in the order of
/// creation. The bucket is `acme-flow-logs`, the organization `o-a1b2c3d4e5`, and the folder `/srv/fleet`. On paper,
/// IDs that AWS generates (VPCs, flow logs, keys, requests) are numbered in the order of their first occurrence and
/// keep their length. All dates are shifted so that the newest one in a text is 2026-11-23. Times of day, ages, hashes
/// and the size of an object are constant. Texts of two worlds with the same shape are therefore equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paper {
    /// Pairs of the name on paper and the name in the world.
    names: Vec<(String, String)>,
    /// The next number for each prefix of generated IDs.
    met: BTreeMap<String, u128>,
    /// Whether the names and times of the world are already those of the documentation.
    is_same: bool,
}

/// The hub account on paper, and the other accounts.
const HUB: &str = "111122223333";
const ACCOUNTS: [&str; 8] = [
    "222222222222",
    "333333333333",
    "444444444444",
    "555555555555",
    "666666666666",
    "777777777777",
    "888888888888",
    "999999999999",
];
const BUCKET: &str = "acme-flow-logs";
const ORGANIZATION: &str = "o-a1b2c3d4e5";
const FOLDER: &str = "/srv/fleet";
const ENDPOINT: &str = "http://127.0.0.1:4566";
/// The newest day of every text, the time of every timestamp, and the time in the names of delivered files.
const DAY: Date = Date::constant(2026, 11, 23);
const TIME: &str = "T09:20:00Z";
const DELIVERED: &str = "T0910Z";
/// Older dates are versions of AWS's policies and templates.
const OLDEST: i16 = 2020;
const AGE: &str = "40 s";
/// The size of an object in bytes.
const BYTES: u64 = 691;
/// The first number of an ID, of the end of a UUID, and of a hash.
const FIRST_ID: u128 = 0x0_1234_5678_9abc_def0;
const FIRST_UUID: (&str, u128) = ("1234abcd-12ab-34cd-56ef-", 0x1234_5678_90ab);
const FIRST_HASH: u128 = 0x0a1b_2c3d;

/// Values that differ between runs. An age is followed by `ago` or `old`, or is in a column before the number and size
/// of objects.
static VARYING: LazyLock<Regex> = LazyLock::new(|| {
    let parts = [
        r"(?<kind>(?:vpc|subnet|eni|fl|tgw|tgw-attach)-)(?<id>[0-9a-f]{8,17})",
        r"(?<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)",
        r"_(?<filed>20[0-9]{6})T[0-9]{4}Z_(?<hash>[0-9a-f]{8})",
        r"(?<date>\b20[0-9]{2}([-/])[0-9]{2}[-/][0-9]{2})(?:(?<time>T[0-9:]{8}(?:\.[0-9]+)?Z)|(?<hour>/[0-9]{2}/)|\b)",
        r"year=(?<year>[0-9]{4})/month=(?<month>[0-9]{2})/day=(?<day>[0-9]{2})(?<hives>/hour=[0-9]{2})?",
        r"\b[0-9]+ (?:s|min|h|days) (?<told>ago|old)\b",
        r"(?<column>  +[0-9]+ (?:s|min|h|days))(?<next>  +(?<row>[0-9]+))(?<held>  +[0-9]+(?:\.[0-9])? (?:B|KiB|MiB)\b)",
        r"\b(?<objects>[0-9]+)(?<are> objects?, )[0-9]+(?:\.[0-9])? (?:B|KiB|MiB)\b",
        r#"(?<seconds>"age-seconds": ?)[0-9]+"#,
        r"\b(?<size>[0-9]+(?:\.[0-9])?)(?<unit> (?:B|KiB|MiB))\b",
        r"(?<endpoint>http://127\.0\.0\.1:[0-9]+)",
    ];
    pattern(&parts.join("|"))
});
static DATES: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b20[0-9]{2}[-/][0-9]{2}[-/][0-9]{2}"));

static TOOK: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bin [0-9]+\.[0-9] s\b"));
const TAKEN: &str = "in 0.1 s";

#[allow(clippy::expect_used, reason = "the patterns are constants of this file, and tests use each of them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a regular expression")
}

impl Paper {
    /// The names for a world with its current accounts.
    pub(crate) fn of(world: &World) -> Self {
        let mut accounts: Vec<_> = world.accounts().values().map(|account| account.id).collect();
        accounts.retain(|account| *account != world.hub());
        accounts.sort();
        let file = world.fleet_path();
        let accounts = ACCOUNTS.iter().zip(accounts).map(|(paper, id)| ((*paper).to_owned(), id.to_string()));
        let rest = [
            (HUB, world.hub().to_string()),
            (ORGANIZATION, world.organization().to_string()),
            (FOLDER, file.parent().unwrap().display().to_string()),
        ];
        let rest = rest.into_iter().map(|(paper, name)| (paper.to_owned(), name));
        let mut paper = Self { names: rest.chain(accounts).collect(), ..Self::default() };
        paper.bucket(BUCKET, world.bucket());
        paper
    }

    /// For a world that is the same in each run: only durations are replaced.
    pub(crate) fn as_it_is() -> Self {
        Self { is_same: true, ..Self::default() }
    }

    /// Adds a bucket. Its name is also the name of a fleet, which Sids contain.
    pub(crate) fn bucket(&mut self, on_paper: &str, in_world: &BucketName) {
        self.name(on_paper, in_world);
        if let Ok(fleet) = FleetName::parse(on_paper) {
            self.name(&fleet.mark().to_string(), FleetName::default_for(in_world, None).mark());
        }
    }

    /// Adds a name, such as the ID of a flow log in the documentation.
    pub(crate) fn name(&mut self, on_paper: &str, in_world: impl ToString) {
        self.names.push((on_paper.to_owned(), in_world.to_string()));
    }

    /// Converts a text of the documentation, such as a command or a fleet file, for the world. IDs that [`on_paper`]
    /// has numbered are converted back.
    ///
    /// [`on_paper`]: Self::on_paper
    pub(crate) fn in_world(&self, text: &str) -> String {
        replaced(text, self.names.iter().map(|(paper, world)| (paper.as_str(), world.as_str())))
    }

    /// Converts a text from the world, such as the program's output, for the documentation.
    pub(crate) fn on_paper(&mut self, text: &str) -> String {
        if self.is_same {
            return TOOK.replace_all(text, TAKEN).into_owned();
        }
        let dates = DATES.find_iter(text).filter_map(|found| date(found.as_str()));
        let newest = dates.max().unwrap_or(DAY);
        let text = replaced(text, self.names.iter().map(|(paper, world)| (world.as_str(), paper.as_str())));
        VARYING.replace_all(&text, |found: &Captures<'_>| self.settled(found, newest)).into_owned()
    }

    /// The constant that replaces a value that differs between runs.
    fn settled(&mut self, found: &Captures<'_>, newest: Date) -> String {
        let group = |name| found.name(name).map_or("", |group| group.as_str());
        let whole = found.get(0).map_or("", |whole| whole.as_str());
        let moved = |text: &str| date(text).map(|date| date.saturating_add(DAY - newest));
        if !group("kind").is_empty() {
            let length = group("id").len();
            self.numbered(whole, group("kind"), FIRST_ID, |number| last(format!("{number:017x}"), length))
        } else if !group("uuid").is_empty() {
            self.numbered(whole, FIRST_UUID.0, FIRST_UUID.1, |number| format!("{number:012x}"))
        } else if !group("hash").is_empty() {
            let day = moved(group("filed")).unwrap_or(DAY).strftime("_%Y%m%d");
            let hash = group("hash");
            format!(
                "{day}{DELIVERED}_{}",
                self.numbered(hash, "", FIRST_HASH, |number| format!("{number:08x}"))
            )
        } else if !group("date").is_empty() {
            let Some(day) = moved(group("date")) else { return whole.to_owned() };
            let form = if group("date").contains('/') { "%Y/%m/%d" } else { "%Y-%m-%d" };
            let time = if group("time").is_empty() { "" } else { TIME };
            let hour = if group("hour").is_empty() { "" } else { "/09/" };
            format!("{}{time}{hour}", day.strftime(form))
        } else if !group("year").is_empty() {
            let day = moved(&["year", "month", "day"].map(group).join("-")).unwrap_or(DAY);
            let hour = if group("hives").is_empty() { "" } else { "/hour=09" };
            format!("{}{hour}", day.strftime("year=%Y/month=%m/day=%d"))
        } else if !group("told").is_empty() {
            format!("{AGE} {}", group("told"))
        } else if !group("column").is_empty() {
            let (column, held) = (group("column").len(), group("held").len());
            format!("{AGE:>column$}{}{:>held$}", group("next"), size(group("row")))
        } else if !group("objects").is_empty() {
            format!("{}{}{}", group("objects"), group("are"), size(group("objects")))
        } else if !group("seconds").is_empty() {
            format!("{}{}", group("seconds"), AGE.trim_end_matches(" s"))
        } else if !group("size").is_empty() {
            let mut digits = "1342".chars().cycle();
            let digit = |sign: char| if sign == '.' { Some(sign) } else { digits.next() };
            let size: String = group("size").chars().filter_map(digit).collect();
            format!("{size}{}", group("unit"))
        } else {
            ENDPOINT.to_owned()
        }
    }

    /// The number of an ID on paper, or the next free number for a new one.
    fn numbered(&mut self, id: &str, kind: &str, first: u128, shown: impl Fn(u128) -> String) -> String {
        if let Some((paper, _)) = self.names.iter().find(|(paper, world)| paper == id || world == id) {
            return paper.clone();
        }
        let number = self.met.entry(kind.to_owned()).or_insert(first);
        let name = loop {
            let name = format!("{kind}{}", shown(*number));
            *number += 1;
            if self.names.iter().all(|(paper, _)| *paper != name) {
                break name;
            }
        };
        self.names.push((name.clone(), id.to_owned()));
        name
    }
}

/// The total size of this many objects, formatted as the program does.
fn size(objects: &str) -> String {
    let bytes = objects.parse().unwrap_or(0) * BYTES;
    if bytes < 1024 {
        format!("{bytes} B")
    } else {
        format!("{}.{} KiB", bytes / 1024, bytes * 10 / 1024 % 10)
    }
}

/// Parses a date with or without separators. Dates that are versions of AWS's documents are ignored.
fn date(text: &str) -> Option<Date> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    Date::strptime("%Y%m%d", digits).ok().filter(|date| date.year() >= OLDEST)
}

fn last(text: String, length: usize) -> String {
    text.chars().skip(text.len().saturating_sub(length)).collect()
}

/// Replaces each name with the other one, the longest first. Replacements are not replaced again.
fn replaced<'a>(text: &str, names: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match names.iter().find_map(|(name, other)| Some((other, rest.strip_prefix(name)?))) {
            Some((other, after)) => {
                made.push_str(other);
                signs = after.chars();
            }
            None => made.push(sign),
        }
        rest = signs.as_str();
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A world of one account, without an emulator.
    fn paper(hub: &str, account: &str, bucket: &str) -> Paper {
        let names = [(HUB, hub), (ACCOUNTS[0], account), (BUCKET, bucket), (FOLDER, "/var/x")];
        let names = names.map(|(paper, world)| (paper.to_owned(), world.to_owned())).to_vec();
        Paper { names, ..Paper::default() }
    }

    #[track_caller]
    fn check(on_paper: &str, captures: [&str; 2]) {
        for (text, names) in captures.into_iter().zip([
            ["700000000001", "700000000777", "x0123456789abc"],
            ["123456789012", "999988887777", "qqqqqqqqqqqqqq"],
        ]) {
            let [hub, account, bucket] = names;
            let text = text.replace("HUB", hub).replace("ACCOUNT", account).replace("BUCKET", bucket);
            assert_eq!(paper(hub, account, bucket).on_paper(&text), on_paper);
        }
    }

    #[test]
    fn verify_output_of_two_worlds_is_equal_on_paper() {
        check(
            "  + delivering  222222222222  fl-0123456789abcdef0  40 s ago\n      AWSLogs/222222222222/vpcflowlogs/\
             eu-west-1/2026/11/23/222222222222_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_20261123T0910Z_0a1b2c3d.log.gz\n",
            [
                "  + delivering  ACCOUNT  fl-c29fb6bfa9985ab38  1 s ago\n      AWSLogs/ACCOUNT/vpcflowlogs/\
                 eu-west-1/2027/01/31/ACCOUNT_vpcflowlogs_eu-west-1_fl-c29fb6bfa9985ab38_20270131T1820Z_0feb567d.log.gz\n",
                "  + delivering  ACCOUNT  fl-00000000000000001  119 s ago\n      AWSLogs/ACCOUNT/vpcflowlogs/\
                 eu-west-1/2026/12/01/ACCOUNT_vpcflowlogs_eu-west-1_fl-00000000000000001_20261201T0005Z_ffffffff.log.gz\n",
            ],
        );
    }

    #[test]
    fn report_of_two_worlds_is_equal_on_paper_with_aligned_columns() {
        check(
            "report 111122223333 acme-flow-logs  2026-11-23T09:20:00Z\n2 objects, 1.3 KiB in 7 days; newest object: 40 s old\n\
             days 2026-11-17 to 2026-11-23 (UTC)\n  ......*    40 s       2    1.3 KiB\n(134 B)\n",
            [
                "report HUB BUCKET  2026-11-23T18:29:38.5Z\n2 objects, 1.2 KiB in 7 days; newest object: 7 s old\n\
                 days 2026-11-17 to 2026-11-23 (UTC)\n  ......*     1 s       2    1.3 KiB\n(691 B)\n",
                "report HUB BUCKET  2028-02-29T00:00:00Z\n2 objects, 1.4 KiB in 7 days; newest object: 3 min old\n\
                 days 2028-02-23 to 2028-02-29 (UTC)\n  ......*   3 min       2    1.4 KiB\n(702 B)\n",
            ],
        );
    }

    #[test]
    fn generated_values_are_equal_on_paper_and_versions_are_kept() {
        check(
            "/2026/11/23/09/ year=2026/month=11/day=22/hour=09 2012-10-17 arn:aws:kms:eu-west-1:111122223333:key/\
             1234abcd-12ab-34cd-56ef-1234567890ab, request 1234abcd-12ab-34cd-56ef-1234567890ac, again \
             1234abcd-12ab-34cd-56ef-1234567890ab; /srv/fleet/a at http://127.0.0.1:4566; \"age-seconds\": 40, subnet-9abcdef0",
            [
                "/2026/10/01/23/ year=2026/month=09/day=30/hour=00 2012-10-17 arn:aws:kms:eu-west-1:HUB:key/\
                 00000000-12ab-34cd-56ef-000000000000, request aaaaaaaa-12ab-34cd-56ef-1234567890ab, again \
                 00000000-12ab-34cd-56ef-000000000000; /var/x/a at http://127.0.0.1:80; \"age-seconds\": 7, subnet-00000000",
                "/2026/11/23/01/ year=2026/month=11/day=22/hour=22 2012-10-17 arn:aws:kms:eu-west-1:HUB:key/\
                 bbbbbbbb-12ab-34cd-56ef-000000000000, request cccccccc-12ab-34cd-56ef-1234567890ab, again \
                 bbbbbbbb-12ab-34cd-56ef-000000000000; /var/x/a at http://127.0.0.1:65535; \"age-seconds\": 4000, subnet-abcdabcd",
            ],
        );
    }

    #[test]
    fn ids_on_paper_convert_back_and_given_names_are_kept() {
        let mut paper = paper("700000000001", "700000000777", "bucket-of-mine");
        paper.name("fl-0123456789abcdef0", "fl-aaaaaaaaaaaaaaaaa");
        let told = paper.on_paper("fl-bbbbbbbbbbbbbbbbb fl-aaaaaaaaaaaaaaaaa fl-bbbbbbbbbbbbbbbbb");
        assert_eq!(told, "fl-0123456789abcdef1 fl-0123456789abcdef0 fl-0123456789abcdef1");
        assert_eq!(
            paper.in_world("111122223333 s3://acme-flow-logs/ fl-0123456789abcdef1 fl-0123456789abcdef7"),
            "700000000001 s3://bucket-of-mine/ fl-bbbbbbbbbbbbbbbbb fl-0123456789abcdef7"
        );
    }
}
