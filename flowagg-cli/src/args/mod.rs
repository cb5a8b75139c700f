//! The command line.

#[cfg(all(feature = "athena", feature = "query"))]
mod athena;
mod export;
mod hint;
mod import;
mod init;
mod metrics;
#[cfg(feature = "query")]
mod query;
mod report;
mod schema;
mod target;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;
use flowagg_core::fleet::Only;
use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region};
use flowagg_policy::{Severity, StatementRef};
use jiff::SignedDuration;

use crate::Exit;
use crate::aws::Connection;

#[cfg(all(feature = "athena", feature = "query"))]
pub(crate) use athena::Engine;
pub(crate) use export::{CloudformationArgs, ExportVerb, OutputArgs, TerraformArgs};
use hint::hinted;
pub(crate) use import::ImportArgs;
pub(crate) use init::InitArgs;
pub(crate) use metrics::{Lines, MetricsArgs};
#[cfg(feature = "query")]
pub(crate) use query::{QueryArgs, QueryTime};
pub(crate) use report::ReportArgs;
pub(crate) use schema::Described;
pub(crate) use target::Target;

/// The VPC Flow Logs of many AWS accounts in one S3 bucket.
///
/// Declare the fleet in `flowagg.toml`; `plan` shows what differs, `apply` does exactly that, `verify` proves that each
/// account's logs arrive.
#[derive(Debug, Parser)]
#[command(name = "flowagg", version, max_term_width = 100, after_help = examples())]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// The words that it was read from, with the name of the program.
    #[cfg(feature = "query")]
    #[arg(skip)]
    pub(crate) words: Vec<OsString>,
}

impl Args {
    /// Reads a command line; the first word is the name of the program.
    pub(crate) fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let args = Self::try_parse_from(words).map_err(|error| hinted(error, words))?;
        #[cfg(feature = "query")]
        let args = Self { words: words.to_owned(), ..args };
        Ok(args)
    }

    /// Whether the JSON that is asked for is written into a file or an object.
    pub(crate) fn writes_json_into_file(&self) -> bool {
        matches!(&self.verb, Verb::Report(ReportArgs { json: Some(Some(_)), .. }))
    }
}

const EXAMPLES: &str = "\
Examples:
  flowagg plan                     show what differs, everywhere
  flowagg apply                    show it, ask, and do it
  flowagg verify --wait 15m        wait until every flow log delivers
  flowagg policy check < live.json look for faults in a bucket policy, offline

Exit codes:
";

/// The examples, and every exit code with its meaning.
fn examples() -> String {
    let mut text = EXAMPLES.to_owned();
    for exit in Exit::ALL {
        let first = format!("  {:<5}", exit as u8);
        let options = textwrap::Options::new(80).initial_indent(&first).subsequent_indent("       ");
        text += &textwrap::fill(exit.meaning(), options);
        text.push('\n');
    }
    text
}

/// The default name of the fleet file.
pub(crate) const FLEET_FILE: &str = "flowagg.toml";

#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct GlobalArgs {
    /// The fleet file
    #[arg(short, long, global = true, value_name = "FILE", default_value = FLEET_FILE)]
    pub(crate) config: PathBuf,
    /// Send every call to this endpoint instead of AWS [also: AWS_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Use the credentials of this profile, and not those in the environment [also: AWS_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Send the first calls (caller identity, roles) to this region [default: the hub's]
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<Region>,
    /// How long one try of a call may take; what has no answer then is tried again
    #[arg(long, global = true, value_name = "TIME", value_parser = time, default_value = "20s")]
    pub(crate) call_timeout: Duration,
    /// Trace every call on standard error; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Look only at this member, by account or name, or at this region; may be given more than once. The hub is always looked at
    #[arg(long, global = true, value_name = "ACCOUNT|NAME|REGION")]
    pub(crate) only: Vec<Only>,
}

impl GlobalArgs {
    pub(crate) fn connection(&self) -> Connection {
        let mut connection = Connection::default();
        connection.endpoint_url = self.endpoint_url.clone();
        connection.call_timeout = self.call_timeout;
        connection.profile.clone_from(&self.profile);
        connection.region.clone_from(&self.region);
        connection
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write a first fleet file: asks a few questions, or takes options
    #[command(after_help = init::EXAMPLES)]
    Init(InitArgs),
    /// Show what differs between the fleet file and AWS
    #[command(after_help = "\
Examples:
  flowagg plan                     read every account and region, write nothing
  flowagg plan --exit-code         exit with 3 when anything differs (for CI)
  flowagg plan --json | jq .hub    the plan for machines
  flowagg plan --markdown | gh pr comment --body-file -
  flowagg -c emea.toml plan        another fleet file")]
    Plan(PlanArgs),
    /// Show the plan, ask, and do it
    #[command(after_help = "\
Examples:
  flowagg apply                    show the plan, ask, do it
  flowagg apply --yes              do not ask
  flowagg apply --prune            also revoke accounts that left the fleet file")]
    Apply(ApplyArgs),
    /// Look into the bucket: does every flow log deliver?
    #[command(after_help = "\
Examples:
  flowagg verify                   look once
  flowagg verify --wait 30m        look until all deliver, at most 30 minutes
  flowagg verify --all             list every flow log with its newest object
  flowagg verify --json            one entry for each flow log, for machines

Exit codes:
  0  all was read, and every flow log that should deliver does; idle ones need not
  1  something could not be read
  3  a flow log is silent, missing, failing, or still waiting")]
    Verify(VerifyArgs),
    /// Look for what would keep a roll-out from working, before anything is changed
    #[command(after_help = "\
Examples:
  flowagg doctor                   credentials, roles, bucket, policy, key, ...
  flowagg doctor --only 222222222222
  flowagg doctor --json            one entry for each look, for machines")]
    Doctor(DoctorArgs),
    /// Show how the fleet stands: coverage, deliveries of the last days, the policy's room, findings
    #[command(after_help = report::EXAMPLES)]
    Report(ReportArgs),
    /// Take away our flow logs and our grant; the bucket, its objects and all that others made stay
    #[command(after_help = "\
Examples:
  flowagg destroy                  show what would go, ask, do it
  flowagg destroy --yes            do not ask")]
    Destroy(ConsentArgs),
    /// Print the least IAM policies that flowagg needs for this fleet, offline
    #[command(after_help = "\
Examples:
  flowagg permissions
  flowagg permissions --json | jq .member > member-role.json")]
    Permissions(PermissionsArgs),
    /// Write the fleet down for other tools: CloudFormation templates, a Terraform configuration, a table of Athena
    #[command(subcommand)]
    Export(ExportVerb),
    /// Write the fleet file that describes what is there already: a live bucket and its accounts, or templates
    #[command(after_help = import::EXAMPLES)]
    Import(ImportArgs),
    /// Query the flow logs in the bucket with questions and SQL, on this machine or in Amazon Athena
    ///
    /// Flow log objects are downloaded from the bucket (or read from a folder) and queried here: no table, no Athena, no other
    /// service. `vpc_flow_logs` is the table. Without `--from`, records of the last hour are read. With `--engine athena`, the query
    /// runs in the hub account, on the table of `flowagg export athena`; flowagg prints what it scans and costs, and asks.
    #[cfg(feature = "query")]
    #[command(after_help = query::EXAMPLES)]
    Query(QueryArgs),
    /// Build, merge, compare, check and ask bucket policies, offline
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Print a JSON Schema: of the fleet file, for editors, or of what a verb prints with --json
    #[command(after_help = schema::EXAMPLES)]
    Schema {
        /// What it is the schema of
        #[arg(value_name = "DOCUMENT", default_value = "fleet-file")]
        of: Described,
    },
    /// Print completions for a shell
    #[command(after_help = "\
Examples:
  flowagg completions bash > ~/.local/share/bash-completion/completions/flowagg
  flowagg completions zsh > ~/.zfunc/_flowagg
  flowagg completions fish > ~/.config/fish/completions/flowagg.fish")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual, a page for each verb
    #[command(after_help = "\
Examples:
  flowagg man --out ~/.local/share/man/man1
  man flowagg-plan")]
    Man {
        /// The folder for the pages
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PlanArgs {
    /// Print the plan as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the plan as Markdown, for a comment on a pull request
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Exit with 3 when anything differs
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// List every change, and what stays as it is
    #[arg(long, conflicts_with_all = ["json", "markdown"])]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) terms: TermsArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) consent: ConsentArgs,
    #[command(flatten)]
    pub(crate) terms: TermsArgs,
}

/// What a plan may do besides making AWS what the fleet file declares.
#[derive(Debug, ClapArgs)]
pub(crate) struct TermsArgs {
    /// Also revoke accounts, and delete flow logs of ours, that the fleet file does not name
    #[arg(long)]
    pub(crate) prune: bool,
    /// Replace a foreign policy statement (its Sid, or `#3`) by the fleet's grant, unless a known delivery would stop
    #[arg(long, value_name = "STATEMENT")]
    pub(crate) adopt: Vec<StatementRef>,
    /// Adopt even if some accounts, regions or folders could not be read
    #[arg(long, requires = "adopt")]
    pub(crate) adopt_unchecked: bool,
    /// Set lifecycle rules that expire objects of an existing bucket sooner
    #[arg(long)]
    pub(crate) allow_expiry: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ConsentArgs {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Print what was done as JSON; needs --yes
    #[arg(long, requires = "yes")]
    pub(crate) json: bool,
    /// List every change, and what stays as it is
    #[arg(long, conflicts_with = "json")]
    pub(crate) all: bool,
    /// Begin no further account and region after so many failures
    #[arg(long, value_name = "N")]
    pub(crate) max_failures: Option<NonZeroUsize>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyArgs {
    /// Wait until all deliver, at most so long (30m, 1h)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) wait: Option<Duration>,
    /// How long a new flow log may have delivered nothing (it is then `waiting`)
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "30m")]
    pub(crate) grace: Duration,
    /// How old the newest object of a flow log that delivers may be
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1h")]
    pub(crate) fresh: Duration,
    /// List every flow log with its newest object
    #[arg(long, conflicts_with = "json")]
    pub(crate) all: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PermissionsArgs {
    /// Include what `flowagg query` needs: reading the objects, and looking up names and NAT gateways
    #[arg(long)]
    pub(crate) query: bool,
    /// Print all of them as one JSON object: caller, hub, member, trust
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Print the policy that the fleet file makes for an empty bucket
    #[command(after_help = "\
Examples:
  flowagg policy build
  flowagg policy build --json      with its size, form and accounts")]
    Build(BuildArgs),
    /// Merge the fleet's grant into a policy: the new policy to stdout, the difference to stderr
    #[command(after_help = "\
Examples:
  flowagg policy merge --policy live.json > merged.json
  aws s3api get-bucket-policy --bucket NAME --query Policy --output text |
    flowagg policy merge")]
    Merge(MergeArgs),
    /// Say what two policies say differently
    #[command(after_help = "\
Examples:
  flowagg policy diff before.json after.json
  flowagg policy diff live.json - --exit-code < wanted.json")]
    Diff(DiffArgs),
    /// Look for faults in a policy; exits with 3 when there are findings
    #[command(after_help = "\
Examples:
  flowagg policy check --policy live.json --bucket acme-flow-logs
  flowagg policy check --policy live.json --severity warning   without the notes
  flowagg policy check --policy live.json --sarif > findings.sarif")]
    Check(CheckArgs),
    /// Ask a policy as the log delivery service would
    #[command(after_help = "\
Examples:
  flowagg policy simulate --policy live.json --account 222222222222
  flowagg policy simulate --policy live.json --account 222222222222 \\
    --region eu-west-1 --key AWSLogs/333333333333/x
  flowagg policy simulate --policy live.json --requests requests.jsonl --json")]
    Simulate(SimulateArgs),
    /// Say how large the policy is, and how many accounts fit in each form
    #[command(after_help = "\
Examples:
  flowagg policy size              the fleet's policy on an empty bucket
  flowagg policy size --policy live.json")]
    Size(SizeArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BuildArgs {
    /// Print policy, size, form and accounts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MergeArgs {
    /// The policy to merge into; `-` is stdin
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) policy: PathBuf,
    /// Also revoke accounts that the fleet file does not name
    #[arg(long)]
    pub(crate) prune: bool,
    /// Replace a foreign statement (its Sid, or `#3`) by the fleet's grant; deliveries that it serves are not checked
    #[arg(long, value_name = "STATEMENT")]
    pub(crate) adopt: Vec<StatementRef>,
    /// Print policy, size, form and accounts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DiffArgs {
    /// A policy; `-` is stdin
    pub(crate) before: PathBuf,
    /// Another; `-` is stdin
    pub(crate) after: PathBuf,
    /// Print the difference as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 3 when they differ
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    /// The policy; `-` is stdin
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) policy: PathBuf,
    /// The bucket that the policy is for; by default, the one that most of its resources name
    #[arg(long, value_name = "NAME", value_parser = BucketName::parse_in_policy)]
    pub(crate) bucket: Option<BucketName>,
    /// Report findings of this severity or above: note, warning or error
    #[arg(long, value_name = "LEVEL", value_parser = severity, default_value = "note")]
    pub(crate) severity: Severity,
    /// Print the findings as JSON
    #[arg(long, conflicts_with = "sarif")]
    pub(crate) json: bool,
    /// Print the findings as SARIF 2.1.0, as code scanners take it
    #[arg(long)]
    pub(crate) sarif: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SimulateArgs {
    /// The policy; `-` is stdin
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) policy: PathBuf,
    /// Account whose logs are delivered [default: members of the fleet file, else accounts in the policy's statements for log
    /// delivery]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,
    /// Region of the flow log [default: regions of the member, else regions in the policy, else the first of the partition]
    #[arg(long)]
    pub(crate) region: Option<Region>,
    /// Object key [default: a flow log file of today in the account's folder]
    #[arg(long, requires = "account")]
    pub(crate) key: Option<String>,
    /// Bucket [default: the bucket in the policy, else that of the fleet file]
    #[arg(long, value_name = "NAME", value_parser = BucketName::parse_in_policy)]
    pub(crate) bucket: Option<BucketName>,
    /// Organization of the accounts [default: that of the fleet file]
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<OrganizationId>,
    /// Evaluate the requests in this file instead, one JSON object a line: {"principal", "action", "resource", "context", "unknown"};
    /// `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["account", "region", "key", "bucket", "organization"])]
    pub(crate) requests: Option<PathBuf>,
    /// Print each decision as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SizeArgs {
    /// The live policy, whose other statements take room; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Print the sizes as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `note`, `warning`, `error`.
fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "note" => Ok(Severity::Note),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err("note, warning or error".to_owned()),
    }
}

/// `90s`, `15m`, `1h30m`.
fn time(text: &str) -> Result<Duration, String> {
    let time: SignedDuration = text.parse().map_err(|_| "a time such as 90s, 15m or 1h".to_owned())?;
    Duration::try_from(time).map_err(|_| "a time that is not negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn the_fleet_file_is_named_before_or_after_the_verb() {
        for args in [["flowagg", "-c", "a.toml", "plan"], ["flowagg", "plan", "-c", "a.toml"]] {
            assert_eq!(Args::parse_from(args).global.config, PathBuf::from("a.toml"));
        }
    }

    /// Every verb, with those above it.
    fn verbs(of: &clap::Command, above: &[String], found: &mut Vec<(Vec<String>, clap::Command)>) {
        for verb in of.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let path = [above, &[verb.get_name().to_owned()]].concat();
            verbs(verb, &path, found);
            if !verb.has_subcommands() {
                found.push((path, verb.clone()));
            }
        }
    }

    #[test]
    fn every_verb_has_examples_of_itself_that_are_read() {
        use clap::CommandFactory;
        let mut found = Vec::new();
        verbs(&Args::command(), &["flowagg".to_owned()], &mut found);
        assert!(found.len() >= 20, "{}", found.len());
        for (path, verb) in found {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let words = path.join(" ");
            let (_, examples) =
                help.split_once("Examples:\n").unwrap_or_else(|| panic!("{words}: no examples"));
            let (examples, _) = examples.split_once("\n\n").unwrap_or((examples, ""));
            let long = examples.lines().find(|line| line.chars().count() > 80);
            assert_eq!(long, None, "{words}: wider than a terminal of 80 columns");
            let examples = examples.replace(" \\\n    ", " ");
            let commands: Vec<&str> = examples
                .split(['\n', '|'])
                .map(str::trim)
                .filter(|part| part.starts_with("flowagg "))
                .filter_map(|part| part.split("  ").next()?.split(['<', '>']).next())
                .collect();
            assert!(
                commands.iter().any(|command| command.starts_with(&words)),
                "{words}: no example of itself"
            );
            for command in commands {
                let read = Args::try_parse_from(shlex::split(command).unwrap());
                assert!(read.is_ok(), "`{command}` is not read: {}", read.unwrap_err());
            }
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(time("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        assert!(time("-1m").is_err() && time("soon").is_err() && time("15").is_err());
    }
}
