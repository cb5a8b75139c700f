//! A hub, accounts with their VPCs, and the fleet file that a person would have written for them.

mod furnish;
mod look;
mod program;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io;

use flowagg_core::id::{AccountId, BucketName, IdError, Region, ResourceId};
use tempfile::TempDir;

use crate::aws::{Aws, AwsError};
use crate::delivery::{Delivery, Report};
use crate::emulator::Emulator;

pub use program::{PROGRAM_VARIABLE, Ran};
pub(crate) use program::{program, run};

/// A world of its own: fresh account ids and a fresh bucket name, so that any number of worlds share one emulator.
///
/// The default VPC that LocalStack puts into every account and region is deleted, so that an account has the VPCs that
/// it was made with and no other.
#[derive(Debug)]
pub struct World {
    aws: Aws,
    endpoint: String,
    folder: TempDir,
    hub: AccountId,
    regions: Vec<Region>,
    bucket: BucketName,
    settings: BTreeMap<String, Vec<String>>,
    /// Whether folders are Hive-compatible, and per hour.
    partitions: (bool, bool),
    /// Whether the fleet file asks for every region of each member.
    everywhere: bool,
    accounts: BTreeMap<String, Account>,
}

/// An account of a world.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its VPCs, by region.
    pub vpcs: BTreeMap<Region, Vec<ResourceId>>,
    /// Whether the fleet file names it.
    pub is_member: bool,
    /// What the fleet file says of it besides.
    pub lines: Vec<String>,
}

/// Why a world could not be made or asked.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The emulator did not do a call.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] IdError),
    /// A file or the program.
    #[error("{0}: {1}")]
    Io(String, #[source] io::Error),
    /// The `flowagg` program is not there.
    #[error(
        "the flowagg program is not there: build it with `cargo build --workspace --bins`, or name it in {PROGRAM_VARIABLE}"
    )]
    NoProgram,
}

impl World {
    /// An empty world on an emulator, of two regions: a hub account in the first, and no bucket yet.
    pub fn new(emulator: &Emulator) -> Result<Self, WorldError> {
        Self::in_regions(emulator, Region::parse("eu-west-1")?, [Region::parse("us-east-1")?])
    }

    /// An empty world of these regions, with the hub in the first.
    pub fn in_regions(
        emulator: &Emulator,
        hub_region: Region,
        others: impl IntoIterator<Item = Region>,
    ) -> Result<Self, WorldError> {
        let hub = fresh_account();
        let folder = tempfile::Builder::new().prefix("flowagg-world-").tempdir();
        Ok(Self {
            aws: Aws::at(emulator.url()),
            endpoint: emulator.url().to_owned(),
            folder: folder.map_err(|error| WorldError::Io("a temporary folder".into(), error))?,
            hub,
            regions: [hub_region].into_iter().chain(others).collect(),
            bucket: BucketName::parse(&format!("flow-logs-{hub}"))?,
            settings: BTreeMap::new(),
            partitions: (false, false),
            everywhere: false,
            accounts: BTreeMap::new(),
        })
    }

    /// A line more in a table of the fleet file: `world.set("flow-logs", "traffic = \"reject\"")`.
    pub fn set(&mut self, table: &str, line: &str) {
        self.settings.entry(table.to_owned()).or_default().push(line.to_owned());
    }

    /// Has the fleet file ask for every region that a member has enabled, not only for those of this world.
    pub fn ask_for_all_regions(&mut self) {
        self.everywhere = true;
    }

    /// Has the fleet file ask for such folders, and the delivery service write to them.
    pub fn partition(&mut self, hive_compatible: bool, per_hour: bool) {
        self.partitions = (hive_compatible, per_hour);
        self.set("flow-logs", &format!("hive-compatible-partitions = {hive_compatible}"));
        self.set("flow-logs", &format!("per-hour-partition = {per_hour}"));
    }

    /// Makes an account with so many VPCs in each region, which is no member of the fleet.
    pub async fn account(&mut self, name: &str, vpcs: usize) -> Result<AccountId, WorldError> {
        let id = fresh_account();
        self.furnish(name, id, vpcs).await?;
        Ok(id)
    }

    /// Makes an account with so many VPCs in each region, and names it in the fleet file.
    pub async fn member(&mut self, name: &str, vpcs: usize) -> Result<AccountId, WorldError> {
        let id = self.account(name, vpcs).await?;
        self.join(name);
        Ok(id)
    }

    /// Gives the hub account VPCs too, and names it as a member in the fleet file.
    pub async fn hub_as_member(&mut self, name: &str, vpcs: usize) -> Result<(), WorldError> {
        self.furnish(name, self.hub, vpcs).await?;
        self.join(name);
        Ok(())
    }

    /// Names an account in the fleet file.
    ///
    /// # Panics
    ///
    /// If there is no account of that name.
    #[track_caller]
    pub fn join(&mut self, name: &str) {
        self.set_member(name, true);
    }

    /// Takes an account out of the fleet file.
    ///
    /// # Panics
    ///
    /// If there is no account of that name.
    #[track_caller]
    pub fn leave(&mut self, name: &str) {
        self.set_member(name, false);
    }

    /// A line more in the table of a member: `world.set_of("shop", "subnets = \"all\"")`.
    ///
    /// # Panics
    ///
    /// If there is no account of that name.
    #[track_caller]
    pub fn set_of(&mut self, name: &str, line: &str) {
        let account = self.accounts.get_mut(name);
        assert!(account.is_some(), "the world has no account `{name}`");
        account.into_iter().for_each(|account| account.lines.push(line.to_owned()));
    }

    /// The accounts that were made, by name.
    pub fn accounts(&self) -> &BTreeMap<String, Account> {
        &self.accounts
    }

    /// The hub's account.
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

    /// Clients of any account, to look at the truth or to change it behind flowagg's back.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// Sends the program to another endpoint, such as one of [`faults`](crate::faults) in front of the emulator.
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

    /// Has the delivery service come by, for every account that was made, at this moment.
    pub async fn deliver(&self, at: jiff::Timestamp) -> Result<Vec<Report>, WorldError> {
        let places = self
            .accounts
            .values()
            .flat_map(|account| account.vpcs.keys().map(|region| (account.id, region.clone())));
        let (hive, per_hour) = self.partitions;
        Ok(Delivery::new(self.aws.clone(), self.hub, at).partitions(hive, per_hour).run(places).await?)
    }

    #[track_caller]
    fn set_member(&mut self, name: &str, is_member: bool) {
        let account = self.accounts.get_mut(name);
        assert!(account.is_some(), "the world has no account `{name}`");
        account.into_iter().for_each(|account| account.is_member = is_member);
    }
}

/// An account id that nothing else uses: the chance of two alike is one in 900 billion.
pub(crate) fn fresh_account() -> AccountId {
    let random = RandomState::new().hash_one(std::process::id());
    let id = 100_000_000_000 + random % 900_000_000_000;
    // Twelve digits are an account id.
    AccountId::parse(&id.to_string()).unwrap_or_else(|_| fresh_account())
}
