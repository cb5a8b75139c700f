//! From the text of `flowagg.toml` to a [`Fleet`], or to all its faults.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{Reader, Table, Value};
use super::{
    AclCondition, Encryption, Fleet, FleetError, GrantForm, Hub, Member, Organization, PolicySettings,
    VpcFilter, VpcSelection,
};
use crate::flow_log::{AggregationInterval, Field, FlowLogSpec, MARK, RecordFormat, TrafficType};
use crate::id::{AccountId, BucketName, KmsKeyArn, Region};
use crate::layout::Prefix;

/// Source: "LifecycleExpiration" (Amazon S3 API Reference): a 32-bit number.
const MOST_DAYS: u32 = i32::MAX.unsigned_abs();
/// Source: "Tag your Amazon EC2 resources", tag restrictions (Amazon EC2 User Guide).
const MOST_TAGS: usize = 50;
const LONGEST_TAG_KEY: usize = 128;
const LONGEST_TAG_VALUE: usize = 256;

pub(super) fn fleet(text: &str) -> Result<Fleet, FleetError> {
    let (reader, document) = Reader::parse(text);
    // Past a syntax error every further fault may be an echo of it.
    let fleet = if reader.is_faultless() { read(reader.top(&document), &reader) } else { None };
    match fleet {
        Some(fleet) if reader.is_faultless() => Ok(fleet),
        _ => Err(FleetError { faults: reader.into_faults() }),
    }
}

/// Reads all that can be read, so that every fault is met; `None` when something needed is missing.
fn read(top: Table<'_, '_>, reader: &Reader<'_>) -> Option<Fleet> {
    let hub = top
        .needed("hub", "a `[hub]` table names the account, region and bucket that all logs go to")
        .and_then(Value::table)
        .and_then(hub);
    let flow_logs = top.table("flow-logs").map(flow_logs);
    let organization = top.table("organization").and_then(organization);
    let policy = top.table("policy").map(|table| policy(table, organization.as_ref()));
    let members = members(&top, reader, hub.as_ref().map(|hub| &hub.region));
    top.refuse_unknown();
    Some(Fleet {
        hub: hub?,
        members,
        flow_logs: flow_logs.unwrap_or_else(|| FlowLogSpec {
            traffic: TrafficType::default(),
            aggregation_interval: AggregationInterval::default(),
            format: RecordFormat::default(),
            tags: marked(BTreeMap::new()),
        }),
        policy: policy.unwrap_or_default(),
        organization,
    })
}

fn hub(table: Table<'_, '_>) -> Option<Hub> {
    let account =
        table.needed("account", "the account that owns the bucket").and_then(|v| v.name::<AccountId>());
    let region = table
        .needed("region", "the region of the bucket, as in `eu-west-1`")
        .and_then(|v| v.name::<Region>());
    let named = table.needed("bucket", "the bucket that all logs go to; it is made when it does not exist");
    let bucket = named.as_ref().and_then(|v| v.name::<BucketName>());
    let prefix = table.get("prefix").and_then(|v| v.name::<Prefix>());
    let retention_days = table.get("retention-days").and_then(|v| v.count(MOST_DAYS));
    let encryption = table.get("encryption").and_then(|value| encryption(&value, region.as_ref()));
    let profile = table.get("profile").and_then(|v| v.words().map(str::to_owned));
    let role = table.get("role").and_then(|v| v.name());
    table.refuse_unknown();
    if let (Some(value), Some(bucket), Some(account), Some(region)) = (&named, &bucket, account, &region) {
        let suffix = BucketName::account_regional_suffix(account, region);
        if bucket.is_account_regional() && !bucket.as_str().ends_with(&suffix) {
            value.fault(
                format!("`{bucket}` ends like a bucket of an account's own namespace, but not of this account and region"),
                format!("end it in `{suffix}`, or in anything but `-an`"),
            );
        }
    }
    Some(Hub {
        account: account?,
        region: region?,
        bucket: bucket?,
        prefix,
        retention_days: retention_days.unwrap_or(Hub::DEFAULT_RETENTION_DAYS),
        encryption: encryption.unwrap_or_default(),
        profile,
        role,
    })
}

fn encryption(value: &Value<'_, '_>, hub: Option<&Region>) -> Option<Encryption> {
    if value.text()? == "sse-s3" {
        return Some(Encryption::SseS3);
    }
    let key: KmsKeyArn = match value.text()?.parse() {
        Ok(key) => key,
        Err(error) => {
            value.fault(format!("`hub.encryption`: {error}"), format!("`sse-s3`, or {}", error.help()));
            return None;
        }
    };
    if let Some(hub) = hub.filter(|hub| hub.as_str() != key.region()) {
        value.fault(
            format!("the key is in `{}`, the bucket in `{hub}`", key.region()),
            "a bucket is encrypted with a key of its own region",
        );
    }
    Some(Encryption::SseKms(key))
}

fn flow_logs(table: Table<'_, '_>) -> FlowLogSpec {
    let traffic = table.get("traffic").and_then(|v| v.one_of(&TrafficType::ALL, TrafficType::as_str));
    let interval = table.get("aggregation-interval");
    let interval = interval.and_then(|v| v.one_of(&AggregationInterval::ALL, AggregationInterval::as_str));
    let format = table.get("fields").and_then(|value| fields(&value));
    let tags = table.get("tags").map(tags).unwrap_or_default();
    table.refuse_unknown();
    FlowLogSpec {
        traffic: traffic.unwrap_or_default(),
        aggregation_interval: interval.unwrap_or_default(),
        format: format.unwrap_or_default(),
        tags: marked(tags),
    }
}

/// The fields of a record: their order is the file's.
fn fields(value: &Value<'_, '_>) -> Option<RecordFormat> {
    let mut fields: Vec<Field> = Vec::new();
    for value in value.list()? {
        if let Some(field) = value.name() {
            if fields.contains(&field) {
                value.fault(format!("the field `{field}` is named twice"), "name it once");
            }
            fields.push(field);
        }
    }
    let format = RecordFormat::of(fields);
    if format.is_none() {
        value.fault("a record has no fields", "name at least one, or leave `fields` out for AWS's default");
    }
    format
}

fn marked(mut tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
    tags.insert(MARK.0.to_owned(), MARK.1.to_owned());
    tags
}

/// Tags to put on flow logs: AWS's limits, and our own mark left free.
fn tags(value: Value<'_, '_>) -> BTreeMap<String, String> {
    let span = value.span();
    let reader = value.reader();
    let Some(table) = value.table() else { return BTreeMap::new() };
    let mut tags = BTreeMap::new();
    for (key, (text, place)) in table.texts() {
        let long = |text: &str, most: usize| text.chars().count() > most;
        if key.is_empty() || long(&key, LONGEST_TAG_KEY) || long(&text, LONGEST_TAG_VALUE) {
            reader.fault(
                place,
                format!("the tag `{key}` is too long or has no name"),
                format!("a key has 1 to {LONGEST_TAG_KEY} characters, a value at most {LONGEST_TAG_VALUE}"),
            );
        } else if key.to_ascii_lowercase().starts_with("aws:") {
            reader.fault(
                place,
                format!("the tag `{key}` is AWS's own"),
                "tags that begin with `aws:` cannot be set",
            );
        } else if key == MARK.0 {
            reader.fault(
                place,
                format!("the tag `{key}` is flowagg's mark"),
                format!("leave it out: every flow log gets `{} = {}`", MARK.0, MARK.1),
            );
        } else {
            tags.insert(key, text);
        }
    }
    if tags.len() >= MOST_TAGS {
        let what = format!("{} tags, and flowagg adds one", tags.len());
        reader.fault(span, what, format!("a flow log has at most {MOST_TAGS} tags"));
    }
    tags
}

fn organization(table: Table<'_, '_>) -> Option<Organization> {
    let id = table.needed("id", "the organization's id, as in `o-a1b2c3d4e5`").and_then(|v| v.name());
    let units = table.get("units").and_then(|v| v.names());
    table.refuse_unknown();
    Some(Organization { id: id?, units: units.unwrap_or_default() })
}

fn policy(table: Table<'_, '_>, organization: Option<&Organization>) -> PolicySettings {
    let form = table.get("form");
    let chosen = form.as_ref().and_then(|v| v.one_of(&GrantForm::ALL, GrantForm::as_str));
    let flag = |key| table.get(key).and_then(|v| v.boolean());
    let settings = PolicySettings {
        form: chosen.unwrap_or_default(),
        source_conditions: flag("source-conditions").unwrap_or(true),
        source_arn: flag("source-arn").unwrap_or(false),
        acl_condition: table
            .get("acl-condition")
            .and_then(|v| v.one_of(&AclCondition::ALL, AclCondition::as_str))
            .unwrap_or_default(),
        list_bucket: flag("list-bucket").unwrap_or(false),
        deny_insecure_transport: flag("deny-insecure-transport").unwrap_or(false),
    };
    if let Some(form) = form {
        use GrantForm::{Auto, BoundOrganization, Organization, Prefixes};
        let word = settings.form.as_str();
        if matches!(settings.form, Organization | BoundOrganization) && organization.is_none() {
            form.fault(
                format!("`policy.form` is `{word}`, but no organization is named"),
                "add `[organization]` with `id = \"o-…\"`",
            );
        }
        if !matches!(settings.form, Auto | Prefixes) && !settings.source_conditions {
            form.fault(
                format!(
                    "`policy.form` is `{word}`, which without source conditions lets any AWS account write"
                ),
                "take `source-conditions = false` out, or use `form = \"prefixes\"`",
            );
        }
    }
    table.refuse_unknown();
    settings
}

fn members(top: &Table<'_, '_>, reader: &Reader<'_>, hub: Option<&Region>) -> BTreeMap<AccountId, Member> {
    const HELP: &str =
        "add a `[[members]]` table with `account` and `regions` for each account whose VPCs are logged";
    let mut members = BTreeMap::new();
    let mut lines: BTreeMap<AccountId, usize> = BTreeMap::new();
    let Some(list) = top.needed("members", HELP) else { return members };
    let Some(values) = list.list() else { return members };
    if values.is_empty() {
        list.fault("the fleet has no members", HELP);
    }
    for table in values.into_iter().filter_map(Value::table) {
        let account = table.needed("account", "the account whose VPCs are logged");
        let id = account.as_ref().and_then(|v| v.name::<AccountId>());
        let member = member(table, id, hub);
        let (Some(account), Some(id)) = (account, id) else { continue };
        let line = reader.line(&account.span());
        if let Some(first) = lines.get(&id) {
            let help = "keep one of the two; `regions` and `vpcs` take lists";
            account.fault(format!("the account {id} is already a member, at line {first}"), help);
        } else {
            lines.insert(id, line);
            members.extend(member.map(|member| (id, member)));
        }
    }
    members
}

fn member(table: Table<'_, '_>, account: Option<AccountId>, hub: Option<&Region>) -> Option<Member> {
    let name = table.get("name").and_then(|v| v.words().map(str::to_owned));
    let regions = table.needed("regions", "the regions whose VPCs are logged, as in `[\"eu-west-1\"]`");
    let names: Option<BTreeSet<Region>> = regions.as_ref().and_then(Value::names);
    if let (Some(value), Some(names), Some(hub)) = (&regions, &names, hub) {
        for other in names.iter().filter(|region| region.partition() != hub.partition()) {
            value.fault(
                format!(
                    "`{other}` is in the partition `{}`, the hub in `{}`",
                    other.partition(),
                    hub.partition()
                ),
                "flow logs do not cross partitions: make one fleet file for each",
            );
        }
    }
    let role = table.get("role").and_then(|v| v.name());
    let vpcs = table.get("vpcs").and_then(vpcs);
    table.refuse_unknown();
    Some(Member {
        account: account?,
        name,
        regions: names?,
        role: role.unwrap_or_default(),
        vpcs: vpcs.unwrap_or_default(),
    })
}

fn vpcs(value: Value<'_, '_>) -> Option<VpcSelection> {
    const HELP: &str = "`\"all\"`, a list of ids as in `[\"vpc-0a1b2c3d4e5f67890\"]`, or a table of `tags`, `except` and `default-vpcs`";
    if value.is_list() {
        return value.names().map(VpcSelection::Ids);
    }
    if value.is_table() {
        let table = value.table()?;
        let tags = table.get("tags").and_then(Value::table).map(Table::texts).unwrap_or_default();
        let filter = VpcFilter {
            tags: tags.into_iter().map(|(key, (text, _))| (key, text)).collect(),
            except: table.get("except").and_then(|v| v.names()).unwrap_or_default(),
            default_vpcs: table.get("default-vpcs").and_then(|v| v.boolean()).unwrap_or(true),
        };
        table.refuse_unknown();
        return Some(VpcSelection::All(filter));
    }
    match value.text()? {
        "all" => Some(VpcSelection::default()),
        other => {
            value.fault(format!("`vpcs` is `{}`", other.escape_debug()), HELP);
            None
        }
    }
}
