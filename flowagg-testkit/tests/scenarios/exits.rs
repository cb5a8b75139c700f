//! Every command with every outcome: the exit code, and the last line, which must agree with it. The commands come from
//! the program's help, so a new command without a row fails.

use std::collections::BTreeSet;
use std::path::Path;

use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::{Ran, World};
use snapbox::{assert_data_eq, str};

use crate::{deliver, on_paper, world};

/// The commands that were run, and their results.
#[derive(Default)]
struct Table {
    rows: Vec<(String, Ran)>,
}

impl Table {
    /// Runs a command. `DIR` is replaced by a folder of the test.
    async fn run(&mut self, world: &World, folder: &Path, words: &str) {
        let args = words.split(' ').map(|word| word.replace("DIR", &folder.display().to_string()));
        let ran = world.flowagg(args).await.unwrap();
        self.rows.push((words.to_owned(), ran));
    }

    /// A line for each run: the code, the command, and the last line for people.
    fn text(&self, world: &World, folder: &Path) -> String {
        let lines = self.rows.iter().map(|(words, ran)| {
            let folder = folder.display().to_string();
            // The text of errors is compared elsewhere, and may depend on the system.
            let last = if last_line(ran).starts_with("error: ") { "error" } else { last_line(ran) };
            let last = last.replace(&folder, "DIR");
            format!("{} flowagg {words} | {last}", ran.code.unwrap_or(-1))
        });
        on_paper(world, &lines.collect::<Vec<_>>().join("\n"))
    }
}

/// The last line for people, excluding the next step. It is on standard error if there is any, because that is written
/// last. For an error with advice below it, its first line.
fn last_line(ran: &Ran) -> &str {
    let eligible =
        |text: &'_ str| text.lines().any(|line| !line.trim().is_empty() && !line.starts_with("next: "));
    let text = if eligible(&ran.stderr) { &ran.stderr } else { &ran.stdout };
    let line = text.lines().rfind(|line| !line.trim().is_empty() && !line.starts_with("next: "));
    let line = line.unwrap_or_default();
    let is_advice = line.starts_with("       ") || line.starts_with("For more information");
    let error = text.lines().rfind(|line| line.starts_with("error: ")).filter(|_| is_advice);
    error.unwrap_or(line)
}

/// The exit codes that agree with a last line.
fn agreeing(line: &str) -> &'static [i32] {
    const FINDINGS: [&str; 4] = ["not all deliveries", "not every", " findings in ", "1 finding in "];
    let share = line.split_once(" of ").and_then(|(allowed, rest)| Some((allowed, rest.split_once(' ')?.0)));
    match line {
        line if line.starts_with("ok: ") => &[0],
        line if line.starts_with("error: ") => &[1, 2],
        line if line.contains("could not be read") || line.contains("not everything could be read") => &[1],
        line if line.contains(" failed") => &[1],
        "plan: no changes can be made until the errors are fixed" => &[1],
        "plan: nothing to do" => &[0],
        // Only with `--exit-code` are differences findings.
        line if line.starts_with("plan: ") => &[0, 3],
        line if FINDINGS.iter().any(|finding| line.contains(finding)) => &[3],
        line if line.starts_with("import: ") => &[1],
        line if line.ends_with(" may deliver") || line.ends_with(" are allowed") => match share {
            Some((allowed, all)) if allowed == all => &[0],
            _ => &[3],
        },
        line if line.starts_with("+ statement") => &[0, 3],
        _ => &[0],
    }
}

/// The commands that the help lists, with the commands above them.
async fn commands(world: &World, above: Vec<String>) -> BTreeSet<String> {
    let mut open = vec![above];
    let mut found = BTreeSet::new();
    while let Some(above) = open.pop() {
        let help =
            world.flowagg(above.iter().map(String::as_str).chain(["--help"])).await.unwrap().exits(0).stdout;
        let list =
            help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names: Vec<&str> = names.filter_map(|line| line.split_whitespace().next()).collect();
        if names.is_empty() {
            found.insert(above.join(" "));
        }
        for name in names.into_iter().filter(|name| *name != "help") {
            open.push([above.as_slice(), &[name.to_owned()]].concat());
        }
    }
    found
}

#[tokio::test]
async fn last_line_of_every_command_agrees_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut table = Table::default();
    let mut world = world(["shop", "bank"]).await;
    let shop = world.accounts()["shop"].id.to_string();
    let policy = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let bucket = world.bucket().to_string();
    policy("empty.json", "{\"Version\":\"2012-10-17\",\"Statement\":[]}");
    policy(
        "faulty.json",
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\"}]}",
    );
    policy(
        "deny.json",
        &format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"No\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:PutObject\",\
             \"Resource\":\"arn:aws:s3:::{bucket}/*\"}}]}}"
        ),
    );
    policy("no.json", "no policy");
    policy(
        "requests.jsonl",
        "{\"principal\":\"arn:aws:iam::111122223333:root\",\"action\":\"s3:GetObject\",\"resource\":\"arn:aws:s3:::x/y\",\"context\":{},\"unknown\":[]}\n",
    );

    // Before the first run.
    for words in [
        "doctor",
        "plan",
        "plan --exit-code",
        "plan --only 999988887777",
        "verify",
        "report",
        "permissions",
        "apply",
        "apply --yes",
        "doctor",
        "plan --exit-code",
        "verify",
        "verify --grace 0s",
        "report",
        "verify --only 999988887777",
        "report --only 999988887777",
        "apply --yes --only 999988887777",
        "destroy --yes --only 999988887777",
        "doctor --only 999988887777",
        "report --html DIR/none/report.html",
        "report --html DIR/report.html",
        "export cloudformation --hub --out DIR/cfn",
        "export cloudformation --hub --format json --out DIR/cfn/hub.yaml",
        "export iam --out DIR/iam",
        "export terraform --out DIR/tf",
        "export athena --out DIR/athena",
        "export terraform --only 999988887777",
        "query top --engine athena --print",
        "query no-such --engine athena",
        "query top --engine athena",
        "query top --engine athena --explain",
        "query top --engine athena --yes",
        "query no-such",
        "query DESCRIBE\tvpc_flow_logs --limit 1 --format csv",
        "query SELECT\t*\tFROM\tvpc_flow_logs --from 7d --explain",
        "policy build",
        "policy merge --policy DIR/empty.json",
        "policy merge --policy DIR/deny.json",
        "policy merge --policy DIR/no.json",
        "policy diff DIR/empty.json DIR/empty.json",
        "policy diff --exit-code DIR/empty.json DIR/deny.json",
        "policy diff DIR/empty.json DIR/no.json",
        "policy check --policy DIR/empty.json",
        "policy check --policy DIR/faulty.json",
        "policy check --policy DIR/none.json",
        "policy simulate --policy DIR/empty.json",
        "policy simulate --policy DIR/none.json",
        "policy simulate --policy DIR/empty.json --requests DIR/requests.jsonl",
        "policy size",
        "policy size --policy DIR/no.json",
        "schema",
        "schema no-such",
        "completions bash",
        "completions no-such",
        "man --out DIR/man",
        "man --out DIR/empty.json/man",
        "init --offline --bucket acme",
        "init --offline --hub-account 111122223333 --region eu-west-1 --bucket acme --account 111122223333",
        "init --offline --hub-account 111122223333 --region eu-west-1 --bucket acme --account 111122223333 --force",
        "no-such",
    ] {
        table.run(&world, folder, words).await;
    }
    policy("good.json", &world.flowagg(["policy", "build"]).await.unwrap().exits(0).stdout);
    for words in
        ["policy check --policy DIR/good.json --severity warning", "policy simulate --policy DIR/good.json"]
    {
        table.run(&world, folder, words).await;
    }
    world.start_instances("shop").await.unwrap();
    table.run(&world, folder, "verify --grace 0s").await;
    table.run(&world, folder, "report --grace 0s").await;
    deliver(&world).await;
    for words in ["verify", "verify --wait 30m", "report", "report --html DIR/report.html"] {
        table.run(&world, folder, words).await;
    }
    table.run(&world, folder, &format!("import --bucket {bucket} --account {shop}")).await;
    table.run(&world, folder, "import --bucket no-such-bucket-anywhere").await;
    table.run(&world, folder, "import").await;

    // Something cannot be read or changed.
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    let own = world.environment()[0].1.clone();
    world.send_program_to(faults.url());
    faults.refuse_roles_of(world.accounts()["shop"].id);
    for words in ["plan", "plan --exit-code", "verify", "report", "doctor", "apply --yes", "destroy --yes"] {
        table.run(&world, folder, words).await;
    }
    table.run(&world, folder, &format!("import --bucket {bucket}")).await;
    faults.lift();
    let denied =
        Answer::error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    faults.on(CallFilter::operation("CreateFlowLogs"), denied);
    table.run(&world, folder, "apply --yes").await;
    world.send_program_to(&own);
    for words in ["apply --yes", "destroy", "destroy --yes", "plan --exit-code"] {
        table.run(&world, folder, words).await;
    }

    let tested: BTreeSet<String> = commands(&world, Vec::new()).await;
    let without: Vec<&String> = tested
        .iter()
        .filter(|command| !table.rows.iter().any(|(words, _)| words.starts_with(command.as_str())))
        .collect();
    assert!(without.is_empty(), "commands without a row: {without:?}");
    for (words, ran) in &table.rows {
        let (code, line) = (ran.code.unwrap(), last_line(ran));
        assert!(agreeing(line).contains(&code), "`{words}` ends with {code}: {line}");
    }
    assert_data_eq!(
        table.text(&world, folder),
        str![[r#"
0 flowagg doctor | ok: all checks passed
0 flowagg plan | plan: 6 changes to the hub, 4 flow logs to create
3 flowagg plan --exit-code | plan: 6 changes to the hub, 4 flow logs to create
2 flowagg plan --only 999988887777 | error
1 flowagg verify | error
3 flowagg report | report: not every flow log delivers: 4 missing, 7 findings
0 flowagg permissions | }
2 flowagg apply | error
0 flowagg apply --yes | ok: 10 changes applied; no differences remain
0 flowagg doctor | ok: all checks passed
0 flowagg plan --exit-code | plan: nothing to do
3 flowagg verify | verify: not every flow log delivers: 4 waiting
0 flowagg verify --grace 0s | ok: every flow log delivers or is idle
3 flowagg report | report: not every flow log delivers: 4 waiting, 1 finding
2 flowagg verify --only 999988887777 | error
2 flowagg report --only 999988887777 | error
2 flowagg apply --yes --only 999988887777 | error
2 flowagg destroy --yes --only 999988887777 | error
2 flowagg doctor --only 999988887777 | error
2 flowagg report --html DIR/none/report.html | error
3 flowagg report --html DIR/report.html | report: not every flow log delivers: 4 waiting, 1 finding
0 flowagg export cloudformation --hub --out DIR/cfn | note: deploy the stack in account 111122223333, region eu-west-1
1 flowagg export cloudformation --hub --format json --out DIR/cfn/hub.yaml | error
2 flowagg export iam --out DIR/iam | error
0 flowagg export terraform --out DIR/tf | note: at every plan, Terraform looks up the resources that the fleet file selects by a rule: the next `terraform apply` adds flow logs for new resources, and deletes those of resources that no longer match
0 flowagg export athena --out DIR/athena | note: the flow logs do not record the required fields of these questions: `nat`, `nat-to-aws`, `cross-zone`, `by-service`, `unencrypted`; `flowagg query --list` shows the fields
2 flowagg export terraform --only 999988887777 | error
0 flowagg query top --engine athena --print | LIMIT 100
2 flowagg query no-such --engine athena | error
2 flowagg query top --engine athena | error
0 flowagg query top --engine athena --explain | note: no flow log objects were found: check `--from`, `--to` and `--only`
1 flowagg query top --engine athena --yes | error
2 flowagg query no-such | error
0 flowagg query DESCRIBE	vpc_flow_logs --limit 1 --format csv | version,Int32,YES
0 flowagg query SELECT	*	FROM	vpc_flow_logs --from 7d --explain | data transfer: 0 bytes (charged by AWS if it leaves the region of the bucket)
0 flowagg policy build | {"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWriteFlowaggAcmeFlowLogs","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":["arn:aws:s3:::acme-flow-logs/AWSLogs/222222222222/*","arn:aws:s3:::acme-flow-logs/AWSLogs/333333333333/*"],"Condition":{"StringEquals":{"aws:SourceAccount":["222222222222","333333333333"],"s3:x-amz-acl":"bucket-owner-full-control"}}},{"Sid":"AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-flow-logs","Condition":{"StringEquals":{"aws:SourceAccount":["222222222222","333333333333"]}}}]}
0 flowagg policy merge --policy DIR/empty.json | + statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs`
3 flowagg policy merge --policy DIR/deny.json | policy: not all deliveries of the fleet are certain to be allowed; see the notes above
2 flowagg policy merge --policy DIR/no.json | error
0 flowagg policy diff DIR/empty.json DIR/empty.json | the policies are equivalent
3 flowagg policy diff --exit-code DIR/empty.json DIR/deny.json | + statement `No`
2 flowagg policy diff DIR/empty.json DIR/no.json | error
3 flowagg policy check --policy DIR/empty.json | 1 finding in `DIR/empty.json`
3 flowagg policy check --policy DIR/faulty.json | 3 findings in `DIR/faulty.json`
2 flowagg policy check --policy DIR/none.json | error
3 flowagg policy simulate --policy DIR/empty.json | 0 of 2 accounts may deliver
2 flowagg policy simulate --policy DIR/none.json | error
3 flowagg policy simulate --policy DIR/empty.json --requests DIR/requests.jsonl | 0 of 1 requests are allowed
0 flowagg policy size |   + bound-deny      1313 accounts  15 bytes per account
2 flowagg policy size --policy DIR/no.json | error
0 flowagg schema | }
2 flowagg schema no-such | error
0 flowagg completions bash | fi
2 flowagg completions no-such | error
0 flowagg man --out DIR/man | written: DIR/man/flowagg.1
1 flowagg man --out DIR/empty.json/man | error
1 flowagg init --offline --bucket acme | error
1 flowagg init --offline --hub-account 111122223333 --region eu-west-1 --bucket acme --account 111122223333 | error
0 flowagg init --offline --hub-account 111122223333 --region eu-west-1 --bucket acme --account 111122223333 --force | written: flowagg.toml
2 flowagg no-such | error
0 flowagg policy check --policy DIR/good.json --severity warning | ok: no findings in `DIR/good.json`
0 flowagg policy simulate --policy DIR/good.json | 2 of 2 accounts may deliver
3 flowagg verify --grace 0s | verify: not every flow log delivers: 2 silent
3 flowagg report --grace 0s | report: not every flow log delivers: 2 silent, 1 finding
0 flowagg verify | ok: every flow log delivers
0 flowagg verify --wait 30m | ok: every flow log delivers
0 flowagg report | ok: every flow log delivers, 0 findings
0 flowagg report --html DIR/report.html | ok: every flow log delivers, 0 findings
0 flowagg import --bucket acme-flow-logs --account 222222222222 | regions = ["eu-west-1", "us-east-1"]
1 flowagg import --bucket no-such-bucket-anywhere | error
2 flowagg import | error
1 flowagg plan | plan: no changes can be made until the errors are fixed
1 flowagg plan --exit-code | plan: no changes can be made until the errors are fixed
1 flowagg verify | verify: not everything could be read
1 flowagg report | report: not everything could be read, 1 finding
1 flowagg doctor | 1 check failed; nothing was changed
1 flowagg apply --yes | plan: no changes can be made until the errors are fixed
1 flowagg destroy --yes | destroy: 2 changes applied, 2 reads failed
1 flowagg import --bucket acme-flow-logs | import: incomplete: not everything could be read, or the fleet file has errors; see above
1 flowagg apply --yes | apply: 0 changes applied, 2 failed; remaining: 2 flow logs to create
0 flowagg apply --yes | ok: 2 changes applied; no differences remain
2 flowagg destroy | error
0 flowagg destroy --yes | ok: 6 changes applied; no differences remain
3 flowagg plan --exit-code | plan: 1 change to the hub, 4 flow logs to create, 1 needs attention
"#]]
    );
}
