use std::fmt;

use serde::Serialize;

use super::Transition;
use super::element::Element;
use crate::id::{FleetName, hash};

/// A lifecycle rule of a bucket, whoever wrote it.
///
/// Source: "LifecycleRule" (Amazon S3 API Reference).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Its id.
    pub id: Option<String>,
    /// Whether it has an effect.
    pub is_enabled: bool,
    /// What the keys of its objects begin with; empty for all objects.
    pub prefix: String,
    /// Whether tags, sizes, or something that flowagg does not know, select among these objects.
    pub is_narrowed: bool,
    /// When its objects expire.
    pub expiration: Option<Expiration>,
    /// When its objects move to another storage class.
    pub transitions: Vec<Move>,
    /// In a versioned bucket: after how many days versions that are no longer the current ones are deleted. `None` also if a
    /// number of them is kept: of a log file there are never more.
    pub noncurrent_days: Option<u32>,
    /// After how many days unfinished uploads are deleted.
    pub abort_uploads_days: Option<u32>,
}

/// When the objects of a rule expire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expiration {
    /// After this many days.
    Days(u32),
    /// All of them, from this date on, as S3 writes it.
    Date(String),
    /// Never: the rule only removes delete markers without an object.
    DeleteMarkers,
    /// It could not be understood.
    Unknown,
}

/// A move to another storage class.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Move {
    /// After how many days; `None` if on a date.
    pub days: Option<u32>,
    /// The class, as S3 names it.
    pub storage_class: String,
}

impl Move {
    /// A move to this storage class, in S3's word.
    pub fn new(days: Option<u32>, storage_class: impl Into<String>) -> Self {
        Self { days, storage_class: storage_class.into() }
    }
}

impl Rule {
    pub(super) fn of(element: &Element) -> Self {
        let filter = element.child("Filter");
        let and = filter.and_then(|filter| filter.child("And"));
        let scope = and.or(filter);
        let prefix = scope.and_then(|scope| scope.text_of("Prefix")).or_else(|| element.text_of("Prefix"));
        let is_narrowed =
            scope.is_some_and(|scope| scope.children().iter().any(|child| child.name != "Prefix"));
        let moves = element.all("Transition").map(|it| Move {
            days: it.number_of("Days"),
            storage_class: it.text_of("StorageClass").unwrap_or_default().to_owned(),
        });
        let noncurrent = element.child("NoncurrentVersionExpiration");
        let keeps_some = |it: &&Element| it.child("NewerNoncurrentVersions").is_some();
        let abort = element.child("AbortIncompleteMultipartUpload");
        Self {
            id: element.text_of("ID").map(str::to_owned),
            is_enabled: element.text_of("Status") == Some("Enabled"),
            prefix: prefix.unwrap_or_default().to_owned(),
            is_narrowed,
            expiration: element.child("Expiration").map(expiration),
            transitions: moves.collect(),
            noncurrent_days: noncurrent
                .filter(|it| !keeps_some(it))
                .and_then(|it| it.number_of("NoncurrentDays")),
            abort_uploads_days: abort.and_then(|it| it.number_of("DaysAfterInitiation")),
        }
    }

    /// The rule as a sentence names it: its id in backticks.
    pub fn name(&self) -> RuleName<'_> {
        RuleName(self.id.as_deref())
    }

    /// The name of the flowagg fleet whose rule it is, by its id.
    pub fn fleet(&self) -> Option<&str> {
        let (fleet, _) = self.id.as_deref()?.strip_prefix(FleetRule::MARK)?.split_once('/')?;
        Some(fleet)
    }

    /// Whether it is a rule of this fleet.
    pub fn is_of(&self, fleet: &FleetName) -> bool {
        self.id.as_deref().is_some_and(|id| FleetRule::is_id_of(fleet, id))
    }

    /// After how many days its objects expire.
    pub fn expire_days(&self) -> Option<u32> {
        match self.expiration {
            Some(Expiration::Days(days)) => Some(days),
            _ => None,
        }
    }
}

fn expiration(element: &Element) -> Expiration {
    let marker = element.text_of("ExpiredObjectDeleteMarker");
    match (element.number_of("Days"), element.text_of("Date")) {
        (Some(days), _) => Expiration::Days(days),
        (None, Some(date)) => Expiration::Date(date.to_owned()),
        (None, None) if marker.is_some() => Expiration::DeleteMarkers,
        (None, None) => Expiration::Unknown,
    }
}

/// A rule as messages name it: its id in backticks, or `without an id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleName<'r>(Option<&'r str>);

impl fmt::Display for RuleName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) if !id.is_empty() => write!(f, "`{}`", id.escape_debug()),
            _ => f.write_str("without an id"),
        }
    }
}

/// A lifecycle rule of a fleet. Its id proves that the fleet owns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FleetRule {
    /// The id.
    pub id: String,
    /// What the keys of its objects begin with.
    pub under: String,
    /// After how many days an object expires; `null` if never.
    pub expire_days: Option<u32>,
    /// When it moves to a cheaper storage class before.
    pub transition: Option<Transition>,
    /// In a versioned bucket: after how many days a version that is no longer the current one is deleted.
    pub noncurrent_days: Option<u32>,
    /// After how many days the parts of an upload that was never finished are deleted.
    pub abort_uploads_days: Option<u32>,
}

impl FleetRule {
    /// What the id of every fleet's rule begins with.
    const MARK: &str = "flowagg-expiry/";
    /// The longest id, in characters. Source: "LifecycleRule" (Amazon S3 API Reference).
    const LONGEST_ID: usize = 255;

    /// A rule with this id for the objects whose keys begin with `under`, which does nothing yet.
    pub fn new(id: impl Into<String>, under: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            under: under.into(),
            expire_days: None,
            transition: None,
            noncurrent_days: None,
            abort_uploads_days: None,
        }
    }

    /// The id of a fleet's rule for the objects in this folder: `flowagg-expiry/acme-logs/AWSLogs`. Each folder has a rule of
    /// its own, so that objects in a former folder still expire, and no fleet takes the rule of another.
    pub fn id(fleet: &FleetName, folder: &str) -> String {
        let folder = folder.trim_end_matches('/');
        let id = format!("{}{folder}", Self::id_start(fleet));
        if id.chars().count() <= Self::LONGEST_ID {
            return id;
        }
        // The hash distinguishes folders that start alike.
        let start: String = id.chars().take(Self::LONGEST_ID - 17).collect();
        format!("{start}-{:016x}", hash(folder))
    }

    /// Whether a rule of this id is the fleet's. The name of a fleet has no slash.
    pub fn is_id_of(fleet: &FleetName, id: &str) -> bool {
        id.starts_with(&Self::id_start(fleet))
    }

    fn id_start(fleet: &FleetName) -> String {
        format!("{}{fleet}/", Self::MARK)
    }

    /// Whether it does anything. S3 refuses a rule that does not.
    pub fn has_effect(&self) -> bool {
        let Self { id: _, under: _, expire_days, transition, noncurrent_days, abort_uploads_days } = self;
        expire_days.is_some()
            || transition.is_some()
            || noncurrent_days.is_some()
            || abort_uploads_days.is_some()
    }

    /// The rule in XML. `prefix` is that of the namespace, with its colon; S3 is reported to refuse a document in which some
    /// rules have a `Filter` and others a `Prefix` of their own, so `is_at_rule` says which the document has.
    pub(super) fn xml(&self, prefix: &str, is_at_rule: bool) -> String {
        let Self { id, under, expire_days, transition, noncurrent_days, abort_uploads_days } = self;
        let tag = |name: &str, inner: String| format!("<{prefix}{name}>{inner}</{prefix}{name}>");
        let days = |name: &str, inner: &str, days: u32| tag(name, tag(inner, days.to_string()));
        let scope = tag("Prefix", escaped(under));
        let mut inner = tag("ID", escaped(id));
        inner.push_str(&if is_at_rule { scope } else { tag("Filter", scope) });
        inner.push_str(&tag("Status", "Enabled".to_owned()));
        if let Some(Transition { days, storage_class }) = transition {
            let moves = tag("Days", days.to_string()) + &tag("StorageClass", escaped(storage_class));
            inner.push_str(&tag("Transition", moves));
        }
        if let Some(after) = expire_days {
            inner.push_str(&days("Expiration", "Days", *after));
        }
        if let Some(after) = noncurrent_days {
            inner.push_str(&days("NoncurrentVersionExpiration", "NoncurrentDays", *after));
        }
        if let Some(after) = abort_uploads_days {
            inner.push_str(&days("AbortIncompleteMultipartUpload", "DaysAfterInitiation", *after));
        }
        tag("Rule", inner)
    }
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A parser would make a line feed of it.
            '\r' => escaped.push_str("&#13;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_of_a_bucket_has_a_rule_of_its_own() {
        let fleet = FleetName::parse("acme").unwrap();
        assert_eq!(FleetRule::id(&fleet, "AWSLogs/"), "flowagg-expiry/acme/AWSLogs");
        assert_eq!(
            FleetRule::id(&fleet, "network/flow/AWSLogs/"),
            "flowagg-expiry/acme/network/flow/AWSLogs"
        );
        let long = "x".repeat(700);
        let [one, other] = ["a", "b"].map(|end| FleetRule::id(&fleet, &format!("{long}{end}/AWSLogs/")));
        assert!(one != other && one.len() == 255 && other.len() == 255, "{one} {other}");
    }

    #[test]
    fn a_rule_of_a_fleet_with_a_longer_name_is_foreign() {
        let [acme, longer] = ["acme", "acme-net"].map(|name| FleetName::parse(name).unwrap());
        let id = FleetRule::id(&longer, "AWSLogs/");
        assert!(FleetRule::is_id_of(&longer, &id));
        assert!(!FleetRule::is_id_of(&acme, &id));
    }
}
