//! What cannot be imported, and what is asked for.

use std::fs;

use crate::{import, template};

/// The run ends as a mistake with these words, and writes nothing.
#[track_caller]
fn refused(args: &[&str], words: &[&str]) {
    let said = import(args);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
    for word in words {
        assert!(said.err.contains(word), "`{word}` in {}", said.err);
    }
}

#[test]
fn what_a_template_does_not_say_is_asked_for_by_its_flag() {
    let (classic, json) = (template("classic.yaml"), template("bucket-and-flow-log.json"));
    refused(&["--template", &classic], &["no template says the bucket's account", "--hub-account ID"]);
    let mut args = vec!["--template", &classic, "--hub-account", "111122223333"];
    refused(&args, &["no template says the bucket's region", "--hub-region REGION"]);
    args[1] = &json;
    args.extend(["--hub-region", "us-east-1"]);
    refused(&args, &["no template says the bucket's name", "--bucket NAME"]);
}

#[test]
fn a_file_that_is_no_template_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, words) in [
        ("list.json", "{}", "has no `Resources`"),
        ("broken.yaml", "a: [", "cannot be read as a template"),
        ("broken.json", "{", "line 1 column 1"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        refused(&["--template", path.to_str().unwrap()], &[name, words]);
    }
    refused(&["--template", folder.path().join("absent").to_str().unwrap()], &["absent", "cannot be read"]);
}

#[test]
fn options_that_do_not_go_together_are_a_mistake() {
    for args in [
        &[][..],
        &["--bucket", "acme-logs", "--hub-region", "eu-west-1"],
        &["--bucket", "acme-logs", "--unit", "ou-ab12-11111111"],
        &["--bucket", "acme-logs", "--force"],
        &["--bucket", "acme-logs", "--only", "eu-west-1"],
        &["--bucket", "acme-logs", "--regions", "nowhere"],
        &["--bucket", "acme-logs", "--prefix", "AWSLogs"],
    ] {
        refused(args, &["error"]);
    }
}

#[test]
fn several_folders_are_several_fleets() {
    let folders = template("two-folders.yaml");
    let mut args = vec!["--template", &folders, "--hub-account", "111122223333", "--hub-region", "eu-west-1"];
    refused(&args, &["`AWSLogs/`, `network/AWSLogs/`", "--prefix"]);
    for (prefix, account) in [("", "222222222222"), ("network", "333333333333")] {
        args.truncate(6);
        args.extend(["--prefix", prefix]);
        let said = import(&args);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(said.out.contains(&format!("account = \"{account}\"\n")), "{}", said.out);
        assert_eq!(said.out.matches("[[members]]").count(), 1, "{}", said.out);
    }
}

#[test]
fn a_file_that_says_something_else_is_kept_unless_it_is_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flowagg.toml");
    fs::write(&file, "theirs").unwrap();
    let classic = template("classic.yaml");
    let args = ["--template", &classic, "--hub-account", "111122223333", "--hub-region", "eu-west-1"];
    let out = ["--out", file.to_str().unwrap()];
    let kept = import(&[&args[..], &out].concat());
    assert_eq!(kept.code, Some(1));
    assert!(kept.err.contains("says something else; nothing was written"), "{}", kept.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
    let forced = import(&[&args[..], &out, &["--force"]].concat());
    assert_eq!((forced.code, forced.out), (Some(0), format!("written: {}\n", file.display())));
    assert_eq!(fs::read_to_string(&file).unwrap(), import(&args).out);
}
