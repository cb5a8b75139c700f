use flowagg_core::id::{AccountId, BucketName, OrganizationId, OrganizationalUnitId, Prefix, Region};
use flowagg_core::layout;
use flowagg_policy::{DELIVERY_ACL, DELIVERY_SERVICE, Grant, Request};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::Scene;

/// A request to the bucket as plain values, so that a test can compute the expected decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlainRequest {
    /// The requested bucket.
    pub bucket: BucketName,
    /// The principal: the delivery service, another service, an ARN, or `*` for an anonymous caller.
    pub caller: String,
    /// The requested action.
    pub action: Action,
    /// The account whose flow log is delivered: `aws:SourceAccount`.
    pub account: AccountId,
    /// The region of that flow log: part of `aws:SourceArn`.
    pub region: Region,
    /// The organization of the account, and its unit.
    pub organization: Option<(OrganizationId, OrganizationalUnitId)>,
    /// The prefix of the object.
    pub prefix: Option<Prefix>,
    /// Whether the object's folder is Hive-compatible.
    pub hive: bool,
    /// The account of the object's folder.
    pub folder: AccountId,
    /// The rest of the key after that folder.
    pub rest: &'static str,
    /// The canned ACL of the request.
    pub acl: Option<&'static str>,
    /// Whether the request uses TLS.
    pub secure: bool,
}

/// The action of a [`PlainRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `s3:PutObject`.
    Put,
    /// `s3:GetObject`.
    Get,
    /// `s3:GetBucketAcl`.
    AclCheck,
    /// `s3:ListBucket`.
    List,
}

/// A request in the scene. Most are deliveries and ACL checks of accounts that grants name. Others come from strangers,
/// from other regions, to other folders, with another ACL or none, without TLS, from other services or from people.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_policy::Policy;
/// use flowagg_testkit::arbitrary::{Scene, policy, request};
/// use proptest::prelude::*;
///
/// let scene = Scene::new(Partition::Aws);
/// proptest!(|(live in policy::foreign(&scene), asked in request(&scene))| {
///     let policy = Policy::compile(&live.text).unwrap();
///     prop_assert_eq!(policy.decide(&asked.request()).kind, policy.decide(&asked.request()).kind);
/// });
/// ```
pub fn request(scene: &Scene) -> impl Strategy<Value = PlainRequest> + use<> {
    let partition = scene.partition();
    let callers = ["cloudtrail.amazonaws.com".to_owned(), "*".to_owned()].into_iter();
    let people = scene.accounts.iter().take(2);
    let people = people.map(|account| format!("arn:{partition}:iam::{account}:role/team/App"));
    let caller = prop_oneof![
        6 => Just(DELIVERY_SERVICE.to_owned()),
        1 => select(callers.chain(people).collect::<Vec<_>>()),
    ];
    let action = prop_oneof![
        4 => Just(Action::Put),
        2 => Just(Action::AclCheck),
        1 => Just(Action::List),
        1 => Just(Action::Get),
    ];
    let account = prop_oneof![4 => select(scene.accounts.clone()), 1 => select(scene.strangers.clone())];
    let folder = prop_oneof![2 => Just(None), 1 => option::of(select(scene.accounts.clone()))];
    let other = super::id::known("o-9z9z9z9z9z");
    let organization = prop_oneof![3 => Just(scene.organization.clone()), 1 => Just(other)];
    let organization = option::of((organization, select(scene.units.clone())));
    let acl = prop_oneof![4 => Just(Some(DELIVERY_ACL)), 1 => Just(None), 1 => Just(Some("private"))];
    let secure = prop_oneof![7 => Just(true), 1 => Just(false)];
    let rest = select(vec!["vpcflowlogs/a.log.gz", "", "x/../y", "é ${*}", "aws-service=vpcflowlogs/?"]);
    let place = (select(scene.prefixes.clone()), any::<bool>(), folder, rest);
    let bucket = scene.bucket.clone();
    (caller, action, account, select(scene.regions.clone()), organization, place, (acl, secure)).prop_map(
        move |(caller, action, account, region, organization, place, (acl, secure))| {
            let (prefix, hive, folder, rest) = place;
            let folder = folder.unwrap_or(account);
            let bucket = bucket.clone();
            PlainRequest {
                bucket,
                caller,
                action,
                account,
                region,
                organization,
                prefix,
                hive,
                folder,
                rest,
                acl,
                secure,
            }
        },
    )
}

impl PlainRequest {
    /// The same request in the folders of a grant, so that the decision depends on more than the folder.
    #[must_use]
    pub fn near(self, grant: &Grant) -> Self {
        Self { prefix: grant.prefix.clone(), hive: grant.hive, ..self }
    }

    /// The requests with which the delivery service delivers a flow log of this account and region under this grant:
    /// first the one that reads the ACL, then the one that puts the object.
    pub fn deliveries(grant: &Grant, account: AccountId, region: &Region) -> [Self; 2] {
        [Action::AclCheck, Action::Put].map(|action| Self {
            bucket: grant.bucket.clone(),
            caller: DELIVERY_SERVICE.to_owned(),
            action,
            account,
            region: region.clone(),
            organization: None,
            prefix: grant.prefix.clone(),
            hive: grant.hive,
            folder: account,
            rest: "vpcflowlogs/a.log.gz",
            acl: Some(DELIVERY_ACL),
            secure: true,
        })
    }

    /// The key of the object.
    pub fn key(&self) -> String {
        let hive = if self.hive { layout::HIVE_ACCOUNT } else { "" };
        format!("{}{hive}{}/{}", layout::root(self.prefix.as_ref()), self.folder, self.rest)
    }

    /// The request as AWS presents it to a policy, at a fixed time.
    pub fn request(&self) -> Request {
        let Self { bucket, account, region, .. } = self;
        let arn = format!("arn:{}:s3:::{bucket}", region.partition());
        let object = format!("{arn}/{}", self.key());
        let of_service = self.caller == DELIVERY_SERVICE;
        let mut request = match self.action {
            Action::Put if of_service => Request::put_object(bucket, *account, region, &self.key()),
            Action::AclCheck if of_service => Request::acl_check(bucket, *account, region),
            Action::Put => Request::new(&self.caller, "s3:PutObject", &object),
            Action::AclCheck => Request::new(&self.caller, "s3:GetBucketAcl", &arn),
            Action::Get => Request::new(&self.caller, "s3:GetObject", &object),
            Action::List => Request::new(&self.caller, "s3:ListBucket", &arn),
        };
        if self.caller.ends_with(".amazonaws.com") {
            let source = format!("arn:{}:logs:{region}:{account}:log-delivery", region.partition());
            request = request
                .with("aws:SourceAccount", &account.to_string())
                .with("aws:SourceArn", &source)
                .with("aws:PrincipalIsAWSService", "true");
            request = match &self.organization {
                Some((id, unit)) => request.in_organization(id, &format!("{id}/r-ab12/{unit}/")),
                None => request.without_organization(),
            };
        }
        if self.action == Action::Put {
            request = request.with_all("s3:x-amz-acl", self.acl);
        }
        request
            .with("aws:SecureTransport", &self.secure.to_string())
            .with("aws:CurrentTime", "2026-01-02T03:04:05Z")
    }
}
