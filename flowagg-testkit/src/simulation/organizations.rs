//! AWS Organizations: accounts in units under one root.

use serde_json::{Value, json};

use super::call::{Answer, Call, Service};
use super::{HUB, SimulatedAccount};

/// The organization's ID.
pub(super) const ID: &str = "o-a1b2c3d4e5";
pub(super) const ROOT: &str = "r-ab12";
/// Source: "ListAccounts", MaxResults (AWS Organizations API Reference).
const PAGE: usize = 20;

/// An organizational unit under the root.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Unit {
    pub id: String,
    pub name: String,
}

/// The units of a generated organization.
pub(super) fn units() -> Vec<Unit> {
    let names = ["Payments", "Retail", "Data", "Platform", "Sandbox"];
    let unit =
        |(number, name): (usize, &str)| Unit { id: format!("ou-ab12-{number:08}"), name: name.to_owned() };
    (1..).zip(names).map(unit).collect()
}

pub(super) fn answer(call: &Call, accounts: &[SimulatedAccount], units: &[Unit]) -> Answer {
    let request: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let parent = request["ParentId"].as_str().unwrap_or_default();
    let answer = match call.operation.as_str() {
        "DescribeOrganization" => json!({ "Organization": {
            "Id": ID, "Arn": format!("arn:aws:organizations::{HUB}:organization/{ID}"), "FeatureSet": "ALL",
            "MasterAccountId": HUB, "MasterAccountEmail": "hub@example.com",
            "MasterAccountArn": format!("arn:aws:organizations::{HUB}:account/{ID}/{HUB}"),
        } }),
        "ListRoots" => json!({ "Roots": [{
            "Id": ROOT, "Name": "Root", "PolicyTypes": [],
            "Arn": format!("arn:aws:organizations::{HUB}:root/{ID}/{ROOT}"),
        }] }),
        "ListOrganizationalUnitsForParent" => {
            let below = units.iter().filter(|_| parent == ROOT).map(unit).collect::<Vec<_>>();
            json!({ "OrganizationalUnits": below })
        }
        "DescribeOrganizationalUnit" => {
            let id = request["OrganizationalUnitId"].as_str();
            match units.iter().find(|unit| Some(unit.id.as_str()) == id) {
                Some(found) => json!({ "OrganizationalUnit": unit(found) }),
                None => return error("OrganizationalUnitNotFoundException", "no such unit"),
            }
        }
        "ListAccounts" => page(&request, accounts.iter()),
        "ListAccountsForParent" => page(&request, accounts.iter().filter(|account| account.parent == parent)),
        _ => return error("UnknownOperationException", "no such operation"),
    };
    Answer::ok(answer.to_string())
}

fn error(code: &str, message: &str) -> Answer {
    Answer::error(Service::Organizations, 400, code, message)
}

fn unit(unit: &Unit) -> Value {
    let Unit { id, name } = unit;
    json!({ "Id": id, "Name": name, "Arn": format!("arn:aws:organizations::{HUB}:ou/{ID}/{id}") })
}

/// Returns a page of accounts. Its token is the index of the first account.
fn page<'a>(request: &Value, accounts: impl Iterator<Item = &'a SimulatedAccount>) -> Value {
    let first = request["NextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or_default();
    let mut rest = accounts.skip(first);
    let page: Vec<Value> = rest.by_ref().take(PAGE).map(account).collect();
    let next = first + page.len();
    if rest.next().is_some() {
        json!({ "Accounts": page, "NextToken": next.to_string() })
    } else {
        json!({ "Accounts": page })
    }
}

fn account(account: &SimulatedAccount) -> Value {
    let SimulatedAccount { id, name, parent } = account;
    let path =
        if parent == ROOT { format!("{ID}/{ROOT}/{id}/") } else { format!("{ID}/{ROOT}/{parent}/{id}/") };
    json!({
        "Id": id, "Arn": format!("arn:aws:organizations::{HUB}:account/{ID}/{id}"),
        "Name": name, "Email": format!("{id}@example.com"),
        "State": "ACTIVE", "Status": "ACTIVE", "JoinedMethod": "CREATED", "JoinedTimestamp": 1_767_322_445.0,
        "Paths": [path],
    })
}
