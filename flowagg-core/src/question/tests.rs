//! Arguments and required fields.

use std::fs;
use std::path::Path;

use snapbox::{Data, assert_data_eq, str};

use super::*;
use crate::flow_log::{Field, FieldSet, FlowLogSpec, RecordFormat, RecordedField, TrafficType};

fn asked(line: &str, options: Options) -> Result<Question, ArgumentError> {
    let mut words = line.split(' ');
    Question::new(QuestionName::parse(words.next().unwrap()).unwrap(), words, options)
}

fn gateways() -> Options {
    Options { gateways: vec!["10.0.0.220".parse().unwrap()], ..Options::default() }
}

#[test]
fn examples_are_valid_questions() {
    for name in QuestionName::ALL {
        assert_eq!(Question::sample(name).unwrap().name(), name);
    }
}

#[test]
fn invalid_arguments_and_options_are_rejected() {
    let messages: Vec<String> = [
        asked("who", Options::default()),
        asked("who example.com", Options::default()),
        asked("who 10.0.0.7 10.0.0.8", Options::default()),
        asked("rejected today", Options::default()),
        asked("pairs packet", Options::default()),
        asked("admin-ports 22,ssh", Options::default()),
        asked("interface eni-1", Options::default()),
        asked("rejected", gateways()),
        asked("pairs interfaces", gateways()),
        asked("top subnets", gateways()),
        asked("nat", Options { hours: Some(Hours::default()), ..Options::default() }),
    ]
    .map(|question| format!("{}\n", question.unwrap_err()))
    .to_vec();
    assert_data_eq!(
        messages.concat(),
        str![[r#"
`who` requires an argument: ADDRESS
invalid argument `example.com` for `who`: expected an IP address
unexpected argument `10.0.0.8` for `who`
unexpected argument `today` for `rejected`
invalid argument `packet` for `pairs`: expected `interfaces` or `packets`
invalid argument `22,ssh` for `admin-ports`: expected ports such as `22,5432`
invalid argument `eni-1` for `interface`: expected the ID of a network interface or an instance, e.g. `eni-0a1b2c3d4e5f67890`
`rejected` does not support `--nat`
`pairs` supports `--nat` only with `packets`
`top` supports `--nat` only with `addresses`
`nat` does not support `--hours`

"#]]
    );
    assert!(asked("pairs packets", gateways()).is_ok() && asked("top", gateways()).is_ok());
}

#[test]
fn default_format_answers_all_but_five_questions() {
    use QuestionName::{ByService, CrossZone, Nat, NatToAws, Unencrypted};
    let mut spec = FlowLogSpec::default();
    assert_eq!(unanswered(&spec), [Nat, NatToAws, CrossZone, ByService, Unencrypted]);
    for (set, expected) in [
        (FieldSet::Cost, &[ByService, Unencrypted][..]),
        (FieldSet::Security, &[CrossZone, ByService]),
        (FieldSet::All, &[]),
    ] {
        spec.format = set.format();
        assert_eq!(unanswered(&spec), expected, "{set:?}");
    }
}

#[test]
fn missing_fields_are_reported_with_a_fix() {
    let mut spec = FlowLogSpec::default();
    let message = |line: &str, options: Options, spec: &FlowLogSpec| {
        let error = asked(line, options).unwrap().check(spec).unwrap_err();
        format!("{error}\n  {}\n", error.help())
    };
    let mut messages = message("nat", gateways(), &spec);
    messages += &message("cross-zone", Options::default(), &spec);
    messages += &message("by-service asg-tag", Options::default(), &spec);
    spec.traffic = TrafficType::Accept;
    messages += &message("rejected", Options::default(), &spec);
    spec.traffic = TrafficType::Reject;
    messages += &message("inbound", Options::default(), &spec);
    assert_data_eq!(
        messages,
        str![[r#"
`nat` requires fields that the flow logs do not record: `pkt-srcaddr`, `pkt-dstaddr`
  add them to `flow-logs.fields`, or set it to "cost"; then run `flowagg plan`
`cross-zone` requires fields that the flow logs do not record: `az-id`, `next-hop-az-id`
  add them to `flow-logs.fields`, or set it to "cost"; then run `flowagg plan`
`by-service` requires a field that the flow logs do not record: `asg-tag`
  use a flow log of another tool that records tags; flowagg cannot request them
`rejected` requires rejected traffic, but the flow logs record only accepted traffic
  set `flow-logs.traffic` to "all", then run `flowagg plan`
`inbound` requires accepted traffic, but the flow logs record only rejected traffic
  set `flow-logs.traffic` to "all", then run `flowagg plan`

"#]]
    );
}

#[test]
fn mapped_ipv6_addresses_become_ipv4() {
    let who = |text: &str| asked(&format!("who {text}"), Options::default()).unwrap();
    let address = |text: &str| Question::Who { address: text.parse().unwrap() };
    assert_eq!(who("::ffff:10.0.1.1"), address("10.0.1.1"));
    assert_eq!(who("2001:DB8:0::1"), address("2001:db8::1"));
    assert_eq!(read("::ffff:10.0.0.220"), Some(Gateway::Address("10.0.0.220".parse().unwrap())));
}

fn read<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[test]
fn gateways_are_interfaces_addresses_or_regional_ids() {
    for text in ["eni-0a1b2c3d4e5f67890", "10.0.0.220", "nat-0a1b2c3d4e5f67890", "fleet"] {
        assert!(read::<Gateway>(text).is_some(), "{text}");
    }
    for text in ["", "vpc-0a1b2c3d", "eni-", "nat-0' OR 1=1", "i-0a1b2c3d", "10.0.0.0/8"] {
        assert!(read::<Gateway>(text).is_none(), "{text}");
    }
}

#[test]
fn only_interfaces_and_instances_are_accepted() {
    assert!(matches!(read("eni-0a1b2c3d"), Some(InterfaceId::Interface(_))));
    assert!(matches!(read("i-0a1b2c3d4e5f67890"), Some(InterfaceId::Instance(_))));
    for text in ["", "i-", "i-xyz", "vpc-0a1b2c3d", "i-0a1b2c3d'"] {
        assert!(read::<InterfaceId>(text).is_none(), "{text}");
    }
}

#[test]
fn office_hours_are_hours_days_and_an_offset() {
    assert_eq!(read::<Hours>("7-19").map(Hours::seconds), Some([25_200, 68_400]));
    assert_eq!(read::<Hours>("0-24").map(Hours::seconds), Some([0, 86_400]));
    for text in ["", "8", "18-8", "8-25", "8-8"] {
        assert!(read::<Hours>(text).is_none(), "{text}");
    }
    let days = |text: &str| read::<Weekdays>(text).map(|days| days.numbers().collect::<Vec<_>>());
    assert_eq!(days("mon-fri"), Some(vec![0, 1, 2, 3, 4]));
    assert_eq!(days("sun-tue,thu"), Some(vec![0, 1, 3, 6]));
    assert_eq!((days("monday"), days("")), (None, None));
    let offset = |text: &str| read::<UtcOffset>(text).map(UtcOffset::seconds);
    assert_eq!((offset("+1"), offset("5:30"), offset("-03:30")), (Some(3_600), Some(19_800), Some(-12_600)));
    assert_eq!((offset("+15"), offset("CET"), offset("-+1"), offset("")), (None, None, None, None));
}

#[test]
fn sizes_and_networks_are_read() {
    let size = |text: &str| read::<Size>(text).map(Size::bytes);
    assert_eq!(
        (size("500MB"), size("2 gb"), size("17"), size("17B")),
        (Some(500_000_000), Some(2_000_000_000), Some(17), Some(17))
    );
    assert_eq!((size(""), size("MB"), size("1.5GB"), size("99999999TB")), (None, None, None, None));
    for (text, network) in [
        ("2001:db8::/32", "2001:db8::/32"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.1.2.3/32", "10.1.2.3/32"),
        ("10.1.2.3/0", "0.0.0.0/0"),
        ("2001:db8::1/0", "::/0"),
        ("2001:db8::1/128", "2001:db8::1/128"),
    ] {
        assert_eq!(read::<Network>(text).map(|network| network.to_string()).as_deref(), Some(network));
    }
    for text in ["10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/8'"] {
        assert!(read::<Network>(text).is_none(), "{text}");
    }
}

#[test]
fn needs_are_listed_by_argument_where_they_differ() {
    let needs = |name: QuestionName| -> Vec<String> {
        let needs = Question::needs_by_argument(name).into_iter();
        needs.map(|(word, needs)| format!("{word:?}: {}", names(&needs.required))).collect()
    };
    assert_eq!(
        needs(QuestionName::ByService),
        [
            "Some(\"ecs-service\"): `bytes`, `ecs-cluster-name`, `ecs-service-name`",
            "Some(\"ecs-task\"): `bytes`, `ecs-cluster-name`, `ecs-task-id`",
            "Some(\"instance-tag\"): `bytes`, `instance-tag`",
            "Some(\"interface-tag\"): `bytes`, `interface-tag`",
            "Some(\"asg-tag\"): `bytes`, `asg-tag`",
        ]
    );
    assert_eq!(needs(QuestionName::ByDay), ["None: `bytes`, `end`"]);
    assert_eq!(needs(QuestionName::CrossZone), ["None: `bytes`, `az-id`, `next-hop-az-id`"]);
}

fn names(fields: &[RecordedField]) -> String {
    let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.as_str())).collect();
    names.join(", ")
}

/// Encloses the generated part of the page.
const START: &str = "<!-- generated from the questions -->\n";
const END: &str = "<!-- end of the generated part -->\n";

/// The table of questions with what each counts.
fn page() -> String {
    let mut text =
        "| question | answer | required fields | optional fields |\n|---|---|---|---|\n".to_owned();
    for name in QuestionName::ALL {
        let needs = Question::needs_by_argument(name);
        let listed = |fields: fn(&Needs) -> &[RecordedField]| {
            if needs.iter().all(|(_, one)| fields(one) == fields(&needs[0].1)) {
                return names(fields(&needs[0].1));
            }
            let with = |(word, needs): &(Option<&str>, Needs)| {
                format!("with `{}`: {}", word.unwrap_or_default(), names(fields(needs)))
            };
            needs.iter().map(with).collect::<Vec<_>>().join("<br>")
        };
        let argument = name.argument().map(|argument| {
            let name = argument.name.replace('|', "\\|");
            if argument.is_required { format!(" {name}") } else { format!(" [{name}]") }
        });
        let (argument, about) = (argument.unwrap_or_default(), name.about());
        let (required, better) = (listed(|needs| &needs.required), listed(|needs| &needs.better));
        text += &format!("| `{name}{argument}` | {about} | {required} | {better} |\n");
    }
    text.push('\n');
    for name in QuestionName::ALL {
        text += &format!("- **`{name}`**: {}\n", name.counts());
    }
    text
}

#[test]
fn query_page_matches_the_questions() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/query.md");
    let written = fs::read_to_string(&file).unwrap();
    let (before, rest) = written.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{START}{}{END}{after}", page());
    assert_data_eq!(expected, Data::read_from(&file, None).raw());
}

/// Flow logs with these fields.
fn recording(fields: &[&str]) -> FlowLogSpec {
    let fields: Vec<Field> = fields.iter().map(|name| Field::parse(name).unwrap()).collect();
    FlowLogSpec { format: RecordFormat::try_from(fields).unwrap(), ..FlowLogSpec::default() }
}

#[test]
fn advice_suggests_a_set_with_all_required_fields() {
    let spec = recording(&["srcaddr", "dstaddr", "bytes", "pkt-srcaddr", "pkt-dstaddr"]);
    let gateways = vec!["eni-0a1b2c3d4e5f67890".parse().unwrap()];
    let named = asked("nat", Options { gateways, ..Options::default() }).unwrap();
    assert_eq!(
        named.check(&spec).unwrap_err().help(),
        "add it to `flow-logs.fields`, or set it to \"cost\"; then run `flowagg plan`"
    );
}

#[test]
fn fleet_gateways_are_used_if_interface_type_is_not_recorded() {
    let fields = ["srcaddr", "dstaddr", "bytes", "pkt-srcaddr", "pkt-dstaddr"];
    let without = recording(&fields);
    let with = recording(&[&fields[..], &["interface-type"]].concat());
    let of_fleet = |line: &str, options: Options, spec: &FlowLogSpec| {
        let question = asked(line, options).unwrap().of_fleet(spec);
        assert_eq!(question.check(spec), Ok(()), "{line}");
        question.asks_fleet()
    };
    assert!(of_fleet("nat", Options::default(), &without));
    assert!(!of_fleet("nat", Options::default(), &with));
    assert!(!of_fleet("nat", gateways(), &without));
    assert!(!of_fleet("top", Options::default(), &without));
    let fleet = || Options { gateways: vec![Gateway::Fleet], ..Options::default() };
    assert!(of_fleet("nat", fleet(), &with) && of_fleet("top", fleet(), &without));
    assert!(!unanswered(&without).contains(&QuestionName::Nat));
    assert!(unanswered(&without).contains(&QuestionName::NatToAws), "it requires the names of services");
    let needs_listed =
        |line: &str, options: Options, spec| asked(line, options).unwrap().needs_listed_gateways(spec);
    assert!(needs_listed("nat", fleet(), &without));
    assert!(!needs_listed("nat", fleet(), &with) && !needs_listed("top", fleet(), &without));
    let needs = asked("top", fleet()).unwrap().needs();
    assert!(needs.better.iter().any(|field| field.as_str() == "interface-id"));
}
