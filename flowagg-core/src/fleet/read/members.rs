use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::selection;
use crate::fleet::table::{Reader, Table, Value};
use crate::fleet::{Discovery, Lookup, Member, Organization, Regions};
use crate::id::{AccountId, Region, ResourceKind};

/// The members that the file lists. They are optional if the accounts of an organization are looked up.
pub(super) fn read(
    top: &Table<'_, '_>,
    reader: &Reader<'_>,
    hub: Option<&Region>,
    discovers: bool,
) -> BTreeMap<AccountId, Member> {
    const HELP: &str =
        "add a `[[members]]` table with `account` and `regions` for each account whose VPCs are logged";
    let mut members = BTreeMap::new();
    let mut spans: BTreeMap<AccountId, Range<usize>> = BTreeMap::new();
    let list = if discovers { top.get("members") } else { top.needed("members", HELP) };
    let Some(list) = list else { return members };
    let Some(values) = list.list() else { return members };
    if values.is_empty() && !discovers {
        list.fault("the fleet has no members", HELP);
    }
    for table in values.into_iter().filter_map(Value::table) {
        let account = table.needed("account", "add the ID of the account whose VPCs are logged");
        let id = account.as_ref().and_then(|v| v.name::<AccountId>());
        let member = member(table, id, hub);
        let (Some(account), Some(id)) = (account, id) else { continue };
        if let Some(first) = spans.get(&id) {
            let help = "merge the two tables: `regions` and `vpcs` take lists";
            let line = reader.line(first);
            account.fault(format!("account {id} is already a member (line {line})"), help);
        } else {
            spans.insert(id, account.span());
            members.extend(member.map(|member| (id, member)));
        }
    }
    members
}

fn member(table: Table<'_, '_>, account: Option<AccountId>, hub: Option<&Region>) -> Option<Member> {
    let name = table.get("name").and_then(|v| v.words().map(str::to_owned));
    let regions = table.needed("regions", REGIONS).and_then(|value| regions(&value, hub));
    let role = table.get("role").and_then(|v| v.name());
    let resources = selection::read(&table);
    table.refuse_unknown();
    Some(Member {
        account: account?,
        name,
        regions: regions?,
        role: role.unwrap_or_default(),
        resources: resources?,
        in_organization: false,
        in_units: false,
        units: BTreeSet::new(),
    })
}

const REGIONS: &str = "add the regions to log, e.g. `regions = [\"eu-west-1\"]`, or `regions = [\"all\"]`";

/// The regions of an account, which must be in the hub's partition.
fn regions(value: &Value<'_, '_>, hub: Option<&Region>) -> Option<Regions> {
    let items = value.list()?;
    if let Some(all) = items.iter().find(|item| item.is_text("all")) {
        if items.len() > 1 {
            all.fault(
                "`all` cannot be combined with other regions",
                "use `[\"all\"]` alone, or list the regions",
            );
        }
        return Some(Regions::ALL);
    }
    let names: BTreeSet<Region> = value.names_in(&items)?;
    for other in names.iter().filter(|region| hub.is_some_and(|hub| hub.partition() != region.partition())) {
        let hub = hub.map_or("", |hub| hub.partition().as_str());
        value.fault(
            format!("`{other}` is in partition `{}`, but the hub is in `{hub}`", other.partition()),
            "use one fleet file for each partition: flow logs cannot deliver across partitions",
        );
    }
    Some(Regions::These(names))
}

/// The organization. With `regions`, its accounts become members.
pub(super) fn organization(table: Table<'_, '_>, hub: Option<&Region>) -> Option<Organization> {
    let id =
        table.needed("id", "add the organization's ID, e.g. `id = \"o-a1b2c3d4e5\"`").and_then(|v| v.name());
    let units = table.get("units").and_then(|v| v.names());
    let listed = table.get("regions");
    let discovery = discovery(&table, listed.as_ref(), hub);
    table.refuse_unknown();
    Some(Organization { id: id?, units: units.unwrap_or_default(), discovery })
}

fn discovery(
    table: &Table<'_, '_>,
    listed: Option<&Value<'_, '_>>,
    hub: Option<&Region>,
) -> Option<Discovery> {
    let others = ["except-units", "accounts", "except-accounts", "role", "lookup"];
    if listed.is_none() {
        for key in others.into_iter().chain(ResourceKind::ALL.map(ResourceKind::key)) {
            if let Some(value) = table.get(key) {
                let what = format!("`organization.{key}` requires `organization.regions`");
                let help =
                    "add `regions`, e.g. `regions = [\"all\"]`, to look up the accounts of the organization";
                value.fault(what, help);
            }
        }
        return None;
    }
    let regions = listed.and_then(|value| regions(value, hub));
    let except_units = table.get("except-units").and_then(|v| v.names());
    let accounts = table.get("accounts").and_then(|v| v.names());
    let except_accounts = table.get("except-accounts").and_then(|v| v.names());
    let role = table.get("role").and_then(|v| v.name());
    let lookup = table.table("lookup").and_then(lookup);
    let resources = selection::read(table);
    Some(Discovery {
        except_units: except_units.unwrap_or_default(),
        accounts: accounts.unwrap_or_default(),
        except_accounts: except_accounts.unwrap_or_default(),
        regions: regions?,
        role: role.unwrap_or_default(),
        resources: resources?,
        lookup,
    })
}

fn lookup(table: Table<'_, '_>) -> Option<Lookup> {
    const HELP: &str = "add a role in the management account or a delegated administrator: `lookup = { account = \"...\", role = \"...\" }`";
    let account = table.needed("account", HELP).and_then(|v| v.name());
    let role = table.needed("role", HELP).and_then(|v| v.name());
    table.refuse_unknown();
    Some(Lookup { account: account?, role: role? })
}
