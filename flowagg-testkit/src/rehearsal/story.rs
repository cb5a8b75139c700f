use std::collections::BTreeMap;
use std::fs;
use std::io::Write;

use flowagg_core::id::{AccountId, Place};
use flowagg_core::layout::{FileName, Layout};
use jiff::Timestamp;

use super::{RehearsalError, StoryOptions, tree};
use crate::delivery::{Outcome, Publication};
use crate::world::World;

const MEMBERS: [&str; 3] = ["shop", "bank", "post"];
const STRANGER: &str = "mallory";
const VPCS: usize = 2;

/// Runs the story, and returns the summary for its last line.
pub(super) async fn tell(
    world: &mut World,
    options: &StoryOptions,
    out: &mut impl Write,
) -> Result<String, RehearsalError> {
    for name in MEMBERS {
        world.member(name, VPCS).await?;
    }
    let stranger = world.account(STRANGER, 1).await?;
    introduce(world, out)?;

    heading(out, "Plan the rollout.")?;
    let plan = run(world, out, &["plan", "--exit-code"], 3).await?;
    indented(out, &plan)?;
    heading(out, "Apply it.")?;
    let applied = run(world, out, &["apply", "--yes"], 0).await?;
    indented(out, &applied)?;
    heading(out, "Apply it again: nothing is left to do.")?;
    for again in [&["apply", "--yes"], &["plan", "--exit-code"]] {
        let text = run(world, out, again, 0).await?;
        indented(out, text.trim_end().lines().next_back().unwrap_or_default())?;
    }

    heading(out, "A stranger creates a flow log to the hub bucket. The delivery service runs.")?;
    world.log_by_hand(STRANGER).await?;
    let publications = world.deliver(Timestamp::now()).await?;
    let names = names(world);
    for publication in &publications {
        let name = names.get(&publication.place.account).copied().unwrap_or_default();
        let Publication { place: Place { region, .. }, flow_log, outcome, .. } = publication;
        match outcome {
            Outcome::Delivered(_) => {
                writeln!(out, "  {name:<8} {region:<10} {flow_log}  {} records", outcome.records())?;
            }
            Outcome::AccessError { .. } => writeln!(out, "  {name:<8} {region:<10} {flow_log}  {outcome}")?,
        }
    }

    heading(out, "Verify that every member delivers.")?;
    let verified = run(world, out, &["verify"], 0).await?;
    indented(out, &verified)?;

    heading(out, &format!("Objects in s3://{}:", world.bucket()))?;
    let keys = world.keys().await?;
    tree::print(&keys, |folder| folder.parse().ok().and_then(|id| names.get(&id).copied()), out)?;
    if let Some(page) = &options.report {
        heading(out, "Write the report as an HTML page.")?;
        fs::create_dir_all(page.parent().unwrap_or(page))?;
        let path = page.display().to_string();
        let written = run(world, out, &["report", "--html", &path], 0).await?;
        indented(out, &written)?;
    }
    if options.query {
        query(world, &publications, out).await?;
    }
    check(world, &publications, &keys, stranger)
}

/// Queries the objects, and checks that each delivered record is counted once.
async fn query(
    world: &World,
    publications: &[Publication],
    out: &mut impl Write,
) -> Result<(), RehearsalError> {
    heading(out, "Query the logs.")?;
    let sql = "SELECT log_account, count(*) AS records, sum(bytes) AS bytes FROM vpc_flow_logs GROUP BY 1 ORDER BY 1";
    let table = run(world, out, &["query", sql], 0).await?;
    indented(out, &table)?;
    let mut expected: BTreeMap<AccountId, u64> = BTreeMap::new();
    for publication in publications {
        *expected.entry(publication.place.account).or_default() += publication.outcome.records();
    }
    let count = "SELECT log_account, count(*) AS records FROM vpc_flow_logs GROUP BY 1 ORDER BY 1";
    let counted = run(world, out, &["query", "--format", "csv", count], 0).await?;
    let lines = expected.iter().filter(|(_, records)| **records > 0);
    let expected: Vec<String> = lines.map(|(account, records)| format!("{account},{records}")).collect();
    let rows: Vec<&str> = counted.lines().skip(1).take(expected.len()).collect();
    indented(out, &rows.join("\n"))?;
    claim(rows == expected, || format!("the query must count {expected:?}, but counts {rows:?}"))
}

fn introduce(world: &World, out: &mut impl Write) -> Result<(), RehearsalError> {
    heading(out, "The accounts")?;
    writeln!(
        out,
        "  {:<8} {}  owns the bucket {} in {}",
        "hub",
        world.hub(),
        world.bucket(),
        world.hub_region()
    )?;
    for (name, account) in world.accounts() {
        let vpcs: Vec<String> =
            account.vpcs.iter().map(|(region, vpcs)| format!("{} in {region}", vpcs.len())).collect();
        let standing = if account.is_member { "a member" } else { "a stranger" };
        writeln!(out, "  {name:<8} {}  {standing}; VPCs: {}", account.id, vpcs.join(", "))?;
    }
    heading(out, "The fleet file")?;
    indented(out, &world.fleet_file())
}

/// Runs the program, checks its exit code, and returns its output.
async fn run(
    world: &World,
    out: &mut impl Write,
    args: &[&str],
    code: i32,
) -> Result<String, RehearsalError> {
    writeln!(out, "  $ flowagg {}", args.join(" "))?;
    let ran = world.flowagg(args).await?;
    claim(ran.code == Some(code), || format!("expected exit code {code}: {ran}"))?;
    Ok(ran.stdout + &ran.stderr)
}

/// Checks every number of the last line, and returns the line.
fn check(
    world: &World,
    publications: &[Publication],
    keys: &[String],
    stranger: AccountId,
) -> Result<String, RehearsalError> {
    let (of_stranger, of_members): (Vec<_>, Vec<_>) =
        publications.iter().partition(|publication| publication.place.account == stranger);
    let members: Vec<_> = world.accounts().values().filter(|account| account.is_member).collect();
    let mut regions = 0;
    for member in &members {
        for (region, vpcs) in &member.vpcs {
            let of_region = |publication: &&&Publication| {
                publication.place.account == member.id && &publication.place.region == region
            };
            let logs = of_members.iter().filter(of_region).count();
            claim(logs == vpcs.len(), || {
                format!("{} must have {} flow logs in {region}, but has {logs}", member.id, vpcs.len())
            })?;
            let folder = format!("{}{region}/", Layout::default().flow_logs_folder(member.id));
            let arrived = keys.iter().any(|key| key.starts_with(&folder) && is_in_its_place(key));
            claim(arrived, || format!("no object under {folder}<yyyy>/<MM>/<dd>/"))?;
            regions += 1;
        }
    }
    for publication in &of_members {
        let key = publication.outcome.key();
        let lies_there = key.is_some_and(|key| keys.iter().any(|there| there == key));
        claim(lies_there, || format!("{} did not deliver: {}", publication.flow_log, publication.outcome))?;
    }
    let refused = of_stranger.iter().all(|publication| publication.outcome.key().is_none());
    claim(!of_stranger.is_empty() && refused, || "the stranger's delivery was not denied".to_owned())?;
    let none = keys.iter().all(|key| !key.contains(&stranger.to_string()));
    claim(none, || "the bucket contains an object of the stranger".to_owned())?;
    claim(keys.len() == of_members.len(), || {
        format!("expected {} objects, found {}", of_members.len(), keys.len())
    })?;
    let (accounts, logs, objects) = (members.len(), of_members.len(), keys.len());
    Ok(format!(
        "{accounts} accounts, {regions} account-regions, {logs} flow logs, {objects} objects delivered, 1 stranger denied"
    ))
}

/// Whether a key has the folders that its file name implies.
fn is_in_its_place(key: &str) -> bool {
    let name = key.rsplit('/').next().and_then(|name| FileName::parse(name).ok());
    name.is_some_and(|name| Layout::default().key(&name) == key)
}

fn names(world: &World) -> BTreeMap<AccountId, &str> {
    world.accounts().iter().map(|(name, account)| (account.id, name.as_str())).collect()
}

fn claim(holds: bool, what: impl FnOnce() -> String) -> Result<(), RehearsalError> {
    if holds { Ok(()) } else { Err(RehearsalError::NotSo(what())) }
}

fn heading(out: &mut impl Write, text: &str) -> Result<(), RehearsalError> {
    Ok(writeln!(out, "\n{text}\n")?)
}

fn indented(out: &mut impl Write, text: &str) -> Result<(), RehearsalError> {
    for line in text.trim_end().lines() {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
