//! Writes a fleet as a person would.

use std::collections::BTreeMap;
use std::fmt::Display;

use flowagg_core::fleet::{
    Choice, Encryption, Filter, Fleet, Hub, Organization, PolicySettings, Regions, Selection,
};
use flowagg_core::flow_log::{FieldSet, FlowLogSpec};
use flowagg_core::id::{ResourceKind, RoleName};
use flowagg_core::lifecycle::{Lifecycle, Retention};

use super::super::hand::Hand;

/// The text of the fleet file, with the members that it names but not those found in the organization.
pub(super) fn text(fleet: &Fleet, hand: &mut Hand) -> String {
    let mut tables = vec![Table::filled("[hub]", |table| hub(table, &fleet.hub, hand))];
    if let Some(it) = &fleet.organization {
        tables.push(Table::filled("[organization]", |table| organization(table, it, hand)));
    }
    tables.push(Table::filled("[fleet]", |table| {
        table.perhaps("name", fleet.declared_name.as_ref().map(|name| quoted(name, hand)));
        table.perhaps("read-role", fleet.read_role.as_ref().map(|role| quoted(role, hand)));
        table.perhaps("external-id", fleet.external_id.as_ref().map(|id| quoted(id, hand)));
    }));
    tables.push(Table::filled("[flow-logs]", |table| flow_logs(table, &fleet.flow_logs, hand)));
    tables.push(Table::filled("[policy]", |table| policy(table, &fleet.policy, hand)));
    for member in fleet.members.values() {
        tables.push(Table::filled("[[members]]", |table| {
            table.put("account", quoted(member.account, hand));
            table.perhaps("name", member.name.as_ref().map(|name| quoted(name, hand)));
            table.put("regions", regions(&member.regions, hand));
            role(table, &member.role, hand);
            selection(table, &member.resources, hand);
        }));
    }
    let first = hand.pick(tables.len());
    tables.rotate_left(first);
    let mut text = String::new();
    for Table { head, mut lines } in tables {
        if lines.is_empty() && !hand.flourish() {
            continue;
        }
        let first = hand.pick(lines.len().max(1));
        lines.rotate_left(first);
        text.push_str(head);
        text.push_str(hand.one(["\n", "\n", " # managed\n", "\r\n"]));
        for (key, value) in lines {
            let equals = hand.one([" = ", " = ", "=", "  =\t"]);
            let end = hand.one(["\n", "\n", "\n", " # \"not\" = a value\n", "\n\n"]);
            text.extend([&key, equals, &value, end]);
        }
        text.push('\n');
    }
    text
}

/// A table with its heading and a line for each key.
struct Table {
    head: &'static str,
    lines: Vec<(String, String)>,
}

impl Table {
    fn filled(head: &'static str, fill: impl FnOnce(&mut Self)) -> Self {
        let mut table = Self { head, lines: Vec::new() };
        fill(&mut table);
        table
    }

    fn put(&mut self, key: &str, value: impl Display) {
        self.lines.push((key.to_owned(), value.to_string()));
    }

    fn perhaps(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// Omits a default value, or occasionally writes it anyway.
    fn unless_default<T: PartialEq>(
        &mut self,
        key: &str,
        value: &T,
        default: &T,
        said: impl Display,
        hand: &mut Hand,
    ) {
        if value != default || hand.flourish() {
            self.put(key, said);
        }
    }
}

/// A string in single or double quotes.
fn quoted(text: impl Display, hand: &mut Hand) -> String {
    let text = text.to_string();
    if !text.contains('\'') && hand.flourish() {
        return format!("'{text}'");
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A list, on one line or on several.
fn list(texts: impl IntoIterator<Item = impl Display>, hand: &mut Hand) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text, hand)).collect();
    if hand.flourish() {
        let lines = texts.iter().map(|text| format!("  {text},\n"));
        format!("[\n{}]", lines.collect::<String>())
    } else {
        format!("[{}]", texts.join(", "))
    }
}

fn inline(members: impl IntoIterator<Item = (String, String)>) -> String {
    let members: Vec<String> = members.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", members.join(", "))
}

fn tags<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>, hand: &mut Hand) -> String {
    inline(tags.into_iter().map(|(key, value)| (quoted(key, hand), quoted(value, hand))))
}

fn hub(table: &mut Table, hub: &Hub, hand: &mut Hand) {
    let Hub {
        account, region, bucket, prefix, lifecycle, encryption, object_ownership, profile, role, ..
    } = hub;
    table.put("account", quoted(account, hand));
    table.put("region", quoted(region, hand));
    table.put("bucket", quoted(bucket, hand));
    let slash = hand.one(["", "", "/"]);
    table.perhaps("prefix", prefix.as_ref().map(|prefix| quoted(format!("{prefix}{slash}"), hand)));
    match encryption {
        None => {}
        Some(Encryption::SseS3) => table.put("encryption", quoted("sse-s3", hand)),
        Some(Encryption::SseKms { key, bucket_key }) => {
            table.put("encryption", quoted(key, hand));
            table.unless_default("bucket-key", bucket_key, &true, bucket_key, hand);
        }
    }
    table.perhaps("object-ownership", object_ownership.map(|it| quoted(it.as_str(), hand)));
    table.perhaps("profile", profile.as_ref().map(|profile| quoted(profile, hand)));
    table.perhaps("role", role.as_ref().map(|role| quoted(role, hand)));
    let default = Lifecycle::default();
    let Lifecycle { retention, transition, noncurrent_days, abort_uploads_days, .. } = lifecycle;
    match retention {
        Retention::Unset => {}
        Retention::Days(days) => table.put("retention-days", days.to_string()),
        Retention::Forever => table.put("retention-days", quoted(Retention::FOREVER, hand)),
    }
    let transition = transition.as_ref().map(|it| {
        let class = quoted(&it.storage_class, hand);
        inline([("days".to_owned(), it.days.to_string()), ("storage-class".to_owned(), class)])
    });
    table.perhaps("transition", transition);
    table.perhaps("noncurrent-days", noncurrent_days.as_ref());
    if abort_uploads_days != &default.abort_uploads_days || hand.flourish() {
        table.perhaps("abort-uploads-days", abort_uploads_days.as_ref());
    }
}

fn organization(table: &mut Table, organization: &Organization, hand: &mut Hand) {
    table.put("id", quoted(&organization.id, hand));
    let units = &organization.units;
    table.perhaps("units", (!units.is_empty()).then(|| list(units, hand)));
    let Some(discovery) = &organization.discovery else { return };
    table.put("regions", regions(&discovery.regions, hand));
    let except = &discovery.except_units;
    table.perhaps("except-units", (!except.is_empty()).then(|| list(except, hand)));
    for (key, accounts) in
        [("accounts", &discovery.accounts), ("except-accounts", &discovery.except_accounts)]
    {
        table.perhaps(key, (!accounts.is_empty()).then(|| list(accounts, hand)));
    }
    role(table, &discovery.role, hand);
    selection(table, &discovery.resources, hand);
    let lookup = discovery.lookup.as_ref().map(|lookup| {
        let (account, role) = (quoted(lookup.account, hand), quoted(&lookup.role, hand));
        inline([("account".to_owned(), account), ("role".to_owned(), role)])
    });
    table.perhaps("lookup", lookup);
}

fn flow_logs(table: &mut Table, spec: &FlowLogSpec, hand: &mut Hand) {
    let default = FlowLogSpec::default();
    let word = quoted(spec.traffic.as_str(), hand);
    table.unless_default("traffic", &spec.traffic, &default.traffic, word, hand);
    let (interval, word) = (spec.aggregation_interval, quoted(spec.aggregation_interval.as_str(), hand));
    table.unless_default("aggregation-interval", &interval, &default.aggregation_interval, word, hand);
    let fields = match FieldSet::of(&spec.format) {
        Some(set) if hand.flourish() => quoted(set.as_str(), hand),
        _ => list(spec.format.fields(), hand),
    };
    table.unless_default("fields", &spec.format, &default.format, fields, hand);
    let files = spec.files;
    let word = quoted(files.format.as_str(), hand);
    table.unless_default("file-format", &files.format, &default.files.format, word, hand);
    for (key, flag) in [
        ("hive-compatible-partitions", files.hive_compatible_partitions),
        ("per-hour-partition", files.per_hour_partition),
    ] {
        table.unless_default(key, &flag, &false, flag, hand);
    }
    let own: BTreeMap<&str, &str> =
        spec.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let said = tags(own.clone(), hand);
    table.unless_default("tags", &own, &BTreeMap::new(), said, hand);
    let word = quoted(spec.foreign.as_str(), hand);
    table.unless_default("foreign", &spec.foreign, &default.foreign, word, hand);
}

fn policy(table: &mut Table, settings: &PolicySettings, hand: &mut Hand) {
    let default = PolicySettings::default();
    let (form, acl) = (quoted(settings.form.as_str(), hand), quoted(settings.acl_condition.as_str(), hand));
    table.unless_default("form", &settings.form, &default.form, form, hand);
    table.unless_default("acl-condition", &settings.acl_condition, &default.acl_condition, acl, hand);
    for (key, flag, default) in [
        ("source-conditions", settings.source_conditions, true),
        ("source-arn", settings.source_arn, false),
        ("list-bucket", settings.list_bucket, false),
        ("deny-insecure-transport", settings.deny_insecure_transport, false),
    ] {
        table.unless_default(key, &flag, &default, flag, hand);
    }
}

fn regions(regions: &Regions, hand: &mut Hand) -> String {
    match regions {
        Regions::These(regions) => list(regions, hand),
        Regions::All { .. } => list(["all"], hand),
    }
}

fn role(table: &mut Table, role: &RoleName, hand: &mut Hand) {
    let said = quoted(role, hand);
    table.unless_default("role", role, &RoleName::default(), said, hand);
}

/// The resources to log.
fn selection(table: &mut Table, selection: &Selection, hand: &mut Hand) {
    for kind in ResourceKind::ALL {
        let is_vpc = kind == ResourceKind::Vpc;
        match selection.choice(kind) {
            Some(choice) => {
                let said = chosen(choice, hand);
                // All VPCs are logged by default.
                if !is_vpc || said != "\"all\"" || hand.flourish() {
                    table.put(kind.key(), said);
                }
            }
            None if is_vpc || hand.whim() => table.put(kind.key(), quoted("none", hand)),
            None => {}
        }
    }
}

fn chosen(choice: &Choice, hand: &mut Hand) -> String {
    let Filter { tags: wanted, except, default_vpcs, .. } = match choice {
        Choice::Ids(ids) => return list(ids, hand),
        Choice::All(filter) => filter,
    };
    let mut members = Vec::new();
    if !wanted.is_empty() {
        let pairs = wanted.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        members.push(("tags".to_owned(), tags(pairs, hand)));
    }
    if !except.is_empty() {
        members.push(("except".to_owned(), list(except, hand)));
    }
    if !default_vpcs {
        members.push(("default-vpcs".to_owned(), "false".to_owned()));
    }
    if members.is_empty() && !hand.whim() { "\"all\"".to_owned() } else { inline(members) }
}
