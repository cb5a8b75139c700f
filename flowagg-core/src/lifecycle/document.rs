//! The lifecycle configuration of a bucket as XML, which S3 replaces as a whole. It is edited as text, so that foreign rules and
//! unknown elements are written back unchanged.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};
use serde::Serialize;

use super::element::Element;
use super::rule::{FleetRule, Rule};
use crate::id::FleetName;

/// The document of a bucket without rules.
const EMPTY: &str =
    "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LifecycleConfiguration>";
const ROOT: &str = "LifecycleConfiguration";

/// The lifecycle configuration of a bucket, as S3 returns and accepts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct LifecycleDocument {
    /// The XML.
    pub text: String,
    /// The header `x-amz-transition-default-minimum-object-size`, which S3 resets if a write omits it.
    pub minimum_object_size: Option<String>,
}

/// Why a lifecycle configuration cannot be read or edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    /// It is invalid or incomplete XML.
    #[error("the lifecycle configuration is not complete XML: {0}")]
    NotXml(String),
    /// It has another root element.
    #[error("expected a LifecycleConfiguration, found the element `{0}`")]
    OtherRoot(String),
    /// It cannot be edited without changing a foreign rule.
    #[error("the lifecycle configuration cannot be written back unchanged")]
    NotKept,
}

impl LifecycleError {
    /// How to fix it.
    pub fn help(&self) -> &'static str {
        "nothing was written; check it with `aws s3api get-bucket-lifecycle-configuration`, then run again"
    }
}

impl LifecycleDocument {
    /// A configuration with this XML and without the header.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), minimum_object_size: None }
    }

    /// The rules, in order.
    pub fn rules(&self) -> Result<Vec<Rule>, LifecycleError> {
        let document = parsed(&self.text)?;
        Ok(rules_of(&document).map(|node| Rule::of(&Element::of(node))).collect())
    }

    /// Whether both have the same rules and header. The order is ignored, because S3 may return elements in another order.
    pub fn is_same_as(&self, other: &Self) -> Result<bool, LifecycleError> {
        Ok(self.minimum_object_size == other.minimum_object_size
            && sorted(&self.text)? == sorted(&other.text)?)
    }

    /// The document with the rules in `set`, which replace those with the same ID or are appended, and without the rules whose IDs
    /// are in `removed`. Returns `None` if no rule remains and the configuration is to be deleted. Everything else keeps its text.
    pub fn edited(
        before: Option<&Self>,
        set: &[FleetRule],
        removed: &BTreeSet<String>,
    ) -> Result<Option<Self>, LifecycleError> {
        let (text, minimum_object_size) = match before {
            Some(before) => (before.text.as_str(), before.minimum_object_size.clone()),
            None => (EMPTY, None),
        };
        let document = parsed(text)?;
        let root = document.root_element();
        let prefix = prefix(text, root);
        let is_at_rule = rules_of(&document).any(|rule| has_child(rule, "Prefix"));
        let mut parts = Vec::new();
        let mut from = 0;
        let mut written = BTreeSet::new();
        let mut left = 0usize;
        for node in rules_of(&document) {
            let id = Element::of(node).text_of("ID").unwrap_or_default().to_owned();
            let new = set.iter().find(|rule| rule.id == id);
            if new.is_none() && !removed.contains(&id) {
                left += 1;
                continue;
            }
            let range = node.range();
            parts.push(text.get(from..range.start).ok_or(LifecycleError::NotKept)?.to_owned());
            if let Some(rule) = new.filter(|rule| written.insert(rule.id.clone())) {
                parts.push(rule.xml(&prefix, is_at_rule));
                left += 1;
            }
            from = range.end;
        }
        let end = end_of_content(text, root).ok_or(LifecycleError::NotKept)?;
        parts.push(text.get(from..end).ok_or(LifecycleError::NotKept)?.to_owned());
        for rule in set.iter().filter(|rule| !written.contains(&rule.id)) {
            parts.push(rule.xml(&prefix, is_at_rule));
            left += 1;
        }
        parts.push(text.get(end..).ok_or(LifecycleError::NotKept)?.to_owned());
        let edited = Self { text: parts.concat(), minimum_object_size };
        // Apart from the fleet's rules, the edited text must have the same elements.
        let ours: BTreeSet<&str> =
            set.iter().map(|rule| rule.id.as_str()).chain(removed.iter().map(String::as_str)).collect();
        let others = |text: &str| -> Result<Vec<Element>, LifecycleError> {
            let all = sorted(text)?;
            Ok(all.into_iter().filter(|it| !it.text_of("ID").is_some_and(|id| ours.contains(id))).collect())
        };
        if others(text)? != others(&edited.text)? {
            return Err(LifecycleError::NotKept);
        }
        if left > 0 {
            return Ok(Some(edited));
        }
        // The configuration is deleted, including elements other than rules.
        if root.children().any(|node| node.is_element() && node.tag_name().name() != "Rule") {
            return Err(LifecycleError::NotKept);
        }
        Ok(None)
    }

    /// Whether this document has exactly the rule `wanted`, under the same ID.
    pub fn has(&self, wanted: &FleetRule) -> Result<bool, LifecycleError> {
        self.without(vec![wanted.clone()]).map(|missing| missing.is_empty())
    }

    /// The given rules that this document does not have in exactly this form, once and under their IDs.
    pub fn without(&self, wanted: Vec<FleetRule>) -> Result<Vec<FleetRule>, LifecycleError> {
        let document = parsed(&self.text)?;
        let mut by_id: BTreeMap<String, Vec<Element>> = BTreeMap::new();
        for rule in rules_of(&document).map(|node| Element::of(node)) {
            by_id.entry(rule.text_of("ID").unwrap_or_default().to_owned()).or_default().push(rule);
        }
        let mut missing = Vec::new();
        for rule in wanted {
            let forms = [element(&rule, false)?, element(&rule, true)?];
            match by_id.get(&rule.id).map(Vec::as_slice) {
                Some([found]) if forms.contains(found) => {}
                _ => missing.push(rule),
            }
        }
        Ok(missing)
    }
}

/// A rule as an XML element, with its prefix in a `Filter` or directly in the rule.
fn element(rule: &FleetRule, is_at_rule: bool) -> Result<Element, LifecycleError> {
    let text = rule.xml("", is_at_rule);
    let rule = Document::parse(&text).map_err(|error| LifecycleError::NotXml(error.to_string()))?;
    Ok(Element::of(rule.root_element()))
}

/// The names of foreign rules in `before` that are missing in `after`, and the header if it changed. `None` means no
/// configuration.
pub fn foreign_losses(
    before: Option<&LifecycleDocument>,
    after: Option<&LifecycleDocument>,
    fleet: &FleetName,
) -> Result<Vec<String>, LifecycleError> {
    let rules = |document: Option<&LifecycleDocument>| {
        document.map_or(Ok(Vec::new()), |document| sorted(&document.text))
    };
    let mut there = rules(after)?;
    let mut lost = Vec::new();
    for element in rules(before)? {
        if let Some(place) = there.iter().position(|other| *other == element) {
            there.remove(place);
            continue;
        }
        let rule = Rule::of(&element);
        if element.name != "Rule" {
            lost.push(format!("the element `{}`", element.name.escape_debug()));
        } else if !rule.is_of(fleet) {
            lost.push(format!("the rule {}", rule.name()));
        }
    }
    let size = |document: Option<&LifecycleDocument>| document.and_then(|it| it.minimum_object_size.clone());
    if let (Some(size), Some(_)) = (size(before), after)
        && Some(&size) != after.and_then(|it| it.minimum_object_size.as_ref())
    {
        lost.push(format!("the minimum object size for transitions, `{}`", size.escape_debug()));
    }
    Ok(lost)
}

fn parsed(text: &str) -> Result<Document<'_>, LifecycleError> {
    let document = Document::parse(text).map_err(|error| LifecycleError::NotXml(error.to_string()))?;
    match document.root_element().tag_name().name() {
        ROOT => Ok(document),
        other => Err(LifecycleError::OtherRoot(other.to_owned())),
    }
}

/// The `Rule` elements.
fn rules_of<'d, 'i>(document: &'d Document<'i>) -> impl Iterator<Item = Node<'d, 'i>> + use<'d, 'i> {
    document.root_element().children().filter(|node| node.tag_name().name() == "Rule")
}

/// All elements directly under the root, including those that S3 may add in the future, sorted by their contents.
fn sorted(text: &str) -> Result<Vec<Element>, LifecycleError> {
    let document = parsed(text)?;
    let root = document.root_element();
    let mut elements: Vec<Element> =
        root.children().filter(Node::is_element).map(|node| Element::of(node)).collect();
    elements.sort();
    Ok(elements)
}

fn has_child(node: Node<'_, '_>, name: &str) -> bool {
    node.children().any(|child| child.tag_name().name() == name)
}

/// The namespace prefix of element names: `ns:`, or empty.
fn prefix(text: &str, root: Node<'_, '_>) -> String {
    let name = text.get(root.range()).and_then(|tag| tag.strip_prefix('<')).unwrap_or_default();
    let name = name.split([' ', '>', '/', '\n', '\t', '\r']).next().unwrap_or_default();
    name.split_once(':').map(|(prefix, _)| format!("{prefix}:")).unwrap_or_default()
}

/// The end of the root element's contents. `None` if it has no closing tag, as in `<LifecycleConfiguration/>`.
fn end_of_content(text: &str, root: Node<'_, '_>) -> Option<usize> {
    let range = root.range();
    let closing = text.get(range.clone())?.rfind("</")?;
    Some(range.start + closing)
}
