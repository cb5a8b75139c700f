//! Reads the text of `flowagg.toml` into a [`FleetFile`], or returns all its errors.

mod exceptions;
mod flow_logs;
mod hub;
mod members;
mod policy;
mod prices;
mod selection;

use super::table::{Reader, Table, Value};
use super::{FleetError, FleetFile};

pub(super) fn fleet_file(text: &str) -> Result<FleetFile, FleetError> {
    let (reader, document) = Reader::parse(text);
    // After a syntax error, further errors may only be consequences of it.
    let file = if reader.is_faultless() { read(reader.top(&document), &reader) } else { None };
    match file {
        Some(file) if reader.is_faultless() => Ok(file),
        _ => Err(FleetError { faults: reader.into_faults() }),
    }
}

/// Reads as much as possible, so that every error is recorded; `None` if something required is missing.
fn read(top: Table<'_, '_>, reader: &Reader<'_>) -> Option<FleetFile> {
    let of_fleet = top.table("fleet").map(|table| {
        let name = table.get("name").and_then(|value| value.name());
        let read_role = table.get("read-role").and_then(|value| value.name());
        let external_id = table.get("external-id").and_then(|value| value.name());
        table.refuse_unknown();
        (name, read_role, external_id)
    });
    let (declared_name, read_role, external_id) = of_fleet.unwrap_or_default();
    let hub = top
        .needed("hub", "add a `[hub]` table with `account`, `region` and `bucket`")
        .and_then(Value::table)
        .and_then(hub::read);
    let flow_logs = top.table("flow-logs").map(flow_logs::read);
    let region = hub.as_ref().map(|hub| &hub.region);
    let organization = top.table("organization").and_then(|table| members::organization(table, region));
    let policy = top.table("policy").map(|table| policy::read(table, organization.as_ref()));
    let discovers = organization.as_ref().is_some_and(|organization| organization.discovery.is_some());
    let members = members::read(&top, reader, region, discovers);
    let prices = top.table("prices").map(prices::read);
    let exceptions = exceptions::read(&top, organization.as_ref());
    top.refuse_unknown();
    Some(FleetFile {
        declared_name,
        read_role,
        external_id,
        hub: hub?,
        members,
        flow_logs: flow_logs.unwrap_or_default(),
        policy: policy.unwrap_or_default(),
        organization,
        exceptions,
        prices: prices.unwrap_or_default(),
    })
}
