//! Adoption: on request, foreign statements that grant log delivery are removed, and the fleet's own statements grant
//! it instead. Nothing is adopted because it looks similar: the user names each statement.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use flowagg_core::id::{AccountId, Region};
use flowagg_core::layout::{AWS_LOGS, account_of};

use crate::document::{Document, DocumentError, Statement};
use crate::evaluate::Policy;
use crate::grant::{Grant, Sid};
use crate::service::DELIVERY_SERVICE;

/// A reference to a statement of a bucket policy: its Sid, or its position in the policy, e.g. `#3`, starting at 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatementRef {
    /// The only statement with this Sid.
    Sid(String),
    /// The statement at this position, starting at 1.
    Place(usize),
}

impl FromStr for StatementRef {
    type Err = AdoptError;

    fn from_str(text: &str) -> Result<Self, AdoptError> {
        match text.strip_prefix('#').map(str::parse) {
            Some(Ok(place)) if place > 0 => Ok(Self::Place(place)),
            Some(_) => Err(AdoptError::Reference { given: text.to_owned() }),
            None if text.is_empty() => Err(AdoptError::Reference { given: text.to_owned() }),
            None => Ok(Self::Sid(text.to_owned())),
        }
    }
}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sid(sid) => f.write_str(sid),
            Self::Place(place) => write!(f, "#{place}"),
        }
    }
}

/// The reason why a statement cannot be adopted.
///
/// [`Display`](std::fmt::Display) describes the error; [`help`](Self::help) how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The text is not a reference to a statement.
    #[error(
        "`{given}` is not a valid statement reference: expected a Sid, or `#` and a position starting at 1"
    )]
    Reference {
        /// The given text.
        given: String,
    },
    /// The live policy cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The policy has no such statement.
    #[error("the bucket policy has no statement `{statement}`")]
    Missing {
        /// The reference.
        statement: StatementRef,
    },
    /// Several statements have the Sid.
    #[error("{} statements have the Sid `{sid}`", places.len())]
    Ambiguous {
        /// The Sid.
        sid: String,
        /// Their positions, starting at 1.
        places: Vec<usize>,
    },
    /// The statement is managed by a fleet.
    #[error("statement {statement} is managed by a flowagg fleet")]
    Managed {
        /// The statement.
        statement: String,
    },
    /// The statement grants more than log delivery, or its conditions cannot be checked for every delivery.
    #[error("statement {statement} {why}")]
    Unfit {
        /// The statement.
        statement: String,
        /// The reason, as a predicate of the statement.
        why: String,
    },
}

impl AdoptError {
    /// How to fix it, as an imperative sentence.
    pub fn help(&self) -> String {
        match self {
            Self::Reference { .. } => "pass a Sid, or a position such as `#3`".to_owned(),
            Self::Document(error) => error.help().to_owned(),
            Self::Missing { .. } => "list the statements with `aws s3api get-bucket-policy`".to_owned(),
            Self::Ambiguous { places, .. } => {
                let places: Vec<String> = places.iter().map(|place| format!("`#{place}`")).collect();
                format!("pass one by its position: {}", places.join(" or "))
            }
            Self::Managed { .. } => {
                "remove it with the fleet file of that fleet: `flowagg -c FILE destroy`".to_owned()
            }
            Self::Unfit { .. } => "keep the statement, or edit the bucket policy manually".to_owned(),
        }
    }
}

/// A policy without the adopted statements.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adopted {
    /// The policy. Its list of statements may be empty, which S3 rejects: merge the grant into it before writing it.
    pub policy: String,
    /// The names of the adopted statements.
    pub names: Vec<String>,
    /// The original text of the statements, byte for byte.
    pub texts: BTreeSet<String>,
}

impl Adopted {
    /// A policy that contains only the adopted statements.
    fn alone(&self) -> String {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", texts.join(","))
    }
}

/// The condition keys whose values are known for every delivery. Statements that test other keys cannot be compared.
const KNOWN_KEYS: [&str; 4] = ["aws:sourceaccount", "aws:sourcearn", "s3:x-amz-acl", "aws:securetransport"];
/// The actions that AWS's documented log delivery statements have used over the years.
const ACTIONS: [&str; 5] = ["s3:putobject", "s3:getbucketacl", "s3:listbucket", "s3:get*", "s3:list*"];

/// Removes these statements from a policy, provided that each only grants log delivery.
pub fn adopt(live: &str, statements: &BTreeSet<StatementRef>) -> Result<Adopted, AdoptError> {
    let document = Document::parse(live)?;
    let mut indexes = BTreeSet::new();
    for statement in statements {
        indexes.insert(find(&document, statement)?);
    }
    for (index, statement) in document.statements().enumerate().filter(|(index, _)| indexes.contains(index)) {
        let name = statement.name(index);
        if statement.sid().and_then(Sid::parse).is_some() {
            return Err(AdoptError::Managed { statement: name });
        }
        let text = document.statement_text(index);
        let copies = (0..document.statements().len()).filter(|other| document.statement_text(*other) == text);
        if copies.count() > 1 {
            let why = "has an identical copy in the policy".to_owned();
            return Err(AdoptError::Unfit { statement: name, why });
        }
        if let Some(why) = unfit(statement) {
            return Err(AdoptError::Unfit { statement: name, why });
        }
    }
    Ok(without(&document, &indexes))
}

/// Removes the statements with these texts. Other statements stay, even if they are at the same positions.
pub(crate) fn adopt_again(live: &str, texts: &BTreeSet<String>) -> Result<Adopted, AdoptError> {
    let document = Document::parse(live)?;
    let indexes =
        (0..document.statements().len()).filter(|index| texts.contains(document.statement_text(*index)));
    let indexes = indexes.collect();
    Ok(without(&document, &indexes))
}

fn without(document: &Document<'_>, indexes: &BTreeSet<usize>) -> Adopted {
    let statements = document.statements().enumerate().filter(|(index, _)| indexes.contains(index));
    let names = statements.map(|(index, statement)| statement.name(index)).collect();
    let texts = indexes.iter().map(|index| document.statement_text(*index).to_owned()).collect();
    let changes: Vec<_> = indexes.iter().map(|index| (*index, None)).collect();
    let policy = if indexes.is_empty() { document.text.to_owned() } else { document.edit(&changes, &[]) };
    Adopted { policy, names, texts }
}

fn find(document: &Document<'_>, statement: &StatementRef) -> Result<usize, AdoptError> {
    let missing = || AdoptError::Missing { statement: statement.clone() };
    match statement {
        StatementRef::Place(place) => {
            let index = place.checked_sub(1).filter(|index| *index < document.statements().len());
            index.ok_or_else(missing)
        }
        StatementRef::Sid(sid) => {
            let with_sid = document.statements().enumerate().filter(|(_, it)| it.sid() == Some(sid.as_str()));
            let found: Vec<usize> = with_sid.map(|(index, _)| index).collect();
            match found.as_slice() {
                [] => Err(missing()),
                [one] => Ok(*one),
                several => Err(AdoptError::Ambiguous {
                    sid: sid.clone(),
                    places: several.iter().map(|index| index + 1).collect(),
                }),
            }
        }
    }
}

/// Returns the reason why a statement cannot be adopted, if any.
fn unfit(statement: Statement<'_>) -> Option<String> {
    let text = |name: &str| statement.get(name).and_then(|node| node.as_str());
    if text("Effect") != Some("Allow") {
        return Some("is not an Allow statement".to_owned());
    }
    for name in ["NotPrincipal", "NotAction", "NotResource"] {
        if statement.get(name).is_some() {
            return Some(format!("has a `{name}`, so what it grants cannot be listed"));
        }
    }
    let principals = statement.get("Principal").and_then(|node| node.members()).unwrap_or_default();
    let is_service = match principals {
        [only] => {
            let named = only.value.elements();
            only.key == "Service"
                && !named.is_empty()
                && named.iter().all(|it| it.as_str() == Some(DELIVERY_SERVICE))
        }
        _ => false,
    };
    if !is_service {
        return Some(format!("has a principal other than `{DELIVERY_SERVICE}`"));
    }
    let actions = statement.get("Action").map(|node| node.elements()).unwrap_or_default();
    let other = actions
        .iter()
        .filter_map(|node| node.as_str())
        .find(|action| !ACTIONS.contains(&action.to_ascii_lowercase().as_str()));
    if let Some(action) = other {
        return Some(format!("allows `{action}`, which log delivery does not need"));
    }
    let resources = statement.get("Resource").map(|node| node.elements()).unwrap_or_default();
    let part = resources.iter().filter_map(|node| node.as_str()).find(|resource| !is_whole(resource));
    if let Some(resource) = part {
        return Some(format!("names `{resource}`, which is not a bucket or a whole folder of an account"));
    }
    let unknown =
        statement.condition_keys().find(|key| !KNOWN_KEYS.contains(&key.key.to_ascii_lowercase().as_str()));
    if let Some(key) = unknown {
        return Some(format!("tests `{}`, whose value is not known for every delivery", key.key));
    }
    let arns = source_arns(statement);
    let other = arns.iter().find(|arn| region_of(arn).is_none());
    other.map(|arn| format!("tests `aws:SourceArn` for `{arn}`, which does not have the documented form"))
}

/// Whether a resource is a bucket, all its objects, or all objects under `AWSLogs/` or an account's folder in it. Such
/// a resource covers either every delivery to a folder or none. Variables are not accepted because they could have any
/// value.
fn is_whole(resource: &str) -> bool {
    let Some((_, path)) = resource.split_once(":s3:::") else { return false };
    let Some((_, path)) = path.split_once('/') else { return !resource.contains(['*', '?', '$']) };
    let Some(folder) = path.strip_suffix('*') else { return false };
    if folder.contains(['*', '?', '$']) {
        return false;
    }
    let mut segments = folder.trim_end_matches('/').rsplit('/');
    let last = segments.next().unwrap_or_default();
    folder.is_empty()
        || (folder.ends_with('/')
            && (last == AWS_LOGS || (account_of(last).is_some() && segments.next() == Some(AWS_LOGS))))
}

/// The `aws:SourceArn` values that a statement tests.
fn source_arns(statement: Statement<'_>) -> Vec<&str> {
    let arns = statement.condition_keys().filter(|key| key.key.eq_ignore_ascii_case("aws:SourceArn"));
    arns.flat_map(|key| key.value.elements().iter().filter_map(|node| node.as_str())).collect()
}

/// The region of an ARN in the documented form, `arn:PARTITION:logs:REGION:ACCOUNT:*`; an inner `None` means any
/// region.
fn region_of(arn: &str) -> Option<Option<Region>> {
    let mut parts = arn.split(':');
    let ("arn", _, "logs", region, account, "*", None) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next(),
    ) else {
        return None;
    };
    if account != "*" && AccountId::parse(account).is_err() {
        return None;
    }
    if region == "*" { Some(None) } else { Region::parse(region).ok().map(Some) }
}

/// A known delivery of logs to the bucket: by a flow log, or by another service whose folder has objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KnownDelivery {
    /// The source account.
    pub account: AccountId,
    /// The source region; `None` if it could be any.
    pub region: Option<Region>,
    /// Example object keys, one for each possible folder layout.
    pub keys: BTreeSet<String>,
    /// The name of the delivery for messages.
    pub name: String,
}

/// Returns the deliveries that may use an adopted statement and that the new policy does not certainly allow.
///
/// A delivery that may have been allowed before counts as used, and Deny statements are ignored, because a delivery
/// that fails today may work tomorrow. Deliveries without a known region are tested with all `regions`.
pub(crate) fn stopped<'d>(
    adopted: &Adopted,
    after: &str,
    grant: &Grant,
    regions: &BTreeSet<Region>,
    deliveries: &'d BTreeSet<KnownDelivery>,
) -> Result<Vec<&'d KnownDelivery>, DocumentError> {
    let used = Policy::compile(&adopted.alone())?;
    let after = Policy::compile(after)?.without_denials();
    let stops = |delivery: &&KnownDelivery| {
        let from = match &delivery.region {
            Some(region) => BTreeSet::from([region]),
            None => regions.iter().collect(),
        };
        from.into_iter().any(|region| {
            let asked = grant.delivery(delivery.account, region);
            let puts = delivery.keys.iter().map(|key| asked.put_object(&grant.bucket, key));
            let mut requests = std::iter::once(asked.acl_check(&grant.bucket)).chain(puts);
            requests.any(|request| !used.decide(&request).is_denied() && !after.decide(&request).is_allowed())
        })
    };
    Ok(deliveries.iter().filter(stops).collect())
}

/// The regions that the adopted statements test `aws:SourceArn` for.
pub(crate) fn tested_regions(adopted: &Adopted) -> Result<BTreeSet<Region>, DocumentError> {
    let alone = adopted.alone();
    let document = Document::parse(&alone)?;
    Ok(document.statements().flat_map(source_arns).filter_map(|arn| region_of(arn)?).collect())
}
