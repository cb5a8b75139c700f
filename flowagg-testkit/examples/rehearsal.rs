//! A rehearsed rollout: your accounts and fleet file settings, the real program, and a mistake on the way.
//!
//! Replace [`MEMBERS`] and [`TABLES`] with your own values. You then know before the rollout which settings the fleet
//! file rejects, how large the bucket policy gets, and where objects arrive.
//!
//! `cargo build --workspace --examples && target/debug/examples/rehearsal`

#![allow(clippy::print_stdout, reason = "a program prints its progress")]

use std::error::Error;

use flowagg_testkit::delivery::Publication;
use flowagg_testkit::{emulator::Emulator, world::World};
use jiff::Timestamp;

/// The accounts: a name, the number of VPCs in each region, and other lines of the fleet file.
const MEMBERS: [(&str, usize, &[&str]); 3] = [
    ("shop", 3, &[]),
    // Only the VPCs with this tag.
    ("bank", 1, &["vpcs = { tags = { stage = \"live\" } }"]),
    ("post", 2, &["role = \"flow-logs\""]),
];

/// The other tables, line by line. This world sets the account, the region and the bucket of the hub.
const TABLES: [(&str, &str); 5] = [
    ("hub", "prefix = \"network\""),
    ("flow-logs", "traffic = \"reject\""),
    ("flow-logs", "file-format = \"parquet\""),
    ("flow-logs", "tags = { team = \"network\" }"),
    ("policy", "form = \"accounts\""),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut world = World::new(Emulator::shared()?).await?;
    for (name, vpcs, lines) in MEMBERS {
        world.member(name, vpcs).await?;
        lines.iter().for_each(|line| world.set_of(name, line));
    }
    world.tag_vpcs("bank", "stage", "live").await?;
    TABLES.iter().for_each(|(table, line)| world.set(table, line));
    println!("{}", world.fleet_file());

    // The rollout.
    println!("{}", world.flowagg(["plan", "--exit-code"]).await?.exits(3).stdout);
    world.flowagg(["apply", "--yes"]).await?.exits(0);
    let publications = world.deliver(Timestamp::now()).await?;
    assert!(delivers(&publications), "every new flow log delivers");
    assert_eq!(publications.len(), 12, "one for each VPC in both regions");
    println!("{}", world.flowagg(["verify"]).await?.exits(0).stdout);
    let keys = world.keys().await?;
    assert!(keys.iter().all(|key| key.starts_with("network/AWSLogs/") && key.ends_with(".log.parquet")));

    // Running it again changes nothing.
    let policy = world.policy().await?;
    let again = world.flowagg(["apply", "--yes", "--json"]).await?.exits(0);
    for done in ["/applied/done", "/applied/failures", "/plan/hub", "/plan/flow-logs"] {
        assert_eq!(again.json().pointer(done), Some(&serde_json::json!([])), "{done}: {again}");
    }
    assert_eq!(world.policy().await?, policy);

    // The mistake: someone deletes the bucket policy. Every flow log still exists, and its status is still active.
    world.s3().delete_bucket_policy().bucket(world.bucket().as_str()).send().await?;
    let publications = world.deliver(Timestamp::now()).await?;
    assert!(
        !publications.is_empty()
            && publications.iter().all(|publication| publication.outcome.key().is_none())
    );
    let verified = world.flowagg(["verify"]).await?.exits(3).stdout;
    assert!(verified.contains("Access error"), "{verified}");
    println!("{verified}");

    // The repair: the plan contains only the policy.
    let plan = world.flowagg(["plan", "--exit-code", "--json"]).await?.exits(3).json();
    assert_eq!(plan.pointer("/hub/0/change"), Some(&serde_json::json!("put-policy")), "{plan}");
    assert_eq!(plan["flow-logs"], serde_json::json!([]), "{plan}");
    world.flowagg(["apply", "--yes"]).await?.exits(0);
    assert_eq!(world.policy().await?, policy, "the original policy is restored");
    assert!(delivers(&world.deliver(Timestamp::now()).await?));
    world.flowagg(["verify"]).await?.exits(0);
    println!("ok: rolled out, broken, detected and repaired");
    Ok(())
}

fn delivers(publications: &[Publication]) -> bool {
    !publications.is_empty() && publications.iter().all(|publication| publication.outcome.key().is_some())
}
