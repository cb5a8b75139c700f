//! The input of the checks: a policy taken apart as far as possible, with the position of each part. Parsing is lenient
//! because the checks report the errors.

use std::ops::Range;

use flowagg_core::layout;

use crate::evaluate::{Family, Operator};
use crate::json::{Member, Node, Value};
use crate::service::DELIVERY_SERVICE;

/// A parsed policy.
pub(super) struct Subject<'d> {
    pub(super) text: &'d str,
    pub(super) root: &'d Node<'d>,
    pub(super) version: Option<&'d Node<'d>>,
    pub(super) list: Option<&'d Node<'d>>,
    pub(super) statements: Vec<Statement<'d>>,
    /// The bucket name: the given one, or else the one that most resources name.
    pub(super) bucket: Option<String>,
}

/// A text and its position.
#[derive(Clone, Copy)]
pub(super) struct Item<'d> {
    pub(super) text: &'d str,
    pub(super) at: usize,
}

/// A parsed statement.
pub(super) struct Statement<'d> {
    pub(super) index: usize,
    pub(super) node: &'d Node<'d>,
    pub(super) members: &'d [Member<'d>],
    pub(super) sid: Option<Item<'d>>,
    pub(super) effect: Option<Item<'d>>,
    /// `Principal` as type and text; everyone is `("*", "*")`.
    pub(super) principals: Vec<(&'d str, Item<'d>)>,
    pub(super) not_principal: Option<&'d Node<'d>>,
    /// `NotPrincipal`, like `principals`.
    pub(super) not_principals: Vec<(&'d str, Item<'d>)>,
    pub(super) actions: Vec<Item<'d>>,
    pub(super) resources: Vec<Item<'d>>,
    pub(super) conditions: Vec<Condition<'d>>,
}

/// A parsed condition.
pub(super) struct Condition<'d> {
    pub(super) operator_name: Item<'d>,
    pub(super) operator: Option<Operator>,
    pub(super) key: Item<'d>,
    /// In lower case.
    pub(super) key_name: String,
    pub(super) values: Vec<Item<'d>>,
    pub(super) node: &'d Node<'d>,
}

impl<'d> Subject<'d> {
    pub(super) fn new(text: &'d str, root: &'d Node<'d>, bucket: Option<&str>) -> Self {
        let member =
            |name: &str| root.members()?.iter().find(|member| member.key == name).map(|member| &member.value);
        let list = member("Statement");
        let nodes = list.map_or(&[][..], Node::elements);
        let statements: Vec<_> =
            nodes.iter().enumerate().map(|(index, node)| Statement::new(index, node)).collect();
        let bucket = bucket.map(str::to_owned).or_else(|| most_named_bucket(&statements));
        Self { text, root, version: member("Version"), list, statements, bucket }
    }

    /// Statements that allow the delivery service any action.
    pub(super) fn grants(&self) -> impl Iterator<Item = &Statement<'d>> {
        self.statements.iter().filter(|statement| statement.allows() && statement.names_delivery())
    }

    /// Statements that allow the delivery service to put objects.
    pub(super) fn writes(&self) -> impl Iterator<Item = &Statement<'d>> {
        self.grants().filter(|statement| statement.does("s3:putobject"))
    }

    /// Whether a statement denies the delivery service access for sources that are not listed.
    pub(super) fn denies_others(&self) -> bool {
        let negated = |condition: &Condition<'_>| {
            condition.is_of_source() && condition.operator.is_some_and(|operator| operator.negated)
        };
        self.statements.iter().any(|statement| {
            statement.denies() && statement.names_delivery() && statement.conditions.iter().any(negated)
        })
    }
}

impl<'d> Statement<'d> {
    fn new(index: usize, node: &'d Node<'d>) -> Self {
        let members = node.members().unwrap_or_default();
        let get = |name: &str| members.iter().find(|member| member.key == name).map(|member| &member.value);
        let items = |name: &str| get(name).map_or(Vec::new(), items);
        Self {
            index,
            node,
            members,
            sid: items("Sid").first().copied(),
            effect: items("Effect").first().copied(),
            principals: get("Principal").map_or(Vec::new(), principals),
            not_principal: get("NotPrincipal"),
            not_principals: get("NotPrincipal").map_or(Vec::new(), principals),
            actions: items("Action"),
            resources: items("Resource"),
            conditions: get("Condition").map_or(Vec::new(), conditions),
        }
    }

    /// Name of the statement for messages: its Sid in backticks, or its position in the list, starting at 1.
    pub(super) fn name(&self) -> String {
        match self.sid {
            Some(sid) if !sid.text.is_empty() => format!("`{}`", sid.text.escape_debug()),
            _ => (self.index + 1).to_string(),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.key == name)
    }

    pub(super) fn allows(&self) -> bool {
        self.effect.is_some_and(|effect| effect.text.eq_ignore_ascii_case("Allow"))
    }

    pub(super) fn denies(&self) -> bool {
        self.effect.is_some_and(|effect| effect.text.eq_ignore_ascii_case("Deny"))
    }

    /// Whether `Principal` is everyone.
    pub(super) fn is_for_everyone(&self) -> bool {
        self.principals.iter().any(|(kind, item)| item.text == "*" && matches!(*kind, "*" | "AWS"))
    }

    pub(super) fn names_delivery(&self) -> bool {
        self.principals.iter().any(|(kind, item)| *kind == "Service" && item.text == DELIVERY_SERVICE)
    }

    /// The service principals.
    pub(super) fn services(&self) -> impl Iterator<Item = &Item<'d>> {
        self.principals.iter().filter(|(kind, _)| *kind == "Service").map(|(_, item)| item)
    }

    /// Whether the actions include this one (in lower case), directly or by a pattern.
    pub(super) fn does(&self, action: &str) -> bool {
        self.actions.iter().any(|item| crate::evaluate::fits(&item.text.to_ascii_lowercase(), action))
    }

    /// Whether it looks like a statement for flow logs, and its principals are not all known to deliver other data.
    pub(super) fn is_about_delivery(&self) -> bool {
        let sid = self.sid.map_or(String::new(), |sid| sid.text.to_ascii_lowercase());
        let looks_like = sid.contains("logdelivery")
            || self.resources.iter().any(|resource| resource.text.contains("/AWSLogs/"));
        self.names_delivery() || looks_like && self.other_logs().is_none()
    }

    /// The conditions on a key (in lower case).
    pub(super) fn on<'s>(&'s self, key: &'s str) -> impl Iterator<Item = &'s Condition<'d>> {
        self.conditions.iter().filter(move |condition| condition.key_name == key)
    }

    /// The account IDs of positive `aws:SourceAccount` conditions.
    pub(super) fn source_accounts(&self) -> Vec<Item<'d>> {
        self.on("aws:sourceaccount")
            .filter(|condition| condition.is_positive())
            .flat_map(|c| c.values.clone())
            .collect()
    }

    /// The accounts whose `AWSLogs` folders the resources name.
    pub(super) fn folder_accounts(&self) -> Vec<Item<'d>> {
        let folder = |item: &Item<'d>| {
            let (_, rest) = item.text.split_once("/AWSLogs/")?;
            let name = rest.split('/').next().unwrap_or_default();
            let text = layout::account_in(name);
            let is_id = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            is_id.then_some(Item { text, at: item.at })
        };
        self.resources.iter().filter_map(folder).collect()
    }

    /// Whether a condition restricts the sources that the service may act for, and does not match every source.
    pub(super) fn is_bound_to_a_source(&self) -> bool {
        let binds = |value: &Item<'_>| value.text.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'$'));
        self.conditions.iter().any(|condition| {
            let narrow = match condition.key_name.as_str() {
                "aws:sourceorgid" | "aws:sourceorgpaths" => {
                    !condition.values.iter().any(|value| value.text.starts_with('*'))
                }
                "aws:sourcearn" => condition.values.iter().all(|value| {
                    value
                        .text
                        .split(':')
                        .nth(4)
                        .is_some_and(|account| account.bytes().any(|b| b.is_ascii_digit() || b == b'$'))
                }),
                _ => condition.values.iter().all(binds),
            };
            let always = condition.operator.is_some_and(|operator| !operator.if_exists);
            condition.is_of_source() && condition.is_positive() && always && narrow
        })
    }
}

impl Condition<'_> {
    pub(super) fn is_of_source(&self) -> bool {
        super::names::has(super::names::SOURCE_KEYS, &self.key_name)
    }

    /// Whether it only tests if the key is present or absent (`Null`).
    pub(super) fn asks_presence(&self) -> bool {
        self.operator.is_some_and(|operator| operator.family == Family::Null)
    }

    /// Whether the key must match one of the values.
    pub(super) fn is_positive(&self) -> bool {
        self.operator.is_some_and(|operator| !operator.negated) && !self.asks_presence()
    }
}

/// The strings of a string or list, with numbers and Booleans as text.
fn items<'d>(node: &'d Node<'d>) -> Vec<Item<'d>> {
    let item = |node: &'d Node<'d>| node.as_scalar().map(|text| Item { text, at: node.span.start });
    node.elements().iter().filter_map(item).collect()
}

/// Type and text of each principal.
fn principals<'d>(node: &'d Node<'d>) -> Vec<(&'d str, Item<'d>)> {
    if node.as_str().is_some() {
        return items(node).into_iter().map(|item| ("*", item)).collect();
    }
    let entries = node.members().unwrap_or_default();
    let of = |entry: &'d Member<'d>| items(&entry.value).into_iter().map(|item| (entry.key.as_ref(), item));
    entries.iter().flat_map(of).collect()
}

fn conditions<'d>(node: &'d Node<'d>) -> Vec<Condition<'d>> {
    let mut found = Vec::new();
    for operator in node.members().unwrap_or_default() {
        for key in operator.value.members().unwrap_or_default() {
            found.push(Condition {
                operator_name: named(&operator.key, &operator.key_span),
                operator: Operator::parse(&operator.key),
                key: named(&key.key, &key.key_span),
                key_name: key.key.to_lowercase(),
                values: items(&key.value),
                node: &key.value,
            });
        }
    }
    found
}

fn named<'d>(text: &'d str, span: &Range<usize>) -> Item<'d> {
    Item { text, at: span.start }
}

/// An ARN of a bucket or of objects in one.
pub(super) struct S3Arn<'d> {
    pub(super) bucket: &'d str,
    /// The part after the slash.
    pub(super) key: Option<&'d str>,
}

impl<'d> S3Arn<'d> {
    pub(super) fn parse(arn: &'d str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let resource = parts.nth(5)?;
        if !arn.starts_with("arn:") || arn.split(':').nth(2) != Some("s3") {
            return None;
        }
        let (bucket, key) =
            resource.split_once('/').map_or((resource, None), |(bucket, key)| (bucket, Some(key)));
        Some(Self { bucket, key })
    }

    /// Whether it names objects: it contains a slash, or a pattern that may match one.
    pub(super) fn is_of_objects(&self) -> bool {
        self.key.is_some() || self.bucket.ends_with('*')
    }

    /// Whether it names a bucket.
    pub(super) fn is_of_bucket(&self) -> bool {
        self.key.is_none()
    }
}

fn most_named_bucket(statements: &[Statement<'_>]) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for resource in statements.iter().flat_map(|statement| &statement.resources) {
        let Some(S3Arn { bucket, .. }) = S3Arn::parse(resource.text) else { continue };
        if bucket.contains(['*', '?', '$']) {
            continue;
        }
        match counts.iter_mut().find(|(known, _)| *known == bucket) {
            Some((_, count)) => *count += 1,
            None => counts.push((bucket, 1)),
        }
    }
    // The first of the most frequent ones.
    counts.iter().rev().max_by_key(|(_, count)| *count).map(|(bucket, _)| (*bucket).to_owned())
}

/// Whether a value is an empty list.
pub(super) fn is_empty_list(node: &Node<'_>) -> bool {
    matches!(&node.value, Value::Array(elements) if elements.is_empty())
}
