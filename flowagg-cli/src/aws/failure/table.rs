//! AWS error codes and the advice for each. The tables in `docs/operations.md` are generated from these.
//!
//! Sources: "Error codes for the Amazon EC2 API" (Amazon EC2 API Reference), "Error responses" (Amazon S3 API Reference),
//! "AssumeRole" and "Common error types" (AWS STS API Reference), "Troubleshoot VPC Flow Logs" (Amazon VPC User Guide).

use crate::aws::call::{self, Call};

/// Errors of one kind. `title` is the heading of their table in `docs/operations.md`.
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) rows: &'static [Row],
}

/// Advice, and the errors that it applies to.
pub(super) struct Row {
    /// The codes; empty matches any code.
    pub(super) codes: &'static [Code],
    pub(super) only: Only,
    /// A substring of the message; empty matches any message.
    pub(super) says: &'static str,
    /// The advice. `{account}`, `{region}`, `{action}`, `{who}` and `{bucket-region}` are replaced with the values of the call.
    pub(super) help: &'static str,
}

pub(super) enum Code {
    Is(&'static str),
    Starts(&'static str),
    Ends(&'static str),
    Contains(&'static str),
}

/// The calls that a row applies to.
#[derive(Clone, Copy)]
pub(super) enum Only {
    Any,
    At(Call),
    /// Calls whose IAM action starts with this.
    Of(&'static str),
}

use Code::{Contains, Ends, Is, Starts};

const fn row(codes: &'static [Code], help: &'static str) -> Row {
    Row { codes, only: Only::Any, says: "", help }
}

impl Row {
    const fn at(self, call: Call) -> Self {
        Self { only: Only::At(call), ..self }
    }

    const fn of(self, service: &'static str) -> Self {
        Self { only: Only::Of(service), ..self }
    }

    const fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    pub(super) fn fits(&self, call: Call, code: &str, message: &str) -> bool {
        let is_call = match self.only {
            Only::Any => true,
            Only::At(this) => call == this,
            Only::Of(service) => call.action.starts_with(service),
        };
        let is_code = self.codes.is_empty() || self.codes.iter().any(|known| known.fits(code));
        is_call && is_code && message.contains(self.says)
    }
}

impl Code {
    fn fits(&self, code: &str) -> bool {
        match self {
            Is(whole) => code == *whole,
            Starts(start) => code.starts_with(start),
            Ends(end) => code.ends_with(end),
            Contains(part) => code.contains(part),
        }
    }
}

const DENIED: &[Code] = &[Contains("AccessDenied"), Is("UnauthorizedOperation"), Is("Forbidden")];

/// Whether a code means that the call was denied.
pub(super) fn is_denial(code: &str) -> bool {
    DENIED.iter().any(|denied| denied.fits(code))
}

/// Advice for denied calls that only `flowagg query` makes.
pub(super) const OF_QUERY: &str =
    "allow {action} for {who}; `flowagg permissions --query` prints the IAM policies";
/// Advice for errors without a row.
pub(super) const OTHER: &str = "retrying does not help: fix the problem in the message; `flowagg doctor` checks roles, permissions, the bucket and its key";
/// Advice for failures inside AWS.
pub(super) const OF_AWS: &str =
    "AWS could not process the call: wait, then run the command again; completed changes are kept";

const CLOCK: &str =
    "this machine's clock differs too much from AWS's: synchronize it; `date -u` prints its time";

/// The first matching row wins.
pub(super) const PARTS: [Part; 7] = [
    Part {
        title: "The clock",
        rows: &[
            row(&[Is("RequestTimeTooSkewed")], CLOCK),
            row(&[Is("SignatureDoesNotMatch"), Is("InvalidSignatureException")], CLOCK).says("Signature expired"),
            row(&[Is("SignatureDoesNotMatch"), Is("InvalidSignatureException")], CLOCK)
                .says("Signature not yet current"),
            row(
                &[Is("RequestExpired")],
                "synchronize this machine's clock if `date -u` prints the wrong time; otherwise the credentials have expired: sign in again",
            ),
        ],
    },
    Part {
        title: "Organizations",
        rows: &[
            row(
                DENIED,
                "only the management account and delegated administrator accounts can list the organization's accounts: set `organization.lookup` to a role in one of them",
            )
            .of("organizations:"),
            row(
                &[Is("AWSOrganizationsNotInUseException")],
                "{account} is not in an organization: set `organization.lookup` to a role in the management account",
            ),
            row(
                &[Is("AccountNotFoundException")],
                "the account is not in the organization: correct `organization.accounts`",
            ),
            row(
                &[Is("ParentNotFoundException")],
                "the organizational unit does not exist: correct `organization.units` or `organization.except-units`",
            ),
        ],
    },
    Part {
        title: "Credentials and roles",
        rows: &[
            row(
                &[Starts("ExpiredToken")],
                "the credentials have expired: sign in again, then run the command again; completed changes are kept",
            ),
            row(
                &[Is("HTTP 400")],
                "S3 returns no details for this call; the credentials have probably expired: sign in again, then run the command again",
            )
            .at(call::HEAD_BUCKET),
            row(
                &[
                    Is("InvalidClientTokenId"),
                    Is("UnrecognizedClientException"),
                    Is("AuthFailure"),
                    Is("InvalidAccessKeyId"),
                ],
                "AWS rejected the credentials in {region}: check them with `aws sts get-caller-identity`, and check with `aws account list-regions` that {region} is enabled",
            ),
            row(
                &[Is("SignatureDoesNotMatch"), Is("InvalidSignatureException")],
                "the secret access key does not match the access key ID: check the credentials with `aws sts get-caller-identity`",
            ),
            row(
                &[Is("IncompleteSignature"), Starts("MissingAuthenticationToken")],
                "the request reached AWS without a valid signature: check the proxy or endpoint between flowagg and AWS, which modifies requests",
            ),
            row(
                DENIED,
                "the request reached AWS with headers that flowagg did not send: check the proxy between flowagg and AWS",
            )
            .says("headers present in the request which were not signed"),
            row(
                &[Is("OptInRequired")],
                "enable {region} in {account}, or remove it from the member's `regions`; `aws account list-regions` shows which regions are enabled",
            ),
            row(
                &[Is("RegionDisabledException")],
                "STS is not active in {region} for the account in the message: activate it in that account, under Account settings in the IAM console",
            ),
            row(
                &[Is("Blocked"), Is("PendingVerification"), Is("AccountDisabled"), Is("AllAccessDisabled")],
                "AWS has restricted {account}: contact AWS Support",
            ),
            row(DENIED, "the root user cannot assume roles: sign in as an IAM user or role")
                .at(call::ASSUME_ROLE)
                .says("root accounts"),
            row(
                DENIED,
                "create the role in {account} with a trust policy for the caller and allow the caller sts:AssumeRole on it, or set `role` to another role; `flowagg permissions` prints the policies, and `aws iam get-role` in {account} shows the role",
            )
            .at(call::ASSUME_ROLE),
            row(
                &[Is("ValidationError")],
                "AWS rejected the role name: correct `role`",
            )
            .at(call::ASSUME_ROLE),
            row(
                &[Is("PackedPolicyTooLarge")],
                "the session policies and session tags of the caller's credentials are too large: use credentials with fewer of them",
            )
            .at(call::ASSUME_ROLE),
            row(
                &[Starts("MalformedPolicyDocument")],
                "flowagg does not send a session policy: check the proxy or endpoint between flowagg and AWS, which modifies requests",
            )
            .at(call::ASSUME_ROLE),
            row(
                DENIED,
                "allow {action} for {who}; if it is already allowed, remove any statement that grants public access, which S3 Block Public Access rejects (`flowagg policy check` reports it as `public-principal`); if another account owns the bucket, choose another `hub.bucket`",
            )
            .at(call::PUT_POLICY),
            #[cfg(feature = "query")]
            row(
                DENIED,
                "allow {action} on the objects for {who}, and kms:Decrypt on the key if a KMS key encrypts them: `flowagg permissions --query` prints the IAM policies; for a bucket without a fleet file, see `docs/query.md`",
            )
            .at(call::GET_OBJECT),
            row(
                DENIED,
                "if another account owns the bucket, choose another `hub.bucket`; otherwise allow {action} for the role or user used in {account}",
            )
            .of("s3:"),
            row(
                DENIED,
                "allow ec2:CreateFlowLogs, ec2:CreateTags and logs:CreateLogDelivery for {who}; `flowagg permissions` prints the IAM policies",
            )
            .at(call::CREATE_FLOW_LOGS),
            row(
                DENIED,
                "allow ec2:DeleteFlowLogs and logs:DeleteLogDelivery for {who}; `flowagg permissions` prints the IAM policies",
            )
            .at(call::DELETE_FLOW_LOGS),
            row(DENIED, OF_QUERY).at(call::DESCRIBE_INSTANCES),
            row(DENIED, OF_QUERY).at(call::DESCRIBE_NAT_GATEWAYS),
            row(DENIED, OF_QUERY).at(call::DESCRIBE_SECURITY_GROUPS),
            row(DENIED, OF_QUERY).at(call::DESCRIBE_SECURITY_GROUP_RULES),
            row(DENIED, OF_QUERY).at(call::GET_PREFIX_LIST_ENTRIES),
            row(DENIED, "allow {action} for {who}; `flowagg permissions` prints the IAM policies"),
        ],
    },
    Part {
        title: "The bucket",
        rows: &[
            row(
                &[Is("PermanentRedirect"), Is("TemporaryRedirect"), Is("AuthorizationHeaderMalformed")],
                "the bucket is in {bucket-region}: set `hub.region` to that region, or choose another `hub.bucket`; `aws s3api head-bucket --bucket BUCKET` prints the region",
            ),
            row(
                &[Starts("IllegalLocationConstraint")],
                "the endpoint belongs to a region other than `hub.region`: correct `hub.region` or the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL)",
            ),
            row(&[Is("NotFound")], "the bucket does not exist: correct `hub.bucket` or `--bucket`")
                .at(call::HEAD_BUCKET),
            row(&[Is("NoSuchBucket")], "the bucket does not exist: run `flowagg plan` to see what is missing"),
            #[cfg(feature = "query")]
            row(
                &[Is("InvalidObjectState")],
                "the object is in an archive storage class: restore it (`aws s3api restore-object`), or exclude it with `--from` and `--to`",
            )
            .at(call::GET_OBJECT),
            row(&[Is("BucketAlreadyExists")], "another account owns a bucket with this name: choose another `hub.bucket`"),
            row(&[Is("InvalidBucketName")], "S3 rejected the bucket name: choose another `hub.bucket`"),
            row(
                &[Is("MethodNotAllowed")],
                "only the account that owns the bucket can read and change its policy: correct `hub.account`, or set `hub.role` to a role in {account}",
            )
            .of("s3:"),
            row(
                &[Is("InvalidBucketAclWithObjectOwnership")],
                "the bucket ACL grants access to other accounts: replace these grants with bucket policy statements and reset the ACL (`aws s3api put-bucket-acl --bucket BUCKET --acl private`), or set `hub.object-ownership = \"keep\"`",
            ),
            row(
                &[Is("MalformedPolicy")],
                "the policy names a user, role or account that does not exist: remove it from the statement; `flowagg policy check` reports deleted ones as `deleted-principal`",
            )
            .says("Invalid principal"),
            row(
                &[Is("MalformedPolicy"), Is("PolicyTooLarge")],
                "the policy exceeds the S3 limit of 20,480 bytes: shorten it; `flowagg policy size` shows its size",
            )
            .says("maximum allowed"),
            row(
                &[Is("MalformedPolicy")],
                "S3 rejected the policy: run `flowagg policy check` to find the statement and the cause",
            ),
            row(
                &[Is("NotFoundException")],
                "the key does not exist in {region}: correct `hub.encryption`",
            )
            .of("kms:"),
            row(
                &[Starts("KMS."), Is("DisabledException"), Starts("KMSInvalidState"), Is("KeyUnavailableException")],
                "the KMS key cannot be used: enable it, or change `hub.encryption`; `aws kms describe-key --key-id KEY` shows its state",
            ),
        ],
    },
    Part {
        title: "Flow logs",
        rows: &[
            row(&[Ends(".NotFound")], "the resource does not exist: run `flowagg plan` again to see what remains"),
            row(
                &[Is("FlowLogsLimitExceeded")],
                "the resource has reached the AWS limit of 250 flow logs: delete some; `aws ec2 describe-flow-logs --filter Name=resource-id,Values=ID` lists them",
            ),
            row(
                &[Is("FlowLogAlreadyExists")],
                "AWS considers an existing flow log identical: delete it, or set `flow-logs.foreign`; `flowagg plan --all` lists it with its possible owner",
            ),
            row(&[], "AWS considers an existing flow log identical: delete it, or set `flow-logs.foreign`; `flowagg plan --all` lists it with its possible owner")
                .says("existing Flow Log with the same configuration"),
            row(
                &[Starts("LogDestinationNotFound")],
                "the bucket does not exist, or its policy does not allow delivery from {account}: run `flowagg plan` to see which",
            ),
            row(
                &[Starts("LogDestinationPermissionIssue")],
                "the bucket policy does not allow delivery from {account}, or is too large for AWS to add to it: run `flowagg plan` to see what is missing and `flowagg policy size` to see its size",
            ),
            row(
                &[],
                "the bucket does not exist, or its policy does not allow delivery from {account}: run `flowagg plan` to see which; after a policy change, wait a minute before the next run",
            )
            .says("Access Denied for LogDestination"),
            row(
                &[],
                "the bucket's KMS key cannot be used: use a customer managed key, specified by its ARN, with a policy that allows delivery; `flowagg doctor` checks the key",
            )
            .says("is undeliverable"),
            row(&[Is("400")], "the bucket does not exist: run `flowagg plan` to see what is missing")
                .at(call::CREATE_FLOW_LOGS)
                .says("does not exist"),
            row(
                &[Is("TagPolicyViolation")],
                "a tag policy of the organization does not allow the fleet's tags: ask the owners of the management account to allow them",
            ),
            row(
                &[Is("TagLimitExceeded")],
                "the flow log has reached the AWS limit on tags: remove unneeded tags",
            ),
            row(
                &[
                    Starts("InvalidParameter"),
                    Starts("MissingParameter"),
                    Starts("UnknownParameter"),
                    Is("UnsupportedOperation"),
                ],
                "AWS rejected the parameter or resource in the message for {region}: correct `flow-logs`, or remove the resource from the member; if neither contains it, update flowagg",
            )
            .at(call::CREATE_FLOW_LOGS),
        ],
    },
    Part {
        title: "Temporary errors",
        rows: &[
            row(
                &[
                    Contains("Throttl"),
                    Is("RequestLimitExceeded"),
                    Is("BandwidthLimitExceeded"),
                    Starts("TooManyRequests"),
                    Is("SlowDown"),
                ],
                "AWS is throttling these calls: wait, then run the command again; completed changes are kept",
            ),
            row(
                &[
                    Is("OperationAborted"),
                    Starts("ConditionalRequestConflict"),
                    Starts("ConcurrentModification"),
                    Is("ConcurrentTagAccess"),
                ],
                "another change to the same resource is in progress: run the command again",
            ),
            row(
                &[Is("RequestTimeout"), Starts("IdempotentParameterMismatch")],
                "the request did not reach AWS intact: run the command again; completed changes are kept",
            ),
            row(
                &[
                    Starts("InternalError"),
                    Starts("InternalFailure"),
                    Starts("InternalServer"),
                    Contains("Unavailable"),
                    Starts("ServiceException"),
                    Starts("KMSInternal"),
                    Starts("DependencyTimeout"),
                    Starts("HTTP 5"),
                ],
                OF_AWS,
            ),
        ],
    },
    Part {
        title: "Quotas and endpoints",
        rows: &[
            row(
                &[Contains("LimitExceeded")],
                "{account} has reached an AWS quota: delete unneeded resources, or request an increase in the Service Quotas console; waiting does not help",
            ),
            row(
                &[Is("NotImplemented"), Is("InvalidAction"), Is("UnknownOperationException")],
                "the endpoint does not support this call: check `--endpoint-url` and AWS_ENDPOINT_URL, and that the service is available in {region}",
            ),
        ],
    },
];
