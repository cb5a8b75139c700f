use crate::fleet::table::{Table, Value};
use crate::fleet::{Exception, Organization};
use crate::id::{ResourceId, ResourceKind};

/// The findings that are accepted until a given day.
pub(super) fn read(top: &Table<'_, '_>, organization: Option<&Organization>) -> Vec<Exception> {
    let tables = top.get("exceptions").and_then(|value| value.list()).unwrap_or_default();
    tables.into_iter().filter_map(Value::table).filter_map(|table| exception(table, organization)).collect()
}

fn exception(table: Table<'_, '_>, organization: Option<&Organization>) -> Option<Exception> {
    const SCOPE: &str = "add `account`, `unit`, `region` or `vpc`, or several of them";
    let named = ["account", "unit", "region", "vpc"].map(|key| table.get(key));
    if named.iter().all(Option::is_none) {
        table.fault("an exception without a scope would hide every finding", SCOPE);
    }
    let [account, unit, region, vpc] = named;
    if let Some(unit) = &unit
        && organization.is_none_or(|organization| organization.discovery.is_none())
    {
        unit.fault(
            "`unit` requires that the accounts of the organization are looked up",
            "use `account`, or add `organization.regions`",
        );
    }
    let is_named = [account.is_some(), unit.is_some(), region.is_some(), vpc.is_some()].contains(&true);
    let (account, unit, region) =
        (account.map(|v| v.name()), unit.map(|v| v.name()), region.map(|v| v.name()));
    let vpc = vpc.map(|value| {
        let id = value.name::<ResourceId>()?;
        if id.kind() != ResourceKind::Vpc {
            value.fault(format!("`{id}` is not a VPC"), "use a VPC ID, e.g. `vpc-0a1b2c3d4e5f67890`");
            return None;
        }
        Some(id)
    });
    let reason = table
        .needed("reason", "add the reason for accepting the findings, e.g. `reason = \"closes in January\"`");
    let reason = reason.and_then(|value| value.words().map(str::to_owned));
    let until = table
        .needed("until", "add the last day (UTC) on which they are accepted, e.g. `until = \"2027-01-31\"`");
    let until = until.and_then(|value| value.day());
    table.refuse_unknown();
    // A missing value is `Some(None)`; one that could not be read is `None`, which makes the whole exception `None`.
    Some(Exception {
        account: account.map_or(Some(None), |read| read.map(Some))?,
        unit: unit.map_or(Some(None), |read| read.map(Some))?,
        region: region.map_or(Some(None), |read| read.map(Some))?,
        vpc: vpc.map_or(Some(None), |read| read.map(Some))?,
        reason: reason?,
        until: until?,
    })
    .filter(|_| is_named)
}
