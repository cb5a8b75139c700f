//! Foreign flow logs on resources that the fleet logs. Each delivers the same traffic again, and AWS charges for each delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::named::Named;
use crate::flow_log::{Destination, LogDestination};
use crate::id::{AccountId, FlowLogId, Place, ResourceId, ResourceKind};
use crate::names::Names;
use crate::observed::{FlowLog, Manager};

/// A flow log that does not count as one of the fleet, on a resource that the fleet also logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct AlsoLogged {
    /// The account and the region.
    #[serde(flatten)]
    pub place: Place,
    /// The resource that is logged twice.
    pub resource: ResourceId,
    /// The foreign flow log.
    pub flow_log: FlowLogId,
    /// Its destination.
    pub destination: LogDestination,
    /// The traffic that it records: `ALL`, `ACCEPT` or `REJECT`; `null` for transit gateways.
    pub traffic: Option<String>,
    /// The possible owner; `null` if no tag indicates one.
    pub possible_owner: Option<PossibleOwner>,
}

impl AlsoLogged {
    pub(super) fn new(place: &Place, resource: &ResourceId, log: &FlowLog) -> Self {
        Self {
            place: place.clone(),
            resource: resource.clone(),
            flow_log: log.id.clone(),
            destination: log.destination.clone(),
            traffic: log.traffic.clone(),
            possible_owner: PossibleOwner::of(log),
        }
    }
}

/// Its destination and its possible owner.
impl fmt::Display for AlsoLogged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "also logged to {}", self.destination)?;
        self.possible_owner.as_ref().map_or(Ok(()), |owner| write!(f, "; possible owner: {owner}"))
    }
}

/// The possible owner of a flow log, according to its tags. Anyone with permission to tag it may have set them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum PossibleOwner {
    /// A flowagg fleet, according to its tags.
    Fleet {
        /// The name of the fleet.
        name: String,
    },
    /// A stack set, according to the tag `aws:cloudformation:stack-name` of one of its stacks.
    StackSet {
        /// The name of the stack set.
        name: String,
    },
    /// A stack, according to the tag `aws:cloudformation:stack-name`.
    Stack {
        /// The name of the stack.
        name: String,
    },
    /// Another tag that commonly names an owner.
    Tag {
        /// The key of the tag.
        key: String,
        /// The value of the tag.
        value: String,
    },
}

/// Source: "Resource tag" (AWS CloudFormation Template Reference).
const STACK_NAME: &str = "aws:cloudformation:stack-name";
/// The prefix of the names of a stack set's stacks, which end with a UUID. Observed in accounts, not documented.
const STACK_SET: &str = "StackSet-";
const UUID: usize = 36;
/// Tag keys that commonly name an owner, the most specific first. Case is ignored, and `_` matches `-`.
const OWNER_KEYS: [&str; 10] = [
    "owner",
    "team",
    "contact",
    "created-by",
    "createdby",
    "managed-by",
    "managedby",
    "project",
    "application",
    "name",
];

impl PossibleOwner {
    /// The possible owner of a flow log, if its tags indicate one.
    pub fn of(log: &FlowLog) -> Option<Self> {
        if let Manager::Fleet { fleet } = log.manager() {
            return Some(Self::Fleet { name: fleet });
        }
        if let Some(stack) = log.tags.get(STACK_NAME) {
            return Some(match stack_set(stack) {
                Some(name) => Self::StackSet { name: name.to_owned() },
                None => Self::Stack { name: stack.clone() },
            });
        }
        let is = |key: &str, wanted: &str| key.to_ascii_lowercase().replace('_', "-") == wanted;
        let tag =
            |wanted: &str| log.tags.iter().find(|(key, value)| is(key, wanted) && !value.trim().is_empty());
        let (key, value) = OWNER_KEYS.into_iter().find_map(tag)?;
        Some(Self::Tag { key: key.clone(), value: value.clone() })
    }
}

/// The stack set of a stack with this name.
fn stack_set(stack: &str) -> Option<&str> {
    let rest = stack.strip_prefix(STACK_SET)?;
    let (name, id) = rest.split_at_checked(rest.len().checked_sub(UUID + 1)?)?;
    let is_uuid = |id: &str| id.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    id.strip_prefix('-').filter(|id| id.len() == UUID && is_uuid(id) && !name.is_empty()).map(|_| name)
}

impl fmt::Display for PossibleOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet { name } => write!(f, "flowagg fleet {}", name.escape_debug()),
            Self::StackSet { name } => write!(f, "stack set `{}`", name.escape_debug()),
            Self::Stack { name } => write!(f, "stack `{}`", name.escape_debug()),
            Self::Tag { key, value } => write!(f, "tag `{} = {}`", key.escape_debug(), value.escape_debug()),
        }
    }
}

/// Foreign flow logs to one kind of destination. [`Display`](fmt::Display) summarizes them in one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlsoLoggedGroup<'a> {
    /// The flow logs, by account, region and resource.
    pub flow_logs: Vec<&'a AlsoLogged>,
}

/// One group per kind of destination: the hub bucket, other buckets, CloudWatch Logs, Firehose, and others.
pub fn also_logged_groups<'a>(all: &'a [AlsoLogged], hub: &Destination) -> Vec<AlsoLoggedGroup<'a>> {
    let mut groups: BTreeMap<(usize, Option<&str>), AlsoLoggedGroup<'a>> = BTreeMap::new();
    for one in all {
        let kind = match &one.destination {
            LogDestination::S3 { .. } if hub.is_in_bucket(&one.destination) => (0, None),
            LogDestination::S3 { .. } => (1, None),
            LogDestination::CloudWatchLogs { .. } => (2, None),
            LogDestination::Firehose { .. } => (3, None),
            LogDestination::Other { kind, .. } => (4, kind.as_deref()),
        };
        groups.entry(kind).or_default().flow_logs.push(one);
    }
    groups.into_values().collect()
}

/// More names than this are counted instead of listed.
const NAMED: usize = 3;

/// The names, or their number if there are many.
fn named(names: BTreeSet<String>, several: &str) -> String {
    if names.len() > NAMED {
        return format!("{} {several}", names.len());
    }
    names.into_iter().collect::<Vec<_>>().join(", ")
}

impl AlsoLoggedGroup<'_> {
    /// The line with these names.
    pub fn named<'n>(&'n self, names: &'n Names) -> Named<'n, Self> {
        Named { of: self, names }
    }
}

impl fmt::Display for AlsoLoggedGroup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.named(Names::NONE).fmt(f)
    }
}

impl fmt::Display for Named<'_, AlsoLoggedGroup<'_>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let logs = &self.of.flow_logs;
        let resources: BTreeSet<&ResourceId> = logs.iter().map(|log| &log.resource).collect();
        let noun = match resources.iter().all(|id| id.kind() == ResourceKind::Vpc) {
            true if resources.len() == 1 => "VPC",
            true => "VPCs",
            false if resources.len() == 1 => "resource",
            false => "resources",
        };
        let of: BTreeSet<AccountId> = logs.iter().map(|log| log.place.account).collect();
        let several = match logs.first().map(|log| &log.destination) {
            Some(LogDestination::S3 { .. }) => "destinations in S3",
            Some(LogDestination::CloudWatchLogs { .. }) => "log groups",
            Some(LogDestination::Firehose { .. }) => "Firehose streams",
            Some(LogDestination::Other { .. }) | None => "destinations",
        };
        let to = named(logs.iter().map(|log| log.destination.to_string()).collect(), several);
        write!(f, "{} {noun} of {} to {to}", resources.len(), self.names.accounts(&of))?;
        let owners: BTreeSet<String> =
            logs.iter().filter_map(|log| log.possible_owner.as_ref()).map(ToString::to_string).collect();
        match owners.len() {
            0 => Ok(()),
            1 => write!(f, "; possible owner: {}", named(owners, "")),
            _ => write!(f, "; possible owners: {}", named(owners, "by their tags")),
        }
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::id::{BucketName, Partition, Region};

    fn log(tags: &[(&str, &str)], destination: LogDestination) -> FlowLog {
        let id = FlowLogId::parse("fl-0000000a").unwrap();
        let mut log = FlowLog::new(id, "vpc-0000000a", destination);
        log.tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        log
    }

    #[test]
    fn owner_is_read_from_the_most_specific_tag() {
        let of = |tags: &[(&str, &str)]| match PossibleOwner::of(&log(tags, "arn:aws:s3:::x".into())) {
            Some(owner) => format!("{owner}\n"),
            None => "none\n".to_owned(),
        };
        let stack = |name| [("Name", "vpc"), (STACK_NAME, name)];
        let owners = [
            of(&stack("baseline")),
            of(&stack("StackSet-baseline-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")),
            of(&stack("StackSet-0f1e2d3c")),
            of(&stack("StackSet-é")),
            of(&[("Name", "vpc"), ("Created_By", "secops"), ("cost", "1")]),
            of(&[("managed-by", "flowagg"), ("flowagg:fleet", "other")]),
            of(&[("managed-by", "flowagg")]),
            of(&[("owner", " "), ("cost", "1")]),
            of(&[]),
        ];
        assert_data_eq!(
            owners.concat(),
            str![[r#"
stack `baseline`
stack set `baseline`
stack `StackSet-0f1e2d3c`
stack `StackSet-é`
tag `Created_By = secops`
flowagg fleet other
tag `managed-by = flowagg`
none
none

"#]]
        );
    }

    /// The given number of accounts with two VPCs each; the first VPC is also logged to a bucket.
    fn fleet(accounts: u32) -> Vec<AlsoLogged> {
        let region = Region::parse("eu-west-1").unwrap();
        let mut all = Vec::new();
        for n in 0..accounts {
            let account = AccountId::parse(&format!("{:012}", 222_222_222_222_u64 + u64::from(n))).unwrap();
            let place = Place::new(account, &region);
            for vpc in 0..2 {
                let id = ResourceId::parse(&format!("vpc-{:08x}", 2 * n + vpc)).unwrap();
                let group = LogDestination::CloudWatchLogs { log_group: format!("/vpc/{}", n % 5) };
                let stack = format!("StackSet-baseline-{n:08x}-4b5a-6978-8796-a5b4c3d2e1f0");
                all.push(AlsoLogged::new(&place, &id, &log(&[(STACK_NAME, &stack)], group)));
                if vpc == 0 {
                    let log = log(&[], "arn:aws:s3:::audit-logs".into());
                    all.push(AlsoLogged::new(&place, &id, &log));
                }
            }
        }
        all
    }

    #[test]
    fn number_of_lines_does_not_depend_on_the_number_of_accounts() {
        let hub = Destination::new(Partition::Aws, BucketName::parse("acme-logs").unwrap(), None);
        let lines = |all: &[AlsoLogged]| {
            let groups = also_logged_groups(all, &hub);
            groups.iter().map(|group| format!("{group}\n")).collect::<String>()
        };
        assert_data_eq!(
            lines(&fleet(1)) + &lines(&fleet(300)),
            str![[r#"
1 VPC of 222222222222 to arn:aws:s3:::audit-logs
2 VPCs of 222222222222 to log group `/vpc/0`; possible owner: stack set `baseline`
300 VPCs of 300 accounts to arn:aws:s3:::audit-logs
600 VPCs of 300 accounts to 5 log groups; possible owner: stack set `baseline`

"#]]
        );
    }
}
