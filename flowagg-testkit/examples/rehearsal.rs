//! A roll-out, rehearsed: accounts and a fleet file of the shape of one's own, the real program, and a mistake on the way.
//!
//! Put your own accounts and tables into [`MEMBERS`] and [`TABLES`]: what the fleet file refuses, what a bucket policy of
//! that many accounts comes to, and what arrives where, is then known before the day.
//!
//! `cargo build --workspace --examples && target/debug/examples/rehearsal`

#![allow(clippy::print_stdout, reason = "a program tells what it does")]

use std::error::Error;

use flowagg_testkit::delivery::Publication;
use flowagg_testkit::{emulator::Emulator, world::World};
use jiff::Timestamp;

/// The accounts: a name, the VPCs in each region, and what else the fleet file says of it.
const MEMBERS: [(&str, usize, &[&str]); 3] = [
    ("shop", 3, &[]),
    // Only the VPCs with this tag.
    ("bank", 1, &["vpcs = { tags = { stage = \"live\" } }"]),
    ("post", 2, &["role = \"flow-logs\""]),
];

/// The other tables, line by line. The account, the region and the bucket of the hub are this world's own.
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

    // The day itself.
    println!("{}", world.flowagg(["plan", "--exit-code"]).await?.exits(3).stdout);
    world.flowagg(["apply", "--yes"]).await?.exits(0);
    let publications = world.deliver(Timestamp::now()).await?;
    assert!(delivers(&publications), "every flow log that was made delivers");
    assert_eq!(publications.len(), 12, "one for each VPC in both regions");
    println!("{}", world.flowagg(["verify"]).await?.exits(0).stdout);
    let keys = world.keys().await?;
    assert!(keys.iter().all(|key| key.starts_with("network/AWSLogs/") && key.ends_with(".log.parquet")));

    // The day after: the same command has nothing to do, and does nothing.
    let policy = world.policy().await?;
    let again = world.flowagg(["apply", "--yes", "--json"]).await?.exits(0);
    for done in ["/applied/done", "/applied/failures", "/plan/hub", "/plan/flow-logs"] {
        assert_eq!(again.json().pointer(done), Some(&serde_json::json!([])), "{done}: {again}");
    }
    assert_eq!(world.policy().await?, policy);

    // The mistake: somebody tidies the bucket and takes its policy away. Every flow log stays, and says that it is active.
    world.s3().delete_bucket_policy().bucket(world.bucket().as_str()).send().await?;
    let publications = world.deliver(Timestamp::now()).await?;
    assert!(
        !publications.is_empty()
            && publications.iter().all(|publication| publication.outcome.key().is_none())
    );
    let verified = world.flowagg(["verify"]).await?.exits(3).stdout;
    assert!(verified.contains("Access error"), "{verified}");
    println!("{verified}");

    // The repair: the plan is the policy and nothing else.
    let plan = world.flowagg(["plan", "--exit-code", "--json"]).await?.exits(3).json();
    assert_eq!(plan.pointer("/hub/0/change"), Some(&serde_json::json!("put-policy")), "{plan}");
    assert_eq!(plan["flow-logs"], serde_json::json!([]), "{plan}");
    world.flowagg(["apply", "--yes"]).await?.exits(0);
    assert_eq!(world.policy().await?, policy, "it is the one that was there");
    assert!(delivers(&world.deliver(Timestamp::now()).await?));
    world.flowagg(["verify"]).await?.exits(0);
    println!("ok: rolled out, broken, seen and repaired");
    Ok(())
}

fn delivers(publications: &[Publication]) -> bool {
    !publications.is_empty() && publications.iter().all(|publication| publication.outcome.key().is_some())
}
