//! A test of a bucket policy that was made elsewhere, by Terraform here: who may deliver with it, and who may not.
//!
//! The emulator stores a bucket policy and never asks it, so a wrong one passes every test against the emulator alone. The
//! delivery service of this crate asks it for each file, as AWS does, and says which condition stood in the way.
//!
//! `cargo build --workspace --examples && target/debug/examples/own_policy`

#![allow(clippy::print_stdout, reason = "a program tells what it does")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use flowagg_core::id::{AccountId, Region};
use flowagg_policy::{Severity, lint};
use flowagg_testkit::delivery::{Outcome, Publication};
use flowagg_testkit::{emulator::Emulator, world::World};
use jiff::Timestamp;

/// What `terraform show` has for the bucket. The capitals stand for names that are made anew for each test.
const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
      "Resource": ["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"],
      "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    },
    {
      "Sid": "FlowLogsAcl", "Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"},
      "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::BUCKET",
      "Condition": {"StringEquals": {"aws:SourceAccount": ["SHOP", "BANK"]}}
    },
    {
      "Sid": "FlowLogs", "Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"},
      "Action": "s3:PutObject",
      "Resource": ["arn:aws:s3:::BUCKET/AWSLogs/SHOP/*", "arn:aws:s3:::BUCKET/AWSLogs/BANK/*"],
      "Condition": {
        "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceAccount": ["SHOP", "BANK"]},
        "ArnLike": {"aws:SourceArn": ["arn:aws:logs:*:SHOP:*", "arn:aws:logs:*:BANK:*"]}
      }
    }
  ]
}"#;

/// The mistake: somebody took the ARN from an example of one region. The bank has VPCs in two.
const MISTAKE: [&str; 2] = ["arn:aws:logs:*:BANK:*", "arn:aws:logs:eu-west-1:BANK:*"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut world = World::new(Emulator::shared()?).await?;
    let ours = [world.account("shop", 1).await?, world.account("bank", 2).await?];
    let strangers = [world.account("mallory", 1).await?, world.account("a-closed-account", 1).await?];
    let named =
        |policy: &str| policy.replace("SHOP", &ours[0].to_string()).replace("BANK", &ours[1].to_string());
    let policy = world.bucket_of_others(&named(POLICY)).await?;
    // Anybody may point a flow log at any bucket: what keeps strangers out is the policy alone.
    for name in ["shop", "bank", "mallory", "a-closed-account"] {
        world.log_by_hand(name).await?;
    }

    println!("the policy as it is:");
    let publications = world.deliver(Timestamp::now()).await?;
    tell(&publications);
    assert_eq!(
        delivering(&publications),
        BTreeMap::from(ours.map(|account| (account, 2))),
        "each of ours, from both regions"
    );
    for stranger in strangers {
        let refused = publications.iter().filter(|publication| publication.place.account == stranger);
        assert_eq!(refused.clone().count(), 2, "one flow log in each region");
        assert!(refused.clone().all(|publication| publication.outcome.key().is_none()));
    }

    println!("the same with a mistake in it:");
    let [right, wrong] = MISTAKE.map(named);
    let policy = policy.replace(&right, &wrong);
    let seen = lint(&policy, Some(world.bucket()));
    assert!(seen.iter().all(|finding| finding.severity == Severity::Note), "it is not wrong in itself");
    world.put_policy(&policy).await?;
    let publications = world.deliver(Timestamp::now()).await?;
    tell(&publications);
    assert_eq!(
        delivering(&publications),
        BTreeMap::from([(ours[0], 2), (ours[1], 1)]),
        "half of the bank is lost"
    );
    let of_bank = |region: Region| {
        publications.iter().find(move |it| it.place.account == ours[1] && it.place.region == region)
    };
    let lost = of_bank(Region::parse("us-east-1")?).map(|publication| publication.outcome.to_string());
    let lost = lost.unwrap_or_default();
    assert!(lost.contains("`FlowLogs`") && lost.contains("aws:SourceArn"), "it says where to look: {lost}");
    println!("ok: the mistake is found");
    Ok(())
}

/// The accounts that deliver, and from how many regions.
fn delivering(publications: &[Publication]) -> BTreeMap<AccountId, usize> {
    let mut places: BTreeMap<AccountId, BTreeSet<&Region>> = BTreeMap::new();
    for publication in
        publications.iter().filter(|publication| matches!(publication.outcome, Outcome::Delivered(_)))
    {
        places.entry(publication.place.account).or_default().insert(&publication.place.region);
    }
    places.into_iter().map(|(account, regions)| (account, regions.len())).collect()
}

fn tell(publications: &[Publication]) {
    for Publication { place, outcome, .. } in publications {
        println!("  {place}: {outcome}");
    }
}
