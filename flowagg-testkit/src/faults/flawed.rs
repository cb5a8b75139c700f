//! Responses with HTTP status 200 that are wrong.

use super::rule::Flaw;
use crate::endpoint::{Call, Wire, wire};

/// A response's body with a flaw.
pub(super) fn body(call: &Call, flaw: Flaw, body: &str) -> String {
    match flaw {
        Flaw::Cut => {
            let end = body.rfind("</").unwrap_or(body.len() / 2);
            body.get(..end).unwrap_or_default().to_owned()
        }
        Flaw::Empty => String::new(),
        Flaw::SameToken if call.wire == Wire::Ec2 => before_the_end(body, "<nextToken>again</nextToken>"),
        Flaw::SameToken if body.trim_start().starts_with('{') => {
            body.replacen('{', "{\"NextToken\":\"again\",", 1)
        }
        Flaw::SameToken => {
            let token = "<NextContinuationToken>again</NextContinuationToken>";
            before_the_end(&truncated(body), token)
        }
        Flaw::NoToken => truncated(body),
        Flaw::Twice if call.wire == Wire::Ec2 => set_of(body)
            .map_or_else(|| body.to_owned(), |(before, items, after)| [before, items, items, after].concat()),
        Flaw::Twice => {
            ["CommonPrefixes", "Contents"].iter().fold(body.to_owned(), |body, name| twice(&body, name))
        }
        Flaw::UnknownId => body.replace(">vpc-", ">net-"),
        Flaw::Stray => wire::with_unsuccessful(body, "vpc-0fffffffffffffff0", "400", "not possible"),
    }
}

fn before_the_end(body: &str, element: &str) -> String {
    match body.rsplit_once("</") {
        Some((before, end)) => format!("{before}{element}</{end}"),
        None => body.to_owned(),
    }
}

fn truncated(body: &str) -> String {
    let element = "<IsTruncated>true</IsTruncated>";
    before_the_end(&wire::without(body, "IsTruncated"), element)
}

/// The items of the list in a response of EC2, with the text before and after them.
fn set_of(body: &str) -> Option<(&str, &str, &str)> {
    let (start, _) = body.split_once("Set>")?;
    let name = format!("{}Set", start.rsplit('<').next()?);
    let start = body.find(&format!("<{name}>"))? + name.len() + 2;
    let end = body.rfind(&format!("</{name}>"))?;
    Some((body.get(..start)?, body.get(start..end)?, body.get(end..)?))
}

/// Repeats every element of this name.
fn twice(body: &str, name: &str) -> String {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    body.split_inclusive(&end)
        .map(|part| match part.find(&start) {
            Some(at) if part.ends_with(&end) => {
                let (before, element) = part.split_at(at);
                format!("{before}{element}{element}")
            }
            _ => part.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(wire: Wire) -> Call {
        Call {
            line: String::new(),
            operation: String::new(),
            wire,
            is_head: false,
            account: None,
            region: None,
        }
    }

    #[test]
    fn flaws_change_the_body_as_documented() {
        let ec2 = "<R><vpcSet><item><vpcId>vpc-1</vpcId><tagSet/></item></vpcSet></R>";
        let s3 =
            "<L><IsTruncated>false</IsTruncated><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes></L>";
        for (wire, flaw, before, after) in [
            (Wire::Ec2, Flaw::Cut, ec2, "<R><vpcSet><item><vpcId>vpc-1</vpcId><tagSet/></item></vpcSet>"),
            (Wire::S3, Flaw::Cut, "{\"a\":1}", "{\"a"),
            (Wire::S3, Flaw::Empty, s3, ""),
            (Wire::Ec2, Flaw::SameToken, "<R><a/></R>", "<R><a/><nextToken>again</nextToken></R>"),
            (Wire::S3, Flaw::SameToken, "{\"Accounts\":[]}", "{\"NextToken\":\"again\",\"Accounts\":[]}"),
            (
                Wire::S3,
                Flaw::NoToken,
                s3,
                "<L><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><IsTruncated>true</IsTruncated></L>",
            ),
            (
                Wire::S3,
                Flaw::Twice,
                "<L><CommonPrefixes>a</CommonPrefixes><x/></L>",
                "<L><CommonPrefixes>a</CommonPrefixes><CommonPrefixes>a</CommonPrefixes><x/></L>",
            ),
            (
                Wire::Ec2,
                Flaw::Twice,
                "<R><vpcSet><item>a</item></vpcSet></R>",
                "<R><vpcSet><item>a</item><item>a</item></vpcSet></R>",
            ),
            (Wire::Ec2, Flaw::UnknownId, "<vpcId>vpc-1</vpcId>", "<vpcId>net-1</vpcId>"),
        ] {
            assert_eq!(body(&call(wire), flaw, before), after, "{flaw:?}");
        }
        let token = body(&call(Wire::S3), Flaw::SameToken, s3);
        assert!(
            token.ends_with(
                "<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken></L>"
            ),
            "{token}"
        );
        let stray = body(&call(Wire::Ec2), Flaw::Stray, "<R><requestId>1</requestId></R>");
        snapbox::assert_data_eq!(
            stray,
            snapbox::str![[
                r#"<R><unsuccessful><item><error><code>400</code><message>not possible</message></error><resourceId>vpc-0fffffffffffffff0</resourceId></item></unsuccessful><requestId>1</requestId></R>"#
            ]]
        );
    }
}
