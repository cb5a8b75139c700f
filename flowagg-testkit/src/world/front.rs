//! An endpoint in front of LocalStack that stores what AWS stores and LocalStack does not, and completes the responses.
//!
//! * `CreateFlowLogs`: the response to a repeated client token; the policy that AWS attaches to the bucket, if enabled;
//!   `DryRunOperation` for a dry run while the bucket does not exist, for which LocalStack returns unsuccessful items;
//!   several flow logs with the same resource and destination but other traffic, of which LocalStack accepts only the
//!   first
//! * `DescribeFlowLogs`: the destination options, and the delivery status reported by the delivery service
//! * `DescribeVpcs`: the VPCs that another account shares
//! * `DescribeNetworkInterfaces`: interfaces of every status, because LocalStack rejects a filter by status
//! * `GetBucketEncryption`: the default after the encryption was deleted, for which LocalStack returns an empty body
//! * `GetBucketPolicyStatus`, which LocalStack does not have: computed from the live bucket policy

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use flowagg_core::id::{AccountId, Region};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use super::attach::Attaching;
use crate::delivery::{Outcome, Publication};
use crate::endpoint::{Call, Door, Request, Upstream, locked, wire, with_body};

/// The endpoint. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Front {
    door: Door,
    memory: Arc<Memory>,
}

/// A client token, and the account that sent it.
type Token = (Option<AccountId>, String);

#[derive(Debug)]
struct Memory {
    upstream: Upstream,
    /// The responses to calls with a client token.
    tokens: Mutex<BTreeMap<Token, Arc<OnceCell<Vec<u8>>>>>,
    /// The destination options of each flow log to S3, as EC2 writes them.
    options: Mutex<BTreeMap<String, String>>,
    /// The last delivery status of each flow log, as EC2 writes it.
    deliveries: Mutex<BTreeMap<String, &'static str>>,
    /// The VPCs that other accounts share with an account, by region, as EC2 writes them.
    shared: Mutex<BTreeMap<(AccountId, String), Vec<String>>>,
    /// How AWS changes the bucket policy when a flow log is created in the hub account.
    attaching: Mutex<Option<Attaching>>,
}

/// Source: "FlowLog" (Amazon EC2 API Reference), `DeliverLogsStatus` and `DeliverLogsErrorMessage`.
const SUCCESS: &str = "<deliverLogsStatus>SUCCESS</deliverLogsStatus>";
const ACCESS_ERROR: &str = "<deliverLogsStatus>FAILED</deliverLogsStatus>\
                            <deliverLogsErrorMessage>Access error</deliverLogsErrorMessage>";

/// Suffixes of the destination that LocalStack receives for flow logs that do not record all traffic, URL-encoded and
/// plain. AWS rejects a flow log if another has the same resource, destination and traffic type. LocalStack ignores the
/// type.
const PARTS: [(&str, &str, &str); 2] =
    [("ACCEPT", "%2F~ACCEPT", "/~ACCEPT"), ("REJECT", "%2F~REJECT", "/~REJECT")];

impl Front {
    /// An endpoint in front of this emulator, without any stored state.
    pub(super) async fn in_front_of(emulator: &str) -> io::Result<Self> {
        let memory = Arc::new(Memory {
            upstream: Upstream::at(emulator),
            tokens: Mutex::default(),
            options: Mutex::default(),
            deliveries: Mutex::default(),
            shared: Mutex::default(),
            attaching: Mutex::default(),
        });
        let remembers = Arc::clone(&memory);
        let door = Door::open(move |client| {
            let memory = Arc::clone(&remembers);
            async move { memory.serve(client).await }
        });
        Ok(Self { door: door.await?, memory })
    }

    pub(super) fn url(&self) -> &str {
        self.door.url()
    }

    /// From now on, AWS attaches a policy for each flow log that is created in the hub account.
    pub(super) fn attaches(&self, attaching: Attaching) {
        *locked(&self.memory.attaching) = Some(attaching);
    }

    /// Stores the delivery status that results from these publications.
    pub(super) fn told(&self, publications: &[Publication]) {
        let mut deliveries = locked(&self.memory.deliveries);
        for publication in publications {
            let word = match publication.outcome {
                Outcome::Delivered { .. } => SUCCESS,
                Outcome::AccessError { .. } => ACCESS_ERROR,
            };
            deliveries.insert(publication.flow_log.to_string(), word);
        }
    }

    /// Shares a VPC of another account with this one.
    ///
    /// Source: "Share your VPC subnets with other accounts" (Amazon VPC User Guide): participants see the VPC and its
    /// owner.
    pub(super) fn shares(&self, with: AccountId, region: &Region, vpc: &str, owner: AccountId) {
        let item = format!(
            "<vpcId>{vpc}</vpcId><ownerId>{owner}</ownerId><state>available</state><isDefault>false</isDefault>"
        );
        locked(&self.memory.shared).entry((with, region.to_string())).or_default().push(item);
    }
}

impl Memory {
    /// Serves one request. Each connection is closed after it, so that no further request is missed.
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let Some(request) = Request::read(&mut client).await? else { return Ok(()) };
        if !request.is_whole {
            return self.upstream.join(&mut client, &request).await;
        }
        let call = self.upstream.call(&request);
        let answer = self.ask(&request, &call).await?;
        let answer = match call.operation.as_str() {
            "DescribeFlowLogs" => with_body(&answer, |body| self.with_flow_logs(body)),
            "GetBucketEncryption" => with_body(&answer, with_encryption),
            "DescribeVpcs" => with_body(&answer, |body| self.with_shared(body, &call)),
            _ => answer,
        };
        client.write_all(&answer).await
    }

    /// Returns the first response again for a repeated client token.
    async fn ask(&self, request: &Request, call: &Call) -> io::Result<Vec<u8>> {
        let Some(token) = request.field("ClientToken") else { return self.do_once(request, call).await };
        let known = Arc::clone(locked(&self.tokens).entry((call.account, token)).or_default());
        known.get_or_try_init(|| self.do_once(request, call)).await.cloned()
    }

    async fn do_once(&self, request: &Request, call: &Call) -> io::Result<Vec<u8>> {
        if call.operation == "GetBucketPolicyStatus" {
            let head = request.head.replacen("?policyStatus", "?policy", 1);
            let request = Request { head, body: Vec::new(), is_whole: true };
            return Ok(with_body(&self.upstream.ask(&request, call).await?, policy_status));
        }
        if call.operation == "DescribeNetworkInterfaces" {
            return self.upstream.ask(&request.without_filters(), call).await;
        }
        let traffic = request.field("TrafficType").filter(|_| call.operation == "CreateFlowLogs");
        let part = PARTS.iter().find(|(word, ..)| traffic.as_deref() == Some(word));
        let answer = match part {
            Some((_, end, _)) => self.upstream.ask(&request.with_end("LogDestination", end), call).await?,
            None => self.upstream.ask(request, call).await?,
        };
        if call.operation == "CreateFlowLogs" && request.field("DryRun").as_deref() == Some("true") {
            let is_error = String::from_utf8_lossy(&answer).contains("<Code>");
            let would = || {
                wire::error(
                    call,
                    412,
                    "DryRunOperation",
                    "Request would have succeeded, but DryRun flag is set.",
                )
            };
            return Ok(if is_error { answer } else { would().into_bytes() });
        }
        if call.operation == "CreateFlowLogs" && request.field("LogDestinationType").as_deref() == Some("s3")
        {
            let options = options(request);
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let ids = wire::element(&answer, "flowLogIdSet").unwrap_or_default().split("<item>").skip(1);
            let ids = ids.filter_map(|item| item.split_once("</item>"));
            let ids: Vec<_> = ids.map(|(id, _)| (id.to_owned(), options.clone())).collect();
            let attaching = locked(&self.attaching).clone().filter(|_| !ids.is_empty());
            locked(&self.options).extend(ids);
            if let Some(attaching) = attaching {
                attaching.after(call, request).await;
            }
        }
        Ok(answer)
    }

    /// Adds the stored state to each flow log in a response of `DescribeFlowLogs`.
    fn with_flow_logs(&self, body: &str) -> String {
        const ID: (&str, &str) = ("<flowLogId>", "</flowLogId>");
        let bare = ["deliverLogsStatus", "deliverLogsErrorMessage"]
            .iter()
            .fold(body.to_owned(), |text, name| wire::without(&text, name));
        const END: &str = "</logDestination>";
        let bare = PARTS.iter().fold(bare, |text, (_, _, end)| text.replace(&format!("{end}{END}"), END));
        let (options, deliveries) = (locked(&self.options), locked(&self.deliveries));
        let mut parts = bare.split(ID.0);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let (id, rest) = part.split_once(ID.1).unwrap_or((part, ""));
            let delivery = deliveries.get(id).copied().unwrap_or(SUCCESS);
            let options = options.get(id).map_or("", String::as_str);
            text + ID.0 + id + ID.1 + delivery + options + rest
        })
    }

    fn with_shared(&self, body: &str, call: &Call) -> String {
        let (Some(account), Some(region)) = (call.account, &call.region) else { return body.to_owned() };
        let shared = locked(&self.shared);
        let shared = shared.get(&(account, region.clone())).into_iter().flatten();
        shared.fold(body.to_owned(), |body, vpc| wire::with_item(&body, "vpcSet", vpc))
    }
}

/// The requested destination options, or EC2's defaults.
///
/// Source: "DestinationOptionsRequest" (Amazon EC2 API Reference).
fn options(request: &Request) -> String {
    let asked = |name: &str, default: &str| {
        request.field(&format!("DestinationOptions.{name}")).unwrap_or_else(|| default.to_owned())
    };
    format!(
        "<destinationOptions><fileFormat>{}</fileFormat>\
         <hiveCompatiblePartitions>{}</hiveCompatiblePartitions>\
         <perHourPartition>{}</perHourPartition></destinationOptions>",
        asked("FileFormat", "plain-text"),
        asked("HiveCompatiblePartitions", "false"),
        asked("PerHourPartition", "false"),
    )
}

/// S3's response if nothing else is set.
///
/// Source: "DeleteBucketEncryption" (Amazon S3 API Reference): it resets the default encryption to SSE-S3.
fn with_encryption(body: &str) -> String {
    if !body.trim().is_empty() {
        return body.to_owned();
    }
    "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
     <ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>\
     <BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"
        .to_owned()
}

/// The status of a bucket policy. A body that is not a policy, such as an error, is returned unchanged.
///
/// Source: "The meaning of public" (Amazon S3 User Guide), as far as the scenarios need it: a statement is public if it
/// allows something to everyone without a condition.
fn policy_status(body: &str) -> String {
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(body) else { return body.to_owned() };
    let one = std::slice::from_ref(&policy["Statement"]);
    let statements = policy["Statement"].as_array().map_or(one, Vec::as_slice);
    let is_public = statements.iter().any(|statement| {
        let principal = &statement["Principal"];
        let everyone = [principal, &principal["AWS"], &principal["AWS"][0]].into_iter().any(|it| it == "*");
        statement["Effect"] == "Allow" && everyone && statement.get("Condition").is_none()
    });
    format!("<PolicyStatus><IsPublic>{is_public}</IsPublic></PolicyStatus>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        Memory {
            upstream: Upstream::at("http://127.0.0.1:1"),
            tokens: Mutex::default(),
            options: Mutex::from(BTreeMap::from([("fl-1".to_owned(), "<destinationOptions/>".to_owned())])),
            deliveries: Mutex::from(BTreeMap::from([("fl-1".to_owned(), ACCESS_ERROR)])),
            shared: Mutex::default(),
            attaching: Mutex::default(),
        }
    }

    #[test]
    fn flow_log_status_and_options_are_added_once() {
        let (known, unknown) = ("<flowLogId>fl-1</flowLogId>", "<flowLogId>fl-2</flowLogId>");
        let answer = format!("<item>{SUCCESS}{known}<a/></item><item>{unknown}<b/>{SUCCESS}</item>");
        assert_eq!(
            memory().with_flow_logs(&answer),
            format!(
                "<item>{known}{ACCESS_ERROR}<destinationOptions/><a/></item><item>{unknown}{SUCCESS}<b/></item>"
            )
        );
        assert_eq!(memory().with_flow_logs("<flowLogSet />"), "<flowLogSet />");
        let part = "<logDestination>arn:aws:s3:::a/b//~REJECT</logDestination>";
        assert_eq!(memory().with_flow_logs(part), "<logDestination>arn:aws:s3:::a/b/</logDestination>");
    }

    #[test]
    fn missing_options_have_defaults() {
        let asked = |body: &str| {
            options(&Request { head: String::new(), body: body.as_bytes().to_vec(), is_whole: true })
        };
        let hourly = asked("Action=CreateFlowLogs&DestinationOptions.PerHourPartition=true");
        assert_eq!(wire::element(&hourly, "fileFormat"), Some("plain-text"));
        assert_eq!(wire::element(&hourly, "hiveCompatiblePartitions"), Some("false"));
        assert_eq!(wire::element(&hourly, "perHourPartition"), Some("true"));
        assert_eq!(
            wire::element(&asked("DestinationOptions.FileFormat=parquet"), "fileFormat"),
            Some("parquet")
        );
    }

    #[test]
    fn unconditional_allow_for_everyone_is_public() {
        let policy = |statement: &str| format!("{{\"Statement\":{statement}}}");
        for (statement, is_public) in [
            (r#"{"Effect":"Allow","Principal":"*"}"#, true),
            (r#"[{"Effect":"Deny","Principal":"*"},{"Effect":"Allow","Principal":{"AWS":["*"]}}]"#, true),
            (r#"[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"}}]"#, false),
            (r#"[{"Effect":"Allow","Principal":"*","Condition":{}}]"#, false),
            (r#"[{"Effect":"Deny","Principal":"*"}]"#, false),
        ] {
            let status = policy_status(&policy(statement));
            assert_eq!(wire::element(&status, "IsPublic"), Some(if is_public { "true" } else { "false" }));
        }
        assert_eq!(policy_status("<Error/>"), "<Error/>");
    }
}
