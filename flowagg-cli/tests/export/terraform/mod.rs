//! The Terraform configuration: arguments, round trips, live state and errors.

mod arguments;
mod live;
mod refusals;
mod round_trips;

use flowagg::export::terraform::{LiveState, TerraformFormat, configuration};
use flowagg_core::fleet::Fleet;
use serde_json::Value;

/// A file of the configuration in JSON.
fn json(fleet: &Fleet, live: Option<&LiveState<'_>>, name: &str) -> Value {
    serde_json::from_str(&text(fleet, live, TerraformFormat::Json, &format!("{name}.tf.json"))).unwrap()
}

/// A file of the configuration as text.
fn text(fleet: &Fleet, live: Option<&LiveState<'_>>, format: TerraformFormat, name: &str) -> String {
    let files = configuration(fleet, live, format).unwrap().files;
    files.into_iter().find(|file| file.name == name).unwrap_or_else(|| panic!("no {name}")).text
}

/// A template without interpolations as Terraform evaluates it.
fn plain(template: &str) -> String {
    template.replace("$${", "${").replace("%%{", "%{")
}
