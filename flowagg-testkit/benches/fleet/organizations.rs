//! Organizations: every account of the fleet right under one root.

use serde_json::{Value, json};

use crate::call::{Answer, Call, Service};
use crate::fleet::{HUB, Size};

/// The organization's id.
pub(crate) const ID: &str = "o-a1b2c3d4e5";
const ROOT: &str = "r-ab12";
/// Source: "ListAccounts", MaxResults (AWS Organizations API Reference).
const PAGE: usize = 20;

pub(crate) fn answer(call: &Call, size: &Size) -> Answer {
    let request: Value = serde_json::from_slice(&call.body).unwrap_or_default();
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
        "ListOrganizationalUnitsForParent" => json!({ "OrganizationalUnits": [] }),
        "ListAccounts" | "ListAccountsForParent" => page(&request, size),
        _ => {
            return Answer::error(
                Service::Organizations,
                400,
                "UnknownOperationException",
                "no such operation",
            );
        }
    };
    Answer::ok(answer.to_string())
}

/// The token of a page is the number of its first account.
fn page(request: &Value, size: &Size) -> Value {
    let first = request["NextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or_default();
    let accounts: Vec<Value> = size.members().skip(first).take(PAGE).map(|id| account(&id)).collect();
    let next = first + accounts.len();
    if size.members().nth(next).is_some() {
        json!({ "Accounts": accounts, "NextToken": next.to_string() })
    } else {
        json!({ "Accounts": accounts })
    }
}

fn account(id: &str) -> Value {
    json!({
        "Id": id, "Arn": format!("arn:aws:organizations::{HUB}:account/{ID}/{id}"),
        "Name": format!("account-{id}"), "Email": format!("{id}@example.com"),
        "State": "ACTIVE", "Status": "ACTIVE", "JoinedMethod": "CREATED", "JoinedTimestamp": 1_767_322_445.0,
        "Paths": [format!("{ID}/{ROOT}/{id}/")],
    })
}
