//! The lifecycle of a fleet at each width, each in its own world.

use aws_sdk_ec2::types::FlowLog;
use flowagg_core::id::{AccountId, Region};
use flowagg_testkit::emulator::Emulator;
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::World;
use jiff::Timestamp;

use crate::paper::Paper;
use crate::terminal::{Run, Width};
use crate::{FAULTY, is_the_capture};

/// A world, and the terminal to show it on.
struct Scene {
    world: World,
    paper: Paper,
    width: Width,
}

impl Scene {
    /// Runs the program, which must exit with this code, and compares its output.
    async fn shows(&mut self, name: &str, words: &str, code: i32) {
        let run = Run::of(&self.world);
        self.compare(name, words, run, code).await;
    }

    async fn compare(&mut self, name: &str, words: &str, run: Run, code: i32) {
        let text = run.flowagg(words, self.width).await.exits(code).text();
        let text = self.paper.on_paper(&text);
        is_the_capture(name, self.width, &format!("$ flowagg {words}\n{}\n", text.trim_end()));
    }

    fn account(&self, name: &str) -> AccountId {
        self.world.accounts()[name].id
    }

    async fn flow_log(&self, account: AccountId, region: &Region) -> FlowLog {
        self.world.flow_logs(account, region).await.unwrap().remove(0)
    }

    async fn delete_flow_log(&self, account: AccountId, region: &Region) {
        let id = self.flow_log(account, region).await.flow_log_id;
        let ec2 = self.world.aws().ec2(account, region);
        ec2.delete_flow_logs().set_flow_log_ids(id.map(|id| vec![id])).send().await.unwrap();
    }

    /// Removes flowagg's tags from a flow log, which makes it foreign.
    async fn disown_flow_log(&self, account: AccountId, region: &Region) {
        let log = self.flow_log(account, region).await;
        let keys = log
            .tags()
            .iter()
            .filter_map(|tag| tag.key())
            .map(|key| aws_sdk_ec2::types::Tag::builder().key(key).build());
        let ec2 = self.world.aws().ec2(account, region);
        let delete = ec2.delete_tags().set_resources(log.flow_log_id.clone().map(|id| vec![id]));
        delete.set_tags(Some(keys.collect())).send().await.unwrap();
    }
}

async fn story(width: Width) {
    let mut world = World::new(Emulator::shared().unwrap()).await.unwrap();
    for name in ["payments-production", "shop"] {
        world.member(name, 1).await.unwrap();
    }
    world.account("till", 1).await.unwrap();
    let paper = Paper::of(&world);
    let mut scene = Scene { world, paper, width };
    let [first, second] = [0, 1].map(|number| scene.world.regions()[number].clone());

    scene.shows("doctor", "doctor", 0).await;
    scene.shows("plan-first", "plan", 0).await;
    scene.shows("apply", "apply --yes", 0).await;
    scene.shows("plan-nothing-to-do", "plan", 0).await;
    scene.shows("verify-waiting", "verify", 3).await;

    let shop = scene.account("shop");
    scene.delete_flow_log(shop, &second).await;
    scene.world.start_instances("payments-production").await.unwrap();
    scene.shows("verify-idle-silent-and-missing", "verify --grace 0s", 3).await;

    // A new five-minute interval may start at any time. Both deliveries use the same moment.
    let moment = Timestamp::now();
    scene.world.deliver(moment).await.unwrap();
    scene.disown_flow_log(shop, &first).await;
    scene.world.leave("payments-production");
    scene.world.join("till");
    scene.world.set("flow-logs", "traffic = \"reject\"\nforeign = \"differs\"");
    scene.shows("plan-changes-and-others", "plan", 0).await;
    scene.shows("report-findings", "report", 3).await;

    let faults = Faults::in_front_of(scene.world.aws().url()).await.unwrap();
    let own = scene.world.environment()[0].1.clone();
    scene.world.send_program_to(faults.url());
    let denied = "You are not authorized to perform this operation.";
    let denied = Answer::error(403, "UnauthorizedOperation", denied);
    faults.on(CallFilter::operation("CreateFlowLogs").in_account(scene.account("till")), denied);
    faults.refuse_roles_of(shop);
    scene.shows("doctor-faults", "doctor", 1).await;
    scene.shows("plan-unreadable", "plan", 1).await;
    scene.world.send_program_to(&own);

    scene.shows("apply-changes", "apply --yes --prune", 3).await;
    scene.world.deliver(moment).await.unwrap();
    scene.shows("verify", "verify", 0).await;
    scene.shows("report", "report", 0).await;

    let run = Run::of(&scene.world);
    std::fs::write(scene.world.fleet_path(), FAULTY).unwrap();
    scene.compare("faulty-fleet-file", "plan", run, 2).await;
}

#[tokio::test]
async fn fleet_lifecycle_matches_captures_in_80_columns() {
    story(Width::Columns(80)).await;
}

#[tokio::test]
async fn fleet_lifecycle_matches_captures_in_200_columns() {
    story(Width::Columns(200)).await;
}

#[tokio::test]
async fn fleet_lifecycle_matches_captures_when_piped() {
    story(Width::Piped).await;
}
