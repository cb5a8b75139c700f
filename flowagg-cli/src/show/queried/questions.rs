//! The list of questions, and notes about fields that a question lacks.

use std::io;

#[cfg(feature = "athena")]
use flowagg_core::flow_log::FlowLogSpec;
use flowagg_core::flow_log::RecordedField;
use flowagg_core::question::{Argument, Needs, Parameter, Question, QuestionName, SavedQuestion};
use flowagg_query::Progress;

use super::super::screen::Screen;
use super::super::sheet::Sheet;
use super::super::style::BOLD;

/// The indent of the lines about a question.
const INDENT: usize = 4;

/// Prints questions: what they are about, the fields that they need, and an example.
pub(crate) fn questions(names: &[QuestionName], out: &mut Sheet<'_>) -> io::Result<()> {
    for (n, name) in names.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", head(*name))?;
        line(name.about(), out)?;
        let needs = Question::needs_by_argument(*name);
        let or_named = match name {
            QuestionName::Nat | QuestionName::NatToAws => " (or --nat)",
            _ => "",
        };
        fields("needs", &needs, |needs| &needs.required, or_named, out)?;
        fields("better with", &needs, |needs| &needs.better, "", out)?;
        line(name.example(), out)?;
    }
    Ok(())
}

/// Prints saved questions with their names: what each is about, its parameters and its threshold, and an example.
pub(crate) fn saved_questions<'a>(
    questions: impl IntoIterator<Item = (&'a str, &'a SavedQuestion)>,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    for (n, (name, question)) in questions.into_iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{BOLD}{name}{BOLD:#}")?;
        line(&question.title, out)?;
        if !question.parameters.is_empty() {
            let parameters: Vec<String> = question.parameters.iter().map(Parameter::to_string).collect();
            line(&format!("parameters: {}", parameters.join(", ")), out)?;
        }
        if question.threshold > 0 {
            line(&format!("threshold: {} rows", question.threshold), out)?;
        }
        line(&question.example(name), out)?;
    }
    Ok(())
}

/// Prints the fields that a question needs: once, or for each value of its argument if they differ.
fn fields(
    what: &str,
    needs: &[(Option<&str>, Needs)],
    of: fn(&Needs) -> &[RecordedField],
    or: &str,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    let first = needs.first().map(|(_, needs)| of(needs)).unwrap_or_default();
    if needs.iter().all(|(_, needs)| of(needs) == first) {
        return if first.is_empty() { Ok(()) } else { line(&format!("{what}: {}{or}", listed(first)), out) };
    }
    needs.iter().try_for_each(|(word, needs)| {
        line(&format!("{what} ({}): {}{or}", word.unwrap_or_default(), listed(of(needs))), out)
    })
}

/// Prints which records a question counts.
pub(crate) fn counts(name: QuestionName, out: &mut Sheet<'_>) -> io::Result<()> {
    writeln!(out)?;
    line(name.counts(), out)
}

/// Formats the name of a question with its argument and options.
fn head(name: QuestionName) -> String {
    let argument = match name.argument() {
        Some(Argument { name, is_required: true, .. }) => format!(" {name}"),
        Some(Argument { name, .. }) => format!(" [{name}]"),
        None => String::new(),
    };
    let options: String = name.takes().map(|option| format!(" [{option}]")).collect();
    format!("{BOLD}{name}{BOLD:#}{argument}{options}")
}

fn line(text: &str, out: &mut Sheet<'_>) -> io::Result<()> {
    out.line(INDENT, format_args!("{:INDENT$}{text}", ""))
}

fn listed(fields: &[RecordedField]) -> String {
    fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(", ")
}

/// Prints the fields of a question that the flow logs do not record.
#[cfg(feature = "athena")]
pub(crate) fn not_recorded(
    question: &Question,
    spec: &FlowLogSpec,
    screen: &mut Screen<'_>,
) -> io::Result<()> {
    let recorded = spec.format.fields();
    let is_missing =
        |field: &RecordedField| recorded.iter().all(|recorded| recorded.as_str() != field.as_str());
    let missing: Vec<String> = question
        .needs()
        .better
        .into_iter()
        .filter(is_missing)
        .map(|field| format!("`{}`", field.as_str()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let name = question.name();
    screen.note(&format!(
        "`{name}` is more precise with fields that the flow logs do not record: {}",
        missing.join(", ")
    ))
}

/// Prints the fields of a question that some objects lack, and the number of these objects.
pub(crate) fn missing_fields(
    question: &Question,
    progress: &Progress,
    screen: &mut Screen<'_>,
) -> io::Result<()> {
    let (missing, needs) = (progress.missing(), question.needs());
    let read = progress.read().objects - progress.skipped_objects();
    let of = |fields: &[RecordedField]| -> Vec<String> {
        let found = fields.iter().filter_map(|field| Some((field, missing.get(field)?)));
        found.map(|(field, objects)| format!("`{}` ({objects} of {read} objects)", field.as_str())).collect()
    };
    let (required, better) = (of(&needs.required), of(&needs.better));
    let name = question.name();
    if !required.is_empty() {
        let what = format!("`{name}` needs fields that are not recorded in: {}", required.join(", "));
        screen.note(&format!("{what}. Their records are missing from the result or lack values"))?;
    }
    if !better.is_empty() {
        screen.note(&format!(
            "`{name}` is more precise with fields that are not recorded in: {}",
            better.join(", ")
        ))?;
    }
    Ok(())
}
