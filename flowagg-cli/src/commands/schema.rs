//! `flowagg schema`: the JSON Schema of the fleet file or of a document, generated from the Rust type.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use flowagg_core::arrival::Verified;
use flowagg_core::fleet;
use flowagg_policy::{Difference, Sizes};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::error::CommandError;
use super::{apply, plan, policy};
use crate::args::Described;
use crate::doctor::Examination;
use crate::export::Permissions;
use crate::report::Report;
use crate::show::{Document, Event, SCHEMA};
use crate::{Exit, Screen, show};

pub(super) fn run(of: Described, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    let schema = match of {
        Described::FleetFile => fleet::schema(),
        Described::Plan => document::<plan::PlanDocument<'_>>(of),
        Described::Apply | Described::Destroy => document::<apply::ApplyDocument<'_>>(Described::Apply),
        Described::Verify => document::<Verified>(of),
        Described::Doctor => document::<Examination>(of),
        Described::Report => document::<Report>(of),
        Described::Permissions => document::<Permissions>(of),
        Described::PolicyBuild | Described::PolicyMerge => {
            document::<policy::MergeDocument<'_>>(Described::PolicyBuild)
        }
        Described::PolicyDiff => document::<Difference>(of),
        Described::PolicyCheck => document::<policy::check::CheckDocument<'_>>(of),
        Described::PolicySimulate => document::<policy::simulate::SimulateDocument>(of),
        Described::PolicySize => document::<Sizes>(of),
        Described::Events => document::<Event<'_>>(of),
    };
    show::json(&schema, screen.out)?;
    Ok(Exit::Done)
}

/// The schema of a document. It allows unknown fields, because later releases may add fields within a schema version. The values of an
/// enumeration are those of this release.
fn document<T: JsonSchema>(of: Described) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Document<T>>();
    RecursiveTransform(plain).transform(&mut schema);
    let named = of.to_possible_value();
    let named = named.as_ref();
    let name = named.map(PossibleValue::get_name).unwrap_or_default();
    let what = named.and_then(PossibleValue::get_help).map(ToString::to_string);
    let file = format!("{}/blob/main/docs/schemas/{SCHEMA}/{name}.json", env!("CARGO_PKG_REPOSITORY"));
    let title = format!("flowagg {name}, version {SCHEMA}");
    let mut of_itself = Schema::default();
    of_itself.insert("$schema".to_owned(), schema.remove("$schema").into());
    of_itself.insert("$id".to_owned(), file.into());
    of_itself.insert("title".to_owned(), title.into());
    of_itself.insert("description".to_owned(), what.into());
    schema.remove("title");
    schema.remove("description");
    of_itself.ensure_object().append(schema.ensure_object());
    of_itself.to_value()
}

/// Removes details that are specific to Rust: the width of numbers and `None`. Also allows additional fields.
fn plain(schema: &mut Schema) {
    let is_width = |format: &Value| format.as_str().is_some_and(|format| format.contains("int"));
    if schema.get("format").is_some_and(is_width) {
        schema.remove("format");
    }
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        schema.remove("additionalProperties");
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace("`None`", "null");
    }
}
