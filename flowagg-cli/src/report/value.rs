//! The report as a value.

use flowagg_core::arrival::{
    Acceptance, Amount, Coverage, ExceptionUse, FlowLogDelivery, State, StateCounts,
};
use flowagg_core::cost::{MonthlyCost, Prices};
use flowagg_core::fleet::{Exclusion, GrantForm};
use flowagg_core::flow_log::Destination;
use flowagg_core::id::{AccountId, BucketName, Place, Prefix, Region, ResourceId};
use flowagg_core::names::Names;
use flowagg_core::observed::BucketEncryption;
use flowagg_core::plan::AlsoLogged;
use flowagg_policy::Severity;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::trend::Trend;
use super::words::Outcome;

/// The state of a fleet at a point in time.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Report {
    /// When the report was created (UTC). All ages are relative to this time.
    pub made: Timestamp,
    /// The caller and the version of flowagg that created it.
    pub made_by: MadeBy,
    /// Whether the report covers the whole fleet; `false` if accounts or regions were selected.
    pub is_whole: bool,
    /// The bucket that receives all logs.
    pub hub: HubReport,
    /// The days (UTC) on which deliveries are counted. The last one is the day of `made`.
    pub days: Vec<Date>,
    /// Every region that was read in at least one account.
    pub regions: Vec<Region>,
    /// The totals of all accounts.
    pub totals: Totals,
    /// The prices for the cost estimates.
    pub prices: Prices,
    /// The size of the bucket policy; `None` if it could not be read or does not exist.
    pub policy: Option<PolicySize>,
    /// When flow logs expire, by all lifecycle rules of the bucket together; `None` if the bucket could not be read, or if it
    /// depends on a pending change.
    pub expiry: Option<String>,
    /// The default encryption of the bucket; `None` if the bucket could not be read or has none.
    pub encryption: Option<BucketEncryption>,
    /// Every account, sorted by organizational unit and ID.
    pub accounts: Vec<AccountReport>,
    /// Other flow logs on resources that the fleet logs: the same traffic is delivered and billed twice. They are not
    /// findings.
    pub also_logged: Vec<AlsoLogged>,
    /// The findings, most severe first, including those with an exception.
    pub findings: Vec<ReportFinding>,
    /// The exceptions in the fleet file.
    pub exceptions: Vec<ExceptionUse>,
    /// Changes since earlier reports; `None` without earlier reports.
    pub trend: Option<Trend>,
    /// The names of accounts, and of the resources in findings and in `also-logged`.
    pub names: Names,
}

impl Report {
    /// Whether everything was read and every flow log delivers or is idle, apart from accepted findings.
    pub fn is_complete(&self) -> bool {
        self.outcome().is_healthy()
    }

    /// Whether everything was read, apart from accepted findings.
    pub fn is_read(&self) -> bool {
        self.open_findings().all(|finding| finding.about != About::Reading)
    }

    /// The findings that no exception accepts.
    pub fn open_findings(&self) -> impl Iterator<Item = &ReportFinding> {
        self.findings.iter().filter(|finding| !finding.is_accepted())
    }

    /// The outcome, which determines the exit code.
    pub fn outcome(&self) -> Outcome {
        let unread = self.findings.iter().filter(|finding| finding.about == About::Reading);
        let unread = unread.flat_map(|finding| &finding.places);
        Outcome {
            is_read: self.is_read(),
            flow_logs: self.totals.flow_logs.without(&self.totals.accepted),
            accepted: self.totals.accepted.total(),
            accepted_failures: unread.filter(|place| place.exception.is_some()).count(),
        }
    }
}

/// The caller and the version of flowagg that created a report.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct MadeBy {
    /// The account of the caller; `None` if the report was created without AWS credentials.
    pub account: Option<AccountId>,
    /// The ARN of the caller; `None` if AWS did not return it.
    pub arn: Option<String>,
    /// The version of flowagg.
    pub version: String,
}

impl MadeBy {
    /// Creates the value for this version of flowagg and a caller.
    pub(super) fn new(caller: Option<AccountId>, arn: Option<&str>) -> Self {
        Self { account: caller, arn: arn.map(str::to_owned), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The account and bucket that receive all logs.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct HubReport {
    /// The account that owns the bucket.
    pub account: AccountId,
    /// The region of the bucket.
    pub region: Region,
    /// The bucket.
    pub bucket: BucketName,
    /// The prefix of `AWSLogs/` in the bucket.
    pub prefix: Option<Prefix>,
}

impl HubReport {
    /// The destination of the fleet's flow logs.
    pub fn destination(&self) -> Destination {
        Destination::new(self.region.partition(), self.bucket.clone(), self.prefix.clone())
    }
}

/// The totals of a report.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Totals {
    /// The number of accounts, including excluded ones.
    pub accounts: usize,
    /// The share of resources that are logged, and the share of flow logs that deliver.
    pub coverage: Coverage,
    /// Account-regions by the worst state of their flow logs.
    pub account_regions: StateCounts,
    /// Account-regions with nothing to log. Together with `account-regions`, they add up to accounts times regions.
    pub nothing_to_log: usize,
    /// Flow logs by state.
    pub flow_logs: StateCounts,
    /// The subset of `flow-logs` that an exception accepts.
    pub accepted: StateCounts,
    /// The number of objects on all days.
    pub objects: u64,
    /// The size of these objects in bytes.
    pub bytes: u64,
    /// The age of the newest object, in seconds.
    pub newest_age_seconds: Option<i64>,
    /// The estimated monthly cost of all flow logs; `None` if there is no complete day with deliveries yet.
    pub cost: Option<MonthlyCost>,
}

/// The size of the bucket policy, and the number of accounts that fit.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct PolicySize {
    /// The size of the current policy in bytes, without whitespace.
    pub bytes: usize,
    /// The maximum size in bytes.
    pub limit: usize,
    /// The form of the fleet's grant; `None` if the grant does not fit.
    #[schemars(with = "Option<GrantForm>")]
    pub form: Option<&'static str>,
    /// The number of accounts that fit in that form; `None` if it is unlimited.
    pub accounts_fit: Option<usize>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct AccountReport {
    /// The account.
    pub account: AccountId,
    /// The name of the account.
    pub name: Option<String>,
    /// The path of its organizational units, topmost first, separated by slashes, each with its name if it could be read; `None`
    /// if unknown.
    pub unit: Option<String>,
    /// The worst state of its regions; `None` if there is nothing to log.
    pub state: Option<State>,
    /// Why the account is excluded; `None` if it is not.
    pub why: Option<String>,
    /// Its regions, in the order of the report's `regions`.
    pub regions: Vec<RegionReport>,
    /// Its flow logs, and its resources without one, sorted by region and resource.
    pub flow_logs: Vec<FlowLogDelivery>,
    /// Its VPCs that are not part of the fleet, sorted by region and ID. Empty if the fleet file selects no VPCs of the account.
    pub excluded_vpcs: Vec<ExcludedVpc>,
    /// Deliveries by day, in the order of the report's `days`.
    pub days: Vec<Amount>,
    /// The number of objects on all days.
    pub objects: u64,
    /// The size of these objects in bytes.
    pub bytes: u64,
    /// Its newest object.
    pub newest: Option<NewestObject>,
    /// The estimated monthly cost of its flow logs, based on complete days; `None` if there is no complete day with objects.
    pub cost: Option<MonthlyCost>,
}

/// A VPC that is not part of the fleet.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ExcludedVpc {
    /// The region.
    pub region: Region,
    /// The VPC.
    pub vpc: ResourceId,
    /// The name of the VPC: its tag `Name`.
    pub name: Option<String>,
    /// The reason.
    #[serde(flatten)]
    pub why: Exclusion,
}

/// An account-region.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RegionReport {
    /// The region.
    pub region: Region,
    /// The worst state of its flow logs; `None` if there is nothing to log.
    pub state: Option<State>,
    /// Its flow logs by state.
    pub flow_logs: StateCounts,
    /// The number of objects on all days.
    pub objects: u64,
    /// The size of these objects in bytes.
    pub bytes: u64,
    /// The age of its newest object, in seconds.
    pub newest_age_seconds: Option<i64>,
}

/// The newest object of an account.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct NewestObject {
    /// Its key.
    pub key: String,
    /// When S3 stored it.
    pub stored: Timestamp,
    /// Its age in seconds.
    pub age_seconds: i64,
}

/// A finding of a report.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct ReportFinding {
    /// The severity.
    pub severity: Severity,
    /// The subject.
    pub about: About,
    /// The problem, in one sentence.
    pub what: String,
    /// How to fix it, if needed.
    pub help: Option<String>,
    /// Every resource or account with this finding.
    pub places: Vec<AffectedResource>,
}

impl ReportFinding {
    /// Whether exceptions accept all of its occurrences.
    pub fn is_accepted(&self) -> bool {
        self.places.iter().all(|place| place.exception.is_some())
    }
}

/// The subject of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A failed read.
    Reading,
    /// Missing or failing delivery.
    Delivery,
    /// A problem in the bucket policy.
    Policy,
    /// A difference between AWS and the fleet file.
    Plan,
    /// An exception in the fleet file.
    Exception,
    /// Information.
    Note,
}

impl About {
    /// The name in the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Delivery => "delivery",
            Self::Policy => "policy",
            Self::Plan => "plan",
            Self::Exception => "exception",
            Self::Note => "note",
        }
    }
}

/// An occurrence of a finding: a resource, an account-region or an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct AffectedResource {
    /// The account.
    pub account: AccountId,
    /// The region, if the finding is about one.
    pub region: Option<Region>,
    /// The resource: a VPC, a bucket or a position in the policy.
    pub resource: Option<String>,
    /// The exception that accepts this occurrence.
    pub exception: Option<Acceptance>,
}

impl AffectedResource {
    /// Creates the occurrence at a resource in an account-region.
    pub(super) fn new(place: &Place, resource: Option<String>) -> Self {
        Self { account: place.account, region: Some(place.region.clone()), resource, exception: None }
    }

    /// Sets the exception.
    pub(super) fn accepted(self, exception: Option<Acceptance>) -> Self {
        Self { exception, ..self }
    }
}

/// The level of a number of objects relative to the maximum: 0 for none, else 1 to 5.
///
/// The scale is a square root: half of the maximum is visibly lower, and one percent is still visible.
pub fn heat(objects: u64, most: u64) -> usize {
    let (objects, most) = (u128::from(objects), u128::from(most));
    (0..5).find(|level| level * level * most >= 25 * objects).map_or(5, |level| level as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_is_zero_only_for_none_and_five_only_near_the_maximum() {
        let levels = [0, 1, 100, 101, 400, 1250, 1601, 2500].map(|objects| heat(objects, 2500));
        assert_eq!(levels, [0, 1, 1, 2, 2, 4, 5, 5]);
        assert_eq!((heat(0, 0), heat(u64::MAX, u64::MAX)), (0, 5));
    }
}
