//! A large rollout that is killed at random calls, and the next run.

use aws_sdk_ec2::types::FlowLog;
use flowagg_core::id::{AccountId, Region, ResourceId};
use flowagg_testkit::faults::{Answer, CallFilter, Faults, Freeze};
use flowagg_testkit::world::World;
use futures::future::join_all;

use crate::{apply, deliver, delivers, world};

const MEMBERS: usize = 10;
/// Number of VPCs in each of two regions.
const VPCS: usize = 10;
const KILLS: usize = 20;
const SEED: u64 = 27;

/// Formatted unlike flowagg's own statements.
const READERS: &str = r#"{ "Sid":"Readers", "Effect" : "Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},
      "Action":["s3:GetObject" ], "Resource": "arn:aws:s3:::BUCKET/*" }"#;

/// SplitMix64, with the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % limit as u64) as usize
    }
}

/// All flow logs by account and region.
async fn flow_logs(world: &World) -> Vec<(AccountId, Region, Vec<FlowLog>)> {
    let places = world
        .accounts()
        .values()
        .flat_map(|account| account.vpcs.keys().map(|region| (account.id, region.clone())));
    let logs = places.map(async |(account, region)| {
        let logs = world.flow_logs(account, &region).await.unwrap();
        (account, region, logs)
    });
    join_all(logs).await
}

/// The VPC of every flow log, sorted.
fn logged(logs: &[(AccountId, Region, Vec<FlowLog>)]) -> Vec<&str> {
    let logs = logs.iter().flat_map(|(_, _, logs)| logs);
    let mut vpcs: Vec<&str> = logs.filter_map(FlowLog::resource_id).collect();
    vpcs.sort();
    vpcs
}

/// Every VPC once, sorted.
fn vpcs(world: &World) -> Vec<&str> {
    let vpcs = world.accounts().values().flat_map(|account| account.vpcs.values().flatten());
    let mut vpcs: Vec<&str> = vpcs.map(ResourceId::as_str).collect();
    vpcs.sort();
    vpcs
}

/// Deletes every flow log, and restores the policy.
async fn restore(world: &World, logs: Vec<(AccountId, Region, Vec<FlowLog>)>, policy: &str) {
    let deletions = logs.into_iter().map(async |(account, region, logs)| {
        let ids: Vec<String> = logs.into_iter().filter_map(|log| log.flow_log_id).collect();
        if !ids.is_empty() {
            let ec2 = world.aws().ec2(account, &region);
            ec2.delete_flow_logs().set_flow_log_ids(Some(ids)).send().await.unwrap();
        }
    });
    join_all(deletions).await;
    world.put_policy(policy).await.unwrap();
}

/// Creates the bucket with a foreign statement in its policy. Returns the statement and the policy.
async fn bucket_of_others(world: &World) -> (String, String) {
    let policy = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{READERS}]}}");
    let policy = world.bucket_of_others(&policy).await.unwrap();
    (READERS.replace("BUCKET", world.bucket().as_str()), policy)
}

/// Kills a run at the call after `moment` others, before or after that call is executed. Later calls are not executed.
async fn kill(
    world: &World,
    faults: &Faults,
    calls: CallFilter,
    moment: usize,
    freeze: Freeze,
    verb: &str,
) -> bool {
    faults.on(calls.clone().after(moment).first(1), Answer::Frozen(freeze));
    faults.on(calls.after(moment), Answer::Frozen(Freeze::Before));
    let killed = tokio::select! {
        ran = world.flowagg([verb, "--yes"]) => {
            ran.unwrap().exits(0);
            false
        }
        () = faults.froze() => true,
    };
    faults.quiet().await.unwrap();
    faults.lift();
    killed
}

#[tokio::test]
async fn killed_roll_out_of_200_flow_logs_is_completed_by_the_next_run() {
    let mut world = world([]).await;
    for number in 0..MEMBERS {
        world.member(&format!("member-{number}"), VPCS).await.unwrap();
    }
    world.set("hub", crate::FOREVER);
    let (foreign, before) = bucket_of_others(&world).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());

    // The first run configures the bucket. The second one makes the same calls as the runs that are killed.
    apply(&world).await;
    restore(&world, flow_logs(&world).await, &before).await;
    let so_far = faults.calls().len();
    apply(&world).await;
    let calls = faults.calls().len() - so_far;
    restore(&world, flow_logs(&world).await, &before).await;

    let all = vpcs(&world);
    assert_eq!(all.len(), MEMBERS * VPCS * 2);
    let mut random = Random(SEED);
    for round in 0..KILLS {
        let moment = random.below(calls);
        let freeze = [Freeze::Before, Freeze::After][random.below(2)];
        let told = format!("round {round}, killed at call {moment} of {calls}, {freeze:?} its execution");
        assert!(kill(&world, &faults, CallFilter::any(), moment, freeze, "apply").await, "{told}");
        assert!(world.policy().await.unwrap().unwrap().contains(&foreign), "{told}");

        let ran = world.flowagg(["apply", "--yes"]).await.unwrap();
        assert_eq!(ran.code, Some(0), "{told}: {ran}");
        let logs = flow_logs(&world).await;
        assert_eq!(logged(&logs), all, "{told}");
        let policy = world.policy().await.unwrap().unwrap();
        assert!(policy.contains(&foreign), "{told}: {policy}");
        for account in world.accounts().values() {
            assert!(policy.contains(&account.id.to_string()), "{told}: {policy}");
        }
        let ran = world.flowagg(["plan", "--exit-code"]).await.unwrap();
        assert_eq!(ran.code, Some(0), "{told}: {ran}");
        if round + 1 == KILLS {
            assert_eq!(delivers(&world).await.len(), all.len());
        }
        restore(&world, logs, &before).await;
    }
}

#[tokio::test]
async fn killed_destroy_keeps_the_grant_until_all_flow_logs_are_deleted() {
    for freeze in [Freeze::Before, Freeze::After] {
        let mut world = world(["shop"]).await;
        world.set("hub", crate::FOREVER);
        let (_, before) = bucket_of_others(&world).await;
        apply(&world).await;
        let granted = world.policy().await.unwrap();
        let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
        world.send_program_to(faults.url());

        let mut kills = 0;
        while kill(&world, &faults, CallFilter::writes(), kills, freeze, "destroy").await {
            kills += 1;
            assert!(kills < 10, "no run completed: {:?}", faults.writes());
            if !logged(&flow_logs(&world).await).is_empty() {
                assert_eq!(world.policy().await.unwrap(), granted, "killed at write {kills}");
            }
        }
        assert!(kills >= 2, "{:?}", faults.writes());
        assert_eq!(logged(&flow_logs(&world).await), Vec::<&str>::new());
        assert_eq!(world.policy().await.unwrap(), Some(before));
        assert_eq!(deliver(&world).await, []);
    }
}
