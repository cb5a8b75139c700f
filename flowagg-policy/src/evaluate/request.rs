//! A request: who wants to do what to which resource, and what is known of its condition keys.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region};
use serde::{Deserialize, Deserializer, de};

use super::delivery::{Delivery, Service};
use super::fact::{ABSENT, Fact, Named, UNKNOWN};
use super::principal::Caller;

/// A request that a policy decides about: a principal, an action, a resource and condition keys.
///
/// It can be read from `{"principal": …, "action": …, "resource": …, "context": {key: string or list}, "unknown": [key]}`. The
/// principal is a service's name, an ARN, an account id, a canonical user id, or `*` for a caller without credentials. The
/// request is without a key that is in neither `context` nor `unknown`.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) principal: Caller,
    /// In lower case: actions have no case.
    pub(super) action: String,
    pub(super) resource: String,
    /// By key in lower case, for the names of condition keys have no case. A request has few: a list is the fastest map.
    context: Vec<(Cow<'static, str>, Fact)>,
    /// What is known of the keys that are not in `context`.
    others: Others,
}

/// What is known of the keys that a request does not mention.
#[derive(Clone, Copy, Debug)]
pub(super) enum Others {
    /// The request does not have them.
    Absent,
    /// Those of AWS and of this service are not known, but for the ones that its deliveries are documented not to have.
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

/// Keys that have several values, in lower case. They cannot be policy variables, even with one value.
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
    /// A request without context.
    pub fn new(principal: &str, action: &str, resource: &str) -> Self {
        Self {
            principal: Caller::parse(principal),
            action: action.to_ascii_lowercase(),
            resource: resource.to_owned(),
            context: Vec::new(),
            others: Others::Absent,
        }
    }

    /// A request of an AWS service, without context.
    pub(super) fn of_service(service: &str, action: &str, resource: String) -> Self {
        Self {
            principal: Caller::Name(service.to_owned()),
            action: action.to_ascii_lowercase(),
            resource,
            context: Vec::new(),
            others: Others::Absent,
        }
    }

    /// The same request for this action on this resource.
    #[must_use]
    pub(super) fn to(self, action: &str, resource: String) -> Self {
        Self { action: action.to_ascii_lowercase(), resource, ..self }
    }

    /// The same request with this value of a condition key.
    #[must_use]
    pub fn with(self, key: &str, value: &str) -> Self {
        self.with_all(key, [value])
    }

    /// The same request with these values of a condition key. Without a value, the request does not have the key.
    #[must_use]
    pub fn with_all<'a>(self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.with_fact(key.to_lowercase(), Fact::values(values))
    }

    /// The same request, of which it is not known whether it has a condition key, nor with which value.
    #[must_use]
    pub fn with_unknown(self, key: &str) -> Self {
        self.with_fact(key.to_lowercase(), UNKNOWN.clone())
    }

    /// The same request with this value of a key, given in lower case.
    #[must_use]
    pub(super) fn with_value(self, key: &'static str, value: String) -> Self {
        self.with_fact(key, Fact::Values(vec![value]))
    }

    /// The same request, with what is known of a key, given in lower case.
    #[must_use]
    pub(super) fn with_fact(mut self, key: impl Into<Cow<'static, str>>, fact: Fact) -> Self {
        self.put(key.into(), fact);
        self
    }

    #[must_use]
    pub(super) fn with_others(self, others: Others) -> Self {
        Self { others, ..self }
    }

    /// The same request of an account in this organization, under this path (`o-…/r-…/ou-…/`).
    #[must_use]
    pub fn in_organization(self, id: &OrganizationId, path: &str) -> Self {
        self.with("aws:SourceOrgID", id.as_str()).with_all("aws:SourceOrgPaths", [path])
    }

    /// The same request of an account that is not in an organization.
    #[must_use]
    pub fn without_organization(self) -> Self {
        self.with_all("aws:SourceOrgID", []).with_all("aws:SourceOrgPaths", [])
    }

    /// The delivery service puts an object, for a flow log of this account and region. The account's organization and the
    /// bucket's owner are unknown.
    pub fn put_object(bucket: &BucketName, account: AccountId, region: &Region, key: &str) -> Self {
        Delivery::new(account, region.clone()).put_object(bucket, key)
    }

    /// The delivery service reads the bucket's ACL, for a flow log of this account and region. The account's organization and
    /// the bucket's owner are unknown.
    pub fn acl_check(bucket: &BucketName, account: AccountId, region: &Region) -> Self {
        Delivery::new(account, region.clone()).acl_check(bucket)
    }

    /// Sets what is known of a key, given in lower case; whether it was not set before.
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

    /// What is known of a key, given in lower case.
    pub(super) fn fact(&self, key: &str) -> &Fact {
        match (self.context.iter().find(|(known, _)| known == key), self.others) {
            (Some((_, fact)), _) => fact,
            (None, Others::Delivery(service)) => service.fact(key),
            (None, Others::Absent) => &ABSENT,
        }
    }

    /// The value of the policy variable of a key, given in lower case.
    pub(super) fn variable(&self, key: &str) -> Variable<'_> {
        match self.fact(key) {
            _ if MULTIVALUED.contains(&key) => Variable::Absent,
            Fact::Values(values) => match values.as_slice() {
                [only] => Variable::Value(only),
                _ => Variable::Absent,
            },
            // No resource and no policy has such a value.
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
                return Err(de::Error::custom(format!("the request has `{key}` twice")));
            }
        }
        Ok(request)
    }
}

/// A string or a list of strings; numbers and Booleans count as their texts.
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
