//! `flowagg policy simulate`: asks a policy as the delivery service would, or any list of requests.

use std::io::BufWriter;
use std::io::Write as _;

use flowagg_core::flow_log::Files;
use flowagg_core::id::{AccountId, BucketName, Partition, Region};
use flowagg_core::layout::{self, FileName, Layout};
use flowagg_policy::{Decision, Policy, Request};
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::Serialize;

use super::input::Input;
use crate::args::Simulate;
use crate::commands::error::CommandError;
use crate::{Exit, Screen, show};

pub(super) fn run(options: &Simulate, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    let input = Input::named(&options.policy);
    let source = input.text()?;
    let policy = Policy::compile(&source).map_err(|error| input.unusable(&error, error.help()))?;
    match (&options.requests, options.account) {
        (Some(path), _) => requests(&policy, Input::named(path), options.json, screen),
        (None, Some(account)) => delivery(&policy, &source, account, options, screen),
        (None, None) => {
            Err(CommandError::usage("nothing is asked", "name an `--account`, or a file of `--requests`"))
        }
    }
}

/// One request a line, one decision a line.
fn requests(
    policy: &Policy,
    input: Input<'_>,
    json: bool,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let lines = input.text()?;
    let mut out = BufWriter::new(&mut *screen.out);
    for (n, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let request: Request = serde_json::from_str(line).map_err(|error| {
            let help = "a request is {\"principal\": ..., \"action\": ..., \"resource\": ..., \"context\": {key: string or list}}";
            CommandError::usage(format!("line {} of {input} is no request: {error}", n + 1), help)
        })?;
        let decision = policy.decide(&request);
        if json {
            show::line(&Answer { action: None, resource: None, decision }, &mut out)?;
        } else {
            writeln!(out, "{}: {decision}", n + 1)?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// A line of `policy simulate --json`: what the policy says, and to what where it was not among the requests.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::commands) struct Answer {
    /// The action that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    action: Option<&'static str>,
    /// The ARN of what it is done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    resource: Option<String>,
    #[serde(flatten)]
    decision: Decision,
}

/// The two calls that the service makes before and with every object.
fn delivery(
    policy: &Policy,
    source: &str,
    account: AccountId,
    options: &Simulate,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let (arn, bucket) = bucket(source, options)?;
    let region = region(&arn, options);
    let key = options.key.clone().unwrap_or_else(|| sample_key(source, account, &region));
    let put = Request::put_object(&bucket, account, &region, &key);
    let acl = Request::acl_check(&bucket, account, &region);
    let belong = |request: Request| match &options.organization {
        Some(id) => request.with("aws:SourceOrgID", id.as_str()),
        None => request,
    };
    let asked = [("s3:GetBucketAcl", arn.clone(), acl), ("s3:PutObject", format!("{arn}/{key}"), put)];
    let mut all_allowed = true;
    for (action, resource, request) in asked {
        let decision = policy.decide(&belong(request));
        all_allowed &= decision.is_allowed();
        if options.json {
            show::line(&Answer { action: Some(action), resource: Some(resource), decision }, screen.out)?;
        } else {
            show::answer(action, &resource, &decision.to_string(), decision.is_allowed(), screen.out)?;
        }
    }
    Ok(if all_allowed { Exit::Done } else { Exit::Differs })
}

/// The bucket that is asked about, with its ARN: the one that is named, else the only one that the policy names.
fn bucket(source: &str, options: &Simulate) -> Result<(String, BucketName), CommandError> {
    let named: std::collections::BTreeSet<String> = arns(source).map(|(arn, _)| arn).collect();
    if let Some(bucket) = &options.bucket {
        let partition = match (&options.region, named.first()) {
            (Some(region), _) => region.partition().to_string(),
            (None, Some(arn)) => arn.split(':').nth(1).unwrap_or("aws").to_owned(),
            (None, None) => "aws".to_owned(),
        };
        return Ok((format!("arn:{partition}:s3:::{bucket}"), bucket.clone()));
    }
    let mut named = named.into_iter();
    let found = match (named.next(), named.next()) {
        (Some(arn), None) => {
            arn.rsplit(':').next().and_then(|name| BucketName::parse(name).ok()).map(|bucket| (arn, bucket))
        }
        _ => None,
    };
    found.ok_or_else(|| CommandError::usage("the policy does not name one bucket", "name it with `--bucket`"))
}

/// Bucket ARNs and the folders under them, as a policy's text names them.
fn arns(source: &str) -> impl Iterator<Item = (String, &str)> {
    source.split('"').filter(|text| text.starts_with("arn:")).filter_map(|arn| {
        let (head, resource) = arn.split_once(":s3:::")?;
        let (bucket, folder) = resource.split_once('/').unwrap_or((resource, ""));
        BucketName::parse(bucket).ok().map(|bucket| (format!("{head}:s3:::{bucket}"), folder))
    })
}

/// The one that is named, else the first of the bucket's partition.
fn region(arn: &str, options: &Simulate) -> Region {
    let partition =
        arn.split(':').nth(1).and_then(|name| Partition::parse(name).ok()).unwrap_or(Partition::Aws);
    options.region.clone().unwrap_or(partition.first_region())
}

/// A flow log file of today in the account's folder, under the sub-folder that the policy names if it names one.
fn sample_key(source: &str, account: AccountId, region: &Region) -> String {
    let folders: Vec<(&str, &str)> =
        arns(source).filter_map(|(_, folder)| folder.split_once("AWSLogs/")).collect();
    let prefix = folders.first().map_or("", |(before, _)| before);
    let hive_compatible_partitions = folders.iter().any(|(_, after)| after.starts_with(layout::HIVE_ACCOUNT));
    let layout = Layout { prefix: None, files: Files { hive_compatible_partitions, ..Files::default() } };
    let time = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
    format!("{prefix}{}", layout.key(&FileName { time, ..FileName::example(account, region) }))
}
