//! Splits IAM policies that exceed IAM's size limits into several documents, which together allow the same.
//!
//! Source: "IAM and AWS STS quotas" (IAM User Guide). White space does not count.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// The maximum size of a managed policy, in characters.
const MANAGED_POLICY: usize = 6_144;
/// The maximum total size of a role's inline policies, in characters.
pub(super) const INLINE_POLICIES: usize = 10_240;
/// The default quota of managed policies per role.
pub const POLICIES_OF_ROLE: usize = 10;

/// The principal that a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PolicyPart {
    /// The role or user that runs flowagg.
    Caller,
    /// The role that lists the organization's accounts.
    Lookup,
    /// The role or user in the hub account.
    Hub,
    /// The role in each member's account.
    Member,
    /// The role or user that runs only `plan`, `verify` and `report`.
    ReadCaller,
    /// The read role in the hub account.
    ReadHub,
    /// The read role in each member's account.
    ReadMember,
}

impl PolicyPart {
    /// The name of the managed policy.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Caller => "flowagg-caller",
            Self::Lookup => "flowagg-lookup",
            Self::Hub => "flowagg-hub",
            Self::Member => "flowagg-member",
            Self::ReadCaller => "flowagg-read-caller",
            Self::ReadHub => "flowagg-read-hub",
            Self::ReadMember => "flowagg-read-member",
        }
    }
}

/// A managed IAM policy, as `aws iam create-policy` accepts it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct ManagedPolicy {
    /// The principal that it is for.
    pub part: PolicyPart,
    /// The name of the policy. If a policy has several documents, their names are numbered.
    pub name: String,
    /// Its size in characters as IAM counts them, at most 6,144.
    pub characters: usize,
    /// The policy document.
    #[schemars(with = "Map<String, Value>")]
    pub document: Value,
}

/// The documents of a policy: one with the name of its part, or several with numbered names.
pub(super) fn managed(part: PolicyPart, policy: &Value) -> Vec<ManagedPolicy> {
    let documents = split(policy, MANAGED_POLICY);
    let (is_one, name) = (documents.len() == 1, part.name());
    let named = |(n, document): (usize, Value)| ManagedPolicy {
        part,
        name: if is_one { name.to_owned() } else { format!("{name}-{}", n + 1) },
        characters: characters(&document),
        document,
    };
    documents.into_iter().enumerate().map(named).collect()
}

/// The size of a document as IAM counts it: without white space.
pub(super) fn characters(document: &Value) -> usize {
    document.to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// Splits a policy into documents of up to `limit` characters. Statements keep their order. A list of resources that does not
/// fit is divided, and each part is a statement with the same Sid: Sids are unique within a document.
fn split(policy: &Value, limit: usize) -> Vec<Value> {
    let Some(statements) = policy["Statement"].as_array().filter(|_| characters(policy) > limit) else {
        return vec![policy.clone()];
    };
    let mut documents = Documents {
        empty: with(policy, "Statement", Value::Array(Vec::new())),
        limit,
        done: Vec::new(),
        open: Vec::new(),
    };
    for statement in statements {
        documents.add(statement);
    }
    documents.close();
    documents.done
}

/// Documents that are being filled.
struct Documents {
    /// The policy without statements.
    empty: Value,
    limit: usize,
    done: Vec<Value>,
    /// The statements of the last document.
    open: Vec<Value>,
}

impl Documents {
    fn add(&mut self, statement: &Value) {
        if characters(statement) <= self.room() {
            return self.open.push(statement.clone());
        }
        let Some(resources) = statement["Resource"].as_array().filter(|list| list.len() > 1) else {
            // It cannot be divided.
            self.close();
            return self.open.push(statement.clone());
        };
        let frame = characters(&with(statement, "Resource", Value::Array(Vec::new())));
        let mut part = Vec::new();
        let mut size = frame;
        for resource in resources {
            // Including a comma.
            let more = characters(resource) + 1;
            if size + more > self.room() {
                self.push(statement, &mut part);
                self.close();
                size = frame;
            }
            part.push(resource.clone());
            size += more;
        }
        self.push(statement, &mut part);
    }

    /// Adds the statement with a part of its resources.
    fn push(&mut self, statement: &Value, resources: &mut Vec<Value>) {
        if !resources.is_empty() {
            self.open.push(with(statement, "Resource", Value::Array(std::mem::take(resources))));
        }
    }

    /// The remaining size for a statement in the last document, in characters.
    fn room(&self) -> usize {
        let statements: usize = self.open.iter().map(|statement| characters(statement) + 1).sum();
        self.limit.saturating_sub(characters(&self.empty) + statements)
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.done.push(with(&self.empty, "Statement", Value::Array(std::mem::take(&mut self.open))));
        }
    }
}

/// The object with another value for a key.
fn with(object: &Value, key: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[key] = value;
    object
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn arn(n: usize) -> String {
        format!("arn:aws:iam::{n:012}:role/OrganizationAccountAccessRole")
    }

    fn of(roles: usize) -> Value {
        let roles: Vec<String> = (0..roles).map(arn).collect();
        json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "Assume", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles },
            { "Sid": "List", "Effect": "Allow", "Action": ["organizations:ListAccounts"], "Resource": "*" },
        ] })
    }

    #[test]
    fn policy_is_split_only_if_it_exceeds_the_limit() {
        let largest = (1..200).rev().find(|n| characters(&of(*n)) <= MANAGED_POLICY).unwrap();
        assert_eq!(split(&of(largest), MANAGED_POLICY), [of(largest)]);
        assert_eq!(split(&of(largest + 1), MANAGED_POLICY).len(), 2);
        let exact = characters(&of(5));
        assert_eq!(split(&of(5), exact).len(), 1);
        assert_eq!(split(&of(5), exact - 1).len(), 2);
    }

    #[test]
    fn documents_fit_the_limit_and_allow_the_same() {
        for roles in [95, 96, 97, 200, 1_000, 2_345] {
            let documents = managed(PolicyPart::Caller, &of(roles));
            let room: usize = documents.iter().map(|policy| policy.characters).sum();
            assert!(documents.iter().all(|policy| policy.characters <= MANAGED_POLICY), "{roles}");
            assert!(documents.len() <= room.div_ceil(MANAGED_POLICY - 200), "{roles}: {}", documents.len());
            let allowed = |sid: &str| {
                let mut found = Vec::new();
                for policy in &documents {
                    assert_eq!(policy.document["Version"], "2012-10-17");
                    for statement in policy.document["Statement"].as_array().unwrap() {
                        if statement["Sid"] == sid {
                            found.extend(statement["Resource"].as_array().cloned().unwrap_or_default());
                        }
                    }
                }
                found
            };
            let expected: Vec<Value> = (0..roles).map(|n| json!(arn(n))).collect();
            assert_eq!(allowed("Assume"), expected);
            let names: BTreeSet<&str> = documents.iter().map(|policy| policy.name.as_str()).collect();
            assert_eq!(names.len(), documents.len());
            let lists =
                documents.iter().filter(|policy| policy.document.to_string().contains("ListAccounts"));
            assert_eq!(lists.count(), 1);
        }
    }

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(characters(&json!({ "a": " b c " })), characters(&json!({ "a": "bc" })));
    }
}
