//! Tests of the documentation: every fenced block in the pages of the root, in `docs` and in the READMEs of the crates is run,
//! parsed or compared.
//!
//! The blocks under one heading form a story. A story runs them in order in one simulated world. A block without a story fails
//! a test, and so does a story without blocks.

#![cfg(unix)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail where it likes, its helpers too")]

mod cannot;
mod monitoring;
mod moving;
mod operations;
mod page;
#[path = "../support/paper.rs"]
mod paper;
mod query;
mod questions;
mod readme;
mod rest;
mod rolling_out;
mod shell;

use std::collections::BTreeSet;

use page::{Section, blocks, needs_a_story, pages, root};
use shell::Stage;

/// Each line is a test: its name, the page, the heading, and the function that runs the story.
macro_rules! stories {
    ($($name:ident: $page:literal, $heading:literal => $story:path;)*) => {
        const STORIES: &[(&str, &str)] = &[$(($page, $heading)),*];
        $(
            #[tokio::test]
            async fn $name() {
                let mut section = Section::of($page, $heading);
                $story(&mut section).await;
                section.is_complete();
            }
        )*
    };
}

stories! {
    readme_commands_roll_out_a_fleet_and_write_the_report_page:
        "README.md", "Five-minute start" => readme::five_minutes;
    init_writes_a_fleet_file: "docs/getting-started.md", "Write the fleet file" => readme::init;
    read_only_commands_change_nothing: "docs/getting-started.md", "Look without changing anything" => readme::look;
    first_fleet_is_applied_and_verified: "docs/getting-started.md", "Apply and verify" => readme::apply_and_verify;
    roles_are_exported: "docs/rolling-out.md", "Create the roles" => rolling_out::roles;
    prerequisites_are_checked: "docs/rolling-out.md", "Check before you change anything" => rolling_out::check;
    one_account_is_applied: "docs/rolling-out.md", "Start with one account" => rolling_out::one_account;
    units_and_then_the_organization_are_applied:
        "docs/rolling-out.md", "Add units, then the organization" => rolling_out::units;
    foreign_flow_logs_are_imported_and_become_managed: "docs/moving.md", "Import and take over" => moving::take_over;
    terraform_forgets_flow_logs_and_settings: "docs/moving.md", "Leaving each tool" => moving::leave;
    fleet_is_handed_over_to_terraform: "docs/moving.md", "Handing over to Terraform" => moving::handing_over;
    accounts_join_and_leave: "docs/operations.md", "Accounts that come and go" => operations::come_and_go;
    key_is_changed_once_its_policy_allows_delivery:
        "docs/operations.md", "Change the KMS key" => operations::another_key;
    fleet_moves_to_another_folder_and_partly_to_another_bucket:
        "docs/operations.md", "Change the folder or the bucket" => operations::another_folder;
    expiry_in_an_existing_bucket_needs_permission: "docs/operations.md", "Retention" => operations::retention;
    overwritten_policy_is_restored:
        "docs/operations.md", "When another process overwrote the policy" => operations::overwritten;
    cron_entry_prints_only_failed_checks: "docs/operations.md", "Run it every night" => operations::every_night;
    athena_table_is_exported_and_queried: "docs/query.md", "The Athena table" => rolling_out::athena_table;
    alert_rules_use_existing_metrics: "docs/monitoring.md", "Prometheus" => monitoring::prometheus;
    alarms_use_existing_metrics: "docs/monitoring.md", "CloudWatch" => monitoring::cloudwatch;
    healthy_fleet_sends_no_message: "docs/monitoring.md", "Messages" => monitoring::messages;
    events_have_the_documented_fields: "docs/json.md", "Output streams" => rest::events;
    jq_prints_a_plan_in_columns: "docs/json.md", "flowagg plan --json" => rest::plan;
    jq_prints_flow_logs_that_do_not_deliver: "docs/json.md", "flowagg verify --json" => rest::verify;
    named_questions_are_answered: "docs/query.md", "Questions" => query::questions;
    nat_gateways_are_looked_up: "docs/query.md", "NAT gateways" => query::gateways;
    unused_rules_are_written_to_a_file: "docs/query.md", "Security group rules" => query::rules;
    names_are_added_to_rows: "docs/query.md", "Names" => query::names;
    queries_read_delivered_objects: "docs/query.md", "Queries" => query::queries;
    queries_run_in_athena: "docs/query.md", "Engines" => rolling_out::engines;
    explain_prints_the_size_of_a_query: "docs/query.md", "Large queries" => query::large;
    query_policy_is_valid: "docs/query.md", "Permissions" => query::permissions;
    cost_example_matches_the_output: "docs/questions.md", "Where the money goes" => questions::shown;
    incident_example_matches_the_output:
        "docs/questions.md", "One address in every account" => questions::shown;
    saved_questions_match_the_output: "docs/questions.md", "Saved questions" => questions::saved;
    every_question_matches_its_output: "docs/questions.md", "Every question" => questions::shown;
    report_has_four_formats: "docs/report.md", "Run the report" => rest::report;
    exceptions_parse: "docs/report.md", "Exceptions" => monitoring::exceptions;
    costs_are_written_for_each_account: "docs/report.md", "Cost" => monitoring::cost;
    reports_are_compared: "docs/report.md", "Compare with earlier reports" => monitoring::compared;
    reports_are_written_to_a_bucket: "docs/report.md", "Write to a file or a bucket" => monitoring::into_a_bucket;
    action_plans_applies_and_verifies: "docs/automation.md", "With the action" => rest::action;
    trust_policy_of_the_pipeline_role_is_valid: "docs/automation.md", "The roles" => rest::trust;
}

#[test]
fn every_block_has_a_story_and_every_story_has_blocks() {
    let mut missing = Vec::new();
    let mut found = BTreeSet::new();
    for block in pages().iter().flat_map(|page| blocks(page)).filter(needs_a_story) {
        let story = STORIES.iter().find(|(page, heading)| block.page == *page && block.section == *heading);
        let (place, language, section) = (block.place(), &block.language, &block.section);
        match story {
            Some(story) => drop(found.insert(story)),
            None => missing.push(format!("{place}: a `{language}` block under \"{section}\"")),
        }
    }
    assert!(
        missing.is_empty(),
        "these blocks are not tested; add a story in flowagg-testkit/tests/papers (`stories!` in main.rs), list a \
         command that cannot run in cannot.rs, or mark a block that is not code as `text`:\n{}",
        missing.join("\n")
    );
    for story in STORIES {
        assert!(found.contains(story), "{story:?}: no block under this heading");
    }
}

#[test]
fn every_rust_block_is_a_doctest() {
    for block in pages().iter().flat_map(|page| blocks(page)) {
        if block.language.split(',').next() != Some("rust") {
            continue;
        }
        let library = root().join(&block.page).with_file_name("src").join("lib.rs");
        let library = std::fs::read_to_string(library).unwrap_or_default();
        let includes = library.contains("doc = include_str!(\"../README.md\")");
        assert!(includes, "{}: `lib.rs` of its crate does not include this page", block.place());
        assert!(!block.language.contains("ignore"), "{}: the block is not compiled", block.place());
    }
}

#[tokio::test]
async fn output_of_equal_worlds_is_equal() {
    let capture = async || {
        let mut stage = Stage::with(["payments", "shop"]).await;
        let mut printed = Vec::new();
        for command in ["flowagg doctor", "flowagg plan", "flowagg apply --yes", "flowagg policy size"] {
            printed.push(stage.shell.also(command).await.stdout);
        }
        stage.deliver().await;
        for command in ["flowagg verify", "flowagg verify --json", "flowagg report", "flowagg plan --json"] {
            printed.push(stage.shell.also(command).await.stdout);
        }
        printed
    };
    let (one, other) = tokio::join!(capture(), capture());
    for (one, other) in one.into_iter().zip(other) {
        assert_eq!(one, other);
        assert!(!one.is_empty());
    }
}
