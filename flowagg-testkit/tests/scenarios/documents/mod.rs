//! Every document that `--json` prints, and every event, conforms to its schema in `flowagg schema`: during a fleet's
//! lifecycle, and in case of errors.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;

use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::World;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{READERS, deliver, world};

/// The fields with values that programs branch on. The tests below cover all of their values.
const WORDS: [&str; 6] = ["change", "do", "state", "health", "decision", "event"];

/// The schemas and the values of these fields in the documents so far.
#[derive(Default)]
struct Seen {
    schemas: Mutex<BTreeMap<String, Value>>,
    words: Mutex<BTreeSet<(String, String)>>,
}

impl Seen {
    /// The schema of a document.
    async fn schema(&self, world: &World, name: &str) -> Value {
        if let Some(known) = self.schemas.lock().unwrap().get(name) {
            return known.clone();
        }
        let schema = world.flowagg(["schema", name]).await.unwrap().exits(0).json();
        self.schemas.lock().unwrap().insert(name.to_owned(), schema.clone());
        schema
    }

    /// Runs the program with `--json`. Checks the document, or each line if it writes lines, against the schema with
    /// this name, and the events against theirs.
    async fn run(&self, world: &World, name: &str, args: &[&str], code: i32) -> Vec<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let ran = world.flowagg(&args).await.unwrap().exits(code);
        let documents = serde_json::Deserializer::from_str(&ran.stdout).into_iter::<Value>();
        let documents: Vec<Value> = documents.map(|document| document.unwrap()).collect();
        let events = ran.stderr.lines().map(|line| {
            serde_json::from_str(line).unwrap_or_else(|_| panic!("`{line}` is not an event: {ran}"))
        });
        let events: Vec<Value> = events.collect();
        for (name, values) in [(name, &documents), ("events", &events)] {
            let schema = self.schema(world, name).await;
            for value in values {
                assert_eq!(check::wrong(&schema, value), Vec::<String>::new(), "{ran}");
                self.note(value);
                is_kept(&schema, value);
            }
        }
        if documents.is_empty() { events } else { documents }
    }

    fn note(&self, value: &Value) {
        for (name, field) in value.as_object().into_iter().flatten() {
            if let (true, Some(word)) = (WORDS.contains(&name.as_str()), field.as_str()) {
                self.words.lock().unwrap().insert((name.clone(), word.to_owned()));
            }
            self.note(field);
        }
        value.as_array().into_iter().flatten().for_each(|value| self.note(value));
    }

    /// The values of a field in the documents so far.
    fn words(&self, field: &str) -> Vec<String> {
        let words = self.words.lock().unwrap();
        words.iter().filter(|(name, _)| name == field).map(|(_, word)| word.clone()).collect()
    }
}

/// If the variable names a folder, stores the value there for another validator, under the name of its schema.
fn is_kept(schema: &Value, value: &Value) {
    if let Some(folder) = std::env::var_os("FLOWAGG_KEEP_DOCUMENTS") {
        let prefix = schema["$id"].as_str().unwrap().rsplit('/').next().unwrap().replace("json", "");
        let file = tempfile::Builder::new().prefix(&prefix).suffix(".json").tempfile_in(folder).unwrap();
        fs::write(file.path(), value.to_string()).unwrap();
        file.keep().unwrap();
    }
}

const UNSIGNED: &str = r#"{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/*"}"#;

fn policy(statement: &str) -> String {
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}")
}

/// Someone has created the bucket and weakened its settings.
async fn opened(world: &World) {
    world.bucket_of_others(&policy(READERS)).await.unwrap();
    let rule =
        OwnershipControlsRule::builder().object_ownership(ObjectOwnership::ObjectWriter).build().unwrap();
    let controls = OwnershipControls::builder().rules(rule).build().unwrap();
    let put = world.s3().put_bucket_ownership_controls().bucket(world.bucket().as_str());
    put.ownership_controls(controls).send().await.unwrap();
    world.s3().delete_public_access_block().bucket(world.bucket().as_str()).send().await.unwrap();
    world.s3().delete_bucket_encryption().bucket(world.bucket().as_str()).send().await.unwrap();
}

#[tokio::test]
async fn documents_of_a_fleets_lifecycle_conform_to_their_schemas() {
    let seen = Seen::default();
    let mut world = world(["shop"]).await;
    let run = async |world: &World, name, args: &[&str], code| seen.run(world, name, args, code).await;
    run(&world, "plan", &["plan"], 0).await;
    run(&world, "doctor", &["doctor"], 0).await;
    run(&world, "report", &["report"], 3).await;
    run(&world, "verify", &["verify"], 1).await;
    run(&world, "destroy", &["destroy", "--yes"], 0).await;

    opened(&world).await;
    let kms = world.encrypt().await.unwrap();
    world.set("hub", "transition = { days = 30, storage-class = \"GLACIER_IR\" }");
    world.set("hub", "retention-days = 400");
    run(&world, "apply", &["apply", "--yes"], 1).await;
    world.allow_delivery_on_key(&kms).await.unwrap();
    run(&world, "plan", &["plan"], 0).await;
    run(&world, "apply", &["apply", "--yes", "--allow-expiry"], 0).await;
    run(&world, "verify", &["verify"], 3).await;
    run(&world, "verify", &["verify", "--grace", "0s"], 0).await;
    deliver(&world).await;
    run(&world, "verify", &["verify"], 0).await;
    run(&world, "report", &["report"], 0).await;

    world.set("hub", "noncurrent-days = 10");
    world.set("flow-logs", "tags = { team = \"network\" }");
    run(&world, "plan", &["plan"], 0).await;
    run(&world, "apply", &["apply", "--yes"], 0).await;
    world.set("flow-logs", "traffic = \"reject\"");
    world.member("bank", 1).await.unwrap();
    world.log_by_hand("bank").await.unwrap();
    world.set("flow-logs", "foreign = \"differs\"");
    run(&world, "plan", &["plan"], 0).await;
    run(&world, "apply", &["apply", "--yes"], 3).await;
    deliver(&world).await;
    world.leave("bank");
    run(&world, "verify", &["verify"], 0).await;
    world.set_of("shop", "vpcs = { tags = { no = \"such\" } }");
    run(&world, "plan", &["plan", "--prune"], 0).await;
    run(&world, "report", &["report"], 0).await;
    run(&world, "destroy", &["destroy", "--yes"], 0).await;

    assert_eq!(seen.words("do"), ["create", "delete", "replace", "tag"]);
    let changes = [
        "block-public-access",
        "create-bucket",
        "encrypt",
        "enforce-bucket-owner",
        "put-policy",
        "remove-grant",
        "remove-lifecycle",
        "set-lifecycle",
    ];
    assert_eq!(seen.words("change"), changes);
    assert_eq!(seen.words("event"), ["calls", "failure", "step"]);
}

#[tokio::test]
async fn documents_and_events_conform_to_their_schemas_on_errors() {
    let seen = Seen::default();
    let mut world = world(["shop", "bank"]).await;
    let (shop, bank) = (world.accounts()["shop"].id, world.accounts()["bank"].id);
    let run = async |world: &World, name, args: &[&str], code| seen.run(world, name, args, code).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());

    faults.refuse_roles_of(bank);
    run(&world, "doctor", &["doctor"], 1).await;
    run(&world, "plan", &["plan"], 1).await;
    run(&world, "apply", &["apply", "--yes"], 1).await;
    run(&world, "verify", &["verify"], 1).await;
    run(&world, "report", &["report"], 1).await;
    faults.lift();
    run(&world, "apply", &["apply", "--yes", "-v"], 0).await;

    // The policy has lint findings, nothing is delivered, and a flow log is missing.
    let live = world.policy().await.unwrap().unwrap();
    world
        .put_policy(&policy(
            &READERS
                .replace("\"AWS\":\"arn:aws:iam::999988887777:root\"", "\"AWS\":\"*\"")
                .replace("BUCKET", world.bucket().as_str()),
        ))
        .await
        .unwrap();
    deliver(&world).await;
    run(&world, "verify", &["verify"], 3).await;
    run(&world, "doctor", &["doctor"], 0).await;
    world.put_policy(&live).await.unwrap();
    let logs = world.flow_logs(shop, world.hub_region()).await.unwrap();
    let gone = world.aws().ec2(shop, world.hub_region()).delete_flow_logs();
    gone.set_flow_log_ids(logs.into_iter().map(|log| log.flow_log_id).collect()).send().await.unwrap();
    deliver(&world).await;
    run(&world, "verify", &["verify"], 3).await;
    let stale = ["verify", "--fresh", "0s", "--grace", "0s"];
    world.start_instances("shop").await.unwrap();
    run(&world, "verify", &stale, 3).await;
    let denied = Answer::error(403, "UnauthorizedOperation", "You are not authorized.");
    faults.on(CallFilter::operation("DescribeNetworkInterfaces").in_account(shop), denied);
    run(&world, "verify", &stale, 1).await;
    // A report has a precision of seconds; an object of the same second has no age.
    let second = Timestamp::now().as_second();
    while Timestamp::now().as_second() == second {
        tokio::task::yield_now().await;
    }
    run(&world, "report", &["report", "--fresh", "0s", "--grace", "0s"], 1).await;
    let denied =
        Answer::error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    faults.on(CallFilter::operation("CreateFlowLogs"), denied);
    run(&world, "apply", &["apply", "--yes", "--max-failures", "1"], 1).await;
    run(&world, "destroy", &["destroy", "--yes", "--only", &bank.to_string()], 0).await;

    // An error that prevents a run, or stops it, is reported as an event.
    let denied = || Answer::error(403, "AccessDenied", "Access Denied");
    faults.on(CallFilter::operation("HeadBucket"), denied());
    run(&world, "plan", &["plan"], 1).await;
    run(&world, "apply", &["apply", "--yes"], 1).await;
    faults.lift();
    faults.on(
        CallFilter::operation("GetCallerIdentity"),
        Answer::error(403, "ExpiredToken", "The token is expired"),
    );
    for (name, args) in
        [("plan", vec!["plan"]), ("apply", vec!["apply", "--yes"]), ("verify", vec!["verify"])]
    {
        let events = run(&world, name, &args, 1).await;
        assert_eq!(events.last().unwrap()["event"], "failure", "{events:?}");
    }
    world.set("hub", "no-such-key = 1");
    let events = run(&world, "report", &["report"], 2).await;
    assert_eq!((&events[0]["event"], events[0]["line"].as_u64()), (&json!("error"), Some(5)), "{events:?}");

    let states = ["delivering", "failing", "idle", "missing", "silent", "unknown", "waiting"];
    assert_eq!(seen.words("state"), states);
    assert_eq!(seen.words("health"), ["bad", "doubtful", "good", "unknown"]);
    assert_eq!(seen.words("event"), ["calls", "error", "failure", "step", "trace"]);
}

#[tokio::test]
async fn documents_of_offline_commands_conform_to_their_schemas() {
    let seen = Seen::default();
    let mut world = world(["shop"]).await;
    let run = async |world: &World, name, args: &[&str], code| seen.run(world, name, args, code).await;
    let shop = world.accounts()["shop"].id.to_string();
    let file = |name: &str, text: String| {
        let path = world.fleet_path().with_file_name(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let live = &file("live.json", policy(READERS).replace("BUCKET", world.bucket().as_str()));
    let open = &file("open.json", policy(UNSIGNED).replace("BUCKET", world.bucket().as_str()));
    let request = |action: &str| {
        let resource = format!("arn:aws:s3:::{}/x", world.bucket());
        json!({"principal": "arn:aws:iam::999988887777:root", "action": action, "resource": resource})
            .to_string()
    };
    let requests =
        &file("requests.jsonl", format!("{}\n{}\n", request("s3:GetObject"), request("s3:PutObject")));

    let built = run(&world, "policy-build", &["policy", "build"], 0).await;
    let built = &file("built.json", built[0]["policy"].as_str().unwrap().to_owned());
    run(&world, "policy-merge", &["policy", "merge", "--policy", live], 0).await;
    run(&world, "policy-merge", &["policy", "merge", "--policy", built], 0).await;
    run(&world, "policy-diff", &["policy", "diff", built, built], 0).await;
    run(&world, "policy-diff", &["policy", "diff", built, open], 0).await;
    run(&world, "policy-diff", &["policy", "diff", live, open, "--exit-code"], 3).await;
    run(&world, "policy-check", &["policy", "check", "--policy", built, "--severity", "warning"], 0).await;
    run(&world, "policy-check", &["policy", "check", "--policy", open], 3).await;
    let answers =
        run(&world, "policy-simulate", &["policy", "simulate", "--policy", live, "--requests", requests], 3)
            .await;
    assert_eq!(answers.len(), 2);
    let ask = ["policy", "simulate", "--account", &shop, "--policy"];
    run(&world, "policy-simulate", &[&ask[..], &[built]].concat(), 0).await;
    let bucket = ["--bucket", world.bucket().as_str()];
    run(&world, "policy-simulate", &[&ask[..], &[live], &bucket[..]].concat(), 3).await;
    let denying = &file("denying.json", fs::read_to_string(open).unwrap().replace("Allow", "Deny"));
    run(&world, "policy-simulate", &[&ask[..], &[denying]].concat(), 3).await;
    run(&world, "policy-size", &["policy", "size"], 0).await;
    run(&world, "policy-size", &["policy", "size", "--policy", live], 0).await;
    run(&world, "permissions", &["permissions"], 0).await;
    world.encrypt().await.unwrap();
    let organization = world.organization().to_string();
    world.set(
        "organization",
        &format!("id = \"{organization}\"\nregions = [\"all\"]\nlookup = {{ account = \"{shop}\", role = \"reader\" }}"),
    );
    run(&world, "permissions", &["permissions"], 0).await;

    assert_eq!(seen.words("decision"), ["Allow", "ExplicitDeny", "ImplicitDeny"]);
    assert_eq!(seen.words("event"), ["notice"]);
}

/// The check detects documents of other versions or programs.
#[tokio::test]
async fn schema_check_rejects_missing_fields_wrong_types_and_unknown_values() {
    let seen = Seen::default();
    let world = world(["shop"]).await;
    let mut documents = BTreeMap::new();
    for (name, args, code) in [
        ("plan", vec!["plan"], 0),
        ("apply", vec!["apply", "--yes"], 0),
        ("verify", vec!["verify"], 3),
        ("report", vec!["report"], 3),
        ("policy-build", vec!["policy", "build"], 0),
    ] {
        documents.insert(name, seen.run(&world, name, &args, code).await.remove(0));
    }
    documents.insert(
        "events",
        json!({"schema": 1, "event": "step", "what": "reading", "done": 1, "total": 2, "at": "hub"}),
    );
    // Without a value, the field is removed.
    let spoiled = [
        ("plan", "/schema", Some(json!(2))),
        ("plan", "/schema", None),
        ("plan", "/hub/0/change", Some(json!("paint-bucket"))),
        ("plan", "/hub/0/region", None),
        ("plan", "/flow-logs/0/account", Some(json!(111_122_223_333_u64))),
        ("plan", "/flow-logs/0/account", Some(json!("11112222333"))),
        ("plan", "/flow-logs/0/step/do", None),
        ("plan", "/notes", Some(json!("a note"))),
        ("apply", "/plan/failures", None),
        ("apply", "/applied/done/0", Some(json!(1))),
        ("apply", "/calls/reading/DescribeVpcs", Some(json!("twice"))),
        ("apply", "/remaining", Some(json!("nothing"))),
        ("verify", "/flow-logs/0/state", Some(json!("dancing"))),
        ("verify", "/flow-logs/0/age-seconds", Some(json!("old"))),
        ("verify", "/flow-logs/0/message", None),
        ("report", "/made", Some(json!("today"))),
        ("report", "/days/0", Some(json!("2026-13-01"))),
        ("report", "/totals/account-regions/idle", None),
        ("report", "/accounts/0/objects", Some(json!(-1))),
        ("policy-build", "/form", Some(json!("auto"))),
        ("policy-build", "/granted/1", Some(documents["policy-build"]["granted"][0].clone())),
        ("events", "/event", Some(json!("party"))),
        ("events", "/done", None),
        ("events", "/what", Some(json!("waiting for the bus"))),
    ];
    for (name, pointer, value) in spoiled {
        let mut document = documents[name].clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match (document.pointer_mut(parent).unwrap(), value) {
            (Value::Object(fields), Some(value)) => {
                assert!(fields.insert(field.to_owned(), value).is_some(), "{pointer}")
            }
            (Value::Object(fields), None) => assert!(fields.remove(field).is_some(), "{pointer}"),
            (Value::Array(items), Some(value)) => {
                items.truncate(field.parse().unwrap());
                items.push(value);
            }
            other => panic!("{pointer}: {other:?}"),
        }
        let schema = seen.schema(&world, name).await;
        assert_ne!(check::wrong(&schema, &document), Vec::<String>::new(), "{name}{pointer}");
    }
    // Fields that a later version adds are allowed.
    for (name, document) in &mut documents {
        document["no-such-field"] = json!(true);
        assert_eq!(check::wrong(&seen.schema(&world, name).await, document), Vec::<String>::new(), "{name}");
    }
}
