//! Writes a [`FleetFile`] as the text of `flowagg.toml`: only values that differ from the default, in the order of the reference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use toml_writer::{ToTomlKey, ToTomlValue, TomlKeyBuilder, TomlStringBuilder};

use super::{
    Choice, Encryption, Exception, Filter, FleetFile, Hub, Organization, PolicySettings, Regions, Selection,
};
use crate::cost::{Prices, Usd};
use crate::flow_log::{FieldSet, FlowLogSpec};
use crate::id::{AccountId, ResourceKind, RoleName};
use crate::lifecycle::{Lifecycle, Retention};
use crate::text::one_line;

/// A list that makes a line longer than this, in characters, is written with one item per line.
const LONGEST_LINE: usize = 100;

/// A part of a fleet file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The whole file.
    File,
    /// `[hub]`
    Hub,
    /// `[flow-logs]`
    FlowLogs,
    /// `[policy]`
    Policy,
    /// `[organization]`
    Organization,
    /// The `[[members]]` table of an account, or the whole file if it has no table for it.
    Member(AccountId),
}

/// A comment in a fleet file, on one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Remark {
    /// The part that it is about. The comment is written directly under the table header.
    pub about: Part,
    /// The text. Line breaks and control characters become spaces.
    pub text: String,
}

impl Remark {
    /// A comment on this part.
    pub fn new(about: Part, text: impl Into<String>) -> Self {
        Self { about, text: text.into() }
    }
}

impl FleetFile {
    /// The text of the file with these comments. [`FleetFile::parse`] returns the same value for it.
    ///
    /// Values that a fleet file cannot express, such as a lifecycle without `abort_uploads_days`, are omitted.
    pub fn to_toml(&self, remarks: &[Remark]) -> String {
        let Self {
            declared_name,
            read_role,
            external_id,
            hub,
            members,
            flow_logs,
            policy,
            organization,
            exceptions,
            prices,
        } = self;
        let mut by_part: BTreeMap<Part, Vec<&Remark>> = BTreeMap::new();
        for remark in remarks {
            by_part.entry(remark.about).or_default().push(remark);
        }
        let about = |part: Part| by_part.get(&part).into_iter().flatten().copied();
        let mut of_fleet = Lines::default();
        of_fleet.perhaps("name", declared_name.as_ref().map(quoted));
        of_fleet.perhaps("read-role", read_role.as_ref().map(quoted));
        of_fleet.perhaps("external-id", external_id.as_ref().map(quoted));
        let mut tables = vec![
            Table::of("[fleet]", std::iter::empty(), of_fleet),
            Table::of("[hub]", about(Part::Hub), hub_lines(hub)),
            Table::of("[flow-logs]", about(Part::FlowLogs), flow_log_lines(flow_logs)),
            Table::of("[policy]", about(Part::Policy), policy_lines(policy)),
        ];
        let of_organization = organization.as_ref().map(organization_lines).unwrap_or_default();
        tables.push(Table::of("[organization]", about(Part::Organization), of_organization));
        tables.extend(members.values().map(|member| {
            let mut lines = Lines::default();
            lines.put("account", quoted(member.account));
            lines.perhaps("name", member.name.as_ref().map(quoted));
            lines.put("regions", regions(&member.regions));
            lines.account(&member.role, &member.resources);
            Table::of("[[members]]", about(Part::Member(member.account)), lines)
        }));
        tables.insert(4, Table::of("[prices]", std::iter::empty(), price_lines(prices)));
        tables.extend(
            exceptions
                .iter()
                .map(|exception| Table::of("[[exceptions]]", std::iter::empty(), exception_lines(exception))),
        );
        let of_file = remarks.iter().filter(|remark| match remark.about {
            Part::File => true,
            Part::Member(account) => !members.contains_key(&account),
            _ => false,
        });
        let head: String = of_file.map(comment).collect();
        let tables: Vec<String> = tables.iter().filter_map(Table::text).collect();
        let gap = if head.is_empty() { "" } else { "\n" };
        format!("{head}{gap}{}", tables.join("\n"))
    }
}

/// A table of the file.
struct Table {
    head: &'static str,
    comments: String,
    lines: Lines,
}

impl Table {
    fn of<'a>(head: &'static str, remarks: impl Iterator<Item = &'a Remark>, lines: Lines) -> Self {
        Self { head, comments: remarks.map(comment).collect(), lines }
    }

    /// `None` if it is empty.
    fn text(&self) -> Option<String> {
        let Self { head, comments, lines: Lines(lines) } = self;
        let is_empty = comments.is_empty() && lines.is_empty();
        (!is_empty).then(|| format!("{head}\n{comments}{lines}"))
    }
}

fn comment(remark: &Remark) -> String {
    format!("# {}\n", one_line(&remark.text))
}

/// Keys with their values, one per line.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, key: &str, value: impl Display) {
        self.0.push_str(&format!("{key} = {value}\n"));
    }

    fn perhaps(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// Writes a value that differs from the default.
    fn word<T: PartialEq + Default + Copy>(&mut self, key: &str, value: T, word: fn(T) -> &'static str) {
        self.perhaps(key, (value != T::default()).then(|| quoted(word(value))));
    }

    fn flag(&mut self, key: &str, value: bool, default: bool) {
        self.perhaps(key, (value != default).then_some(value));
    }

    fn names<T: Display>(&mut self, key: &str, names: &BTreeSet<T>) {
        self.perhaps(key, (!names.is_empty()).then(|| list(key, names)));
    }

    /// The keys that members and organizations share.
    fn account(&mut self, role: &RoleName, resources: &Selection) {
        self.perhaps("role", (*role != RoleName::default()).then(|| quoted(role)));
        let all = Choice::All(Filter::default());
        for kind in ResourceKind::ALL {
            let is_default = |choice: Option<&Choice>| match kind {
                ResourceKind::Vpc => choice == Some(&all),
                _ => choice.is_none(),
            };
            let choice = resources.choice(kind);
            if !is_default(choice) {
                self.put(
                    kind.key(),
                    choice.map_or_else(|| quoted("none"), |choice| chosen(kind.key(), choice)),
                );
            }
        }
    }
}

fn quoted(text: impl Display) -> String {
    TomlStringBuilder::new(&text.to_string()).as_default().to_toml_value()
}

/// A list under this key, on one line if it fits.
fn list<T: Display>(key: &str, items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(quoted).collect();
    let line = format!("[{}]", items.join(", "));
    if key.len() + " = ".len() + line.chars().count() <= LONGEST_LINE {
        return line;
    }
    let lines: String = items.iter().map(|item| format!("    {item},\n")).collect();
    format!("[\n{lines}]")
}

fn inline<'a>(entries: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let key = |key: &'a str| TomlKeyBuilder::new(key).as_default().to_toml_key();
    let entries: Vec<String> =
        entries.into_iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
    format!("{{ {} }}", entries.join(", "))
}

fn tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    inline(tags.into_iter().map(|(key, value)| (key.as_str(), quoted(value))))
}

fn price_lines(prices: &Prices) -> Lines {
    let listed = Prices::default();
    let changed = |price: Usd, listed: Usd| (price != listed).then(|| price.exact());
    let mut lines = Lines::default();
    lines.perhaps("delivery-per-gb", changed(prices.delivery_per_gb, listed.delivery_per_gb));
    lines.perhaps("storage-per-gb-month", changed(prices.storage_per_gb_month, listed.storage_per_gb_month));
    lines.perhaps("compression", (prices.compression != listed.compression).then_some(prices.compression));
    lines
}

fn exception_lines(exception: &Exception) -> Lines {
    let Exception { account, unit, region, vpc, reason, until } = exception;
    let mut lines = Lines::default();
    lines.perhaps("account", account.map(quoted));
    lines.perhaps("unit", unit.as_ref().map(quoted));
    lines.perhaps("region", region.as_ref().map(quoted));
    lines.perhaps("vpc", vpc.as_ref().map(quoted));
    lines.put("reason", quoted(reason));
    lines.put("until", until);
    lines
}

fn hub_lines(hub: &Hub) -> Lines {
    let Hub { account, region, bucket, prefix, lifecycle, encryption, object_ownership, profile, role } = hub;
    let Lifecycle { retention, transition, noncurrent_days, abort_uploads_days } = lifecycle;
    let default = Lifecycle::default();
    let mut lines = Lines::default();
    lines.put("account", quoted(account));
    lines.put("region", quoted(region));
    lines.put("bucket", quoted(bucket));
    lines.perhaps("prefix", prefix.as_ref().map(quoted));
    match retention {
        Retention::Unset => {}
        Retention::Days(days) => lines.put("retention-days", days.to_string()),
        Retention::Forever => lines.put("retention-days", quoted(Retention::FOREVER)),
    }
    let transition = transition.as_ref();
    lines.perhaps(
        "transition",
        transition
            .map(|it| inline([("days", it.days.to_string()), ("storage-class", quoted(&it.storage_class))])),
    );
    lines.perhaps("noncurrent-days", noncurrent_days.as_ref());
    let abort = abort_uploads_days.filter(|_| *abort_uploads_days != default.abort_uploads_days);
    lines.perhaps("abort-uploads-days", abort);
    match encryption {
        None => {}
        Some(Encryption::SseS3) => lines.put("encryption", quoted("sse-s3")),
        Some(Encryption::SseKms { key, bucket_key }) => {
            lines.put("encryption", quoted(key));
            lines.flag("bucket-key", *bucket_key, true);
        }
    }
    lines.perhaps("object-ownership", object_ownership.map(|it| quoted(it.as_str())));
    lines.perhaps("profile", profile.as_ref().map(quoted));
    lines.perhaps("role", role.as_ref().map(quoted));
    lines
}

fn flow_log_lines(spec: &FlowLogSpec) -> Lines {
    let FlowLogSpec { traffic, aggregation_interval, format, files, tags: own, foreign } = spec;
    let mut lines = Lines::default();
    lines.word("traffic", *traffic, |it| it.as_str());
    lines.word("aggregation-interval", *aggregation_interval, |it| it.as_str());
    let is_default = *format == FlowLogSpec::default().format;
    let fields = || match FieldSet::of(format) {
        Some(set) => quoted(set.as_str()),
        None => list("fields", format.fields()),
    };
    lines.perhaps("fields", (!is_default).then(fields));
    lines.word("file-format", files.format, |it| it.as_str());
    lines.flag("hive-compatible-partitions", files.hive_compatible_partitions, false);
    lines.flag("per-hour-partition", files.per_hour_partition, false);
    lines.perhaps("tags", (!own.is_empty()).then(|| tags(own)));
    lines.word("foreign", *foreign, |it| it.as_str());
    lines
}

fn policy_lines(settings: &PolicySettings) -> Lines {
    let PolicySettings {
        form,
        source_conditions,
        source_arn,
        acl_condition,
        list_bucket,
        deny_insecure_transport,
    } = settings;
    let default = PolicySettings::default();
    let mut lines = Lines::default();
    lines.word("form", *form, |it| it.as_str());
    lines.flag("source-conditions", *source_conditions, default.source_conditions);
    lines.flag("source-arn", *source_arn, default.source_arn);
    lines.word("acl-condition", *acl_condition, |it| it.as_str());
    lines.flag("list-bucket", *list_bucket, default.list_bucket);
    lines.flag("deny-insecure-transport", *deny_insecure_transport, default.deny_insecure_transport);
    lines
}

fn organization_lines(organization: &Organization) -> Lines {
    let mut lines = Lines::default();
    lines.put("id", quoted(&organization.id));
    lines.names("units", &organization.units);
    let Some(how) = &organization.discovery else { return lines };
    lines.names("except-units", &how.except_units);
    lines.names("accounts", &how.accounts);
    lines.names("except-accounts", &how.except_accounts);
    lines.put("regions", regions(&how.regions));
    lines.account(&how.role, &how.resources);
    lines.perhaps(
        "lookup",
        how.lookup
            .as_ref()
            .map(|lookup| inline([("account", quoted(lookup.account)), ("role", quoted(&lookup.role))])),
    );
    lines
}

fn regions(regions: &Regions) -> String {
    match regions {
        Regions::These(regions) => list("regions", regions),
        Regions::All { .. } => list("regions", ["all"]),
    }
}

fn chosen(key: &str, choice: &Choice) -> String {
    let Filter { tags: wanted, except, default_vpcs } = match choice {
        Choice::Ids(ids) => return list(key, ids),
        Choice::All(filter) if *filter == Filter::default() => return quoted("all"),
        Choice::All(filter) => filter,
    };
    let parts = [
        (!wanted.is_empty()).then(|| ("tags", tags(wanted))),
        (!except.is_empty()).then(|| ("except", list(key, except))),
        (!default_vpcs).then(|| ("default-vpcs", "false".to_owned())),
    ];
    inline(parts.into_iter().flatten())
}
