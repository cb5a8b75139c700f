//! STS: the caller's identity, and roles in any account, whose access keys contain the account ID.

use std::collections::BTreeSet;

use super::HUB;
use super::call::{Answer, Call, Service};

/// Prefix of the access key in a role's credentials; the account ID follows.
pub(super) const ROLE_KEY: &str = "ASIA";

pub(super) fn answer(call: &Call, closed: &BTreeSet<String>) -> Answer {
    let result = match call.operation.as_str() {
        "GetCallerIdentity" => {
            let account = &call.account;
            format!(
                "<Arn>arn:aws:iam::{account}:user/flowagg</Arn><UserId>AIDA</UserId><Account>{account}</Account>"
            )
        }
        "AssumeRole" => {
            let role = call.parameter("RoleArn");
            let account = role.split(':').nth(4).unwrap_or_default();
            if closed.contains(account) {
                let message = format!(
                    "User: arn:aws:iam::{HUB}:user/flowagg is not authorized to perform: sts:AssumeRole on resource: {role}"
                );
                return Answer::error(Service::Sts, 403, "AccessDenied", &message);
            }
            format!(
                "<Credentials><AccessKeyId>{ROLE_KEY}{account}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
                 <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
                 <AssumedRoleUser><AssumedRoleId>AROA:flowagg</AssumedRoleId><Arn>{role}</Arn></AssumedRoleUser>"
            )
        }
        _ => return Answer::error(Service::Sts, 400, "InvalidAction", "no such action"),
    };
    let name = &call.operation;
    Answer::ok(format!(
        "<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{name}Result>{result}</{name}Result>\
         <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{name}Response>"
    ))
}

/// The error for a call that a service control policy denies.
///
/// Source: "Troubleshoot access denied error messages" (IAM User Guide).
pub(super) fn denied(call: &Call) -> Answer {
    let (account, operation) = (&call.account, &call.operation);
    let message = format!(
        "You are not authorized to perform this operation. User: arn:aws:sts::{account}:assumed-role/flowagg/flowagg is not \
         authorized to perform: ec2:{operation} with an explicit deny in a service control policy"
    );
    Answer::error(call.service, 403, "UnauthorizedOperation", &message)
}
