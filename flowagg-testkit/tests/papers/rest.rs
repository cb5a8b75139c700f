//! Stories of the JSON, the report and the pipeline.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use flowagg_policy::Policy;
use flowagg_testkit::world::program;
use serde_json::Value;

use crate::page::{Section, root};
use crate::shell::{Stage, has};

/// The fields of each kind of event, with their types.
fn shape(text: &str) -> BTreeMap<String, BTreeMap<String, &'static str>> {
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let kind = |value: &Value| match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Object(_) => "object",
        _ => "other",
    };
    let fields = |event: &Value| {
        let fields = event.as_object().unwrap().iter();
        fields.map(|(name, value)| (name.clone(), kind(value))).collect()
    };
    events.map(|event| (event["event"].as_str().unwrap_or_default().to_owned(), fields(&event))).collect()
}

pub(crate) async fn events(section: &mut Section) {
    let mut stage = Stage::with(["payments"]).await;
    let block = section.next("json");
    for line in block.text.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{}: {error}", block.place()));
    }
    let [plan, advice] = section.next("sh").of();
    stage.shell.exits(&plan, 0).await;
    assert_eq!(shape(&block.text), shape(&stage.shell.read("events.jsonl")));
    let planned: Value = serde_json::from_str(&stage.shell.read("plan.json")).unwrap();
    assert!(planned["flow-logs"].is_array(), "{planned:#}");
    if has("jq") {
        assert_eq!(stage.shell.exits(&advice, 0).await.stdout, "");
        stage.shell.write("flowagg.toml", "[hub]\nregoin = \"eu-west-1\"\n");
        stage.shell.exits(&plan, 2).await;
        assert_eq!(stage.shell.read("plan.json"), "", "a run that cannot begin writes no document");
        let printed = stage.shell.exits(&advice, 0).await.stdout;
        snapbox::assert_data_eq!(
            printed,
            snapbox::str![[r#"
add the ID of the account that owns the bucket
add the name of the bucket; flowagg creates it if it does not exist
add the region of the bucket, e.g. `region = "eu-west-1"`
add a `[[members]]` table with `account` and `regions` for each account whose VPCs are logged
did you mean `region`?

"#]]
        );
    }
}

pub(crate) async fn plan(section: &mut Section) {
    let mut stage = Stage::with(["payments"]).await;
    let [plan] = section.next("sh").of();
    let printed = stage.shell.exits(&plan, 0).await.stdout;
    if has("jq") {
        let vpcs = ["eu-west-1\tvpc-0123456789abcdef0", "us-east-1\tvpc-0123456789abcdef1"];
        let rows: String = vpcs.iter().map(|vpc| format!("222222222222\t{vpc}\tcreate\n")).collect();
        assert_eq!(printed, rows);
    }
}

pub(crate) async fn verify(section: &mut Section) {
    let mut stage = Stage::applied(["payments"]).await;
    let [verify] = section.next("sh").of();
    let code = if has("jq") { 0 } else { 3 };
    let printed = stage.shell.exits(&verify, code).await.stdout;
    if has("jq") {
        let vpcs = ["eu-west-1\tvpc-0123456789abcdef0", "us-east-1\tvpc-0123456789abcdef1"];
        let rows: String = vpcs.iter().map(|vpc| format!("waiting\t222222222222\t{vpc}\n")).collect();
        assert_eq!(printed, rows);
    }
    stage.deliver().await;
    let printed = stage.shell.exits(&verify, 0).await.stdout;
    assert!(!has("jq") || printed.is_empty(), "{printed}");
}

pub(crate) async fn report(section: &mut Section) {
    let mut stage = Stage::applied(["payments", "shop"]).await;
    stage.deliver().await;
    let [terminal, page, machines, markdown] = section.next("sh").of();
    stage.shell.exits(&terminal, 0).await;
    stage.shell.exits(&page, 0).await;
    let html = stage.shell.read("report.html");
    assert!(html.contains("222222222222") && !html.contains("src=\"http"), "{html}");
    let totals = stage.shell.exits(&machines, 0).await.json();
    let totals = if has("jq") { &totals } else { &totals["totals"] };
    assert_eq!(totals["flow-logs"]["delivering"], 4, "{totals:#}");
    let summary = stage.shell.exits(&markdown, 0).await.stdout;
    assert!(summary.contains("| flow logs | 4 of 4 (100 %) deliver |"), "{summary}");
    let shown = section.next("console");
    stage.shell.shows(&shown, &[0]).await;
}

/// Runs the jobs of the workflow in the order of a merge and the following night. Steps that use foreign actions or need GitHub
/// are omitted; without a pull request the workflow does not call `gh`.
#[tokio::test]
async fn workflow_plans_applies_and_verifies() {
    let mut stage = Stage::with(["payments"]).await;
    stage.world.set_of("payments", "role = \"flowagg\"");
    stage.world.set("fleet", "read-role = \"flowagg-read\"");
    stage.write_fleet();
    let programs = stage.shell.folder.join(".flowagg/bin");
    fs::create_dir_all(&programs).unwrap();
    symlink(fs::canonicalize(program().unwrap()).unwrap(), programs.join("flowagg")).unwrap();
    let workflow = fs::read_to_string(root().join("docs/github-actions.yml")).unwrap();
    let workflow = read_yaml(&workflow);
    for job in ["plan", "apply", "verify"] {
        let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
        for step in steps.iter().filter_map(|step| step["run"].as_str()) {
            if step.contains(" verify") {
                stage.deliver().await;
            }
            let on_github = "set -e; GITHUB_STEP_SUMMARY=summary.md; PULL_REQUEST=";
            stage.shell.also(&format!("{on_github}\n{step}")).await;
        }
        match job {
            "plan" => {
                assert!(stage.shell.read("summary.md").contains("222222222222"));
                assert_eq!(stage.flow_logs("payments").await, 0);
            }
            _ => assert_eq!(stage.flow_logs("payments").await, 2),
        }
    }
}

/// Runs the steps with the action's script and the real program. The tests of xtask run its other scripts.
pub(crate) async fn action(section: &mut Section) {
    let mut stage = Stage::with(["payments"]).await;
    stage.write_fleet();
    let folder = root().join(".github/actions/flowagg");
    let action: Value = read_yaml(&fs::read_to_string(folder.join("action.yml")).unwrap());
    let inputs = &action["inputs"];
    let steps = read_yaml(&section.next("yaml").text);
    for step in steps.as_array().unwrap() {
        let version = inputs["version"]["default"].as_str().unwrap();
        assert_eq!(step["uses"], format!("flowagg/flowagg/.github/actions/flowagg@v{version}"));
        let given = step["with"].as_object().unwrap();
        for name in given.keys() {
            assert!(inputs[name].is_object(), "the action has no input `{name}`");
        }
        let input = |name: &str| given.get(name).unwrap_or(&inputs[name]["default"]).as_str().unwrap();
        let command = input("command");
        if command == "verify" {
            stage.deliver().await;
        }
        let variables = format!(
            "export RUNNER_TEMP=. GITHUB_OUTPUT={command}.txt GITHUB_STEP_SUMMARY={command}.md\n\
             export COMMAND={command} CONFIG={} ARGS='{}'",
            input("config"),
            input("args")
        );
        stage.shell.also(&format!("{variables}\nbash '{}'", folder.join("run.sh").display())).await;
        let summary = stage.shell.read(&format!("{command}.md"));
        assert!(summary.contains("222222222222"), "{command}: {summary}");
        let (code, flow_logs) = if command == "plan" { (3, 0) } else { (0, 2) };
        let output = stage.shell.read(&format!("{command}.txt"));
        assert!(output.starts_with(&format!("exit-code={code}\n")), "{command}: {output}");
        assert_eq!(output.ends_with("changes=true\n"), command == "plan", "{output}");
        assert_eq!(stage.flow_logs("payments").await, flow_logs);
    }
    let rows: Vec<_> =
        fs::read_to_string(root().join("docs/automation.md")).unwrap().lines().map(str::to_owned).collect();
    for name in inputs.as_object().unwrap().keys() {
        assert!(
            rows.iter().any(|row| row.starts_with(&format!("| `{name}` |"))),
            "no row for the input `{name}`"
        );
    }
}

fn read_yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

pub(crate) async fn trust(section: &mut Section) {
    let block = section.next("json");
    let mut policy: Value = serde_json::from_str(&block.text).unwrap();
    // A trust policy has no resource.
    policy["Statement"][0]["Resource"] = "*".into();
    let compiled = Policy::compile(&policy.to_string());
    compiled.unwrap_or_else(|error| panic!("{}: {error}", block.place()));
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Action"], "sts:AssumeRoleWithWebIdentity");
    assert!(statement["Condition"]["StringEquals"].as_object().unwrap().len() == 2, "{statement}");
}
