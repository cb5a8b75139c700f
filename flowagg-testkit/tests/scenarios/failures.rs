//! Errors during a run, and how they are reported.

use std::collections::BTreeSet;

use flowagg_testkit::faults::{Answer, CallFilter, Faults, Freeze};
use flowagg_testkit::world::World;
use snapbox::{assert_data_eq, str};

use crate::faults::faulty;
use crate::{applied, apply, deliver, delivers, messages, on_paper, outcome, world};

#[tokio::test]
async fn member_with_a_denied_role_does_not_stop_the_others() {
    let mut world = world(["shop", "bank"]).await;
    let (shop, bank) = (world.accounts()["shop"].id, world.accounts()["bank"].id);
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    faults.refuse_roles_of(bank);
    world.send_program_to(faults.url());

    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
error: 2 times: arn:aws:iam::333333333333:role/OrganizationAccountAccessRole: AssumeRole: AccessDenied: User is not authorized to perform: sts:AssumeRole on a role of 333333333333
       create the role in 333333333333 with a trust policy for the caller and allow the caller sts:AssumeRole on it, or set `role` to another role; `flowagg permissions` prints the policies, and `aws iam get-role` in 333333333333 shows the role
       in 333333333333 (bank): eu-west-1, us-east-1
"#]]
    );
    for region in world.regions() {
        assert_eq!(world.flow_logs(shop, region).await.unwrap().len(), 1);
        assert_eq!(world.flow_logs(bank, region).await.unwrap().len(), 0);
    }
    assert!(outcome(&world, &deliver(&world).await, "shop").key().is_some());
    let verified = world.flowagg(["verify", "--json"]).await.unwrap().exits(1);
    let failures = verified.json()["failures"].as_array().unwrap().clone();
    assert!(
        !failures.is_empty() && failures.iter().all(|one| one["account"] == bank.to_string()),
        "{verified}"
    );

    // The role is repaired. The next run makes the remaining changes.
    let whole = world.aws().url().to_owned();
    world.send_program_to(&whole);
    apply(&world).await;
    assert!(outcome(&world, &delivers(&world).await, "bank").key().is_some());
}

#[tokio::test]
async fn new_flow_log_is_waiting() {
    let world = applied(["shop"]).await;
    let verified = world.flowagg(["verify", "--json"]).await.unwrap().exits(3);
    let json = verified.json();
    assert!(json["flow-logs"].as_array().unwrap().iter().all(|log| log["state"] == "waiting"), "{verified}");
}

#[tokio::test]
async fn vpc_without_a_flow_log_is_missing() {
    let world = applied(["shop"]).await;
    let shop = world.accounts()["shop"].id;
    let logs = world.flow_logs(shop, world.hub_region()).await.unwrap();
    let ids = logs.iter().filter_map(|log| log.flow_log_id.clone()).collect();
    let ec2 = world.aws().ec2(shop, world.hub_region());
    ec2.delete_flow_logs().set_flow_log_ids(Some(ids)).send().await.unwrap();
    deliver(&world).await;
    let verified = world.flowagg(["verify", "--json"]).await.unwrap();
    assert_ne!(verified.code, Some(0), "{verified}");
    let json = verified.json();
    let states: Vec<_> =
        json["flow-logs"].as_array().unwrap().iter().map(|log| log["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["missing", "delivering"], "{verified}");
}

#[tokio::test]
async fn unreachable_endpoint_is_named() {
    let mut world = world(["shop"]).await;
    let gone = Faults::in_front_of(world.aws().url()).await.unwrap().url().to_owned();
    world.send_program_to(&gone);
    let ran = world.flowagg(["plan"]).await.unwrap().exits(1);
    assert_data_eq!(
        on_paper(&world, &ran.stderr.replace(&gone, "GONE")),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: request failed: [..] (GONE)
       check the network, the region name, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set

"#]]
    );
}

/// Applies repeatedly: the first run is killed at its first write, the second one at its second, until one completes.
///
/// Returns the number of killed runs.
async fn apply_with_kills(world: &World, faults: &Faults, freeze: Freeze) -> usize {
    for cut_short in 0..20 {
        faults.freeze_after(cut_short, freeze);
        tokio::select! {
            ran = world.flowagg(["apply", "--yes"]) => {
                ran.unwrap().exits(0);
                return cut_short;
            }
            () = faults.froze() => {}
        }
        faults.quiet().await.unwrap();
    }
    panic!("no run completed: {:?}", faults.writes())
}

#[tokio::test]
async fn run_killed_at_any_write_is_completed_by_the_next() {
    for freeze in [Freeze::Before, Freeze::After] {
        let mut world = world(["shop"]).await;
        let shop = world.accounts()["shop"].id;
        let foreign = format!(
            "{{\"Sid\":\"Readers\",\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"arn:aws:iam::999988887777:root\"}},\
             \"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::{}/*\"}}",
            world.bucket()
        );
        world.create_bucket(world.hub()).await.unwrap();
        world.set("hub", crate::FOREVER);
        world.put_policy(&format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{foreign}]}}")).await.unwrap();
        let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
        world.send_program_to(faults.url());

        assert!(apply_with_kills(&world, &faults, freeze).await >= 2);
        world.set("flow-logs", "traffic = \"reject\"");
        assert!(apply_with_kills(&world, &faults, freeze).await >= 2);

        faults.thaw();
        world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
        assert!(world.policy().await.unwrap().unwrap().contains(&foreign));
        for region in world.regions() {
            let logs = world.flow_logs(shop, region).await.unwrap();
            assert_eq!(logs.len(), 1, "one flow log for the VPC: {logs:?}");
            assert_eq!(logs[0].traffic_type().map(|traffic| traffic.as_str()), Some("REJECT"));
        }
        delivers(&world).await;
    }
}

#[tokio::test]
async fn only_commands_that_read_assume_the_read_role() {
    let (mut world, faults) = faulty(["shop"]).await;
    world.set("fleet", "read-role = \"flowagg-read\"");
    world.set_of("shop", "role = \"flowagg\"");
    let shop = world.accounts()["shop"].id;
    apply(&world).await;
    faults.on(CallFilter::operation("AssumeRole"), Answer::error(403, "AccessDenied", "not authorized"));
    let reading = [&["plan"][..], &["verify"], &["report"]].map(|command| (command, "flowagg-read"));
    let writing =
        [&["apply", "--yes"][..], &["destroy", "--yes"], &["doctor"]].map(|command| (command, "flowagg"));
    for (command, role) in reading.into_iter().chain(writing) {
        let ran = world.flowagg(command).await.unwrap().exits(1);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        let words = shown.split_whitespace().map(|word| word.trim_end_matches(':'));
        let arns: BTreeSet<&str> = words.filter(|word| word.contains(":role/")).collect();
        let arn = format!("arn:aws:iam::{shop}:role/{role}");
        assert_eq!(arns, BTreeSet::from([arn.as_str()]), "{command:?}: {shown}");
    }
}
