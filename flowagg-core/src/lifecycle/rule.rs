use std::fmt;

use serde::Serialize;

use super::Transition;
use super::element::Element;
use crate::id::{FleetName, hash};

/// A lifecycle rule of a bucket, managed or foreign.
///
/// Source: "LifecycleRule" (Amazon S3 API Reference).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Rule {
    pub id: Option<String>,
    /// Whether the rule is enabled.
    pub is_enabled: bool,
    /// The key prefix of its objects; empty for all objects.
    pub prefix: String,
    /// Whether tags, sizes or unknown conditions narrow down these objects.
    pub is_narrowed: bool,
    /// When its objects expire.
    pub expiration: Option<Expiration>,
    /// When its objects move to another storage class.
    pub transitions: Vec<Move>,
    /// In a versioned bucket, the number of days after which noncurrent versions are deleted. `None` also if the rule retains some
    /// versions, because a log file never has more than that.
    pub noncurrent_days: Option<u32>,
    /// The number of days after which incomplete uploads are aborted.
    pub abort_uploads_days: Option<u32>,
}

/// When the objects of a rule expire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expiration {
    /// After the given number of days.
    Days(u32),
    /// All objects, from this date on, as S3 returns it.
    Date(String),
    /// Never: the rule only removes expired delete markers.
    DeleteMarkers,
    /// It could not be understood.
    Unknown,
}

/// A transition to another storage class in an existing rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Move {
    /// The number of days; `None` if the transition has a date.
    pub days: Option<u32>,
    pub storage_class: String,
}

impl Move {
    /// A transition to this storage class.
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

    /// The name of the rule in messages: its ID in backticks.
    pub fn name(&self) -> RuleName<'_> {
        RuleName(self.id.as_deref())
    }

    /// The name of the flowagg fleet that manages the rule, according to its ID.
    pub fn fleet(&self) -> Option<&str> {
        let (fleet, _) = self.id.as_deref()?.strip_prefix(FleetRule::MARK)?.split_once('/')?;
        Some(fleet)
    }

    /// Whether it is a rule of this fleet.
    pub fn is_of(&self, fleet: &FleetName) -> bool {
        self.id.as_deref().is_some_and(|id| FleetRule::is_id_of(fleet, id))
    }

    /// The number of days after which its objects expire.
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

/// The name of a rule in messages: its ID in backticks, or `without an ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleName<'r>(Option<&'r str>);

impl fmt::Display for RuleName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) if !id.is_empty() => write!(f, "`{}`", id.escape_debug()),
            _ => f.write_str("without an ID"),
        }
    }
}

/// A lifecycle rule of a fleet. Its ID proves that the fleet owns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FleetRule {
    /// The ID.
    pub id: String,
    /// The key prefix of its objects.
    pub under: String,
    /// The number of days after which objects expire; `null` if never.
    pub expire_days: Option<u32>,
    /// The transition to a cheaper storage class before the expiration.
    pub transition: Option<Transition>,
    /// In a versioned bucket, the number of days after which noncurrent versions are deleted.
    pub noncurrent_days: Option<u32>,
    /// The number of days after which incomplete multipart uploads are aborted.
    pub abort_uploads_days: Option<u32>,
}

impl FleetRule {
    /// The ID prefix of the rules of all fleets.
    const MARK: &str = "flowagg-expiry/";
    /// The maximum length of an ID, in characters. Source: "LifecycleRule" (Amazon S3 API Reference).
    const LONGEST_ID: usize = 255;

    /// A rule with this ID and key prefix, without any effect yet.
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

    /// The ID of a fleet's rule for the objects in this folder: `flowagg-expiry/acme-logs/AWSLogs`. Each folder has its own rule,
    /// so that objects in a former folder still expire and no fleet changes the rule of another.
    pub fn id(fleet: &FleetName, folder: &str) -> String {
        let folder = folder.trim_end_matches('/');
        let id = format!("{}{folder}", Self::id_start(fleet));
        if id.chars().count() <= Self::LONGEST_ID {
            return id;
        }
        // The hash distinguishes folders with a common prefix.
        let start: String = id.chars().take(Self::LONGEST_ID - 17).collect();
        format!("{start}-{:016x}", hash(folder))
    }

    /// Whether a rule with this ID belongs to the fleet. The name of a fleet cannot contain a slash.
    pub fn is_id_of(fleet: &FleetName, id: &str) -> bool {
        id.starts_with(&Self::id_start(fleet))
    }

    fn id_start(fleet: &FleetName) -> String {
        format!("{}{fleet}/", Self::MARK)
    }

    /// Whether it has any effect. S3 rejects a rule without one.
    pub fn has_effect(&self) -> bool {
        let Self { id: _, under: _, expire_days, transition, noncurrent_days, abort_uploads_days } = self;
        expire_days.is_some()
            || transition.is_some()
            || noncurrent_days.is_some()
            || abort_uploads_days.is_some()
    }

    /// The rule as XML. `prefix` is the namespace prefix with its colon. `is_at_rule` writes `Prefix` directly in the rule instead
    /// of in a `Filter`, because S3 is reported to reject documents that mix both.
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

/// Escapes text for XML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A parser would normalize it to a line feed.
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
    fn each_folder_has_its_own_rule() {
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
    fn rule_of_a_fleet_with_a_longer_name_is_foreign() {
        let [acme, longer] = ["acme", "acme-net"].map(|name| FleetName::parse(name).unwrap());
        let id = FleetRule::id(&longer, "AWSLogs/");
        assert!(FleetRule::is_id_of(&longer, &id));
        assert!(!FleetRule::is_id_of(&acme, &id));
    }
}
