//! Runs the steps of `.github/actions/flowagg/action.yml` like a GitHub runner.

use std::fs;

use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::{Place, Ran, root, run};

const ACTION: &str = ".github/actions/flowagg/action.yml";

fn action() -> Value {
    serde_saphyr::from_str(&fs::read_to_string(root().join(ACTION)).unwrap()).unwrap()
}

/// Runs a step with inputs of the action and the variables of a runner. `gh` and `flowagg` write their arguments to `calls`.
fn step(place: &Place, name: &str, inputs: &[(&'static str, &str)]) -> Ran {
    let action = action();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    assert_eq!(step["shell"], "bash");
    let script = place.write("step.sh", step["run"].as_str().unwrap());
    let names: Vec<_> = step["env"].as_object().unwrap().keys().map(String::as_str).collect();
    let given: Vec<_> = inputs.iter().map(|(name, _)| *name).collect();
    let missing: Vec<_> = names.iter().filter(|name| **name != "GH_TOKEN" && !given.contains(name)).collect();
    assert!(missing.is_empty(), "the step also needs {missing:?}");
    let folder = root().join(ACTION).parent().unwrap().display().to_string();
    let runner = [
        ("PATH", place.search_path()),
        ("CALLS", place.path("calls").display().to_string()),
        ("GITHUB_ACTION_PATH", folder),
        ("GITHUB_OUTPUT", place.path("output").display().to_string()),
        ("GITHUB_PATH", place.path("path").display().to_string()),
        ("GITHUB_STEP_SUMMARY", place.path("summary").display().to_string()),
        ("GITHUB_REPOSITORY", "acme/flow-logs".to_owned()),
        ("RUNNER_TEMP", place.folder.path().display().to_string()),
        ("RUNNER_OS", "Linux".to_owned()),
        ("RUNNER_ARCH", "X64".to_owned()),
    ];
    let inputs = inputs.iter().map(|(name, value)| (*name, (*value).to_owned()));
    run("bash", &script, &[], runner.into_iter().chain(inputs))
}

/// Installs a `flowagg` with this output and exit code.
fn flowagg(place: &Place, printed: &str, code: i32) {
    place.write("printed", printed);
    let printed = place.path("printed").display().to_string();
    let script = r#"{ printf 'flowagg'; printf ' [%s]' "$@"; echo; } >>"$CALLS""#;
    place.program("flowagg", &format!("{script}\ncat '{printed}'\nexit {code}"));
}

/// Installs a `gh` that downloads a release, finds this comment, and ends `attestation verify` with this exit code.
fn gh(place: &Place, comment: &str, attested: i32) {
    place.program(
        "gh",
        &format!(
            r#"printf 'gh %s\n' "$*" >>"$CALLS"
case "$1 $2" in
    "release download")
        name=flowagg-1.2.3-x86_64-unknown-linux-musl
        mkdir "$name" && echo program >"$name/flowagg" && tar -czf "$name.tar.gz" "$name" && rm -r "$name"
        sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"
        [ -z "${{CHANGED-}}" ] || echo changed >>"$name.tar.gz" ;;
    "attestation verify") exit {attested} ;;
    "pr view") echo '{comment}' ;;
    "pr comment") cat "$7" >>"$CALLS" ;;
    "api --method") body=${{6#body=@}} && cat "$body" >>"$CALLS" ;;
esac"#
        ),
    );
}

/// The recorded calls, without names that differ between runs.
fn calls(place: &Place) -> String {
    let text = place.read("calls");
    let text = text.replace(place.folder.path().to_str().unwrap(), "[TEMP]");
    // `mktemp` adds six characters.
    let words = text.split_inclusive([' ', '\n']).map(|word| match word.split_once("-comment-") {
        Some((start, name)) => format!("{start}-comment-[NAME]{}", name.get(6..).unwrap()),
        None => word.to_owned(),
    });
    words.collect()
}

const PLAN: [(&str, &str); 3] = [("COMMAND", "plan"), ("CONFIG", "flowagg.toml"), ("ARGS", "")];

#[test]
fn plan_with_changes_succeeds_and_becomes_the_summary() {
    let place = Place::new();
    flowagg(&place, "### 2 changes\n", 3);
    let ran = step(&place, "Run flowagg", &PLAN);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_data_eq!(calls(&place), "flowagg [plan] [--markdown] [--exit-code] [--config] [flowagg.toml]\n");
    assert_eq!(place.read("summary"), "### 2 changes\n");
    let output = place.read("output");
    let (start, plan) = output.split_once("plan=").unwrap();
    let (plan, end) = plan.split_once('\n').unwrap();
    assert_eq!((start, end), ("exit-code=3\n", "changes=true\n"));
    assert_eq!(fs::read_to_string(plan).unwrap(), "### 2 changes\n");
}

#[test]
fn plan_without_changes_sets_the_output_and_incomplete_plan_fails() {
    for (code, expected) in [(0, "changes=false\n"), (1, "")] {
        let place = Place::new();
        flowagg(&place, "plan\n", code);
        assert_eq!(step(&place, "Run flowagg", &PLAN).code, Some(code));
        let output = place.read("output");
        assert!(output.starts_with(&format!("exit-code={code}\nplan=")), "{output}");
        assert!(output.ends_with(expected) && output.contains("changes") != expected.is_empty(), "{output}");
        assert_eq!(place.read("summary"), "plan\n");
    }
}

#[test]
fn invalid_fleet_file_fails_without_summary_and_comment() {
    let place = Place::new();
    flowagg(&place, "", 2);
    assert_eq!(step(&place, "Run flowagg", &PLAN).code, Some(2));
    assert_eq!(place.read("output"), "exit-code=2\n");
    assert_eq!(place.read("summary"), "");
}

#[test]
fn apply_and_verify_fail_with_findings_and_write_the_summary() {
    for (command, called) in [("apply", "[apply] [--yes]"), ("verify", "[verify]")] {
        for code in [0, 3] {
            let place = Place::new();
            flowagg(&place, "ok: `all` of it\n", code);
            let inputs =
                [("COMMAND", command), ("CONFIG", "eu.toml"), ("ARGS", "--only 222222222222\n--all")];
            assert_eq!(step(&place, "Run flowagg", &inputs).code, Some(code));
            let args = "[--config] [eu.toml] [--only] [222222222222] [--all]";
            assert_data_eq!(calls(&place), format!("flowagg {called} {args}\n"));
            assert_eq!(place.read("summary"), "``````text\nok: `all` of it\n``````\n");
            assert_eq!(place.read("output"), format!("exit-code={code}\n"));
        }
    }
}

#[test]
fn inputs_never_run_as_commands() {
    let place = Place::new();
    flowagg(&place, "", 0);
    let injected = "$(touch injected) `touch injected`; touch injected * ";
    let inputs = [("COMMAND", "verify"), ("CONFIG", "a b; touch injected"), ("ARGS", injected)];
    assert_eq!(step(&place, "Run flowagg", &inputs).code, Some(0));
    assert_data_eq!(
        calls(&place),
        "flowagg [verify] [--config] [a b; touch injected] [$(touch] [injected)] [`touch] [injected`;] [touch] [injected] [*]\n"
    );
    let inputs = [("COMMAND", "destroy; plan"), ("CONFIG", "flowagg.toml"), ("ARGS", "")];
    let ran = step(&place, "Run flowagg", &inputs);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.stdout, "::error::invalid `command`: use `plan`, `apply` or `verify`\n");
}

#[test]
fn first_plan_creates_a_comment_and_the_next_one_updates_it() {
    let place = Place::new();
    let plan = place.write("plan.md", "### 2 changes\n").display().to_string();
    let inputs = [("CONFIG", "fleets/eu.toml"), ("PLAN", plan.as_str()), ("PULL_REQUEST", "7")];
    gh(&place, "", 0);
    assert_eq!(step(&place, "Comment on the pull request", &inputs).code, Some(0));
    gh(&place, "https://github.com/acme/flow-logs/pull/7#issuecomment-42", 0);
    assert_eq!(step(&place, "Comment on the pull request", &inputs).code, Some(0));
    assert_data_eq!(
        calls(&place),
        str![[r#"
gh pr view 7 --repo acme/flow-logs --json comments --jq [.comments[] | select(.viewerDidAuthor and (.body | startswith(env.MARKER))) | .url] | last // empty
gh pr comment 7 --repo acme/flow-logs --body-file [TEMP]/flowagg-comment-[NAME]
<!-- flowagg plan fleets/eu.toml -->
### 2 changes
gh pr view 7 --repo acme/flow-logs --json comments --jq [.comments[] | select(.viewerDidAuthor and (.body | startswith(env.MARKER))) | .url] | last // empty
gh api --method PATCH repos/acme/flow-logs/issues/comments/42 --field body=@[TEMP]/flowagg-comment-[NAME] --silent
<!-- flowagg plan fleets/eu.toml -->
### 2 changes

"#]]
    );
}

#[test]
fn fleet_file_name_cannot_end_the_hidden_line() {
    let place = Place::new();
    let plan = place.write("plan.md", "plan\n").display().to_string();
    gh(&place, "", 0);
    let inputs = [("CONFIG", "a --> <b>.toml"), ("PLAN", plan.as_str()), ("PULL_REQUEST", "7")];
    assert_eq!(step(&place, "Comment on the pull request", &inputs).code, Some(0));
    let calls = calls(&place);
    assert!(calls.ends_with("<!-- flowagg plan a_--___b_.toml -->\nplan\n"), "{calls}");
}

const VERSION: (&str, &str) = ("VERSION", "1.2.3");

#[test]
fn release_is_installed_after_checks_of_checksum_and_provenance() {
    let place = Place::new();
    gh(&place, "", 0);
    let ran = step(&place, "Install flowagg", &[VERSION]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_data_eq!(
        calls(&place),
        str![[r#"
gh release download v1.2.3 --repo flowagg/flowagg --pattern flowagg-1.2.3-x86_64-unknown-linux-musl.tar.gz --pattern flowagg-1.2.3-x86_64-unknown-linux-musl.tar.gz.sha256
gh attestation verify flowagg-1.2.3-x86_64-unknown-linux-musl.tar.gz --repo flowagg/flowagg --signer-workflow flowagg/flowagg/.github/workflows/release.yml --source-ref refs/tags/v1.2.3

"#]]
    );
    let folder = place.path("flowagg/bin");
    assert_eq!(place.read("path"), format!("{}\n", folder.display()));
    assert_eq!(place.read("flowagg/bin/flowagg"), "program\n");
}

#[test]
fn changed_archive_and_unknown_provenance_are_rejected() {
    for (changed, attested) in [("changed", 0), ("", 1)] {
        let place = Place::new();
        gh(&place, "", attested);
        let ran = step(&place, "Install flowagg", &[VERSION, ("CHANGED", changed)]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(place.read("path"), "");
        assert_eq!(place.names("flowagg/bin"), [""; 0]);
        assert_eq!(calls(&place).contains("attestation"), changed.is_empty());
    }
}

#[test]
fn invalid_version_is_rejected() {
    let place = Place::new();
    gh(&place, "", 0);
    for version in ["latest", "v1.2.3", "1.2.3; rm", "", "../1.2.3"] {
        let ran = step(&place, "Install flowagg", &[("VERSION", version)]);
        assert_eq!(ran.code, Some(2), "{version}");
        assert_eq!(ran.stdout, "::error::invalid `version`: use a version such as 0.1.0\n");
    }
    assert_eq!(place.read("calls"), "");
}

#[test]
fn every_plan_of_a_pull_request_is_commented_even_if_incomplete() {
    let action = action();
    let steps = action["runs"]["steps"].as_array().unwrap();
    assert_data_eq!(
        steps[2]["if"].as_str().unwrap(),
        "${{ !cancelled() && inputs.comment == 'true' && steps.run.outputs.plan != '' && github.event.pull_request.number }}"
    );
    // Untrusted text is never part of a script.
    for step in steps {
        assert!(!step["run"].as_str().unwrap().contains("${{"), "{step}");
    }
    let version = action["inputs"]["version"]["default"].as_str().unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"), "the default version is that of the workspace");
}
