//! A policy as a document: where its statements stand, and how one is put in, replaced or taken out while every other
//! byte stays. It knows the outline of a policy and nothing of what its statements mean.

use std::ops::Range;

use crate::json::{self, Malformed, Member, Node, Value};

/// The largest text that is read as a policy, in bytes. S3's limit counts no whitespace, so a policy that is fine may be longer than it.
pub const LARGEST: usize = 1 << 20;

/// A policy without a statement, which S3 does not accept.
pub(crate) const NOTHING: &str = "{\"Version\":\"2012-10-17\",\"Statement\":[]}";

/// A text that cannot be read as a policy.
///
/// [`Display`](std::fmt::Display) says what is wrong and where; [`help`](Self::help) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It is not JSON.
    #[error("the policy is not JSON: line {line}, column {column}: {why}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there.
        why: &'static str,
    },
    /// It is far larger than any policy.
    #[error("the policy has {bytes} bytes, and more than {LARGEST} are not read")]
    Large {
        /// The bytes of the text.
        bytes: usize,
    },
    /// It is JSON and not the outline of a policy.
    #[error("the policy is not one that AWS takes: {why}")]
    Outline {
        /// What is wrong.
        why: String,
    },
    /// A statement does not follow the grammar.
    #[error("statement {statement} of the policy: {why}")]
    Statement {
        /// The Sid in back-ticks, or the place in the list, from 1.
        statement: String,
        /// What is wrong.
        why: String,
    },
}

impl DocumentError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Json { .. } => "repair the text; the place is where reading stopped",
            Self::Large { .. } => "S3 takes 20,480 bytes of compact JSON; is this the right file?",
            Self::Outline { .. } => "a policy is `{\"Version\": \"2012-10-17\", \"Statement\": [...]}`",
            Self::Statement { .. } => "see \"Grammar of the IAM JSON policy language\" in the IAM User Guide",
        }
    }
}

/// A policy: its text, and where its statements are.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) text: &'a str,
    root: Node<'a>,
    statements: usize,
}

impl<'a> Document<'a> {
    /// Reads the outline: an object with one `Statement` that is an object or a list of them.
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
            return outline("`Statement` stands in it twice".into());
        }
        if let Some(odd) = member.value.elements().iter().find(|node| node.members().is_none()) {
            return outline(format!("a statement is {}", odd.kind()));
        }
        Ok(Self { text, root, statements })
    }

    fn members(&self) -> &[Member<'a>] {
        self.root.members().unwrap_or_default()
    }

    /// The text between places that its nodes have.
    pub(crate) fn part(&self, span: Range<usize>) -> &'a str {
        json::part(self.text, span)
    }

    fn list(&self) -> &Node<'a> {
        &self.members()[self.statements].value
    }

    /// The `Version`, where it is a string.
    pub(crate) fn version(&self) -> Option<&str> {
        self.members().iter().find(|member| member.key == "Version").and_then(|member| member.value.as_str())
    }

    /// The statements in order. A single object counts as a list of one.
    pub(crate) fn statements(&self) -> impl ExactSizeIterator<Item = Statement<'_>> {
        self.list().elements().iter().map(|node| Statement { members: node.members().unwrap_or_default() })
    }

    /// The text of the statement at this index; empty if there is none.
    pub(crate) fn statement_text(&self, index: usize) -> &'a str {
        let span = self.list().elements().get(index).map(|node| node.span.clone());
        self.part(span.unwrap_or(0..0))
    }

    /// The text with some statements replaced (`Some`) or taken out (`None`), by index and in order, and others put in
    /// at the end. A single statement object becomes a list when others join it. All other bytes stay.
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
            // The bytes between two statements hold their comma; the first that is left has none before it.
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
    /// The value of a member. Where AWS's grammar is broken and it stands twice, the last one.
    pub(crate) fn get(&self, name: &str) -> Option<&'d Node<'d>> {
        self.members.iter().rev().find(|member| member.key == name).map(|member| &member.value)
    }

    /// The Sid, where there is one.
    pub(crate) fn sid(&self) -> Option<&'d str> {
        self.get("Sid").and_then(Node::as_str).filter(|sid| !sid.is_empty())
    }

    /// The condition keys that it tests, whatever the operator, each with its values.
    pub(crate) fn condition_keys(&self) -> impl Iterator<Item = &'d Member<'d>> + use<'d> {
        let conditions = self.get("Condition").and_then(Node::members).unwrap_or_default();
        conditions.iter().flat_map(|operator| operator.value.members().unwrap_or_default())
    }

    /// How a message names the statement at this place in the list.
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
    fn statements_join_and_leave_and_the_rest_stays() {
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
    fn a_single_statement_becomes_a_list_when_others_join_it() {
        assert_eq!(edit("{\"Statement\":{\"a\":1}}", &[], &["{}"]), "{\"Statement\":[{\"a\":1},{}]}");
        assert_eq!(edit("{\"Statement\":[]}", &[], &["{}", "{}"]), "{\"Statement\":[{},{}]}");
    }

    #[test]
    fn what_has_not_the_outline_of_a_policy_is_refused() {
        for text in
            ["[]", "{}", "{\"Statement\":1}", "{\"Statement\":[[]]}", "{\"Statement\":[],\"Statement\":[]}"]
        {
            assert!(matches!(Document::parse(text), Err(DocumentError::Outline { .. })), "{text}");
        }
        assert!(matches!(Document::parse("{"), Err(DocumentError::Json { line: 1, column: 2, .. })));
    }
}
