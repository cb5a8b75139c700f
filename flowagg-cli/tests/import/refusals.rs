//! Imports that are refused, and values that are required.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::{import, template};

/// Standard error of a run that exits with 2 and writes nothing.
#[track_caller]
fn refusal(args: &[&str]) -> String {
    let said = import(args);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
    said.err
}

#[test]
fn values_missing_from_a_template_are_requested_by_flag() {
    let (classic, json) = (template("classic.yaml"), template("bucket-and-flow-log.json"));
    assert_data_eq!(
        refusal(&["--template", &classic]),
        str![[r#"
error: no template contains the bucket's account
       pass `--hub-account ID`

"#]]
    );
    let mut args = vec!["--template", &classic, "--hub-account", "111122223333"];
    assert_data_eq!(
        refusal(&args),
        str![[r#"
error: no template contains the bucket's region
       pass `--hub-region REGION`

"#]]
    );
    args[1] = &json;
    args.extend(["--hub-region", "us-east-1"]);
    assert_data_eq!(
        refusal(&args),
        str![[r#"
error: no template contains the bucket's name
       pass `--bucket NAME`

"#]]
    );
}

#[test]
fn file_that_is_not_a_template_is_an_error() {
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
       use a JSON or YAML template with `Resources`
error: `FOLDER/broken.yaml` cannot be read as a template: error: line 1 column 4: [..]
       use a JSON or YAML template with `Resources`
error: `FOLDER/broken.json` cannot be read as a template: EOF while parsing an object at line 1 column 1
       use a JSON or YAML template with `Resources`
error: the template `FOLDER/absent` cannot be read: No such file or directory (os error 2)
       choose a readable file

"#]]
    );
}

#[test]
fn conflicting_options_are_refused() {
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
error: `import` does not support `--only`
       remove `--only`; `--regions` limits the regions that are read
error: `nowhere` is not a valid region: it does not have the format of a region code
       use a region such as `eu-west-1`, or `all`
error: invalid value 'AWSLogs' for '--prefix <FOLDER>': `AWSLogs` is not a valid prefix: `AWSLogs` is reserved for log delivery

For more information, try '--help'.

"#]]
    );
}

#[test]
fn several_folders_are_imported_separately() {
    let folders = template("two-folders.yaml");
    let mut args = vec!["--template", &folders, "--hub-account", "111122223333", "--hub-region", "eu-west-1"];
    assert_data_eq!(
        refusal(&args),
        str![[r#"
error: the bucket policy allows log delivery to write to several folders: `AWSLogs/`, `network/AWSLogs/`
       select one with `--prefix FOLDER` (`--prefix ""` for the root), and import the others to separate fleet files

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
# no template contains the logged resources; the hub's region is used, and all VPCs are assumed: check `regions` and `vpcs`
account = "222222222222"
regions = ["eu-west-1"]
# no template contains the logged resources; the hub's region is used, and all VPCs are assumed: check `regions` and `vpcs`
account = "333333333333"
regions = ["eu-west-1"]

"##]]
    );
}

#[test]
fn different_file_is_overwritten_only_with_force() {
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
       compare the file, then use `--force` to overwrite it

"#]]
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
    let forced = import(&[&args[..], &out, &["--force"]].concat());
    assert_eq!((forced.code, forced.out), (Some(0), format!("written: {}\n", file.display())));
    assert_eq!(fs::read_to_string(&file).unwrap(), import(&args).out);
}
