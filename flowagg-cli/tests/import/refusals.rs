//! What cannot be imported, and what is asked for.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::{import, template};

/// What a run that ends as a mistake and writes nothing says.
#[track_caller]
fn refusal(args: &[&str]) -> String {
    let said = import(args);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
    said.err
}

#[test]
fn what_a_template_does_not_say_is_asked_for_by_its_flag() {
    let (classic, json) = (template("classic.yaml"), template("bucket-and-flow-log.json"));
    assert_data_eq!(
        refusal(&["--template", &classic]),
        str![[r#"
error: no template says the bucket's account
       say it with `--hub-account ID`

"#]]
    );
    let mut args = vec!["--template", &classic, "--hub-account", "111122223333"];
    assert_data_eq!(
        refusal(&args),
        str![[r#"
error: no template says the bucket's region
       say it with `--hub-region REGION`

"#]]
    );
    args[1] = &json;
    args.extend(["--hub-region", "us-east-1"]);
    assert_data_eq!(
        refusal(&args),
        str![[r#"
error: no template says the bucket's name
       say it with `--bucket NAME`

"#]]
    );
}

#[test]
fn a_file_that_is_no_template_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("list.json", "{}"), ("broken.yaml", "a: ["), ("broken.json", "{")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let errors = ["list.json", "broken.yaml", "broken.json", "absent"]
        .map(|name| refusal(&["--template", folder.path().join(name).to_str().unwrap()]));
    assert_data_eq!(
        errors.concat().replace(folder.path().to_str().unwrap(), "FOLDER"),
        str![[r#"
error: `FOLDER/list.json` cannot be read as a template: it has no `Resources`
       a template is JSON or YAML and has `Resources`
error: `FOLDER/broken.yaml` cannot be read as a template: error: line 1 column 4: [..]
       a template is JSON or YAML and has `Resources`
error: `FOLDER/broken.json` cannot be read as a template: EOF while parsing an object at line 1 column 1
       a template is JSON or YAML and has `Resources`
error: the template `FOLDER/absent` cannot be read: No such file or directory (os error 2)
       name a file that can be read

"#]]
    );
}

#[test]
fn options_that_do_not_go_together_are_a_mistake() {
    let errors = [
        &[][..],
        &["--bucket", "acme-logs", "--hub-region", "eu-west-1"],
        &["--bucket", "acme-logs", "--unit", "ou-ab12-11111111"],
        &["--bucket", "acme-logs", "--force"],
        &["--bucket", "acme-logs", "--only", "eu-west-1"],
        &["--bucket", "acme-logs", "--regions", "nowhere"],
        &["--bucket", "acme-logs", "--prefix", "AWSLogs"],
    ]
    .map(refusal);
    assert_data_eq!(
        errors.concat(),
        str![[r#"
error: the following required arguments were not provided:
  <--bucket <NAME>|--template <FILE>...>

Usage: flowagg import <--bucket <NAME>|--template <FILE>...>

For more information, try '--help'.
error: the following required arguments were not provided:
  --template <FILE>...

Usage: flowagg import --hub-region <REGION> <--bucket <NAME>|--template <FILE>...>

For more information, try '--help'.
error: the following required arguments were not provided:
  --organization <ID>

Usage: flowagg import --organization <ID> --unit <ID> <--bucket <NAME>|--template <FILE>...>

For more information, try '--help'.
error: the following required arguments were not provided:
  --out <FILE>

Usage: flowagg import --out <FILE> --force <--bucket <NAME>|--template <FILE>...>

For more information, try '--help'.
error: a fleet is imported as a whole, without `--only`
       look at a part with `--regions`; accounts that are granted delivery are all looked at
error: `nowhere` is not a region: it has not the form of a region code
       a region such as `eu-west-1`, or `all`
error: invalid value 'AWSLogs' for '--prefix <FOLDER>': `AWSLogs` is not a sub-folder: `AWSLogs` is reserved: log delivery makes that folder itself

For more information, try '--help'.

"#]]
    );
}

#[test]
fn several_folders_are_several_fleets() {
    let folders = template("two-folders.yaml");
    let mut args = vec!["--template", &folders, "--hub-account", "111122223333", "--hub-region", "eu-west-1"];
    assert_data_eq!(
        refusal(&args),
        str![[r#"
error: the bucket policy lets log delivery write to several folders: `AWSLogs/`, `network/AWSLogs/`
       choose one with `--prefix FOLDER` (`--prefix ""` for the top), and import the others into files of their own

"#]]
    );
    let mut members = String::new();
    for prefix in ["", "network"] {
        args.truncate(6);
        args.extend(["--prefix", prefix]);
        let said = import(&args);
        assert_eq!(said.code, Some(0), "{}", said.err);
        members += said.out.split_once("\n[[members]]\n").unwrap().1;
    }
    assert_data_eq!(
        members,
        str![[r##"
# no template says what is logged here; the region is the hub's, and every VPC is a guess: correct `regions` and `vpcs`
account = "222222222222"
regions = ["eu-west-1"]
# no template says what is logged here; the region is the hub's, and every VPC is a guess: correct `regions` and `vpcs`
account = "333333333333"
regions = ["eu-west-1"]

"##]]
    );
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
    assert_data_eq!(
        kept.err.replace(file.to_str().unwrap(), "FILE"),
        str![[r#"
error: `FILE` already exists with different contents; nothing was written
       compare it, then give `--force` to overwrite it

"#]]
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
    let forced = import(&[&args[..], &out, &["--force"]].concat());
    assert_eq!((forced.code, forced.out), (Some(0), format!("written: {}\n", file.display())));
    assert_eq!(fs::read_to_string(&file).unwrap(), import(&args).out);
}
