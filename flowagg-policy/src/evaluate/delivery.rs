//! The requests of the delivery service for a flow log: to S3, and through S3 to KMS. Both are built by one
//! constructor, so they have the same condition keys.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use flowagg_core::id::{
    AccountId, BucketName, KmsKeyArn, OrganizationId, OrganizationalUnitId, Partition, Region,
};

use super::fact::{ABSENT, Fact, Named, Possible, UNKNOWN, UNNAMED_PART};
use super::request::{Others, Request};
use crate::service::{DELIVERY_ACL, DELIVERY_SERVICE};

/// A delivery of flow logs: its source account and the bucket owner, as far as known.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// The account that owns the flow log.
    pub account: AccountId,
    /// The partition of the bucket and the flow log.
    pub partition: Partition,
    /// The region of the flow log; `None` if unknown.
    pub region: Option<Region>,
    /// The organization of that account.
    pub membership: Membership,
    /// The bucket's owner.
    pub owner: Option<Owner>,
}

/// The account that owns a bucket or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Owner {
    pub account: AccountId,
    /// The region of the bucket or the key; `None` if unknown.
    pub region: Option<Region>,
    /// The organization of the account; `None` if unknown.
    pub organization: Option<OrganizationId>,
}

impl Owner {
    /// An owner with unknown region and organization.
    pub fn new(account: AccountId) -> Self {
        Self { account, region: None, organization: None }
    }
}

/// The known organization membership of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Membership {
    /// Unknown.
    #[default]
    Unknown,
    /// The account is not in an organization.
    None,
    /// The account is not in this organization; it may be in another.
    Outside(OrganizationId),
    /// The account is in this organization, under one of these units; without units, anywhere in it.
    Within(OrganizationId, BTreeSet<OrganizationalUnitId>),
}

impl Delivery {
    /// A delivery with unknown membership and owner.
    pub fn new(account: AccountId, region: Region) -> Self {
        let partition = region.partition();
        Self { account, partition, region: Some(region), membership: Membership::Unknown, owner: None }
    }

    /// A delivery for a flow log in an unknown region.
    pub fn from_any_region(account: AccountId, partition: Partition) -> Self {
        Self { account, partition, region: None, membership: Membership::Unknown, owner: None }
    }

    /// Sets the organization membership of the account.
    #[must_use]
    pub fn with_membership(self, membership: Membership) -> Self {
        Self { membership, ..self }
    }

    /// Sets the owner of the bucket.
    #[must_use]
    pub fn with_owner(self, owner: Option<Owner>) -> Self {
        Self { owner, ..self }
    }

    /// The request to put an object with this key.
    pub fn put_object(&self, bucket: &BucketName, key: &str) -> Request {
        let [_, put] = self.requests(bucket, key);
        put
    }

    /// The request to read the bucket's ACL.
    pub fn acl_check(&self, bucket: &BucketName) -> Request {
        self.s3("s3:GetBucketAcl", format!("arn:{}:s3:::{bucket}", self.partition))
            .with_fact("s3:x-amz-acl", ABSENT.clone())
            .with_fact("s3:objectcreationoperation", ABSENT.clone())
    }

    /// Both requests that deliver an object, in order: the ACL check and the write.
    pub fn requests(&self, bucket: &BucketName, key: &str) -> [Request; 2] {
        let check = self.acl_check(bucket);
        let put = check
            .clone()
            .to("s3:PutObject", format!("{}/{key}", check.resource))
            .with_value("s3:x-amz-acl", DELIVERY_ACL.to_owned())
            .with_value("s3:objectcreationoperation", "true".to_owned());
        [check, put]
    }

    /// The request of S3 to use a key for the service with this encryption context.
    pub fn use_key(&self, action: &str, key: &KmsKeyArn, context: &str) -> Request {
        let organization = self.owner.as_ref().filter(|owner| owner.account == key.account());
        let owner = Owner {
            account: key.account(),
            region: Some(key.region().clone()),
            organization: organization.and_then(|owner| owner.organization.clone()),
        };
        let request = self
            .request(action, key.to_string(), Some(&owner), &KMS)
            .with("kms:EncryptionContext:aws:s3:arn", context)
            .with_all("kms:EncryptionContextKeys", ["aws:s3:arn"]);
        // Source: "AWS KMS condition keys", `kms:ViaService` (AWS KMS Developer Guide). Its value in China is not
        // documented there.
        match self.partition {
            Partition::AwsCn => request,
            _ => request.with("kms:ViaService", &format!("s3.{}.amazonaws.com", key.region())),
        }
    }

    fn s3(&self, action: &str, resource: String) -> Request {
        let request = self.request(action, resource, self.owner.as_ref(), &S3);
        match &self.owner {
            Some(owner) => request.with_value("s3:resourceaccount", owner.account.to_string()),
            None => request,
        }
    }

    fn request(
        &self,
        action: &str,
        resource: String,
        owner: Option<&Owner>,
        service: &'static Service,
    ) -> Request {
        let arn =
            |region: &str| format!("arn:{}:logs:{region}:{}:log-delivery", self.partition, self.account);
        let source = match &self.region {
            Some(region) => Fact::Values(vec![arn(region.as_str())]),
            None => Fact::Unknown(Possible {
                absent: false,
                values: vec![arn(&UNNAMED_PART.to_string())],
                named: Named::Under(format!("arn:{}:logs:", self.partition)),
            }),
        };
        let request = Request::of_service(DELIVERY_SERVICE, action, resource)
            .with_others(Others::Delivery(service))
            .with_value("aws:sourceaccount", self.account.to_string())
            .with_fact("aws:sourcearn", source);
        let request = self.membership.of(request);
        let Some(owner) = owner else { return request };
        let known = [
            ("aws:resourceaccount", Some(owner.account.to_string())),
            ("aws:requestedregion", owner.region.as_ref().map(ToString::to_string)),
            ("aws:resourceorgid", owner.organization.as_ref().map(ToString::to_string)),
        ];
        known.into_iter().fold(request, |request, (key, value)| match value {
            Some(value) => request.with_value(key, value),
            None => request,
        })
    }
}

impl Membership {
    /// Adds the organization keys of this membership to a request.
    fn of(&self, request: Request) -> Request {
        let keys = |request: Request, id, paths| {
            request.with_fact("aws:sourceorgid", id).with_fact("aws:sourceorgpaths", paths)
        };
        match self {
            // Unlisted keys are unknown.
            Self::Unknown => request,
            Self::None => keys(request, ABSENT.clone(), ABSENT.clone()),
            Self::Outside(id) => {
                let another = |value: String, of: String| {
                    Fact::Unknown(Possible { absent: true, values: vec![value], named: Named::Outside(of) })
                };
                let id_of_another = format!("o-{UNNAMED_PART}");
                let path = format!("{id_of_another}/r-{UNNAMED_PART}/");
                keys(request, another(id_of_another, id.to_string()), another(path, format!("{id}/")))
            }
            Self::Within(id, units) => {
                let root = format!("{id}/r-{UNNAMED_PART}/");
                // Directly under the root or a unit, and deeper.
                let below = format!("ou-{UNNAMED_PART}/");
                let values = match units.is_empty() {
                    true => vec![root.clone(), format!("{root}{below}")],
                    false => {
                        let above = [root.clone(), format!("{root}{below}")];
                        let units = above
                            .iter()
                            .flat_map(|above| units.iter().map(move |unit| format!("{above}{unit}/")));
                        units.flat_map(|unit| [format!("{unit}{below}"), unit]).collect()
                    }
                };
                let paths = Possible { absent: false, values, named: Named::Under(format!("{id}/")) };
                keys(request, Fact::Values(vec![id.to_string()]), Fact::Unknown(paths))
            }
        }
    }
}

/// Global keys that identify the caller. AWS does not document whether requests of service principals have them, or
/// their values; the value is assumed to be one that no policy for users, roles or accounts names.
const NAMELESS: [&str; 4] = ["aws:principalaccount", "aws:principalarn", "aws:principaltype", "aws:userid"];

/// The keys of every request of the delivery service, including S3 keys for S3. They are not stored in each request
/// because a plan creates thousands of requests.
static CONSTANT: LazyLock<[(&str, Fact); 8]> = LazyLock::new(|| {
    let value = |value| Fact::values([value]);
    [
        ("aws:securetransport", value("true")),
        ("aws:principalisawsservice", value("true")),
        ("aws:principalservicename", value(DELIVERY_SERVICE)),
        ("aws:principalservicenameslist", value(DELIVERY_SERVICE)),
        ("aws:viaawsservice", value("false")),
        ("s3:tlsversion", Fact::one_of(&["1.2", "1.3"])),
        ("s3:authtype", value("REST-HEADER")),
        ("s3:signatureversion", value("AWS4-HMAC-SHA256")),
    ]
});

/// A service that receives delivery requests: the condition keys that it knows, and those that such a request does not
/// have.
#[derive(Debug)]
pub(super) struct Service {
    /// The prefix of its own keys.
    prefix: &'static str,
    /// Keys that its requests do not have; a key that ends with `/` or `:` is a prefix.
    absent: &'static [&'static str],
}

impl Service {
    /// The known value of a key (in lower case) that a request does not mention.
    pub(super) fn fact(&self, key: &str) -> &'static Fact {
        static NAMELESS_FACT: LazyLock<Fact> = LazyLock::new(Fact::unnamed);
        // An AWS address outside the networks that policies name.
        static SERVICE_ADDRESS: LazyLock<Fact> = LazyLock::new(|| {
            let values = vec!["240.0.0.1".to_owned()];
            Fact::Unknown(Possible { absent: true, values, named: Named::No })
        });
        let is_absent = |of: &&str| match of.ends_with(['/', ':']) {
            true => key.starts_with(of),
            false => key == *of,
        };
        let is_own = key.starts_with("aws:") || key.starts_with(self.prefix);
        let constant = CONSTANT.iter().find(|(known, _)| is_own && *known == key);
        if let Some((_, fact)) = constant {
            fact
        } else if key == "aws:sourceip" {
            &SERVICE_ADDRESS
        } else if !is_own || GLOBAL_ABSENT.iter().chain(self.absent).any(is_absent) {
            &ABSENT
        } else if NAMELESS.contains(&key) {
            &NAMELESS_FACT
        } else {
            &UNKNOWN
        }
    }
}

/// Global keys that requests of a service principal do not have.
///
/// Source: "AWS global condition context keys" (IAM User Guide), availability of each key: keys of the principal's
/// organization, tags and session require an IAM principal; network keys require a request through a VPC endpoint or
/// from outside AWS; call chain keys require a service that uses the caller's credentials. `aws:TagKeys` and
/// `aws:RequestTag/` require a request with tags.
const GLOBAL_ABSENT: [&str; 27] = [
    "aws:assumedroot",
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:chatbotsourcearn",
    "aws:ec2instancesourceprivateipv4",
    "aws:ec2instancesourcevpc",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/",
    "aws:referer",
    "aws:requesttag/",
    "aws:sourceidentity",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:tagkeys",
    "aws:tokenissuetime",
    "aws:username",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
];

/// Source: "Actions, resources, and condition keys for Amazon S3" (Service Authorization Reference): keys of other
/// operations, of access points and of headers. The delivery service sends no encryption header: flow logs use the
/// default encryption of the bucket ("Required key policy for use with SSE-KMS", Amazon VPC User Guide).
const S3: Service = Service {
    prefix: "s3:",
    absent: &[
        "s3:accessgrantsinstancearn",
        "s3:accesspointnetworkorigin",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:delimiter",
        "s3:existingjoboperation",
        "s3:existingjobpriority",
        "s3:existingobjecttag/",
        "s3:inventoryaccessibleoptionalfields",
        "s3:jobsuspendedcause",
        "s3:locationconstraint",
        "s3:max-keys",
        "s3:prefix",
        "s3:versionid",
        "s3:x-amz-copy-source",
        "s3:x-amz-grant-full-control",
        "s3:x-amz-grant-read",
        "s3:x-amz-grant-read-acp",
        "s3:x-amz-grant-write",
        "s3:x-amz-grant-write-acp",
        "s3:x-amz-metadata-directive",
        "s3:x-amz-server-side-encryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "s3:x-amz-server-side-encryption-customer-algorithm",
        "s3:x-amz-website-redirect-location",
    ],
};

/// Source: "AWS KMS condition keys" (AWS KMS Developer Guide): keys of other operations and of Nitro enclaves. S3's
/// encryption context has a single key ("Protecting data with SSE-KMS", Amazon S3 User Guide).
const KMS: Service = Service {
    prefix: "kms:",
    absent: &[
        "kms:bypasspolicylockoutsafetycheck",
        "kms:customermasterkeyspec",
        "kms:customermasterkeyusage",
        "kms:datakeypairspec",
        "kms:encryptioncontext:",
        "kms:expirationmodel",
        "kms:grantconstrainttype",
        "kms:granteeprincipal",
        "kms:grantisforawsresource",
        "kms:grantoperations",
        "kms:macalgorithm",
        "kms:messagetype",
        "kms:primaryregion",
        "kms:recipientattestation:",
        "kms:replicaregion",
        "kms:reencryptonsamekey",
        "kms:retiringprincipal",
        "kms:rotationperiodindays",
        "kms:schedulekeydeletionpendingwindowindays",
        "kms:signingalgorithm",
        "kms:validto",
        "kms:wrappingalgorithm",
        "kms:wrappingkeyspec",
    ],
};
