//! Requests: principal, action, resource, and the known values of condition keys.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region};
use serde::{Deserialize, Deserializer, de};

use super::delivery::{Delivery, Service};
use super::fact::{ABSENT, Fact, Named, UNKNOWN};
use super::principal::Caller;

/// A request to evaluate: a principal, an action, a resource and condition keys.
///
/// Deserialized from `{"principal": …, "action": …, "resource": …, "context": {key: string or list}, "unknown":
/// [key]}`. The principal is a service name, an ARN, an account ID, a canonical user ID, or `*` for a caller without
/// credentials. Keys that are in neither `context` nor `unknown` are absent from the request.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) principal: Caller,
    /// In lower case: actions are case-insensitive.
    pub(super) action: String,
    pub(super) resource: String,
    /// By lowercase key: condition keys are case-insensitive. A request has few keys, so a list is the fastest map.
    context: Vec<(Cow<'static, str>, Fact)>,
    /// The values of keys that are not in `context`.
    others: Others,
}

/// The values of keys that a request does not mention.
#[derive(Clone, Copy, Debug)]
pub(super) enum Others {
    /// The request does not have them.
    Absent,
    /// Global keys and keys of this service are unknown, except those that its delivery requests are documented not to
    /// have.
    Delivery(&'static Service),
}

/// The value of a policy variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable<'r> {
    Value(&'r str),
    /// The request does not have the key, or the key has several values.
    Absent,
    Unknown,
}

/// Multivalued keys in lower case. They cannot be policy variables, even with a single value.
///
/// Source: "Set operators for multivalued context keys" and "IAM policy elements: Variables and tags" (IAM User Guide);
/// "Actions, resources, and condition keys" of Amazon S3 and of AWS KMS (Service Authorization Reference).
const MULTIVALUED: [&str; 9] = [
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
    "aws:sourceorgpaths",
    "aws:tagkeys",
    "aws:vpceorgpaths",
    "kms:encryptioncontextkeys",
    "s3:requestobjecttagkeys",
];

impl Request {
    /// A request without condition keys.
    pub fn new(principal: &str, action: &str, resource: &str) -> Self {
        Self {
            principal: Caller::parse(principal),
            action: action.to_ascii_lowercase(),
            resource: resource.to_owned(),
            context: Vec::new(),
            others: Others::Absent,
        }
    }

    /// A request of an AWS service without condition keys.
    pub(super) fn of_service(service: &str, action: &str, resource: String) -> Self {
        Self {
            principal: Caller::Name(service.to_owned()),
            action: action.to_ascii_lowercase(),
            resource,
            context: Vec::new(),
            others: Others::Absent,
        }
    }

    /// Sets the action and resource.
    #[must_use]
    pub(super) fn to(self, action: &str, resource: String) -> Self {
        Self { action: action.to_ascii_lowercase(), resource, ..self }
    }

    /// Sets a condition key to one value.
    #[must_use]
    pub fn with(self, key: &str, value: &str) -> Self {
        self.with_all(key, [value])
    }

    /// Sets a condition key to these values. Without values, the request does not have the key.
    #[must_use]
    pub fn with_all<'a>(self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.with_fact(key.to_lowercase(), Fact::values(values))
    }

    /// Marks a condition key as unknown: both its value and whether the request has it.
    #[must_use]
    pub fn with_unknown(self, key: &str) -> Self {
        self.with_fact(key.to_lowercase(), UNKNOWN.clone())
    }

    /// Sets a key (in lower case) to one value.
    #[must_use]
    pub(super) fn with_value(self, key: &'static str, value: String) -> Self {
        self.with_fact(key, Fact::Values(vec![value]))
    }

    /// Sets the fact for a key (in lower case).
    #[must_use]
    pub(super) fn with_fact(mut self, key: impl Into<Cow<'static, str>>, fact: Fact) -> Self {
        self.put(key.into(), fact);
        self
    }

    #[must_use]
    pub(super) fn with_others(self, others: Others) -> Self {
        Self { others, ..self }
    }

    /// Sets the organization of the account and the path in it (`o-…/r-…/ou-…/`).
    #[must_use]
    pub fn in_organization(self, id: &OrganizationId, path: &str) -> Self {
        self.with("aws:SourceOrgID", id.as_str()).with_all("aws:SourceOrgPaths", [path])
    }

    /// Marks the account as not belonging to an organization.
    #[must_use]
    pub fn without_organization(self) -> Self {
        self.with_all("aws:SourceOrgID", []).with_all("aws:SourceOrgPaths", [])
    }

    /// The delivery service's request to put an object for a flow log of this account and region. The account's
    /// organization and the bucket's owner are unknown.
    pub fn put_object(bucket: &BucketName, account: AccountId, region: &Region, key: &str) -> Self {
        Delivery::new(account, region.clone()).put_object(bucket, key)
    }

    /// The delivery service's request to read the bucket's ACL for a flow log of this account and region. The account's
    /// organization and the bucket's owner are unknown.
    pub fn acl_check(bucket: &BucketName, account: AccountId, region: &Region) -> Self {
        Delivery::new(account, region.clone()).acl_check(bucket)
    }

    /// Sets the fact for a key (in lower case); returns false if it was already set.
    fn put(&mut self, key: Cow<'static, str>, fact: Fact) -> bool {
        match self.context.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = fact,
            None => {
                self.context.push((key, fact));
                return true;
            }
        }
        false
    }

    /// The fact for a key (in lower case).
    pub(super) fn fact(&self, key: &str) -> &Fact {
        match (self.context.iter().find(|(known, _)| known == key), self.others) {
            (Some((_, fact)), _) => fact,
            (None, Others::Delivery(service)) => service.fact(key),
            (None, Others::Absent) => &ABSENT,
        }
    }

    /// The value of the policy variable for a key (in lower case).
    pub(super) fn variable(&self, key: &str) -> Variable<'_> {
        match self.fact(key) {
            _ if MULTIVALUED.contains(&key) => Variable::Absent,
            Fact::Values(values) => match values.as_slice() {
                [only] => Variable::Value(only),
                _ => Variable::Absent,
            },
            // No resource and no policy contains such a value.
            Fact::Unknown(possible) if possible.named == Named::No => Variable::Absent,
            Fact::Unknown(_) => Variable::Unknown,
        }
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            principal: String,
            action: String,
            resource: String,
            #[serde(default)]
            context: BTreeMap<String, Values>,
            #[serde(default)]
            unknown: BTreeSet<String>,
        }
        let raw = Raw::deserialize(deserializer)?;
        let mut request = Self::new(&raw.principal, &raw.action, &raw.resource);
        let known = raw.context.into_iter().map(|(key, Values(values))| (key, Fact::Values(values)));
        for (key, fact) in known.chain(raw.unknown.into_iter().map(|key| (key, UNKNOWN.clone()))) {
            if !request.put(key.to_lowercase().into(), fact) {
                return Err(de::Error::custom(format!("duplicate condition key `{key}`")));
            }
        }
        Ok(request)
    }
}

/// A string or a list of strings; numbers and Booleans are converted to text.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Values;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string or a list of strings")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
                Ok(Values(vec![text.to_owned()]))
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Values, E> {
                Ok(Values(Vec::new()))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(Values(more)) = sequence.next_element()? {
                    values.extend(more);
                }
                Ok(Values(values))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
