//! The results of a run: each flow log with its ID, or counts if there are many.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use flowagg_core::id::{AccountId, Region};

use super::sheet::Sheet;
use super::style::GREEN;
use super::view::View;
use crate::aws::apply::{Did, Done};
use crate::report::words::{count, counted};

/// The maximum number of flow log results with a line each. More are counted by account.
const LISTED: usize = 20;
/// The maximum number of accounts with a line each. More are counted together.
const ACCOUNTS: usize = 40;
/// The indent of text after `  done `.
const HANG: usize = 7;

/// Writes the results in the past tense.
pub(super) fn results(done: &[Done], view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let is_counted = done.iter().filter(|done| Tally::of(done).is_some()).count() > LISTED;
    let mut by_account: BTreeMap<AccountId, Tally<'_>> = BTreeMap::new();
    let mut whole = Tally::default();
    for done in done {
        match Tally::of(done).filter(|_| is_counted) {
            Some(tally) => {
                by_account.entry(done.place.account).or_default().add(&tally);
                whole.add(&tally);
            }
            None => out.line(HANG, format_args!("  {GREEN}done{GREEN:#} {}", done.named(view.names())))?,
        }
    }
    if !is_counted {
        return Ok(());
    }
    if by_account.len() <= ACCOUNTS {
        for (account, tally) in by_account {
            let (account, tally) = (view.account(account), tally.words(None));
            out.line(HANG, format_args!("  {GREEN}done{GREEN:#} {account}: {tally}"))?;
        }
    } else {
        let tally = whole.words(Some(by_account.len()));
        out.line(HANG, format_args!("  {GREEN}done{GREEN:#} {tally}"))?;
        view.accounts(&format!("{:HANG$}in", ""), by_account.into_keys(), HANG, out)?;
    }
    // `plan --all` no longer lists deleted flow logs.
    match whole.created + whole.tagged {
        0 => Ok(()),
        _ => out.aside(HANG, "run `flowagg plan --all` to list each flow log with its ID"),
    }
}

/// The number of created, deleted and tagged flow logs, and their regions.
#[derive(Default)]
struct Tally<'a> {
    created: usize,
    deleted: usize,
    tagged: usize,
    regions: BTreeSet<&'a Region>,
}

impl<'a> Tally<'a> {
    /// Counts a result; `None` if it is not about flow logs.
    fn of(done: &'a Done) -> Option<Self> {
        let mut tally = Self { regions: BTreeSet::from([&done.place.region]), ..Self::default() };
        match &done.what {
            Did::CreatedFlowLogs { .. } => tally.created = done.resources.len(),
            Did::DeletedFlowLog { .. } => tally.deleted = 1,
            Did::TaggedFlowLog { .. } => tally.tagged = 1,
            _ => return None,
        }
        Some(tally)
    }

    fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.deleted += other.deleted;
        self.tagged += other.tagged;
        self.regions.extend(&other.regions);
    }

    /// Formats the counts: `created 8 flow logs, deleted 1 in 4 regions`.
    fn words(&self, accounts: Option<usize>) -> String {
        let verbs = [("created", self.created), ("deleted", self.deleted), ("tagged", self.tagged)];
        let mut parts: Vec<String> = Vec::new();
        for (verb, number) in verbs.into_iter().filter(|(_, number)| *number > 0) {
            parts.push(match parts.is_empty() {
                true => format!("{verb} {}", counted(number, "flow log", "flow logs")),
                false => format!("{verb} {}", count(number as u64)),
            });
        }
        let regions: Vec<&str> = self.regions.iter().map(|region| region.as_str()).collect();
        let regions = match regions.as_slice() {
            [region] => (*region).to_owned(),
            regions => counted(regions.len(), "region", "regions"),
        };
        let accounts = accounts.map(|number| format!("{} and ", counted(number, "account", "accounts")));
        format!("{} in {}{regions}", parts.join(", "), accounts.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use flowagg_core::id::{FlowLogId, Place};
    use flowagg_core::names::Names;
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::show::Extent;

    fn done(account: usize, region: &str, what: Did, resources: usize) -> Done {
        let account = AccountId::parse(&format!("{account:012}")).unwrap();
        Done {
            place: Place::new(account, &Region::parse(region).unwrap()),
            resources: (0..resources).map(|number| format!("vpc-{number:08x}")).collect(),
            what,
        }
    }

    fn id() -> FlowLogId {
        FlowLogId::parse("fl-00000001").unwrap()
    }

    fn shown(accounts: usize) -> String {
        let mut all = vec![done(0, "eu-west-1", Did::CreatedBucket, 1)];
        for account in 1..=accounts {
            for region in ["eu-west-1", "us-east-1"] {
                let flow_logs = vec![id(), id()];
                all.push(done(account, region, Did::CreatedFlowLogs { flow_logs }, 2));
            }
        }
        all.push(done(1, "eu-west-1", Did::DeletedFlowLog { flow_log: id() }, 1));
        let mut out = Vec::new();
        let view = View::of(Names::NONE, Extent::Brief);
        results(&all, view, &mut Sheet::new(&mut out, Some(80))).unwrap();
        anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
    }

    #[test]
    fn few_results_list_ids_and_many_are_counted() {
        assert_data_eq!(
            shown(1),
            str![[r#"
  done vpc-00000000: created the bucket in eu-west-1
  done 000000000001 eu-west-1: created fl-00000001, fl-00000001 for
       vpc-00000000, vpc-00000001
  done 000000000001 us-east-1: created fl-00000001, fl-00000001 for
       vpc-00000000, vpc-00000001
  done 000000000001 eu-west-1: deleted fl-00000001 of vpc-00000000

"#]]
        );
        assert_data_eq!(
            shown(11),
            str![[r#"
  done vpc-00000000: created the bucket in eu-west-1
  done 000000000001: created 4 flow logs, deleted 1 in 2 regions
  done 000000000002: created 4 flow logs in 2 regions
  done 000000000003: created 4 flow logs in 2 regions
  done 000000000004: created 4 flow logs in 2 regions
  done 000000000005: created 4 flow logs in 2 regions
  done 000000000006: created 4 flow logs in 2 regions
  done 000000000007: created 4 flow logs in 2 regions
  done 000000000008: created 4 flow logs in 2 regions
  done 000000000009: created 4 flow logs in 2 regions
  done 000000000010: created 4 flow logs in 2 regions
  done 000000000011: created 4 flow logs in 2 regions
       run `flowagg plan --all` to list each flow log with its ID

"#]]
        );
        assert_data_eq!(
            shown(300),
            str![[r#"
  done vpc-00000000: created the bucket in eu-west-1
  done created 1,200 flow logs, deleted 1 in 300 accounts and 2 regions
       in 000000000001, 000000000002, 000000000003, 000000000004, 000000000005,
       000000000006, 000000000007, 000000000008, and 292 more accounts
       run `flowagg plan --all` to list each flow log with its ID

"#]]
        );
    }
}
