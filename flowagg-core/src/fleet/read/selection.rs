use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::table::{Table, Value};
use crate::fleet::{Choice, Filter, Selection};
use crate::id::{ResourceId, ResourceKind};

/// The resources to log; by default every VPC.
pub(super) fn read(table: &Table<'_, '_>) -> Option<Selection> {
    let mut choices = BTreeMap::new();
    let mut none = None;
    for kind in ResourceKind::ALL {
        match table.get(kind.key()) {
            Some(value) if value.is_text("none") => none = Some(value),
            Some(value) => choices.extend(choice(value, kind).map(|choice| (kind, choice))),
            None if kind == ResourceKind::Vpc => {
                choices.insert(kind, Choice::All(Filter::default()));
            }
            None => {}
        }
    }
    let selection = Selection::try_from(choices).ok();
    if let (None, Some(none)) = (&selection, none) {
        none.fault(
            "no resources are selected",
            "select VPCs, subnets, network interfaces or transit gateways, or remove the table",
        );
    }
    selection
}

fn choice(value: Value<'_, '_>, kind: ResourceKind) -> Option<Choice> {
    if value.is_list() {
        return ids(&value, kind).map(Choice::Ids);
    }
    if value.is_table() {
        let table = value.table()?;
        let tags = table.get("tags").and_then(Value::table).map(Table::texts).unwrap_or_default();
        let default_vpcs = if kind == ResourceKind::Vpc {
            table.get("default-vpcs").and_then(|v| v.boolean())
        } else {
            None
        };
        let filter = Filter {
            tags: tags.into_iter().map(|(key, (text, _))| (key, text)).collect(),
            except: table.get("except").and_then(|v| ids(&v, kind)).unwrap_or_default(),
            default_vpcs: default_vpcs.unwrap_or(true),
        };
        table.refuse_unknown();
        return Some(Choice::All(filter));
    }
    if value.text()? == "all" {
        return Some(Choice::All(Filter::default()));
    }
    let help = format!(
        "use `\"all\"`, `\"none\"`, a list of IDs, or a table with {}",
        match kind {
            ResourceKind::Vpc => "`tags`, `except` and `default-vpcs`",
            _ => "`tags` and `except`",
        }
    );
    value.fault(format!("`{}`: invalid value `{}`", kind.key(), value.text()?.escape_debug()), help);
    None
}

fn ids(value: &Value<'_, '_>, kind: ResourceKind) -> Option<BTreeSet<ResourceId>> {
    let ids: BTreeSet<ResourceId> = value.names()?;
    for other in ids.iter().filter(|id| id.kind() != kind) {
        let what = format!("`{other}` is a {} ID", other.kind().noun());
        value.fault(what, format!("list it in `{}`", other.kind().key()));
    }
    Some(ids)
}
