//! What is asked: who wants to do what to which resource, and what AWS knows of the request.

use std::collections::BTreeMap;

use flowagg_core::id::{AccountId, BucketName, OrganizationId, Partition, Region};
use serde::{Deserialize, Deserializer, de};

use super::principal::Caller;
use crate::grant::{DELIVERY_ACL, DELIVERY_SERVICE};

/// A request, as AWS puts it to a policy.
///
/// It can be read from `{"principal": …, "action": …, "resource": …, "context": {key: string or list}}`. The principal is
/// a service's name, an ARN, an account id, a canonical user id, or `*` for a caller without credentials.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) principal: Caller,
    /// In lower case: actions have no case.
    pub(super) action: String,
    pub(super) resource: String,
    /// By key in lower case, for the names of condition keys have no case. A request has few: a list is the fastest map.
    context: Vec<(String, Vec<String>)>,
}

impl Request {
    /// A request without context.
    pub fn new(principal: &str, action: &str, resource: &str) -> Self {
        Self {
            principal: Caller::parse(principal),
            action: action.to_ascii_lowercase(),
            resource: resource.to_owned(),
            context: Vec::new(),
        }
    }

    /// The same request with this value of a condition key.
    #[must_use]
    pub fn with(self, key: &str, value: &str) -> Self {
        self.with_all(key, [value])
    }

    /// The same request with these values of a condition key. An empty list is a key without a value.
    #[must_use]
    pub fn with_all<'a>(mut self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.put(key, values.into_iter().map(str::to_owned).collect());
        self
    }

    /// The same request of an account in this organization, under this path (`o-…/r-…/ou-…/`).
    #[must_use]
    pub fn in_organization(self, id: &OrganizationId, path: &str) -> Self {
        self.with("aws:SourceOrgID", id.as_str()).with_all("aws:SourceOrgPaths", [path])
    }

    /// The same request of an account in this organization. Under which units it lies is not known: only the whole
    /// organization's path fits.
    #[must_use]
    pub(crate) fn under_some_root(self, id: &OrganizationId) -> Self {
        self.in_organization(id, &format!("{id}/r-0000/"))
    }

    /// The delivery service puts an object, for a flow log of this account and region.
    pub fn put_object(bucket: &BucketName, account: AccountId, region: &Region, key: &str) -> Self {
        let resource = format!("arn:{}:s3:::{bucket}/{key}", region.partition());
        Self::to_s3("s3:PutObject", &resource, account, region).with("s3:x-amz-acl", DELIVERY_ACL)
    }

    /// The delivery service reads the bucket's ACL, for a flow log of this account and region.
    pub fn acl_check(bucket: &BucketName, account: AccountId, region: &Region) -> Self {
        let resource = format!("arn:{}:s3:::{bucket}", region.partition());
        Self::to_s3("s3:GetBucketAcl", &resource, account, region)
    }

    fn to_s3(action: &str, resource: &str, account: AccountId, region: &Region) -> Self {
        Self::delivery(action, resource, account, region.partition(), region.as_str())
            .with("s3:TlsVersion", "1.2")
            .with("s3:authType", "REST-HEADER")
            .with("s3:signatureversion", "AWS4-HMAC-SHA256")
    }

    /// What the delivery service sends with every call: the keys that AWS documents for a service principal, and those
    /// that any signed call over TLS has. `aws:SourceIp` and the keys of VPC endpoints it has not.
    ///
    /// The region is text: with `*` for one, only what holds in any region holds.
    pub(crate) fn delivery(
        action: &str,
        resource: &str,
        account: AccountId,
        partition: Partition,
        region: &str,
    ) -> Self {
        let arn = format!("arn:{partition}:logs:{region}:{account}:log-delivery");
        Self::new(DELIVERY_SERVICE, action, resource)
            .with("aws:SourceAccount", &account.to_string())
            .with("aws:SourceArn", &arn)
            .with("aws:PrincipalIsAWSService", "true")
            .with("aws:PrincipalServiceName", DELIVERY_SERVICE)
            .with_all("aws:PrincipalServiceNamesList", [DELIVERY_SERVICE])
            .with("aws:SecureTransport", "true")
    }

    /// Sets the values of a key; whether it had none before.
    fn put(&mut self, key: &str, values: Vec<String>) -> bool {
        let key = key.to_lowercase();
        match self.context.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = values,
            None => {
                self.context.push((key, values));
                return true;
            }
        }
        false
    }

    /// The values of a key, given in lower case. `None` when the request has none.
    pub(super) fn values(&self, key: &str) -> Option<&[String]> {
        let (_, values) = self.context.iter().find(|(known, _)| known == key)?;
        Some(values.as_slice()).filter(|values| !values.is_empty())
    }

    /// The value of a key that has one and not several.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        match self.values(key) {
            Some([only]) => Some(only),
            _ => None,
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
        }
        let raw = Raw::deserialize(deserializer)?;
        let mut request = Self::new(&raw.principal, &raw.action, &raw.resource);
        for (key, Values(values)) in raw.context {
            if !request.put(&key, values) {
                return Err(de::Error::custom(format!("the context has `{key}` twice")));
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
