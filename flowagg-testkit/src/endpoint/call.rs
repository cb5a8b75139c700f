//! Identifies the call in a request: AWS's operation name, account and region.

use std::collections::BTreeMap;

use flowagg_core::id::AccountId;

use super::request::Request;

/// A call as the endpoint sees it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The action of a query call (`DescribeVpcs`), otherwise method and path (`PUT /bucket?policy`).
    pub(crate) line: String,
    /// AWS's name of the operation, or `line` if it is not known here.
    pub(crate) operation: String,
    /// The format of its responses.
    pub(crate) wire: Wire,
    /// Whether its responses have no body.
    pub(crate) is_head: bool,
    /// The account of the signing credentials; for `AssumeRole`, the account of the role.
    pub(crate) account: Option<AccountId>,
    /// The region of the signature.
    pub(crate) region: Option<String>,
}

/// A service's format of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Ec2,
    Sts,
    S3,
}

impl Call {
    /// Identifies a call, given the access keys that `AssumeRole` has returned so far. An emulator's other keys are
    /// account IDs.
    pub(crate) fn new(request: &Request, keys: &BTreeMap<String, AccountId>) -> Self {
        // Services with a JSON protocol name the operation in a header: "TrentService.DescribeKey".
        let target = request.header("x-amz-target").and_then(|target| target.rsplit('.').next());
        let named = request.field("Action").or(target.map(str::to_owned));
        let line = named.unwrap_or_else(|| request.line().to_owned());
        let operation = match line.split_once(' ') {
            Some((method, path)) => s3_operation(method, path).unwrap_or(&line).to_owned(),
            None => line.clone(),
        };
        // "AWS4-HMAC-SHA256 Credential=KEY/20260102/eu-west-1/ec2/aws4_request, SignedHeaders=…"
        let scope = request
            .header("authorization")
            .and_then(|value| value.split_once("Credential=")?.1.split(',').next());
        let scope: Vec<&str> = scope.unwrap_or_default().split('/').collect();
        let [key, _, region, service, _] = scope[..] else {
            return Self {
                operation,
                wire: Wire::S3,
                is_head: line.starts_with("HEAD "),
                account: None,
                region: None,
                line,
            };
        };
        let taken = request.field("RoleArn").and_then(|arn| AccountId::parse(arn.split(':').nth(4)?).ok());
        let caller = || keys.get(key).copied().or_else(|| AccountId::parse(key).ok());
        let wire = match service {
            "ec2" => Wire::Ec2,
            "sts" => Wire::Sts,
            _ => Wire::S3,
        };
        Self {
            operation,
            wire,
            is_head: line.starts_with("HEAD "),
            account: taken.or_else(caller),
            region: Some(region.to_owned()),
            line,
        }
    }

    /// Whether the call is known to be read-only.
    pub(crate) fn is_read(&self) -> bool {
        const READS: [&str; 7] = ["Describe", "Get", "List", "Head", "AssumeRole", "GET ", "HEAD "];
        READS.iter().any(|read| self.operation.starts_with(read))
    }
}

/// Source: "Actions" (Amazon S3 API Reference), the request syntax of each.
fn s3_operation(method: &str, path: &str) -> Option<&'static str> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let is_object = path.trim_matches('/').contains('/');
    let asks = |topic: &str| query.split('&').any(|pair| pair.split('=').next() == Some(topic));
    if is_object {
        return match method {
            "GET" => Some("GetObject"),
            "HEAD" => Some("HeadObject"),
            "PUT" => Some("PutObject"),
            "DELETE" => Some("DeleteObject"),
            _ => None,
        };
    }
    const TOPICS: [(&str, [&str; 3]); 5] = [
        ("policy", ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"]),
        ("encryption", ["GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"]),
        (
            "lifecycle",
            ["GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"],
        ),
        (
            "ownershipControls",
            ["GetBucketOwnershipControls", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls"],
        ),
        ("publicAccessBlock", ["GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"]),
    ];
    if let Some((_, [get, put, delete])) = TOPICS.iter().find(|(topic, _)| asks(topic)) {
        return match method {
            "GET" => Some(get),
            "PUT" => Some(put),
            "DELETE" => Some(delete),
            _ => None,
        };
    }
    const READS: [(&str, &str); 7] = [
        ("policyStatus", "GetBucketPolicyStatus"),
        ("acl", "GetBucketAcl"),
        ("versioning", "GetBucketVersioning"),
        ("object-lock", "GetObjectLockConfiguration"),
        ("replication", "GetBucketReplication"),
        ("requestPayment", "GetBucketRequestPayment"),
        ("notification", "GetBucketNotificationConfiguration"),
    ];
    if let Some((_, get)) = READS.iter().find(|(topic, _)| asks(topic)) {
        return (method == "GET").then_some(get);
    }
    match method {
        "HEAD" => Some("HeadBucket"),
        "GET" if asks("list-type") => Some("ListObjectsV2"),
        "PUT" => Some("CreateBucket"),
        "DELETE" => Some("DeleteBucket"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str, key: &str, service: &str, body: &str) -> Request {
        let head = format!(
            "{line} HTTP/1.1\r\nAuthorization: AWS4-HMAC-SHA256 Credential={key}/20260102/eu-west-1/{service}/aws4_request, SignedHeaders=host\r\n\r\n"
        );
        Request { head, body: body.into(), is_whole: true }
    }

    #[test]
    fn s3_requests_map_to_aws_operation_names() {
        for (line, expected) in [
            ("HEAD /logs/", "HeadBucket"),
            ("PUT /logs/", "CreateBucket"),
            ("PUT /logs?policy", "PutBucketPolicy"),
            ("GET /logs?policy", "GetBucketPolicy"),
            ("GET /logs/?delimiter=%2F&list-type=2&prefix=AWSLogs%2F", "ListObjectsV2"),
            ("PUT /logs?x-id=a&encryption", "PutBucketEncryption"),
            ("GET /logs/AWSLogs/policy", "GetObject"),
            ("GET /logs?acl", "GetBucketAcl"),
            ("GET /logs/?policyStatus", "GetBucketPolicyStatus"),
            ("PUT /logs?acl", "PUT /logs?acl"),
            ("GET /logs?cors", "GET /logs?cors"),
        ] {
            let call = Call::new(&request(line, "111122223333", "s3", ""), &BTreeMap::new());
            assert_eq!(call.operation, expected);
            assert_eq!(call.is_read(), !line.starts_with("PUT"), "{line}");
        }
    }

    #[test]
    fn account_of_a_call_is_the_signers_or_the_roles() {
        let [hub, shop] = ["111122223333", "444455556666"].map(|id| AccountId::parse(id).unwrap());
        let keys = BTreeMap::from([("LSIAEXAMPLE".to_owned(), shop)]);
        let call = |key, service, body| Call::new(&request("POST /", key, service, body), &keys);

        let own = call("111122223333", "ec2", "Action=DescribeVpcs&Version=2016-11-15");
        assert_eq!((own.operation.as_str(), own.account, own.wire), ("DescribeVpcs", Some(hub), Wire::Ec2));
        assert_eq!(own.region.as_deref(), Some("eu-west-1"));
        assert_eq!(call("LSIAEXAMPLE", "ec2", "Action=DescribeVpcs").account, Some(shop));
        let body = "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2FReader";
        let role = call("111122223333", "sts", body);
        assert_eq!((role.account, role.wire), (Some(shop), Wire::Sts));
        assert_eq!(call("ANOTHER", "sts", "Action=GetCallerIdentity").account, None);
    }
}
