//! XML elements in a normal form for comparison: the order of children, whitespace between them and the namespace prefix are
//! ignored.

use roxmltree::Node;

/// An element in normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    /// The text in it. Empty if it has children.
    text: String,
    /// Sorted by their contents.
    children: Vec<Self>,
}

impl Element {
    pub(super) fn of(node: Node<'_, '_>) -> Self {
        let children = node.children().filter(Node::is_element).map(|child| Self::of(child));
        let mut children: Vec<Self> = children.filter(|child| !child.selects_all()).collect();
        children.sort();
        let mut attributes: Vec<(String, String)> =
            node.attributes().map(|it| (it.name().to_owned(), it.value().to_owned())).collect();
        attributes.sort();
        let text = if children.is_empty() { text(node) } else { String::new() };
        let text = if text.trim().is_empty() { String::new() } else { text };
        Self { name: node.tag_name().name().to_owned(), attributes, text, children }
    }

    /// Whether it is a filter or a prefix that selects every object, which is equivalent to a missing one.
    fn selects_all(&self) -> bool {
        matches!(self.name.as_str(), "Filter" | "Prefix" | "And")
            && self.attributes.is_empty()
            && self.text.is_empty()
            && self.children.is_empty()
    }

    pub(super) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The first child with this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children with this name.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child with this name.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The number in the first child with this name.
    pub(super) fn number_of(&self, name: &str) -> Option<u32> {
        self.text_of(name)?.trim().parse().ok()
    }
}

/// The text of an element without comments and markup. It is not trimmed, because a prefix may start or end with a space.
fn text(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|text| text.text()).collect()
}
