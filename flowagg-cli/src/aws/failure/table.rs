//! AWS's error codes, with what to do about each. The tables in `docs/guide.md` are generated from these.
//!
//! Sources: "Error codes for the Amazon EC2 API" (Amazon EC2 API Reference), "Error responses" (Amazon S3 API Reference),
//! "AssumeRole" and "Common error types" (AWS STS API Reference), "Troubleshoot VPC Flow Logs" (Amazon VPC User Guide).

use crate::aws::call::{self, Call};

/// Errors of one kind, with the heading of their table in the guide.
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) rows: &'static [Row],
}

/// A row: the errors that it is for, and the advice.
pub(super) struct Row {
    /// The codes; empty for any.
    pub(super) codes: &'static [Code],
    pub(super) only: Only,
    /// What the message contains.
    pub(super) says: &'static str,
    /// `{account}`, `{region}`, `{action}`, `{who}` and `{bucket-region}` stand for those of the call.
    pub(super) help: &'static str,
}

pub(super) enum Code {
    Is(&'static str),
    Starts(&'static str),
    Ends(&'static str),
    Contains(&'static str),
}

/// The calls that a row is for.
#[derive(Clone, Copy)]
pub(super) enum Only {
    Any,
    At(Call),
    /// The action that allows the call begins with this.
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

/// Whether a code means that the caller is denied the call.
pub(super) fn is_denial(code: &str) -> bool {
    DENIED.iter().any(|denied| denied.fits(code))
}

/// A denial of what only `flowagg query` calls.
pub(super) const OF_QUERY: &str =
    "allow {action} to {who}; `flowagg permissions --query` prints the IAM policies";
/// An error of any other code.
pub(super) const OTHER: &str = "running the command again does not help: correct what the message names; `flowagg doctor` checks roles, permissions, the bucket and its key";
/// An error that AWS itself has.
pub(super) const OF_AWS: &str =
    "AWS could not process the call: wait, then run the command again; completed changes are kept";

const CLOCK: &str =
    "set the clock of this machine, which `date -u` prints: it differs from AWS's by more than AWS accepts";

/// The first row that an error fits decides.
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
                "set the clock of this machine if `date -u` prints a wrong time; if it is right, the credentials have expired: sign in again",
            ),
        ],
    },
    Part {
        title: "Organizations",
        rows: &[
            row(
                DENIED,
                "only the management account and delegated administrators may list the accounts: set `organization.lookup` to a role in one of them",
            )
            .of("organizations:"),
            row(
                &[Is("AWSOrganizationsNotInUseException")],
                "{account} is in no organization: set `organization.lookup` to a role in the management account",
            ),
            row(
                &[Is("AccountNotFoundException")],
                "the organization has no such account: correct `organization.accounts`",
            ),
            row(
                &[Is("ParentNotFoundException")],
                "the organization has no such unit: correct `organization.units` or `organization.except-units`",
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
                "S3 returns no reason for this call; most likely the credentials have expired: sign in again, then run the command again",
            )
            .at(call::HEAD_BUCKET),
            row(
                &[
                    Is("InvalidClientTokenId"),
                    Is("UnrecognizedClientException"),
                    Is("AuthFailure"),
                    Is("InvalidAccessKeyId"),
                ],
                "AWS does not accept these credentials in {region}: check them with `aws sts get-caller-identity`, and whether {region} is enabled with `aws account list-regions`",
            ),
            row(
                &[Is("SignatureDoesNotMatch"), Is("InvalidSignatureException")],
                "the secret access key does not match the access key id: check the credentials with `aws sts get-caller-identity`",
            ),
            row(
                &[Is("IncompleteSignature"), Starts("MissingAuthenticationToken")],
                "the request arrived without a valid signature: check the proxy or the endpoint between flowagg and AWS, which changes requests",
            ),
            row(
                DENIED,
                "the request arrived with headers that flowagg did not send: check the proxy between flowagg and AWS",
            )
            .says("headers present in the request which were not signed"),
            row(
                &[Is("OptInRequired")],
                "enable {region} in {account}, or remove it from the member's `regions`; `aws account list-regions` shows which regions are enabled",
            ),
            row(
                &[Is("RegionDisabledException")],
                "STS is not active in {region} for the account that the message names: activate it there, in the account settings of the IAM console",
            ),
            row(
                &[Is("Blocked"), Is("PendingVerification"), Is("AccountDisabled"), Is("AllAccessDisabled")],
                "AWS restricts {account}: contact AWS Support",
            ),
            row(DENIED, "the root user cannot assume roles: sign in as an IAM user or role")
                .at(call::ASSUME_ROLE)
                .says("root accounts"),
            row(
                DENIED,
                "create the role in {account} with a trust policy for the caller, or name another with `role`; the caller needs sts:AssumeRole on it; `flowagg permissions` prints the policies, and `aws iam get-role` in {account} shows the role",
            )
            .at(call::ASSUME_ROLE),
            row(
                &[Is("ValidationError")],
                "AWS does not accept the name of the role: correct `role`",
            )
            .at(call::ASSUME_ROLE),
            row(
                &[Is("PackedPolicyTooLarge")],
                "the session policies and session tags of the caller's credentials are too large: use credentials with fewer",
            )
            .at(call::ASSUME_ROLE),
            row(
                &[Starts("MalformedPolicyDocument")],
                "flowagg sends no session policy: check the proxy or the endpoint between flowagg and AWS, which changes requests",
            )
            .at(call::ASSUME_ROLE),
            row(
                DENIED,
                "allow {action} to {who}; if it is allowed, look for a statement that grants public access, which S3 Block Public Access refuses: `flowagg policy check` reports it as `public-principal`; if another account owns the bucket, choose another `hub.bucket`",
            )
            .at(call::PUT_POLICY),
            #[cfg(feature = "query")]
            row(
                DENIED,
                "allow {action} on the objects to {who}, and kms:Decrypt on the key if a KMS key encrypts them: `flowagg permissions --query` prints the IAM policies, and `docs/query.md` has that of a bucket without a fleet file",
            )
            .at(call::GET_OBJECT),
            row(
                DENIED,
                "if another account owns the bucket, choose another `hub.bucket`; if {account} does, allow {action} to the role or user that is used there",
            )
            .of("s3:"),
            row(
                DENIED,
                "allow ec2:CreateFlowLogs, ec2:CreateTags and logs:CreateLogDelivery to {who}; `flowagg permissions` prints the IAM policies",
            )
            .at(call::CREATE_FLOW_LOGS),
            row(
                DENIED,
                "allow ec2:DeleteFlowLogs and logs:DeleteLogDelivery to {who}; `flowagg permissions` prints the IAM policies",
            )
            .at(call::DELETE_FLOW_LOGS),
            row(DENIED, OF_QUERY).at(call::DESCRIBE_INSTANCES),
            row(DENIED, OF_QUERY).at(call::DESCRIBE_NAT_GATEWAYS),
            row(DENIED, OF_QUERY).at(call::DESCRIBE_SECURITY_GROUPS),
            row(DENIED, OF_QUERY).at(call::DESCRIBE_SECURITY_GROUP_RULES),
            row(DENIED, OF_QUERY).at(call::GET_PREFIX_LIST_ENTRIES),
            row(DENIED, "allow {action} to {who}; `flowagg permissions` prints the IAM policies"),
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
                "the endpoint is one of another region than `hub.region`: correct `hub.region`, or the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL)",
            ),
            row(&[Is("NotFound")], "no bucket has this name: correct `hub.bucket` or `--bucket`")
                .at(call::HEAD_BUCKET),
            row(&[Is("NoSuchBucket")], "the bucket does not exist any more: `flowagg plan` shows what is missing"),
            #[cfg(feature = "query")]
            row(
                &[Is("InvalidObjectState")],
                "the object is in an archive storage class: restore it (`aws s3api restore-object`), or leave its time out with `--from` and `--to`",
            )
            .at(call::GET_OBJECT),
            row(&[Is("BucketAlreadyExists")], "another account owns this bucket name: choose another `hub.bucket`"),
            row(&[Is("InvalidBucketName")], "S3 does not accept this name: choose another `hub.bucket`"),
            row(
                &[Is("MethodNotAllowed")],
                "only the account that owns the bucket may read and change its policy: correct `hub.account`, or set `hub.role` to a role in {account}",
            )
            .of("s3:"),
            row(
                &[Is("InvalidBucketAclWithObjectOwnership")],
                "the bucket ACL grants access to other accounts: replace these grants with statements of the bucket policy and reset the ACL (`aws s3api put-bucket-acl --acl private`), or set `hub.object-ownership = \"keep\"`",
            ),
            row(
                &[Is("MalformedPolicy")],
                "the policy names a user, a role or an account that does not exist: `flowagg policy check` reports deleted ones as `deleted-principal`; remove it from its statement",
            )
            .says("Invalid principal"),
            row(
                &[Is("MalformedPolicy"), Is("PolicyTooLarge")],
                "the policy is larger than the 20,480 bytes that S3 accepts: `flowagg policy size` shows how much room is left",
            )
            .says("maximum allowed"),
            row(
                &[Is("MalformedPolicy")],
                "S3 does not accept the policy: `flowagg policy check` reports the statement and the cause",
            ),
            row(
                &[Is("NotFoundException")],
                "the key does not exist in {region}: correct `hub.encryption`",
            )
            .of("kms:"),
            row(
                &[Starts("KMS."), Is("DisabledException"), Starts("KMSInvalidState"), Is("KeyUnavailableException")],
                "the KMS key cannot be used: `aws kms describe-key --key-id KEY` shows its state; enable it, or change `hub.encryption`",
            ),
        ],
    },
    Part {
        title: "Flow logs",
        rows: &[
            row(&[Ends(".NotFound")], "the resource does not exist any more: `flowagg plan` shows what remains"),
            row(
                &[Is("FlowLogsLimitExceeded")],
                "the resource has as many flow logs as AWS allows, 250: delete some; `aws ec2 describe-flow-logs --filter Name=resource-id,Values=ID` lists them",
            ),
            row(
                &[Is("FlowLogAlreadyExists")],
                "a flow log that AWS takes for the same exists: `flowagg plan --all` lists it, with its possible owner; delete it, or set `flow-logs.foreign`",
            ),
            row(&[], "a flow log that AWS takes for the same exists: `flowagg plan --all` lists it, with its possible owner; delete it, or set `flow-logs.foreign`")
                .says("existing Flow Log with the same configuration"),
            row(
                &[Starts("LogDestinationNotFound")],
                "the bucket does not exist, or its policy does not allow delivery from {account}: `flowagg plan` shows which",
            ),
            row(
                &[Starts("LogDestinationPermissionIssue")],
                "the bucket policy does not allow delivery from {account}, or AWS has no room to add to it: `flowagg plan` shows what is missing, and `flowagg policy size` how much room is left",
            ),
            row(
                &[],
                "the bucket does not exist, or its policy does not allow delivery from {account}: `flowagg plan` shows which; after a change of the policy, wait a minute before the next run",
            )
            .says("Access Denied for LogDestination"),
            row(
                &[],
                "the bucket's KMS key cannot be used: it must be a customer managed key, given by its ARN, with a policy that allows delivery; `flowagg doctor` checks the key",
            )
            .says("is undeliverable"),
            row(&[Is("400")], "the bucket does not exist: `flowagg plan` shows what is missing")
                .at(call::CREATE_FLOW_LOGS)
                .says("does not exist"),
            row(
                &[Is("TagPolicyViolation")],
                "a tag policy of the organization does not allow the tags of the fleet: ask the owners of the management account to allow them",
            ),
            row(
                &[Is("TagLimitExceeded")],
                "the flow log has as many tags as AWS allows: remove tags that are not needed",
            ),
            row(
                &[
                    Starts("InvalidParameter"),
                    Starts("MissingParameter"),
                    Starts("UnknownParameter"),
                    Is("UnsupportedOperation"),
                ],
                "AWS does not accept what the message names in {region}: correct it in `flow-logs`, or remove the resource from the member; if it is in neither, update flowagg",
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
                "the request did not arrive as it was sent: run the command again; completed changes are kept",
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
                "{account} has reached a quota of AWS, and waiting does not change that: delete what is not needed, or request an increase in the Service Quotas console",
            ),
            row(
                &[Is("NotImplemented"), Is("InvalidAction"), Is("UnknownOperationException")],
                "the endpoint does not support this call: check `--endpoint-url` and AWS_ENDPOINT_URL, or whether {region} has the service",
            ),
        ],
    },
];
