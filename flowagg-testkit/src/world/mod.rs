//! A hub, accounts with their VPCs, and a fleet file for them as a person would write it.

mod attach;
mod front;
mod furnish;
mod key;
mod look;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io;

use flowagg_core::id::{AccountId, BucketName, IdError, OrganizationId, Region, ResourceId};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::aws::{Aws, AwsError};
use crate::delivery::recording::PUBLISHED_EVERY;
use crate::delivery::{DeliveryService, Publication};
use crate::emulator::Emulator;
use attach::Attaching;
use front::Front;

pub use attach::PolicyAttachment;
pub(crate) use program::run;
pub use program::{PROGRAM_VARIABLE, Ran, program};

/// An isolated world with fresh account IDs and a fresh bucket name, so that any number of worlds can share one
/// emulator.
///
/// The default VPC that LocalStack creates in every account-region is deleted, so that an account has only the VPCs
/// that it was created with. All calls go through the world's own endpoint, which adds what LocalStack lacks:
/// destination options, client tokens, shared VPCs, and delivery status.
#[derive(Debug)]
pub struct World {
    aws: Aws,
    front: Front,
    emulator: String,
    /// The endpoint of the program.
    endpoint: String,
    folder: TempDir,
    hub: AccountId,
    regions: Vec<Region>,
    bucket: BucketName,
    settings: BTreeMap<String, Vec<String>>,
    organization: OrganizationId,
    /// The accounts in the organization.
    enrolled: BTreeSet<AccountId>,
    /// Whether the fleet file requests every region of each member.
    everywhere: bool,
    accounts: BTreeMap<String, WorldAccount>,
}

/// An account of a world.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct WorldAccount {
    pub id: AccountId,
    /// Its VPCs, by region.
    pub vpcs: BTreeMap<Region, Vec<ResourceId>>,
    /// Whether the fleet file names it.
    pub is_member: bool,
    /// Other lines of its table in the fleet file.
    pub lines: Vec<String>,
}

/// Why a world could not be created or queried.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A call to the emulator failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A name or ID is invalid.
    #[error(transparent)]
    Name(#[from] IdError),
    /// A file could not be accessed, or the program could not be run.
    #[error("{0}: {1}")]
    Io(String, #[source] io::Error),
    /// The `flowagg` program was not found.
    #[error(
        "the flowagg program was not found: build it with `cargo build --workspace --bins`, or set {PROGRAM_VARIABLE} to its path"
    )]
    NoProgram,
}

impl World {
    /// An empty world of two regions on an emulator, with a hub account in the first region and no bucket.
    pub async fn new(emulator: &Emulator) -> Result<Self, WorldError> {
        Self::in_regions(emulator, Region::parse("eu-west-1")?, [Region::parse("us-east-1")?]).await
    }

    /// An empty world of these regions, with the hub in the first.
    pub async fn in_regions(
        emulator: &Emulator,
        hub_region: Region,
        others: impl IntoIterator<Item = Region>,
    ) -> Result<Self, WorldError> {
        let hub = fresh_account();
        let folder = tempfile::Builder::new().prefix("flowagg-world-").tempdir();
        let front = Front::in_front_of(emulator.url()).await;
        let front = front.map_err(|error| WorldError::Io("a local port".into(), error))?;
        Ok(Self {
            aws: Aws::at(front.url()),
            endpoint: front.url().to_owned(),
            front,
            emulator: emulator.url().to_owned(),
            folder: folder.map_err(|error| WorldError::Io("a temporary folder".into(), error))?,
            hub,
            regions: [hub_region].into_iter().chain(others).collect(),
            bucket: fresh_bucket()?,
            settings: BTreeMap::new(),
            organization: OrganizationId::parse(&format!("o-{:010x}", random() & 0xff_ffff_ffff))?,
            enrolled: BTreeSet::new(),
            everywhere: false,
            accounts: BTreeMap::new(),
        })
    }

    /// Adds a line to a table of the fleet file: `world.set("flow-logs", "traffic = \"reject\"")`.
    pub fn set(&mut self, table: &str, line: &str) {
        self.settings.entry(table.to_owned()).or_default().push(line.to_owned());
    }

    /// Replaces the lines of a table of the fleet file with this one.
    pub fn reset(&mut self, table: &str, line: &str) {
        self.settings.insert(table.to_owned(), vec![line.to_owned()]);
    }

    /// Makes the fleet file request every region that a member has enabled, not only the regions of this world.
    pub fn ask_for_all_regions(&mut self) {
        self.everywhere = true;
    }

    /// Creates an account with this many VPCs in each region, which is not a member of the fleet.
    pub async fn account(&mut self, name: &str, vpcs: usize) -> Result<AccountId, WorldError> {
        let id = self.next_account();
        self.furnish(name, id, vpcs).await?;
        Ok(id)
    }

    /// Creates an account with this many VPCs in each region, and adds it to the fleet file.
    pub async fn member(&mut self, name: &str, vpcs: usize) -> Result<AccountId, WorldError> {
        let id = self.account(name, vpcs).await?;
        self.join(name);
        Ok(id)
    }

    /// Gives VPCs to the hub account, and adds it to the fleet file as a member.
    pub async fn hub_as_member(&mut self, name: &str, vpcs: usize) -> Result<(), WorldError> {
        self.furnish(name, self.hub, vpcs).await?;
        self.join(name);
        Ok(())
    }

    /// From now on, AWS attaches its own statements to the bucket policy whenever the hub account creates a flow log to
    /// the bucket.
    pub fn attach_policy(&self, how: PolicyAttachment) {
        let (hub, bucket, region) = (self.hub, self.bucket.clone(), self.hub_region().clone());
        self.front.attaches(Attaching { how, s3: self.s3(), hub, bucket, region });
    }

    /// Adds this many more accounts to the fleet file. They are unused, and have only the defaults of a new account.
    pub fn crowd(&mut self, accounts: usize) {
        for number in 1..=accounts {
            let id = self.next_account();
            let account = WorldAccount { id, vpcs: BTreeMap::new(), is_member: true, lines: Vec::new() };
            self.accounts.insert(format!("crowd-{number:03}"), account);
        }
    }

    /// Adds an account to the fleet file.
    ///
    /// # Panics
    ///
    /// If the account does not exist.
    #[track_caller]
    pub fn join(&mut self, name: &str) {
        self.set_member(name, true);
    }

    /// Removes an account from the fleet file.
    ///
    /// # Panics
    ///
    /// If the account does not exist.
    #[track_caller]
    pub fn leave(&mut self, name: &str) {
        self.set_member(name, false);
    }

    /// Adds a line to the table of a member: `world.set_of("shop", "subnets = \"all\"")`.
    ///
    /// # Panics
    ///
    /// If the account does not exist.
    #[track_caller]
    pub fn set_of(&mut self, name: &str, line: &str) {
        let account = self.accounts.get_mut(name);
        assert!(account.is_some(), "the world has no account `{name}`");
        account.into_iter().for_each(|account| account.lines.push(line.to_owned()));
    }

    /// Adds an account to the organization of this world. The delivery service's requests then name the organization.
    ///
    /// # Panics
    ///
    /// If the account does not exist.
    #[track_caller]
    pub fn enroll(&mut self, name: &str) {
        let account = self.accounts.get(name);
        assert!(account.is_some(), "the world has no account `{name}`");
        self.enrolled.extend(account.map(|account| account.id));
    }

    /// The ID of this world's organization. AWS Organizations on LocalStack does not know it.
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// The accounts by name.
    pub fn accounts(&self) -> &BTreeMap<String, WorldAccount> {
        &self.accounts
    }

    /// The hub account.
    pub fn hub(&self) -> AccountId {
        self.hub
    }

    /// The hub's region, which is the first of [`regions`](Self::regions).
    pub fn hub_region(&self) -> &Region {
        &self.regions[0]
    }

    /// The regions in which every account has its VPCs.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The bucket that the fleet file names.
    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// Clients for any account, to read or change the real state without flowagg.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// Sets another endpoint for the program, such as one of [`faults`](crate::faults) in front of the world's own
    /// endpoint, whose URL is in [`aws`](Self::aws).
    pub fn send_program_to(&mut self, url: &str) {
        url.clone_into(&mut self.endpoint);
    }

    /// The text of the fleet file.
    pub fn fleet_file(&self) -> String {
        let mut text = String::new();
        let (hub, region, bucket) = (self.hub, self.hub_region(), &self.bucket);
        let named = || self.regions.iter().map(|region| format!("{:?}", region.as_str())).collect();
        let regions: Vec<String> = if self.everywhere { vec!["\"all\"".to_owned()] } else { named() };
        let hub = format!("account = \"{hub}\"\nregion = \"{region}\"\nbucket = \"{bucket}\"\n");
        let mut tables = BTreeMap::from([("hub", hub)]);
        for (table, lines) in &self.settings {
            let table = tables.entry(table).or_default();
            lines.iter().for_each(|line| table.extend([line.as_str(), "\n"]));
        }
        for (name, lines) in tables {
            // Writing to a String does not fail.
            let _ = writeln!(text, "[{name}]\n{lines}");
        }
        for (name, account) in self.accounts.iter().filter(|(_, account)| account.is_member) {
            let (id, regions) = (account.id, regions.join(", "));
            let lines = account.lines.join("\n");
            let _ = writeln!(
                text,
                "[[members]]\naccount = \"{id}\"\nname = \"{name}\"\nregions = [{regions}]\n{lines}\n"
            );
        }
        text
    }

    /// Runs the delivery service at this time for every account. `DescribeFlowLogs` then returns the delivery status of
    /// each flow log.
    pub async fn deliver(&self, at: Timestamp) -> Result<Vec<Publication>, WorldError> {
        let places = self
            .accounts
            .values()
            .flat_map(|account| account.vpcs.keys().map(|region| (account.id, region.clone())));
        let delivery = DeliveryService::new(self.aws.clone(), self.hub, at);
        let delivery = delivery.in_organization(self.organization.clone(), self.enrolled.clone());
        let publications = delivery.run(places).await?;
        self.front.told(&publications);
        Ok(publications)
    }

    /// Runs the delivery service once for each of this many five-minute intervals from `start`.
    pub async fn deliver_from(
        &self,
        start: Timestamp,
        intervals: u32,
    ) -> Result<Vec<Publication>, WorldError> {
        let mut publications = Vec::new();
        for number in 1..=i64::from(intervals) {
            publications
                .extend(self.deliver(start + SignedDuration::from_secs(number * PUBLISHED_EVERY)).await?);
        }
        Ok(publications)
    }

    /// A fresh account ID. It is greater than all earlier ones, so that accounts are always listed in the order of
    /// creation.
    fn next_account(&self) -> AccountId {
        let ids = self.accounts.values().map(|account| account.id).chain([self.hub]);
        let last = ids.max().and_then(|id| id.to_string().parse().ok()).unwrap_or(0);
        account(last + 1 + random() % 1_000_000)
    }

    #[track_caller]
    fn set_member(&mut self, name: &str, is_member: bool) {
        let account = self.accounts.get_mut(name);
        assert!(account.is_some(), "the world has no account `{name}`");
        account.into_iter().for_each(|account| account.is_member = is_member);
    }
}

/// A fresh account ID. The probability of a collision is one in 800 billion. Higher IDs remain for other accounts.
pub(crate) fn fresh_account() -> AccountId {
    account(100_000_000_000 + random() % 800_000_000_000)
}

/// A fresh bucket name. It has three words of four letters, like `acme-flow-logs` in the documentation. A policy, whose
/// Sids contain the name of the fleet, therefore has the same size with either bucket.
pub fn fresh_bucket() -> Result<BucketName, IdError> {
    let mut left = random();
    let mut word = || -> String {
        let mut letter = || {
            let letter = left % 26;
            left /= 26;
            char::from(b'a' + u8::try_from(letter).unwrap_or_default())
        };
        std::iter::repeat_with(&mut letter).take(4).collect()
    };
    BucketName::parse(&format!("{}-{}-{}", word(), word(), word()))
}

fn account(number: u64) -> AccountId {
    // Account IDs have twelve digits.
    AccountId::parse(&number.to_string()).unwrap_or_else(|_| fresh_account())
}

fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
