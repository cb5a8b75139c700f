//! `flowagg policy simulate`: evaluates a policy for the requests of the delivery service, or for any list of requests.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use flowagg_core::fleet::Fleet;
use flowagg_core::id::{AccountId, BucketName, Partition, Region};
use flowagg_core::layout::FileName;
use flowagg_policy::{
    Decision, Delivery, Grant, Membership, Mentioned, Policy, Request, and_more, mentioned,
};
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::Serialize;

use super::input::Input;
use crate::args::{GlobalArgs, SimulateArgs};
use crate::commands::error::CommandError;
use crate::commands::start::file;
use crate::{Exit, Screen, show};

pub(super) fn run(
    global: &GlobalArgs,
    options: &SimulateArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let input = Input::named(&options.policy);
    let source = input.text()?;
    let policy = Policy::compile(&source).map_err(|error| input.unusable(&error, error.help()))?;
    if let Some(path) = &options.requests {
        return requests(&policy, Input::named(path), options.json, screen);
    }
    let mentioned = mentioned(&source).map_err(|error| input.unusable(&error, error.help()))?;
    let fleet = fleet(global)?;
    let asked = Asked::new(options, fleet.as_ref(), &mentioned)?;
    deliveries(&policy, &asked, options, screen)
}

/// Evaluates requests, one per line, and prints one decision per line.
fn requests(
    policy: &Policy,
    input: Input<'_>,
    json: bool,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let lines = input.text()?;
    let mut out = BufWriter::new(&mut *screen.out);
    let (mut allowed, mut all) = (0, 0);
    for (n, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let request: Request = serde_json::from_str(line).map_err(|error| {
            let help = "use the form {\"principal\": ..., \"action\": ..., \"resource\": ..., \"context\": {key: string or list}, \
                        \"unknown\": [key]}";
            CommandError::usage(format!("invalid request in line {} of {input}: {error}", n + 1), help)
        })?;
        let decision = policy.decide(&request);
        all += 1;
        allowed += usize::from(decision.is_allowed());
        if json {
            let answer =
                SimulateDocument { account: None, region: None, action: None, resource: None, decision };
            show::line(&answer, &mut out)?;
        } else {
            writeln!(out, "{}: {decision}", n + 1)?;
        }
    }
    out.flush()?;
    drop(out);
    if !json {
        screen.say(&format!("{allowed} of {all} requests are allowed"))?;
    }
    Ok(if allowed == all { Exit::Done } else { Exit::Differs })
}

/// A line of `policy simulate --json`: the decision, and the request if it is from the delivery service.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::commands) struct SimulateDocument {
    /// The account whose logs are delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    account: Option<AccountId>,
    /// The region of the flow log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    region: Option<Region>,
    /// The action.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    action: Option<&'static str>,
    /// The ARN of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    resource: Option<String>,
    #[serde(flatten)]
    decision: Decision,
}

/// Reads the fleet file. The default file may be missing.
fn fleet(global: &GlobalArgs) -> Result<Option<Fleet>, CommandError> {
    if global.config == Path::new(crate::args::FLEET_FILE) && !global.config.exists() {
        return Ok(None);
    }
    Ok(Some(file(&global.config)?.without_lookup()))
}

/// The deliveries to evaluate.
struct Asked {
    bucket: BucketName,
    deliveries: Vec<(Delivery, Region, String)>,
}

impl Asked {
    /// Takes each value from its option, the fleet file, or the policy's statements for the delivery service, in that order.
    fn new(
        options: &SimulateArgs,
        fleet: Option<&Fleet>,
        mentioned: &Mentioned,
    ) -> Result<Self, CommandError> {
        let mut grant = fleet.map(Grant::from);
        // The accounts of the organization are not looked up here, so memberships are unknown.
        if let Some(grant) = &mut grant
            && fleet.and_then(|fleet| fleet.organization.as_ref()?.discovery.as_ref()).is_some()
        {
            grant.memberships.clear();
        }
        let bucket = bucket(options, fleet, mentioned)?;
        let accounts: BTreeSet<AccountId> = match (options.account, fleet) {
            (Some(account), _) => BTreeSet::from([account]),
            (None, Some(fleet)) if !fleet.members.is_empty() => fleet.members.keys().copied().collect(),
            (None, _) => mentioned.accounts.clone(),
        };
        if accounts.is_empty() {
            return Err(CommandError::usage(
                "neither the fleet file nor the policy contains an account",
                "pass `--account` or `--requests`",
            ));
        }
        let mut deliveries = Vec::new();
        for account in accounts {
            for region in regions(account, options, fleet, mentioned) {
                let delivery = match &grant {
                    Some(grant) => grant.delivery(account, &region),
                    None => Delivery::new(account, region.clone()),
                };
                let delivery = match &options.organization {
                    Some(id) => delivery.with_membership(Membership::Within(id.clone(), BTreeSet::new())),
                    None => delivery,
                };
                let time = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
                let mut file = FileName::example(account, &region);
                file.time = time;
                let key = match (&options.key, &grant) {
                    (Some(key), _) => key.clone(),
                    (None, Some(grant)) => grant.layout().key(&file),
                    (None, None) => mentioned.folder(&bucket).unwrap_or_default().key(&file),
                };
                deliveries.push((delivery, region, key));
            }
        }
        Ok(Self { bucket, deliveries })
    }
}

/// The bucket: `--bucket`, else the only bucket in the policy's statements, else the bucket of the fleet file.
fn bucket(
    options: &SimulateArgs,
    fleet: Option<&Fleet>,
    mentioned: &Mentioned,
) -> Result<BucketName, CommandError> {
    if let Some(bucket) = &options.bucket {
        return Ok(bucket.clone());
    }
    let mut named = mentioned.buckets.iter();
    match (named.next(), named.next(), fleet) {
        (Some(only), None, _) => Ok(only.clone()),
        (_, _, Some(fleet)) => Ok(fleet.hub.bucket.clone()),
        _ => Err(CommandError::usage("the policy does not contain exactly one bucket", "pass `--bucket`")),
    }
}

/// The regions: `--region`, else the member's, else those in the policy's statements, else the first region of the partition.
fn regions(
    account: AccountId,
    options: &SimulateArgs,
    fleet: Option<&Fleet>,
    mentioned: &Mentioned,
) -> BTreeSet<Region> {
    let of_member = || {
        let member = fleet?.members.get(&account)?;
        Some(member.regions.iter().cloned().collect::<BTreeSet<_>>()).filter(|regions| !regions.is_empty())
    };
    let partition = mentioned.partition.or(fleet.map(Fleet::partition)).unwrap_or(Partition::Aws);
    let of_policy = || Some(mentioned.regions.clone()).filter(|regions| !regions.is_empty());
    let named = options.region.clone().map(|region| BTreeSet::from([region]));
    named.or_else(of_member).or_else(of_policy).unwrap_or_else(|| BTreeSet::from([partition.first_region()]))
}

/// Evaluates the two requests of each delivery. If there are several deliveries, only requests that are not certain to be allowed are
/// printed, once for all accounts with the same cause.
fn deliveries(
    policy: &Policy,
    asked: &Asked,
    options: &SimulateArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut accounts: BTreeMap<AccountId, Option<bool>> = BTreeMap::new();
    let is_one = asked.deliveries.len() == 1;
    for (delivery, region, key) in &asked.deliveries {
        let arn = format!("arn:{}:s3:::{}", delivery.partition, asked.bucket);
        let [check, put] = delivery.requests(&asked.bucket, key);
        let requests =
            [("s3:GetBucketAcl", arn.clone(), check), ("s3:PutObject", format!("{arn}/{key}"), put)];
        let account = delivery.account;
        for (action, resource, request) in requests {
            let decision = policy.decide(&request);
            let allowed = accounts.entry(account).or_insert(Some(true));
            *allowed = match (*allowed, decision.allowed()) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (None, _) | (_, None) => None,
                (Some(true), Some(true)) => Some(true),
            };
            if options.json {
                let (action, resource) = (Some(action), Some(resource));
                let answer = SimulateDocument {
                    account: Some(account),
                    region: Some(region.clone()),
                    action,
                    resource,
                    decision,
                };
                show::line(&answer, screen.out)?;
            } else if is_one {
                show::answer(action, &resource, &decision.to_string(), decision.allowed(), screen.out)?;
            } else if !decision.is_allowed() {
                match problems
                    .iter_mut()
                    .find(|it| it.action == action && it.decision.cause() == decision.cause())
                {
                    Some(problem) => drop(problem.accounts.insert(account)),
                    None => problems.push(Problem {
                        action,
                        resource,
                        decision,
                        region: region.clone(),
                        first: account,
                        accounts: BTreeSet::from([account]),
                    }),
                }
            }
        }
    }
    for Problem { action, resource, decision, region, first, accounts } in &problems {
        let more = and_more(accounts.len());
        writeln!(screen.out, "{first} in {region}{more}:")?;
        show::answer(action, resource, &decision.to_string(), decision.allowed(), screen.out)?;
    }
    let count = |of: Option<bool>| accounts.values().filter(|allowed| **allowed == of).count();
    if !options.json {
        let undecided = match count(None) {
            0 => String::new(),
            n => format!("; {n} undecided"),
        };
        let noun = if accounts.len() == 1 { "account" } else { "accounts" };
        let (allowed, all) = (count(Some(true)), accounts.len());
        writeln!(screen.out, "{allowed} of {all} {noun} may deliver{undecided}")?;
    }
    Ok(if count(Some(true)) == accounts.len() { Exit::Done } else { Exit::Differs })
}

/// A request that is not certain to be allowed.
struct Problem {
    action: &'static str,
    resource: String,
    decision: Decision,
    region: Region,
    first: AccountId,
    accounts: BTreeSet<AccountId>,
}
