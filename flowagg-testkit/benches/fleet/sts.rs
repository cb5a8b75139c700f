//! STS: who the caller is, and a role in any account; its access key names the account.

use crate::call::{Answer, Call, Service};

/// What the access key of a role's credentials begins with; the account follows.
pub(crate) const ROLE_KEY: &str = "ASIA";

pub(crate) fn answer(call: &Call) -> Answer {
    let result = match call.operation.as_str() {
        "GetCallerIdentity" => {
            let account = &call.account;
            format!(
                "<Arn>arn:aws:iam::{account}:user/bench</Arn><UserId>AIDA</UserId><Account>{account}</Account>"
            )
        }
        "AssumeRole" => {
            let role = call.parameter("RoleArn");
            let account = role.split(':').nth(4).unwrap_or_default();
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
