//! Compiles the text of a policy. Policies that S3 would reject are errors.

use super::condition::{Condition, Operator};
use super::decision::StatementId;
use super::pattern::Glob;
use super::principal::Principals;
use super::set::PatternSet;
use super::{Effect, Policy, Statement};
use crate::document::{self, Document, DocumentError};
use crate::json::{Node, Value};

/// The version of the policy language with variables. In other versions, and without a version, `${…}` is plain text.
const VERSION_WITH_VARIABLES: &str = "2012-10-17";

pub(super) fn policy(text: &str) -> Result<Policy, DocumentError> {
    let document = Document::parse(text)?;
    let variables = document.version() == Some(VERSION_WITH_VARIABLES);
    let mut policy = Policy { denials: Vec::new(), allowances: Vec::new() };
    for (index, live) in document.statements().enumerate() {
        let (effect, statement) = statement(index, live, variables)
            .map_err(|why| DocumentError::Statement { statement: live.name(index), why })?;
        match effect {
            Effect::Deny => policy.denials.push(statement),
            Effect::Allow => policy.allowances.push(statement),
        }
    }
    Ok(policy)
}

fn statement(
    index: usize,
    live: document::Statement<'_>,
    variables: bool,
) -> Result<(Effect, Statement), String> {
    let effect = live.get("Effect").and_then(Node::as_str).ok_or("missing `Effect`")?;
    let effect = match effect {
        _ if effect.eq_ignore_ascii_case("Allow") => Effect::Allow,
        _ if effect.eq_ignore_ascii_case("Deny") => Effect::Deny,
        _ => return Err("`Effect` must be `Allow` or `Deny`".into()),
    };
    let (principal, not_principal) = one_of(&live, "Principal", "NotPrincipal")?;
    let (action, not_action) = one_of(&live, "Action", "NotAction")?;
    let (resource, not_resource) = one_of(&live, "Resource", "NotResource")?;
    let mut resources = PatternSet::with_room(resource.elements().len());
    for text in strings(resource, "Resource")? {
        let text = text?;
        resources.add(text, variables && !(text.as_bytes().contains(&b'$') && has_early_variable(text)));
    }
    let actions =
        strings(action, "Action")?.map(|text| text.map(Glob::of_action)).collect::<Result<_, _>>()?;
    let statement = Statement {
        id: StatementId { index, sid: live.sid().map(Into::into) },
        principals: principals(principal)?,
        not_principal: not_principal.then_some(effect),
        actions,
        not_action,
        resources,
        not_resource,
        conditions: conditions(live.get("Condition"), variables)?,
    };
    Ok((effect, statement))
}

/// Returns the member with a name or its negation, and whether it is negated; exactly one must exist.
fn one_of<'d>(
    live: &document::Statement<'d>,
    name: &'static str,
    negation: &'static str,
) -> Result<(&'d Node<'d>, bool), String> {
    match (live.get(name), live.get(negation)) {
        (Some(node), None) => Ok((node, false)),
        (None, Some(node)) => Ok((node, true)),
        (None, None) => Err(format!("missing `{name}` or `{negation}`")),
        (Some(_), Some(_)) => Err(format!("cannot have both `{name}` and `{negation}`")),
    }
}

fn strings<'d>(
    node: &'d Node<'d>,
    name: &'static str,
) -> Result<impl Iterator<Item = Result<&'d str, String>>, String> {
    if matches!(node.value, Value::Object(_)) {
        return Err(format!("`{name}` cannot be an object"));
    }
    Ok(node.elements().iter().map(move |node| {
        node.as_str().ok_or_else(|| format!("`{name}` contains {}; expected a string", node.kind()))
    }))
}

/// Whether a variable is before the fifth colon, where AWS does not substitute values.
///
/// Source: "IAM policy elements: Variables and tags", where you can use policy variables (IAM User Guide).
fn has_early_variable(arn: &str) -> bool {
    arn.split_once("${").is_some_and(|(before, _)| before.bytes().filter(|b| *b == b':').count() < 5)
}

fn principals(node: &Node<'_>) -> Result<Principals, String> {
    if node.as_str() == Some("*") {
        return Ok(Principals::everyone());
    }
    let map = node.members().ok_or("`Principal` must be `\"*\"` or an object")?;
    let mut principals = Principals::default();
    for entry in map {
        for text in strings(&entry.value, "Principal")? {
            principals
                .add(&entry.key, text?)
                .ok_or_else(|| format!("unknown principal type `{}`", entry.key.escape_debug()))?;
        }
    }
    Ok(principals)
}

fn conditions(node: Option<&Node<'_>>, variables: bool) -> Result<Vec<Condition>, String> {
    const SHAPE: &str = "`Condition` must have the form `{operator: {key: values}}`";
    let mut conditions = Vec::new();
    for entry in node.map_or(Some(&[][..]), |node| node.members()).ok_or(SHAPE)? {
        let operator = Operator::parse(&entry.key)
            .ok_or_else(|| format!("unknown condition operator `{}`", entry.key.escape_debug()))?;
        for key in entry.value.members().ok_or(SHAPE)? {
            let values = key.value.elements();
            if values.iter().any(|node| node.as_scalar().is_none()) {
                return Err(format!(
                    "the values of `{}` must be strings, numbers or Booleans",
                    key.key.escape_debug()
                ));
            }
            let values = values.iter().filter_map(Node::as_scalar);
            conditions.push(Condition::new(&entry.key, operator, &key.key, values, variables));
        }
    }
    Ok(conditions)
}
