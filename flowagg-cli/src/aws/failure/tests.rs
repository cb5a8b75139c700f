use std::fmt::Write as _;

use aws_sdk_s3::operation::get_bucket_policy::GetBucketPolicyError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::call::{CREATE_FLOW_LOGS, GET_POLICY, PUT_POLICY};
use crate::aws::mocked::place;

/// The failure that this response produces.
fn failure(
    call: Call,
    (code, message): (Option<&str>, &str),
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Failure {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    for (name, value) in headers {
        response.headers_mut().insert(*name, *value);
    }
    let mut error = ErrorMetadata::builder().message(message);
    if let Some(code) = code {
        error = error.code(code);
    }
    let error = GetBucketPolicyError::generic(error.build());
    At::new(place()).failure(call, &SdkError::service_error(error, response))
}

fn shown(failures: impl IntoIterator<Item = Failure>) -> String {
    let mut text = String::new();
    for failure in failures {
        let _ = writeln!(text, "{}\n  {}", failure.what(), failure.help());
    }
    text
}

fn error(call: Call, code: &'static str, message: &str) -> Failure {
    failure(call, (Some(code), message), 403, &[], "<Error><Code>x</Code></Error>")
}

const SCP: &str = "with an explicit deny in a service control policy";

#[test]
fn denial_advice_depends_on_the_policy_type() {
    let user = "User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform:";
    let encoded = format!("Encoded authorization failure message: {}", "l26Lbh".repeat(200));
    let denied = |call, reason: &str| error(call, "AccessDenied", &format!("{user} {reason}"));
    let scp = format!(
        "logs:CreateLogDelivery on resource: * {SCP}: arn:aws:organizations::900000000015:policy/o-r1e3db1vbq/service_control_policy/p-y4hziqde. {encoded}"
    );
    let failures = [
        denied(CREATE_FLOW_LOGS, &scp),
        denied(CREATE_FLOW_LOGS, &format!("ec2:CreateFlowLogs {SCP}")),
        denied(call::ASSUME_ROLE, "sts:AssumeRole with an explicit deny in a resource control policy"),
        denied(GET_POLICY, "s3:GetBucketPolicy with an explicit deny in a resource-based policy"),
        denied(
            GET_POLICY,
            "s3:GetBucketPolicy because no resource-based policy allows the s3:GetBucketPolicy action",
        ),
        denied(call::GET_KEY_POLICY, "kms:GetKeyPolicy with an explicit deny in a resource-based policy"),
        denied(
            call::ASSUME_ROLE,
            "sts:AssumeRole because no role trust policy allows the sts:AssumeRole action",
        ),
        denied(
            call::ASSUME_ROLE,
            "sts:AssumeRole because no identity-based policy allows the sts:AssumeRole action",
        ),
        denied(CREATE_FLOW_LOGS, "ec2:CreateTags with an explicit deny in a permissions boundary"),
        denied(CREATE_FLOW_LOGS, "ec2:CreateTags because no session policy allows the ec2:CreateTags action"),
        denied(
            PUT_POLICY,
            "s3:PutBucketPolicy because no VPC endpoint policy allows the s3:PutBucketPolicy action",
        ),
        denied(
            PUT_POLICY,
            "s3:PutBucketPolicy because public policies are blocked by the BlockPublicPolicy block public access setting.",
        ),
        denied(PUT_POLICY, "s3:PutBucketPolicy with an explicit deny"),
    ];
    assert!(failures[0].message.ends_with(&encoded), "the data contains the whole message");
    assert_data_eq!(
        shown(failures),
        str![[r#"
CreateFlowLogs: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: logs:CreateLogDelivery on resource: * with an explicit deny in a service control policy: arn:aws:organizations::900000000015:policy/o-r1e3db1vbq/service_control_policy/p-y4hziqde. Encoded authorization failure message: [...]
  a service control policy (SCP) denies logs:CreateLogDelivery, and no IAM policy can override it: ask the owners of the management account for an exception; in that account, `aws organizations describe-policy --policy-id p-y4hziqde` prints the policy; `--json` prints the full encoded message, and `aws sts decode-authorization-message --encoded-message MESSAGE` decodes it
CreateFlowLogs: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: ec2:CreateFlowLogs with an explicit deny in a service control policy
  a service control policy (SCP) denies ec2:CreateFlowLogs, and no IAM policy can override it: ask the owners of the management account for an exception; in that account, `aws organizations list-policies --filter SERVICE_CONTROL_POLICY` lists the policies
AssumeRole: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: sts:AssumeRole with an explicit deny in a resource control policy
  a resource control policy (RCP) denies sts:AssumeRole, and no other policy can override it: ask the owners of the management account for an exception; in that account, `aws organizations list-policies --filter RESOURCE_CONTROL_POLICY` lists the policies
GetBucketPolicy: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: s3:GetBucketPolicy with an explicit deny in a resource-based policy
  a Deny statement in the bucket policy denies s3:GetBucketPolicy: edit it as a principal that it does not deny, such as the root user of 222222222222; `aws s3api get-bucket-policy --bucket BUCKET` prints the policy
GetBucketPolicy: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: s3:GetBucketPolicy because no resource-based policy allows the s3:GetBucketPolicy action
  the bucket policy does not allow s3:GetBucketPolicy for callers from other accounts: set `hub.role` to a role in 222222222222, or allow the caller in the bucket policy
GetKeyPolicy: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: kms:GetKeyPolicy with an explicit deny in a resource-based policy
  a Deny statement in the key policy denies kms:GetKeyPolicy: edit it in the account that owns the key; `aws kms get-key-policy --key-id KEY` prints the policy
AssumeRole: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: sts:AssumeRole because no role trust policy allows the sts:AssumeRole action
  the role's trust policy does not allow the caller: add the caller to it in 222222222222, or set `role` to another role; `flowagg permissions` prints the trust policy
AssumeRole: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: sts:AssumeRole because no identity-based policy allows the sts:AssumeRole action
  allow sts:AssumeRole for the caller; `flowagg permissions` prints the IAM policies
CreateFlowLogs: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: ec2:CreateTags with an explicit deny in a permissions boundary
  the permissions boundary of the role or user used in 222222222222 denies ec2:CreateTags, and no IAM policy can override it: ask an IAM administrator to change the boundary; `aws iam get-role --role-name ROLE` shows which policy it is
CreateFlowLogs: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: ec2:CreateTags because no session policy allows the ec2:CreateTags action
  the session policy of the credentials does not allow ec2:CreateTags: use credentials issued without it, or change it in the tool that requests them
PutBucketPolicy: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: s3:PutBucketPolicy because no VPC endpoint policy allows the s3:PutBucketPolicy action
  the VPC endpoint policy does not allow s3:PutBucketPolicy: ask the owner of the endpoint to allow it, or run flowagg outside this VPC; `aws ec2 describe-vpc-endpoints` shows the policy
PutBucketPolicy: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: s3:PutBucketPolicy because public policies are blocked by the BlockPublicPolicy block public access setting.
  S3 Block Public Access rejected the bucket policy because a statement grants public access: restrict that statement; `flowagg policy check` reports it as `public-principal`
PutBucketPolicy: AccessDenied: User: arn:aws:sts::222222222222:assumed-role/flowagg/flowagg is not authorized to perform: s3:PutBucketPolicy with an explicit deny
  a Deny statement denies s3:PutBucketPolicy, and no Allow statement can override it: look for it in the service control policies, the IAM policies of the role or user used in 222222222222, and the resource's policy

"#]]
    );
}

#[test]
fn clock_skew_and_wrong_region_include_details_of_the_response() {
    let skewed = "<Error><Code>RequestTimeTooSkewed</Code><RequestTime>20261130T021500Z</RequestTime><ServerTime>2026-11-30T02:45:12Z</ServerTime></Error>";
    let moved = "<Error><Code>PermanentRedirect</Code></Error>";
    let elsewhere = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-west-2</Region></Error>";
    let expecting = "the region 'eu-west-1' is wrong; expecting 'us-west-2'";
    let expired = "Signature expired: 20240704T215913Z is now earlier than 20240704T221303Z (20240704T222803Z - 15 min.)";
    assert_data_eq!(
        shown([
            failure(
                GET_POLICY,
                (
                    Some("RequestTimeTooSkewed"),
                    "The difference between the request time and the current time is too large."
                ),
                403,
                &[],
                skewed
            ),
            error(call::ASSUME_ROLE, "SignatureDoesNotMatch", expired),
            error(CREATE_FLOW_LOGS, "RequestExpired", "Request has expired."),
            failure(
                GET_POLICY,
                (Some("PermanentRedirect"), "use another endpoint"),
                301,
                &[("x-amz-bucket-region", "us-east-2")],
                moved
            ),
            failure(GET_POLICY, (Some("PermanentRedirect"), "use another endpoint"), 301, &[], moved),
            failure(
                GET_POLICY,
                (Some("AuthorizationHeaderMalformed"), "the region is wrong"),
                400,
                &[],
                elsewhere
            ),
            error(GET_POLICY, "AuthorizationHeaderMalformed", expecting),
        ]),
        str![[r#"
GetBucketPolicy: RequestTimeTooSkewed: The difference between the request time and the current time is too large. (request time 20261130T021500Z, AWS time 2026-11-30T02:45:12Z)
  this machine's clock differs too much from AWS's: synchronize it; `date -u` prints its time
AssumeRole: SignatureDoesNotMatch: Signature expired: 20240704T215913Z is now earlier than 20240704T221303Z (20240704T222803Z - 15 min.)
  this machine's clock differs too much from AWS's: synchronize it; `date -u` prints its time
CreateFlowLogs: RequestExpired: Request has expired.
  synchronize this machine's clock if `date -u` prints the wrong time; otherwise the credentials have expired: sign in again
GetBucketPolicy: PermanentRedirect: use another endpoint
  the bucket is in us-east-2: set `hub.region` to that region, or choose another `hub.bucket`; `aws s3api head-bucket --bucket BUCKET` prints the region
GetBucketPolicy: PermanentRedirect: use another endpoint
  the bucket is in another region: set `hub.region` to that region, or choose another `hub.bucket`; `aws s3api head-bucket --bucket BUCKET` prints the region
GetBucketPolicy: AuthorizationHeaderMalformed: the region is wrong
  the bucket is in us-west-2: set `hub.region` to that region, or choose another `hub.bucket`; `aws s3api head-bucket --bucket BUCKET` prints the region
GetBucketPolicy: AuthorizationHeaderMalformed: the region 'eu-west-1' is wrong; expecting 'us-west-2'
  the bucket is in us-west-2: set `hub.region` to that region, or choose another `hub.bucket`; `aws s3api head-bucket --bucket BUCKET` prints the region

"#]]
    );
}

#[test]
fn untrusted_certificate_is_reported_with_how_to_trust_it() {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    let refused = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    // Nested as in hyper-rustls.
    let refused = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, refused));
    let error: SdkError<AssumeRoleError, HttpResponse> =
        SdkError::dispatch_failure(ConnectorError::io(refused.into()));
    let failure = At::new(place()).failure(call::ASSUME_ROLE, &error);
    assert_data_eq!(
        shown([failure]),
        str![[r#"
AssumeRole: request failed: invalid peer certificate: UnknownIssuer
  the endpoint's TLS certificate is not trusted: if a proxy decrypts TLS, add its certificate authority to this machine's trusted certificates, or set SSL_CERT_FILE to its PEM file

"#]]
    );
}

#[test]
fn response_of_another_server_is_not_reported_as_an_aws_error() {
    let page = "<html><body>Blocked</body></html>";
    let html = [("content-type", "text/html")];
    assert_data_eq!(
        shown([
            failure(GET_POLICY, (None, ""), 403, &html, page),
            failure(
                CREATE_FLOW_LOGS,
                (None, ""),
                200,
                &[("content-type", "application/json")],
                "{\"status\": \"ok\"}"
            ),
            failure(GET_POLICY, (None, ""), 407, &[], ""),
        ]),
        str![[r#"
GetBucketPolicy: the response is not from AWS: HTTP 403, content type `text/html`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there
CreateFlowLogs: the response is not from AWS: HTTP 200, content type `application/json`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there
GetBucketPolicy: the response is not from AWS: HTTP 407, without a content type
  the proxy requires authentication: sign in to it, or exclude the AWS endpoints with NO_PROXY

"#]]
    );
}

#[test]
fn retry_is_advised_only_for_temporary_errors() {
    assert_data_eq!(
        shown([
            failure(
                GET_POLICY,
                (Some("Surprise"), "We failed."),
                500,
                &[],
                "<Error><Code>Surprise</Code></Error>"
            ),
            failure(
                GET_POLICY,
                (Some("Surprise"), "You failed."),
                400,
                &[],
                "<Error><Code>Surprise</Code></Error>"
            ),
            failure(GET_POLICY, (None, ""), 503, &[], ""),
            error(CREATE_FLOW_LOGS, "AddressLimitExceeded", "Too many."),
            error(CREATE_FLOW_LOGS, "RequestLimitExceeded", "Too fast."),
        ]),
        str![[r#"
GetBucketPolicy: Surprise: We failed.
  AWS could not process the call: wait, then run the command again; completed changes are kept
GetBucketPolicy: Surprise: You failed.
  retrying does not help: fix the problem in the message; `flowagg doctor` checks roles, permissions, the bucket and its key
GetBucketPolicy: HTTP 503: 
  AWS could not process the call: wait, then run the command again; completed changes are kept
CreateFlowLogs: AddressLimitExceeded: Too many.
  222222222222 has reached an AWS quota: delete unneeded resources, or request an increase in the Service Quotas console; waiting does not help
CreateFlowLogs: RequestLimitExceeded: Too fast.
  AWS is throttling these calls: wait, then run the command again; completed changes are kept

"#]]
    );
}

#[test]
fn unsuccessful_items_get_advice_by_message() {
    let at = At::new(place()).about("vpc-0000000a");
    let items = [
        (Some("400"), Some("LogDestination: acme-logs does not exist")),
        (Some("400"), Some("LogDestination: acme-logs is undeliverable")),
        (
            Some("400"),
            Some("Access Denied for LogDestination: acme-logs. Please check LogDestination permission."),
        ),
        (
            Some("FlowLogAlreadyExists"),
            Some("Error. There is an existing Flow Log with the same configuration and log destination."),
        ),
        (Some("InvalidVpcID.NotFound"), Some("The vpc ID 'vpc-0000000a' does not exist")),
        (None, None),
    ];
    let items = items.map(|(code, message)| at.unsuccessful(CREATE_FLOW_LOGS, code, message));
    assert_data_eq!(
        shown(items),
        str![[r#"
CreateFlowLogs: 400: LogDestination: acme-logs does not exist
  the bucket does not exist: run `flowagg plan` to see what is missing
CreateFlowLogs: 400: LogDestination: acme-logs is undeliverable
  the bucket's KMS key cannot be used: use a customer managed key, specified by its ARN, with a policy that allows delivery; `flowagg doctor` checks the key
CreateFlowLogs: 400: Access Denied for LogDestination: acme-logs. Please check LogDestination permission.
  the bucket does not exist, or its policy does not allow delivery from 222222222222: run `flowagg plan` to see which; after a policy change, wait a minute before the next run
CreateFlowLogs: FlowLogAlreadyExists: Error. There is an existing Flow Log with the same configuration and log destination.
  AWS considers an existing flow log identical: delete it, or set `flow-logs.foreign`; `flowagg plan --all` lists it with its possible owner
CreateFlowLogs: InvalidVpcID.NotFound: The vpc ID 'vpc-0000000a' does not exist
  the resource does not exist: run `flowagg plan` again to see what remains
CreateFlowLogs: no code: AWS returned no message
  retrying does not help: fix the problem in the message; `flowagg doctor` checks roles, permissions, the bucket and its key

"#]]
    );
}
