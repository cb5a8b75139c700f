//! Adoption: foreign statements that grant log delivery are removed on request, because the fleet's own statements grant it
//! from then on. Nothing is adopted by resemblance: a person names each statement.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use flowagg_core::id::{AccountId, BucketName, Region};

use crate::document::{Document, DocumentError, Statement};
use crate::evaluate::{Policy, Request};
use crate::grant::{DELIVERY_SERVICE, Sid};

/// A statement of a bucket policy, as a person names it: by its Sid, or `#3` by its place in the policy, from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatementRef {
    /// The only statement with this Sid.
    Sid(String),
    /// The statement at this place, from 1.
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

/// A statement that cannot be adopted.
///
/// [`Display`](std::fmt::Display) says why; [`help`](Self::help) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// It is not a reference to a statement.
    #[error("`{given}` is not a statement: expected a Sid, or `#` and a place from 1")]
    Reference {
        /// What was given.
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
        /// Their places, from 1.
        places: Vec<usize>,
    },
    /// A fleet manages the statement.
    #[error("statement {statement} is managed by a flowagg fleet")]
    Managed {
        /// The statement.
        statement: String,
    },
    /// The statement grants something else than log delivery, or under conditions that cannot be checked for every delivery.
    #[error("statement {statement} {why}")]
    Unfit {
        /// The statement.
        statement: String,
        /// What keeps it from being adopted.
        why: String,
    },
}

impl AdoptError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Reference { .. } => "pass a Sid, or a place such as `#3`".to_owned(),
            Self::Document(error) => error.help().to_owned(),
            Self::Missing { .. } => "list the statements with `aws s3api get-bucket-policy`".to_owned(),
            Self::Ambiguous { places, .. } => {
                let places: Vec<String> = places.iter().map(|place| format!("`#{place}`")).collect();
                format!("name one by its place: {}", places.join(" or "))
            }
            Self::Managed { .. } => {
                "remove it with the fleet file of that fleet: `flowagg destroy`".to_owned()
            }
            Self::Unfit { .. } => "leave it as it is, or edit the bucket policy by hand".to_owned(),
        }
    }
}

/// A policy without the adopted statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The policy; `None` if no statement is left.
    pub policy: Option<String>,
    /// The names of the adopted statements.
    pub names: Vec<String>,
    /// The statements as they were, byte for byte.
    pub texts: BTreeSet<String>,
}

/// The condition keys that are known of every delivery, so that a statement that tests no others can be compared.
const KNOWN_KEYS: [&str; 4] = ["aws:sourceaccount", "aws:sourcearn", "s3:x-amz-acl", "aws:securetransport"];
/// The actions of AWS's documented statements for log delivery, over the years.
const ACTIONS: [&str; 5] = ["s3:putobject", "s3:getbucketacl", "s3:listbucket", "s3:get*", "s3:list*"];

/// Removes these statements from a policy, if each grants log delivery and nothing else.
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
        if let Some(why) = unfit(statement) {
            return Err(AdoptError::Unfit { statement: name, why });
        }
    }
    Ok(without(&document, &indexes))
}

/// Removes the statements with these texts; others, also at the same places, stay.
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
    let policy = match (indexes.len(), document.statements().len()) {
        (0, _) => Some(document.text.to_owned()),
        (all, statements) if all == statements => None,
        _ => Some(document.edit(&changes, &[])),
    };
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

/// Why a statement cannot be adopted.
fn unfit(statement: Statement<'_>) -> Option<String> {
    let text = |name: &str| statement.get(name).and_then(|node| node.as_str());
    if text("Effect") != Some("Allow") {
        return Some("is not an Allow".to_owned());
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
        return Some(format!("has another principal than `{DELIVERY_SERVICE}`"));
    }
    let actions = statement.get("Action").map(|node| node.elements()).unwrap_or_default();
    let other = actions
        .iter()
        .filter_map(|node| node.as_str())
        .find(|action| !ACTIONS.contains(&action.to_ascii_lowercase().as_str()));
    if let Some(action) = other {
        return Some(format!("allows `{action}`, which log delivery does not need"));
    }
    let conditions = statement.get("Condition").and_then(|node| node.members()).unwrap_or_default();
    let mut keys = conditions.iter().flat_map(|operator| operator.value.members().unwrap_or_default());
    let unknown = keys.find(|key| !KNOWN_KEYS.contains(&key.key.to_ascii_lowercase().as_str()));
    unknown.map(|key| format!("tests `{}`, which is not known of every delivery", key.key))
}

/// A delivery of logs into the bucket that is known: of a flow log, or of another service whose folder has objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownDelivery {
    /// The account whose logs they are.
    pub account: AccountId,
    /// The regions that they may come from.
    pub regions: BTreeSet<Region>,
    /// The folder that they are delivered to, with a slash at its end.
    pub folder: String,
    /// How to name the delivery in a message.
    pub name: String,
}

/// The deliveries that one policy allows and the other does not, in any of their regions. `None` is a bucket without a policy.
pub fn stopped<'d>(
    before: &str,
    after: Option<&str>,
    bucket: &BucketName,
    deliveries: impl IntoIterator<Item = &'d KnownDelivery>,
) -> Result<Vec<&'d KnownDelivery>, DocumentError> {
    let before = Policy::compile(before)?;
    let after = after.map(Policy::compile).transpose()?;
    let stops = |delivery: &&KnownDelivery| {
        delivery.regions.iter().any(|region| {
            let key = format!("{}object", delivery.folder);
            let put = Request::put_object(bucket, delivery.account, region, &key);
            let check = Request::acl_check(bucket, delivery.account, region);
            let allows = |policy: &Policy| [&put, &check].iter().all(|it| policy.decide(it).is_allowed());
            allows(&before) && !after.as_ref().is_some_and(allows)
        })
    };
    Ok(deliveries.into_iter().filter(stops).collect())
}
