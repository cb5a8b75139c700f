//! A policy as a document: the positions of its statements, and edits that insert, replace or remove statements and
//! keep every other byte. Only the outline of a policy is parsed, not the meaning of its statements.

use std::ops::Range;

use crate::json::{self, Malformed, Member, Node, Value};

/// The largest text that is read as a policy, in bytes. S3's limit does not count whitespace, so a valid policy may be
/// longer than that limit.
pub const LARGEST: usize = 1 << 20;

/// A policy without statements, which S3 rejects.
pub(crate) const NOTHING: &str = "{\"Version\":\"2012-10-17\",\"Statement\":[]}";

/// An error in reading a text as a policy.
///
/// [`Display`](std::fmt::Display) describes the error and its position; [`help`](Self::help) how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The text is not JSON.
    #[error("the policy is not JSON: line {line}, column {column}: {why}")]
    Json {
        /// The line, starting at 1.
        line: usize,
        /// The column in characters, starting at 1.
        column: usize,
        /// The error at this position.
        why: &'static str,
    },
    /// The text is far larger than any policy.
    #[error("the policy has {bytes} bytes, more than the {LARGEST} that flowagg reads")]
    Large {
        /// The size of the text in bytes.
        bytes: usize,
    },
    /// The text is JSON, but not a policy.
    #[error("not a valid policy: {why}")]
    Outline {
        /// The error.
        why: String,
    },
    /// A statement does not follow the grammar.
    #[error("statement {statement} of the policy: {why}")]
    Statement {
        /// The Sid in backticks, or the position in the list, starting at 1.
        statement: String,
        /// The error.
        why: String,
    },
}

impl DocumentError {
    /// How to fix it, as an imperative sentence.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Json { .. } => "fix the JSON; the position is where parsing stopped",
            Self::Large { .. } => {
                "check that this is the right file; S3 accepts at most 20,480 bytes of compact JSON"
            }
            Self::Outline { .. } => "use the form `{\"Version\": \"2012-10-17\", \"Statement\": [...]}`",
            Self::Statement { .. } => "see \"Grammar of the IAM JSON policy language\" in the IAM User Guide",
        }
    }
}

/// A policy: its text and the positions of its statements.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) text: &'a str,
    root: Node<'a>,
    statements: usize,
}

impl<'a> Document<'a> {
    /// Parses the outline: an object with one `Statement` that is an object or a list of objects.
    pub(crate) fn parse(text: &'a str) -> Result<Self, DocumentError> {
        if text.len() > LARGEST {
            return Err(DocumentError::Large { bytes: text.len() });
        }
        let root = json::parse(text).map_err(|Malformed { at, why }| {
            let (line, column) = json::line_and_column(text, at);
            DocumentError::Json { line, column, why }
        })?;
        let outline = |why: String| Err(DocumentError::Outline { why });
        let Some(members) = root.members() else { return outline(format!("it is {}", root.kind())) };
        let mut found = members.iter().enumerate().filter(|(_, member)| member.key == "Statement");
        let Some((statements, member)) = found.next() else { return outline("it has no `Statement`".into()) };
        if found.next().is_some() {
            return outline("duplicate element `Statement`".into());
        }
        if let Some(odd) = member.value.elements().iter().find(|node| node.members().is_none()) {
            return outline(format!("a statement is {}", odd.kind()));
        }
        Ok(Self { text, root, statements })
    }

    fn members(&self) -> &[Member<'a>] {
        self.root.members().unwrap_or_default()
    }

    /// The text of a span of its nodes.
    pub(crate) fn part(&self, span: Range<usize>) -> &'a str {
        json::part(self.text, span)
    }

    fn list(&self) -> &Node<'a> {
        &self.members()[self.statements].value
    }

    /// The `Version`, if it is a string.
    pub(crate) fn version(&self) -> Option<&str> {
        self.members().iter().find(|member| member.key == "Version").and_then(|member| member.value.as_str())
    }

    /// The statements in order. A single object counts as a list of one.
    pub(crate) fn statements(&self) -> impl ExactSizeIterator<Item = Statement<'_>> {
        self.list().elements().iter().map(|node| Statement { members: node.members().unwrap_or_default() })
    }

    /// The text of the statement at this index; empty if the index is out of range.
    pub(crate) fn statement_text(&self, index: usize) -> &'a str {
        let span = self.list().elements().get(index).map(|node| node.span.clone());
        self.part(span.unwrap_or(0..0))
    }

    /// Returns the text with statements replaced (`Some`) or removed (`None`), by index in ascending order, and new
    /// statements appended. A single statement object becomes a list when statements are added. All other bytes stay.
    pub(crate) fn edit(&self, changes: &[(usize, Option<String>)], added: &[String]) -> String {
        let list = self.list();
        let elements = list.elements();
        let is_list = matches!(list.value, Value::Array(_));
        let mut out =
            String::with_capacity(self.text.len() + added.iter().map(|text| text.len() + 1).sum::<usize>());
        out.push_str(self.part(0..list.span.start));
        out.push('[');
        let mut written = 0;
        let mut put = |out: &mut String, gap: Range<usize>, text: &str| {
            // The bytes between two statements contain their comma; the first remaining statement has no comma before
            // it.
            let gap = self.part(gap);
            out.push_str(if written == 0 { gap.rsplit(',').next().unwrap_or_default() } else { gap });
            if written > 0 && !gap.contains(',') {
                out.push(',');
            }
            out.push_str(text);
            written += 1;
        };
        let mut changes = changes.iter().peekable();
        let mut end = if is_list { list.span.start + 1 } else { list.span.start };
        for (index, element) in elements.iter().enumerate() {
            let gap = end..element.span.start;
            end = element.span.end;
            match changes.next_if(|(changed, _)| *changed == index) {
                Some((_, None)) => {}
                Some((_, Some(text))) => put(&mut out, gap, text),
                None => put(&mut out, gap, self.part(element.span.clone())),
            }
        }
        for text in added {
            put(&mut out, end..end, text);
        }
        if is_list {
            out.push_str(self.part(end..list.span.end));
        } else {
            out.push(']');
        }
        out.push_str(self.part(list.span.end..self.text.len()));
        out
    }
}

/// A statement in a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement<'d> {
    pub(crate) members: &'d [Member<'d>],
}

impl<'d> Statement<'d> {
    /// The value of a member; the last one if the name is duplicated, which AWS's grammar does not allow.
    pub(crate) fn get(&self, name: &str) -> Option<&'d Node<'d>> {
        self.members.iter().rev().find(|member| member.key == name).map(|member| &member.value)
    }

    /// The Sid; `None` if absent or empty.
    pub(crate) fn sid(&self) -> Option<&'d str> {
        self.get("Sid").and_then(Node::as_str).filter(|sid| !sid.is_empty())
    }

    /// The condition keys with their values, for all operators.
    pub(crate) fn condition_keys(&self) -> impl Iterator<Item = &'d Member<'d>> + use<'d> {
        let conditions = self.get("Condition").and_then(Node::members).unwrap_or_default();
        conditions.iter().flat_map(|operator| operator.value.members().unwrap_or_default())
    }

    /// Name of the statement for messages, given its index.
    pub(crate) fn name(&self, index: usize) -> String {
        self.sid().map_or_else(|| (index + 1).to_string(), |sid| format!("`{sid}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(text: &str, changes: &[(usize, Option<&str>)], added: &[&str]) -> String {
        let changes: Vec<_> = changes.iter().map(|(at, text)| (*at, text.map(str::to_owned))).collect();
        let added: Vec<_> = added.iter().map(|text| (*text).to_owned()).collect();
        Document::parse(text).unwrap().edit(&changes, &added)
    }

    #[test]
    fn edits_keep_all_other_bytes() {
        let one = "{\"Statement\": [ {\"a\": 1} ] , \"x\":1}";
        assert_eq!(edit(one, &[], &["{}"]), "{\"Statement\": [ {\"a\": 1},{} ] , \"x\":1}");
        let two = "{\"Statement\":[\n {\"a\":1},\n {\"b\":2}\n]}";
        assert_eq!(edit(two, &[(0, None)], &[]), "{\"Statement\":[\n {\"b\":2}\n]}");
        assert_eq!(edit(two, &[(1, None)], &[]), "{\"Statement\":[\n {\"a\":1}\n]}");
        assert_eq!(
            edit(two, &[(0, Some("{}"))], &["{\"c\":3}"]),
            "{\"Statement\":[\n {},\n {\"b\":2},{\"c\":3}\n]}"
        );
        assert_eq!(edit(two, &[(0, None), (1, None)], &["{\"c\":3}"]), "{\"Statement\":[{\"c\":3}\n]}");
    }

    #[test]
    fn single_statement_becomes_a_list_when_statements_are_added() {
        assert_eq!(edit("{\"Statement\":{\"a\":1}}", &[], &["{}"]), "{\"Statement\":[{\"a\":1},{}]}");
        assert_eq!(edit("{\"Statement\":[]}", &[], &["{}", "{}"]), "{\"Statement\":[{},{}]}");
    }

    #[test]
    fn text_without_the_outline_of_a_policy_is_rejected() {
        for text in
            ["[]", "{}", "{\"Statement\":1}", "{\"Statement\":[[]]}", "{\"Statement\":[],\"Statement\":[]}"]
        {
            assert!(matches!(Document::parse(text), Err(DocumentError::Outline { .. })), "{text}");
        }
        assert!(matches!(Document::parse("{"), Err(DocumentError::Json { line: 1, column: 2, .. })));
    }
}
