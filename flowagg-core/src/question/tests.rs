//! Arguments, and what they need.

use snapbox::{assert_data_eq, str};

use super::*;
use crate::flow_log::{Field, FieldSet, FlowLogSpec, RecordFormat, TrafficType};

fn asked(line: &str, options: Options) -> Result<Question, ArgumentError> {
    let mut words = line.split(' ');
    Question::new(QuestionName::parse(words.next().unwrap()).unwrap(), words, options)
}

fn gateways() -> Options {
    Options { gateways: vec!["10.0.0.220".parse().unwrap()], ..Options::default() }
}

#[test]
fn examples_are_questions() {
    for name in QuestionName::ALL {
        let line = name.example().trim_start_matches("flowagg query ");
        let line = line.split(" --").next().unwrap();
        assert_eq!(asked(line, Options::default()).unwrap().name(), name);
    }
}

#[test]
fn arguments_and_options_that_do_not_fit_are_named() {
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
`who` needs an argument: ADDRESS
invalid argument `example.com` of `who`: expected an IP address
unexpected argument `10.0.0.8` of `who`
unexpected argument `today` of `rejected`
invalid argument `packet` of `pairs`: expected `interfaces` or `packets`
invalid argument `22,ssh` of `admin-ports`: expected ports such as `22,5432`
invalid argument `eni-1` of `interface`: expected the id of a network interface or an instance, as in `eni-0a1b2c3d4e5f67890`
`--nat` is not an option of `rejected`
`--nat` is only an option of `pairs` with `packets`
`--nat` is only an option of `top` with `addresses`
`--hours` is not an option of `nat`

"#]]
    );
    assert!(asked("pairs packets", gateways()).is_ok() && asked("top", gateways()).is_ok());
}

/// The names of questions that flow logs with these fields cannot answer, each without an argument.
fn unanswered(fields: &[&str]) -> Vec<String> {
    let mut spec = FlowLogSpec::default();
    let extra = fields.iter().map(|name| Field::parse(name).unwrap());
    let all: Vec<Field> = spec.format.fields().iter().copied().chain(extra).collect();
    spec.format = RecordFormat::try_from(all).unwrap();
    let asked =
        QuestionName::ALL.into_iter().filter_map(|name| Question::new(name, None, Options::default()).ok());
    asked
        .filter(|question| question.check(&spec).is_err())
        .map(|question| question.name().to_string())
        .collect()
}

#[test]
fn sets_of_fields_answer_their_questions_exactly() {
    use QuestionName::*;
    let cost: &[QuestionName] = &[Pairs, Top, Outbound, Nat, NatToAws, CrossZone, BetweenAccounts, ByDay];
    let security: &[QuestionName] =
        &[Who, Interface, Rejected, SshRdp, AdminPorts, Inbound, LargeFlows, Scans, OffHours, Unencrypted];
    for (set, names) in [(FieldSet::Cost, cost), (FieldSet::Security, security)] {
        let format = set.format();
        for name in names {
            let line = match name {
                Pairs => "pairs packets",
                Who => "who 10.0.0.7",
                Interface => "interface i-0a1b2c3d4e5f67890",
                BetweenAccounts => "between-accounts vpcs",
                name => name.as_str(),
            };
            let needs = asked(line, Options::default()).unwrap().needs();
            for field in [needs.required, needs.better].concat() {
                let is_recorded = format.fields().iter().any(|recorded| recorded.as_str() == field.as_str());
                assert!(is_recorded, "{line} {field:?}");
            }
        }
    }
}

#[test]
fn default_format_answers_all_but_five_questions() {
    assert_eq!(unanswered(&[]), ["nat", "nat-to-aws", "cross-zone", "by-service", "unencrypted"]);
    let nat = ["pkt-srcaddr", "pkt-dstaddr", "interface-type"];
    assert_eq!(unanswered(&nat), ["nat-to-aws", "cross-zone", "by-service", "unencrypted"]);
}

#[test]
fn what_is_not_recorded_is_named_with_the_fix() {
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
`nat` needs fields that the flow logs do not record: `pkt-srcaddr`, `pkt-dstaddr`
  add them to `flow-logs.fields`, or set it to "cost"; then run `flowagg plan`
`cross-zone` needs fields that the flow logs do not record: `az-id`, `next-hop-az-id`
  add them to `flow-logs.fields`, or set it to "cost"; then run `flowagg plan`
`by-service` needs a field that the flow logs do not record: `asg-tag`
  flow logs that other tools create can record tags; flowagg cannot request them yet
`rejected` is about rejected traffic, and the flow logs record accepted traffic only
  set `flow-logs.traffic` to "all", then run `flowagg plan`
`inbound` is about accepted traffic, and the flow logs record rejected traffic only
  set `flow-logs.traffic` to "all", then run `flowagg plan`

"#]]
    );
}

fn read<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[test]
fn gateways_are_interfaces_addresses_or_regional_ids() {
    for text in ["eni-0a1b2c3d4e5f67890", "10.0.0.220", "nat-0a1b2c3d4e5f67890"] {
        assert!(read::<Gateway>(text).is_some(), "{text}");
    }
    for text in ["", "vpc-0a1b2c3d", "eni-", "nat-0' OR 1=1", "i-0a1b2c3d", "10.0.0.0/8"] {
        assert!(read::<Gateway>(text).is_none(), "{text}");
    }
}

#[test]
fn interfaces_and_instances_are_read_and_nothing_else() {
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
    let size = |text: &str| read::<Size>(text).map(|size| size.0);
    assert_eq!(
        (size("500MB"), size("2 gb"), size("17"), size("17B")),
        (Some(500_000_000), Some(2_000_000_000), Some(17), Some(17))
    );
    assert_eq!((size(""), size("MB"), size("1.5GB"), size("99999999TB")), (None, None, None, None));
    assert_eq!(
        read::<Network>("2001:db8::/32").map(|network| network.to_string()).as_deref(),
        Some("2001:db8::/32")
    );
    for text in ["10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/8'"] {
        assert!(read::<Network>(text).is_none(), "{text}");
    }
}
