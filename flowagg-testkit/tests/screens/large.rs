//! An organization of 300 accounts in four regions: the output of every command stays readable in 80 columns.

use flowagg_core::id::Place;
use flowagg_testkit::simulation::{self, Shape, Simulation, SimulationServer};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::is_the_capture;
use crate::paper::Paper;
use crate::terminal::{Run, Width};

const WIDTH: Width = Width::Columns(80);
/// Number of rows of a terminal.
const SCREEN: usize = 50;

struct Scene {
    run: Run,
    paper: Paper,
    _folder: TempDir,
}

impl Scene {
    fn of(server: &SimulationServer, shape: &Shape) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::offline(folder.path(), &shape.fleet_file());
        for (variable, value) in server.environment() {
            run = run.with(variable, &value);
        }
        Self { run, paper: Paper::default(), _folder: folder }
    }

    /// Runs the program, which must exit with this code, and compares its screen with the capture, which starts with
    /// the number of lines. Returns that number.
    async fn shows(&mut self, name: &str, words: &str, code: i32) -> usize {
        let text = self.run.flowagg(words, WIDTH).await.exits(code).text();
        let lines = text.trim_end().lines().count();
        let text = self.paper.on_paper(&text);
        let text = format!("{lines} lines\n$ flowagg {words}\n{}\n", text.trim_end());
        is_the_capture(&format!("large/{name}"), WIDTH, &text);
        lines
    }
}

fn place(simulation: &Simulation, account: usize, region: usize) -> Place {
    simulation::place(&simulation.accounts()[account], region).unwrap()
}

/// Simulates a month: roles and calls are denied; flow logs are deleted, fail, deliver nothing or belong to someone
/// else; VPCs and accounts are added.
fn a_month_passes(simulation: &mut Simulation, now: Timestamp) {
    simulation.age_flow_logs(now - SignedDuration::from_hours(30 * 24));
    // The default VPC has the first flow log of an account-region, and the VPC in use has the second one.
    for account in 60..62 {
        let id = simulation.flow_logs(&place(simulation, account, 0)).remove(1);
        simulation.mute_flow_log(&id);
    }
    for account in 50..55 {
        let place = place(simulation, account, 1);
        let id = simulation.flow_logs(&place).remove(1);
        simulation.fail_flow_log(&place, &id, "Access error");
    }
    simulation.deliver(now - SignedDuration::from_hours(24), 3_000_000);
    simulation.deliver(now - SignedDuration::from_mins(5), 691);
    for account in 30..42 {
        let place = place(simulation, account, 0);
        let id = simulation.flow_logs(&place).remove(1);
        simulation.delete_flow_log(&place, &id);
    }
    for account in 70..77 {
        let place = place(simulation, account, 2);
        let id = simulation.flow_logs(&place).remove(1);
        let stack = [("aws:cloudformation:stack-name", "network-baseline")];
        simulation.tag_flow_log(&place, &id, &stack);
    }
    for account in 80..100 {
        let place = place(simulation, account, 3);
        let id = simulation.flow_logs(&place).remove(1);
        let stack = [("aws:cloudformation:stack-name", "security-monitoring")];
        simulation.log_to_cloudwatch(&place, &id, "/security/vpc-flow-logs", &stack);
    }
    for account in 110..115 {
        simulation.create_vpc(&place(simulation, account, 2), "analytics");
    }
    for account in [7, 151, 203] {
        simulation.deny_role(place(simulation, account, 0).account);
    }
    for account in [20, 21] {
        simulation.deny(&place(simulation, account, 3), "DescribeFlowLogs");
    }
    for _ in 0..5 {
        simulation.join();
    }
}

#[tokio::test]
async fn output_for_300_accounts_stays_within_a_few_screens() {
    let mut shape = Shape::new(300, 4);
    shape.default_vpcs = true;
    shape.units = true;
    let server = SimulationServer::start(shape.clone()).unwrap();
    let mut scene = Scene::of(&server, &shape);

    for (name, words, code, screens) in [("plan-first", "plan", 0, 1), ("apply", "apply --yes", 0, 1)] {
        assert!(scene.shows(name, words, code).await <= screens * SCREEN, "{name}");
    }
    a_month_passes(&mut server.simulation(), Timestamp::now());
    let json = scene.run.flowagg("plan --json", Width::Piped).await.exits(1).text();
    assert!(json.contains(r#""event":"step","what":"counting""#), "no step of the cost estimate: {json}");
    for (name, words, code, screens) in [
        ("plan", "plan", 1, 2),
        ("verify", "verify", 1, 2),
        ("report", "report", 1, 3),
        ("doctor", "doctor", 1, 1),
        ("plan-only", "plan --only payments-030", 0, 1),
        ("policy-size", "policy size", 0, 1),
        ("permissions", "permissions", 0, 3),
        ("apply-changes", "apply --yes", 1, 2),
        ("destroy", "destroy --yes", 1, 2),
    ] {
        assert!(scene.shows(name, words, code).await <= screens * SCREEN, "{name}");
    }
}
