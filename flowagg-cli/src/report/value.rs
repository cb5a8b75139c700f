//! The report as a value.

use flowagg_core::arrival::{
    Acceptance, Amount, Coverage, ExceptionUse, FlowLogDelivery, State, StateCounts,
};
use flowagg_core::cost::{MonthlyCost, Prices};
use flowagg_core::fleet::GrantForm;
use flowagg_core::flow_log::Destination;
use flowagg_core::id::{AccountId, BucketName, Place, Prefix, Region};
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

/// How a fleet stands at a moment.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Report {
    /// When it was made, UTC. Every age counts from here.
    pub made: Timestamp,
    /// Who made it, and with which flowagg.
    pub made_by: MadeBy,
    /// Whether every account and region of the fleet was read; `false` if some were selected.
    pub is_whole: bool,
    /// The bucket that all logs go to.
    pub hub: HubReport,
    /// The days (UTC) that deliveries are counted on, the last one that of `made`.
    pub days: Vec<Date>,
    /// Every region that some account of the fleet is looked at in.
    pub regions: Vec<Region>,
    /// The whole in numbers.
    pub totals: Totals,
    /// The prices that costs are estimated with.
    pub prices: Prices,
    /// The size of the bucket policy; `None` where it could not be read, or there is none.
    pub policy: Option<PolicySize>,
    /// When flow logs expire by all lifecycle rules of the bucket together; `None` if the bucket could not be read, or if a
    /// change that is still to be made decides.
    pub expiry: Option<String>,
    /// The default encryption of the bucket; `None` if the bucket could not be read, or if it has none.
    pub encryption: Option<BucketEncryption>,
    /// Every account, by unit and id.
    pub accounts: Vec<AccountReport>,
    /// Flow logs of others on resources that the fleet logs: the same traffic is delivered, and billed, twice. They are no
    /// finding.
    pub also_logged: Vec<AlsoLogged>,
    /// What should be looked at, the worst first. Findings with an exception are among them.
    pub findings: Vec<ReportFinding>,
    /// Each exception of the fleet file.
    pub exceptions: Vec<ExceptionUse>,
    /// What changed since earlier reports; `None` without earlier reports.
    pub trend: Option<Trend>,
    /// The names of accounts, and of the resources in findings and in `also-logged`.
    pub names: Names,
}

impl Report {
    /// Whether everything could be read, and every flow log that should deliver does, but for what is accepted.
    pub fn is_complete(&self) -> bool {
        self.outcome().is_healthy()
    }

    /// Whether everything could be read, but for what is accepted.
    pub fn is_read(&self) -> bool {
        self.open_findings().all(|finding| finding.about != About::Reading)
    }

    /// The findings that no exception accepts.
    pub fn open_findings(&self) -> impl Iterator<Item = &ReportFinding> {
        self.findings.iter().filter(|finding| !finding.is_accepted())
    }

    /// What the exit code says.
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

/// Who made a report, and with which flowagg.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct MadeBy {
    /// The account of the caller; `None` if the report was not made by a caller of AWS.
    pub account: Option<AccountId>,
    /// The ARN of the caller; `None` if AWS did not return it.
    pub arn: Option<String>,
    /// The version of flowagg.
    pub version: String,
}

impl MadeBy {
    /// This flowagg, with the credentials of a caller.
    pub(super) fn new(caller: Option<AccountId>, arn: Option<&str>) -> Self {
        Self { account: caller, arn: arn.map(str::to_owned), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The account and bucket that all logs go to.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct HubReport {
    /// The account that owns the bucket.
    pub account: AccountId,
    /// The region of the bucket.
    pub region: Region,
    /// The bucket.
    pub bucket: BucketName,
    /// The sub-folder under which `AWSLogs/` lies.
    pub prefix: Option<Prefix>,
}

impl HubReport {
    /// Where the fleet's flow logs deliver to.
    pub fn destination(&self) -> Destination {
        Destination::new(self.region.partition(), self.bucket.clone(), self.prefix.clone())
    }
}

/// The whole in numbers.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Totals {
    /// The accounts, those that are left out among them.
    pub accounts: usize,
    /// How much is logged, and how much of that delivers.
    pub coverage: Coverage,
    /// Account-regions by the worst state of their flow logs.
    pub account_regions: StateCounts,
    /// Account-regions where nothing is to be logged. Together with those in a state they are accounts times regions.
    pub nothing_to_log: usize,
    /// Flow logs by state.
    pub flow_logs: StateCounts,
    /// Of these, the ones that an exception accepts.
    pub accepted: StateCounts,
    /// The objects of all days.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The age in seconds of the newest object of all.
    pub newest_age_seconds: Option<i64>,
    /// What the flow logs of all accounts cost in a month, about; `None` if no day is over on which objects were delivered.
    pub cost: Option<MonthlyCost>,
}

/// The size of the bucket policy, and how many accounts it has room for.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct PolicySize {
    /// The bytes of the policy that is there, without the whitespace between its values.
    pub bytes: usize,
    /// The most that it may have.
    pub limit: usize,
    /// The form that the fleet's grant has; `None` where the fleet's grant does not fit.
    #[schemars(with = "Option<GrantForm>")]
    pub form: Option<&'static str>,
    /// How many accounts fit in that form; `None` where any number does.
    pub accounts_fit: Option<usize>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct AccountReport {
    /// The account.
    pub account: AccountId,
    /// What people call it.
    pub name: Option<String>,
    /// The organizational units that hold it, the topmost first, between slashes, each with its name if it could be read; `None`
    /// if they are unknown.
    pub unit: Option<String>,
    /// The worst state of its regions; `None` if nothing is to be logged.
    pub state: Option<State>,
    /// Why it is left out.
    pub why: Option<String>,
    /// Each region of the report, in its order.
    pub regions: Vec<RegionReport>,
    /// Each of its flow logs, and each of its resources without one, by region and resource.
    pub flow_logs: Vec<FlowLogDelivery>,
    /// What came on each day of the report, in its order.
    pub days: Vec<Amount>,
    /// The objects of all days.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Its newest object.
    pub newest: Option<NewestObject>,
    /// What its flow logs cost in a month, about, by the days that are over; `None` if there are none with objects.
    pub cost: Option<MonthlyCost>,
}

/// An account in a region.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RegionReport {
    /// The region.
    pub region: Region,
    /// The worst state of its flow logs; `None` if nothing is to be logged.
    pub state: Option<State>,
    /// Its flow logs by state.
    pub flow_logs: StateCounts,
    /// The objects of all days.
    pub objects: u64,
    /// Their bytes.
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
    /// How old it is, in seconds: the lag.
    pub age_seconds: i64,
}

/// What should be looked at.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct ReportFinding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub about: About,
    /// What is so.
    pub what: String,
    /// The way out, where one is needed.
    pub help: Option<String>,
    /// Every place that has it.
    pub places: Vec<AffectedResource>,
}

impl ReportFinding {
    /// Whether exceptions accept it at every place.
    pub fn is_accepted(&self) -> bool {
        self.places.iter().all(|place| place.exception.is_some())
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// Something could not be read.
    Reading,
    /// Something does not arrive.
    Delivery,
    /// A fault of the bucket policy.
    Policy,
    /// AWS is not as the fleet file says.
    Plan,
    /// An exception of the fleet file.
    Exception,
    /// Worth knowing.
    Note,
}

impl About {
    /// The word for it.
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

/// What a finding is about: a resource, an account in a region, or a whole account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct AffectedResource {
    /// The account.
    pub account: AccountId,
    /// The region, where it is about one.
    pub region: Option<Region>,
    /// A VPC, a bucket, a place in the policy.
    pub resource: Option<String>,
    /// The exception for which it is accepted here.
    pub exception: Option<Acceptance>,
}

impl AffectedResource {
    /// A resource in an account-region.
    pub(super) fn new(place: &Place, resource: Option<String>) -> Self {
        Self { account: place.account, region: Some(place.region.clone()), resource, exception: None }
    }

    /// The same with an exception.
    pub(super) fn accepted(self, exception: Option<Acceptance>) -> Self {
        Self { exception, ..self }
    }
}

/// How warm a number of objects is beside the most: 0 for none, then 1 to 5.
///
/// By its square root: half as many are seen to be fewer, and a hundredth is still seen.
pub fn heat(objects: u64, most: u64) -> usize {
    let (objects, most) = (u128::from(objects), u128::from(most));
    (0..5).find(|level| level * level * most >= 25 * objects).map_or(5, |level| level as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nothing_is_cold_and_only_much_is_hot() {
        let levels = [0, 1, 100, 101, 400, 1250, 1601, 2500].map(|objects| heat(objects, 2500));
        assert_eq!(levels, [0, 1, 1, 2, 2, 4, 5, 5]);
        assert_eq!((heat(0, 0), heat(u64::MAX, u64::MAX)), (0, 5));
    }
}
