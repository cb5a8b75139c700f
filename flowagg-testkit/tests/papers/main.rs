//! What the papers say is so: every block of the root's pages, of `docs` and of the crates' READMEs is run, read or compared.
//!
//! The blocks under one heading are a story: they are run from the first to the last in one world, which is told in the
//! pages' names. A block that no story takes is a failure, and so is a story whose blocks are gone.

#![cfg(unix)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail where it likes, its helpers too")]

mod cannot;
mod guide;
mod monitoring;
mod moving;
mod organization;
mod page;
#[path = "../support/paper.rs"]
mod paper;
mod query;
mod questions;
mod readme;
mod rest;
mod shell;

use std::collections::BTreeSet;

use page::{Section, blocks, needs_a_story, pages, root};
use shell::Stage;

/// Each line is a test: its name, the page, the heading, and who tells the story.
macro_rules! stories {
    ($($name:ident: $page:literal, $heading:literal => $story:path;)*) => {
        const STORIES: &[(&str, &str)] = &[$(($page, $heading)),*];
        $(
            #[tokio::test]
            async fn $name() {
                let mut section = Section::of($page, $heading);
                $story(&mut section).await;
                section.is_told();
            }
        )*
    };
}

stories! {
    the_first_five_minutes_lead_from_a_fleet_file_to_the_page_of_the_report:
        "README.md", "Use" => readme::first_five_minutes;
    a_fleet_is_rolled_out_by_stages: "docs/guide.md", "Rolling out by stages" => organization::rolling_out;
    what_another_tool_made_is_taken_over: "docs/guide.md", "Moving from another tool" => moving::moving;
    an_expiry_of_an_existing_bucket_is_allowed: "docs/guide.md", "When flow logs expire" => guide::expiry;
    what_flowagg_made_is_handed_over: "docs/guide.md", "Handing over to Terraform" => moving::handing_over;
    accounts_come_and_go: "docs/guide.md", "Accounts that come and go" => guide::come_and_go;
    a_key_is_changed_once_its_policy_lets_logs_in: "docs/guide.md", "Another key" => guide::another_key;
    a_fleet_moves_to_another_folder_and_a_part_of_it_to_another_bucket:
        "docs/guide.md", "Another folder, another bucket" => guide::another_folder;
    an_overwritten_policy_is_seen_and_mended:
        "docs/guide.md", "When another process overwrote the policy" => guide::overwritten;
    a_good_night_is_silent_and_a_bad_one_is_told: "docs/guide.md", "Every night" => guide::every_night;
    the_logs_are_read: "docs/guide.md", "Reading the logs" => organization::reading;
    alerts_use_metrics_that_are_written: "docs/monitoring.md", "Prometheus" => monitoring::prometheus;
    alarms_use_metrics_that_are_written: "docs/monitoring.md", "CloudWatch" => monitoring::cloudwatch;
    nobody_gets_a_message_about_a_healthy_fleet: "docs/monitoring.md", "Messages" => monitoring::messages;
    progress_is_told_as_the_page_shows_it: "docs/json.md", "Where it goes" => rest::events;
    a_plan_is_told_in_columns: "docs/json.md", "flowagg plan --json" => rest::plan;
    what_does_not_deliver_is_told_in_columns: "docs/json.md", "flowagg verify --json" => rest::verify;
    questions_are_asked_by_their_names: "docs/query.md", "Questions" => query::questions;
    gateways_are_named_for_questions: "docs/query.md", "NAT gateways" => query::gateways;
    rules_without_traffic_are_written_into_a_file: "docs/query.md", "Security group rules" => query::rules;
    names_are_added_to_rows: "docs/query.md", "Names" => query::names;
    queries_run_over_what_was_delivered: "docs/query.md", "Queries" => query::queries;
    queries_run_in_athena: "docs/query.md", "Engines" => organization::engines;
    a_large_query_is_explained_before_it_runs: "docs/query.md", "Large queries" => query::large;
    the_policy_of_a_caller_of_query_is_valid: "docs/query.md", "Permissions" => query::permissions;
    the_cost_story_is_answered_as_printed: "docs/questions.md", "Where the money goes" => questions::shown;
    the_incident_story_is_answered_as_printed:
        "docs/questions.md", "One address in every account" => questions::shown;
    saved_questions_are_answered_as_printed: "docs/questions.md", "Saved questions" => questions::saved;
    every_question_is_answered_as_printed: "docs/questions.md", "Every question" => questions::shown;
    the_report_is_written_in_four_forms: "docs/report.md", "The report" => rest::report;
    exceptions_are_part_of_a_fleet_file: "docs/report.md", "Exceptions" => monitoring::exceptions;
    costs_are_written_for_each_account: "docs/report.md", "Cost" => monitoring::cost;
    reports_are_compared: "docs/report.md", "Compared with earlier reports" => monitoring::compared;
    reports_are_written_into_a_bucket: "docs/report.md", "Into a file or a bucket" => monitoring::into_a_bucket;
    the_action_plans_applies_and_verifies: "docs/automation.md", "With the action" => rest::action;
    the_trust_of_the_pipelines_role_is_a_policy: "docs/automation.md", "The roles" => rest::trust;
}

#[test]
fn every_block_of_every_page_is_in_a_story_and_every_story_on_a_page() {
    let mut untold = Vec::new();
    let mut told = BTreeSet::new();
    for block in pages().iter().flat_map(|page| blocks(page)).filter(needs_a_story) {
        let story = STORIES.iter().find(|(page, heading)| block.page == *page && block.section == *heading);
        let (place, language, section) = (block.place(), &block.language, &block.section);
        match story {
            Some(story) => drop(told.insert(story)),
            None => untold.push(format!("{place}: a `{language}` block under \"{section}\"")),
        }
    }
    assert!(
        untold.is_empty(),
        "nothing runs these blocks; tell their story in flowagg-testkit/tests/papers (`stories!` in main.rs), name a \
         command that cannot run in cannot.rs, or call a block `text` that is a picture:\n{}",
        untold.join("\n")
    );
    for story in STORIES {
        assert!(told.contains(story), "{story:?}: there is nothing to run under this heading any more");
    }
}

#[test]
fn every_rust_block_is_a_doctest_of_its_crate() {
    for block in pages().iter().flat_map(|page| blocks(page)) {
        if block.language.split(',').next() != Some("rust") {
            continue;
        }
        let library = root().join(&block.page).with_file_name("src").join("lib.rs");
        let library = std::fs::read_to_string(library).unwrap_or_default();
        let includes = library.contains("doc = include_str!(\"../README.md\")");
        assert!(includes, "{}: no `lib.rs` beside it takes this page as its documentation", block.place());
        assert!(!block.language.contains("ignore"), "{}: it is not compiled", block.place());
    }
}

#[tokio::test]
async fn two_worlds_of_the_same_shape_are_the_same_on_paper() {
    let capture = async || {
        let mut stage = Stage::with(["payments", "shop"]).await;
        let mut told = Vec::new();
        for command in ["flowagg doctor", "flowagg plan", "flowagg apply --yes", "flowagg policy size"] {
            told.push(stage.shell.also(command).await.stdout);
        }
        stage.deliver().await;
        for command in ["flowagg verify", "flowagg verify --json", "flowagg report", "flowagg plan --json"] {
            told.push(stage.shell.also(command).await.stdout);
        }
        told
    };
    let (one, other) = tokio::join!(capture(), capture());
    for (one, other) in one.into_iter().zip(other) {
        assert_eq!(one, other);
        assert!(!one.is_empty());
    }
}
