//! Makes, replaces, tags and deletes flow logs in one region of one account.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::SdkError;
use aws_sdk_ec2::operation::create_flow_logs::builders::CreateFlowLogsFluentBuilder;
use aws_sdk_ec2::operation::create_flow_logs::{CreateFlowLogsError, CreateFlowLogsOutput};
use aws_sdk_ec2::types::{
    DestinationFileFormat, DestinationOptionsRequest, FlowLogsResourceType, LogDestinationType, ResourceType,
    Tag, TagSpecification, TrafficType, UnsuccessfulItem,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::flow_log::{Files, RecordFormat};
use flowagg_core::id::{FlowLogId, ResourceId, ResourceKind};
use flowagg_core::observed::Place;
use flowagg_core::plan::{FlowLogChange, Step};

use super::Applied;
use super::done::{Did, Done};
use crate::aws::Account;
use crate::aws::call::*;
use crate::aws::failure::At;

/// The most flow logs in one call. Source: "DeleteFlowLogs", FlowLogIds (Amazon EC2 API Reference).
const MOST_FLOW_LOGS: usize = 1000;
/// What AWS says of a flow log that is not there.
const NOT_FOUND: &str = "InvalidFlowLogId.NotFound";
/// What AWS says when a flow log like the wanted one is there; it says so for the whole call.
const ALREADY_EXISTS: &str = "FlowLogAlreadyExists";

pub(super) async fn apply(
    fleet: &Fleet,
    account: &Account,
    place: &Place,
    changes: &[FlowLogChange],
) -> Applied {
    let applied = Here::of(fleet, account, place).apply(changes).await;
    // AWS's answers name a flow log for each that was to be created, and nothing else was to be done.
    let named = applied.done.iter().map(|done| match &done.what {
        Did::CreatedFlowLogs { flow_logs } => flow_logs.len(),
        _ => 0,
    });
    let is_settled = applied.failures.is_empty()
        && named.sum::<usize>() == changes.len()
        && changes.iter().all(|change| change.step == Step::Create);
    let settled = is_settled.then(|| place.clone()).into_iter().collect();
    Applied { settled, ..applied }
}

impl Applied {
    fn record(&mut self, outcome: Result<Done, Failure>) {
        match outcome {
            Ok(done) => self.done.push(done),
            Err(failure) => self.failures.push(failure),
        }
    }
}

pub(super) struct Here<'a> {
    fleet: &'a Fleet,
    place: &'a Place,
    pub(super) ec2: Client,
    pub(super) at: At,
}

/// A flow log to delete, and the change that is done with it.
type Doomed<'c> = (&'c FlowLogChange, &'c FlowLogId);

impl<'a> Here<'a> {
    pub(super) fn of(fleet: &'a Fleet, account: &Account, place: &'a Place) -> Self {
        Self { fleet, place, ec2: account.ec2(&place.region), at: At::new(place.account, &place.region) }
    }

    async fn apply(&self, changes: &[FlowLogChange]) -> Applied {
        let mut applied = Applied::default();
        let wants_one = |change: &&FlowLogChange| matches!(change.step, Step::Create | Step::Replace { .. });
        let making: Vec<&FlowLogChange> = changes.iter().filter(wants_one).collect();
        let mut doomed = Vec::new();
        for kind in ResourceKind::ALL {
            let of_kind = making.iter().filter(|change| change.resource.kind() == kind).copied();
            for batch in of_kind.collect::<Vec<_>>().chunks(kind.most_in_a_call()) {
                doomed.extend(self.make(kind, batch, &mut applied).await);
            }
        }
        doomed.extend(changes.iter().filter_map(|change| match &change.step {
            Step::Delete { flow_log } => Some((change, flow_log)),
            _ => None,
        }));
        for batch in doomed.chunks(MOST_FLOW_LOGS) {
            self.delete_all(batch, &mut applied).await;
        }
        self.tag_all(changes, &mut applied).await;
        applied
    }

    /// One call for all resources of a kind that lack a right flow log; returns the wrong ones that are now superseded.
    ///
    /// The right one comes first, so that no traffic goes unlogged. AWS refuses the whole call when one of them has
    /// such a flow log already: then it is one by one.
    async fn make<'c>(
        &self,
        kind: ResourceKind,
        batch: &[&'c FlowLogChange],
        applied: &mut Applied,
    ) -> Vec<Doomed<'c>> {
        let resources: Vec<&ResourceId> = batch.iter().map(|change| &change.resource).collect();
        let mut superseded = Vec::new();
        match self.create(kind, &resources).await {
            Ok(answer) => {
                let mut created = Vec::new();
                for change in batch {
                    let failed = answer
                        .unsuccessful()
                        .iter()
                        .find(|item| item.resource_id() == Some(change.resource.as_str()));
                    if let Some(item) = failed {
                        let failure = self.unsuccessful(CREATE_FLOW_LOGS, &change.resource, item);
                        applied.record(Err(failure));
                        continue;
                    }
                    created.push(&change.resource);
                    if let Step::Replace { old } = &change.step {
                        superseded.push((*change, old));
                    }
                }
                if !created.is_empty() {
                    applied.record(Ok(self.created(created, &answer)));
                }
            }
            Err(error) if code(&error) == Some(ALREADY_EXISTS) => {
                if let [change] = batch {
                    let refused = self.at.about(&change.resource).failure(CREATE_FLOW_LOGS, &error);
                    self.make_way(change, refused, applied).await;
                } else {
                    for change in batch {
                        self.make_alone(change, applied).await;
                    }
                }
            }
            Err(error) => {
                for change in batch {
                    let failure = self.at.about(&change.resource).failure(CREATE_FLOW_LOGS, &error);
                    applied.record(Err(failure));
                }
            }
        }
        superseded
    }

    async fn make_alone(&self, change: &FlowLogChange, applied: &mut Applied) {
        match self.create_one(&change.resource).await {
            Err(failure) if failure.code.as_deref() == Some(ALREADY_EXISTS) => {
                self.make_way(change, failure, applied).await;
            }
            Ok(done) => {
                applied.record(Ok(done));
                if let Step::Replace { old } = &change.step {
                    applied.record(self.delete(&change.resource, old).await);
                }
            }
            Err(failure) => applied.record(Err(failure)),
        }
    }

    /// Where AWS takes the wrong flow log for the same as the right one, the wrong one has to go first.
    async fn make_way(&self, change: &FlowLogChange, refused: Failure, applied: &mut Applied) {
        let Step::Replace { old } = &change.step else { return applied.record(Err(refused)) };
        match self.delete(&change.resource, old).await {
            Err(failure) => applied.record(Err(failure)),
            Ok(done) => {
                applied.record(Ok(done));
                applied.record(self.create_one(&change.resource).await.map_err(|failure| Failure {
                    message: format!(
                        "{old} was deleted, but its replacement was not made: {}",
                        failure.message
                    ),
                    ..failure
                }));
            }
        }
    }

    async fn create_one(&self, resource: &ResourceId) -> Result<Done, Failure> {
        let answer = self
            .create(resource.kind(), &[resource])
            .await
            .map_err(|error| self.at.about(resource).failure(CREATE_FLOW_LOGS, &error))?;
        match answer.unsuccessful().first() {
            Some(item) => Err(self.unsuccessful(CREATE_FLOW_LOGS, resource, item)),
            None => Ok(self.created([resource], &answer)),
        }
    }

    /// What a call created. An id that AWS returned in an unknown form is left out.
    fn created<'r>(
        &self,
        resources: impl IntoIterator<Item = &'r ResourceId>,
        answer: &CreateFlowLogsOutput,
    ) -> Done {
        let flow_logs = answer.flow_log_ids().iter().filter_map(|id| FlowLogId::parse(id).ok()).collect();
        Done::to_resources(self.place, resources, Did::CreatedFlowLogs { flow_logs })
    }

    /// `CreateFlowLogs`. HTTP 200 is no success: the answer has the items that were none.
    async fn create(
        &self,
        kind: ResourceKind,
        resources: &[&ResourceId],
    ) -> Result<CreateFlowLogsOutput, SdkError<CreateFlowLogsError, HttpResponse>> {
        self.request(kind, resources).send().await
    }

    pub(super) fn request(
        &self,
        kind: ResourceKind,
        resources: &[&ResourceId],
    ) -> CreateFlowLogsFluentBuilder {
        let spec = &self.fleet.flow_logs;
        // Transit gateways take no choice of traffic, and have fields of their own.
        let of_packets = kind != ResourceKind::TransitGateway;
        let tags = self
            .fleet
            .tags()
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        let tags =
            TagSpecification::builder().resource_type(ResourceType::VpcFlowLog).set_tags(Some(tags)).build();
        self.ec2
            .create_flow_logs()
            .client_token(uuid::Uuid::new_v4().to_string())
            .resource_type(FlowLogsResourceType::from(kind.as_api()))
            .set_resource_ids(Some(resources.iter().map(ToString::to_string).collect()))
            .set_traffic_type(of_packets.then(|| TrafficType::from(spec.traffic.as_api())))
            .log_destination_type(LogDestinationType::S3)
            .log_destination(self.fleet.destination().arn())
            .set_log_format(
                (of_packets && spec.format != RecordFormat::default()).then(|| spec.format.to_string()),
            )
            .max_aggregation_interval(spec.aggregation_interval.of(kind).seconds())
            .set_destination_options((spec.files != Files::default()).then(|| options(spec.files)))
            .tag_specifications(tags)
    }

    /// One call for each set of tags.
    async fn tag_all(&self, changes: &[FlowLogChange], applied: &mut Applied) {
        let mut by_tags: BTreeMap<_, Vec<Doomed<'_>>> = BTreeMap::new();
        for change in changes {
            if let Step::Tag { flow_log, tags } = &change.step {
                by_tags.entry(tags).or_default().push((change, flow_log));
            }
        }
        for (set, all) in by_tags {
            for batch in all.chunks(MOST_FLOW_LOGS) {
                let tags =
                    set.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
                let ids = batch.iter().map(|(_, id)| id.to_string()).collect();
                let answer =
                    self.ec2.create_tags().set_resources(Some(ids)).set_tags(Some(tags)).send().await;
                for (change, id) in batch {
                    let did = Did::TaggedFlowLog { flow_log: (*id).clone(), tags: set.clone() };
                    let outcome = answer.as_ref().map(|_| self.done(change, did));
                    applied.record(outcome.map_err(|error| self.at.about(id).failure(CREATE_TAGS, error)));
                }
            }
        }
    }

    /// One call for all. Where one of them is gone already, AWS deletes none: then one by one.
    async fn delete_all(&self, batch: &[Doomed<'_>], applied: &mut Applied) {
        let ids = batch.iter().map(|(_, id)| id.to_string()).collect();
        match self.ec2.delete_flow_logs().set_flow_log_ids(Some(ids)).send().await {
            Ok(answer) => {
                for (change, id) in batch {
                    let failed =
                        answer.unsuccessful().iter().find(|item| item.resource_id() == Some(id.as_str()));
                    applied.record(match failed {
                        Some(item) => Err(self.unsuccessful(DELETE_FLOW_LOGS, id, item)),
                        None => Ok(self.deleted(&change.resource, id)),
                    });
                }
            }
            Err(error) if code(&error) == Some(NOT_FOUND) => {
                for (change, id) in batch {
                    applied.record(self.delete(&change.resource, id).await);
                }
            }
            Err(error) => {
                for (_, id) in batch {
                    applied.record(Err(self.at.about(id).failure(DELETE_FLOW_LOGS, &error)));
                }
            }
        }
    }

    async fn delete(&self, resource: &ResourceId, flow_log: &FlowLogId) -> Result<Done, Failure> {
        match self.ec2.delete_flow_logs().flow_log_ids(flow_log.as_str()).send().await {
            Ok(answer) => match answer.unsuccessful().first() {
                Some(item) => Err(self.unsuccessful(DELETE_FLOW_LOGS, flow_log, item)),
                None => Ok(self.deleted(resource, flow_log)),
            },
            // Gone already: an answer was lost, or somebody else deleted it.
            Err(SdkError::ServiceError(error)) if error.err().code() == Some(NOT_FOUND) => {
                Ok(self.deleted(resource, flow_log))
            }
            Err(error) => Err(self.at.about(flow_log).failure(DELETE_FLOW_LOGS, &error)),
        }
    }

    fn deleted(&self, resource: &ResourceId, flow_log: &FlowLogId) -> Done {
        Done::to_resources(self.place, [resource], Did::DeletedFlowLog { flow_log: flow_log.clone() })
    }

    fn done(&self, change: &FlowLogChange, did: Did) -> Done {
        Done::to_resources(self.place, [&change.resource], did)
    }

    fn unsuccessful(&self, call: Call, resource: &dyn std::fmt::Display, item: &UnsuccessfulItem) -> Failure {
        let error = item.error();
        let code = error.and_then(|error| error.code()).unwrap_or("no code");
        let message = error.and_then(|error| error.message()).unwrap_or("AWS gave no reason");
        let help = if message.contains("undeliverable") {
            "the bucket cannot be delivered to: with a KMS key, it must be a customer managed key given by its ARN"
        } else if message.contains("does not exist") {
            "the bucket is gone: run `flowagg plan` again"
        } else {
            "run `flowagg plan` again to see what is missing"
        };
        self.at.about(resource).failed(call, Some(code), message, help)
    }
}

fn options(files: Files) -> DestinationOptionsRequest {
    DestinationOptionsRequest::builder()
        .file_format(DestinationFileFormat::from(files.format.as_str()))
        .hive_compatible_partitions(files.hive_compatible_partitions)
        .per_hour_partition(files.per_hour_partition)
        .build()
}

pub(super) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(|error| error.code())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_ec2::operation::delete_flow_logs::DeleteFlowLogsOutput;
    use aws_sdk_ec2::types::UnsuccessfulItemError;
    use aws_smithy_mocks::{MockResponse, Rule, mock};
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;
    use crate::aws::mocked;

    type Calls = Arc<Mutex<Vec<String>>>;

    /// An EC2 in which these VPCs have a flow log like the wanted one, and these cannot get any.
    fn create(calls: &Calls, taken: &'static [&'static str], broken: &'static [&'static str]) -> Rule {
        let calls = calls.clone();
        mock!(Client::create_flow_logs).then_compute_response(move |request| {
            let ids = request.resource_ids();
            assert!(!ids.is_empty() && request.client_token().is_some_and(|token| token.len() <= 64));
            let mut calls = calls.lock().unwrap();
            calls.push(format!("create {}", ids.join(" ")));
            let deleted = calls.iter().any(|call| call.starts_with("delete"));
            if !deleted && ids.iter().any(|id| taken.contains(&id.as_str())) {
                let meta = ErrorMetadata::builder().code(ALREADY_EXISTS).message("there is one").build();
                return MockResponse::Error(CreateFlowLogsError::generic(meta));
            }
            let failed = ids.iter().filter(|id| broken.contains(&id.as_str())).map(|id| {
                let error = UnsuccessfulItemError::builder()
                    .code("400")
                    .message("LogDestination: acme-logs is undeliverable");
                UnsuccessfulItem::builder().resource_id(id).error(error.build()).build()
            });
            MockResponse::Output(
                CreateFlowLogsOutput::builder().set_unsuccessful(Some(failed.collect())).build(),
            )
        })
    }

    fn delete(calls: &Calls) -> Rule {
        let calls = calls.clone();
        mock!(Client::delete_flow_logs).then_compute_output(move |request| {
            calls.lock().unwrap().push(format!("delete {}", request.flow_log_ids().join(" ")));
            DeleteFlowLogsOutput::builder().build()
        })
    }

    fn change(vpc: &str, step: Step) -> FlowLogChange {
        let Place { account, region } = mocked::place();
        FlowLogChange {
            account,
            region,
            resource: ResourceId::parse(vpc).unwrap(),
            step,
            reason: "test".into(),
        }
    }

    async fn run(changes: &[FlowLogChange], rules: &[&Rule]) -> Applied {
        let fleet = mocked::fleet();
        let place = mocked::place();
        let here = Here {
            fleet: &fleet,
            place: &place,
            ec2: mocked::ec2(rules),
            at: At::new(place.account, &place.region),
        };
        here.apply(changes).await
    }

    fn replace(vpc: &str) -> FlowLogChange {
        change(vpc, Step::Replace { old: FlowLogId::parse("fl-00000001").unwrap() })
    }

    #[tokio::test]
    async fn an_unsuccessful_item_in_a_successful_answer_is_a_failure_that_names_the_vpc() {
        let calls = Calls::default();
        let changes = ["vpc-0000000a", "vpc-0000000b", "vpc-0000000c"].map(|vpc| change(vpc, Step::Create));
        let applied = run(&changes, &[&create(&calls, &[], &["vpc-0000000b"])]).await;
        assert_eq!(applied.changes(), 2);
        let [failure] = &applied.failures[..] else { panic!("{applied:?}") };
        assert_eq!(failure.resource.as_deref(), Some("vpc-0000000b"));
        assert!(failure.help().contains("customer managed key"), "{failure:?}");
        assert_eq!(calls.lock().unwrap().len(), 1, "one call for all three");
    }

    #[tokio::test]
    async fn a_call_that_is_refused_for_one_vpc_is_made_again_for_each() {
        let calls = Calls::default();
        let changes = ["vpc-0000000a", "vpc-0000000b"].map(|vpc| change(vpc, Step::Create));
        let applied = run(&changes, &[&create(&calls, &["vpc-0000000a"], &[])]).await;
        assert_eq!((applied.done.len(), applied.failures.len()), (1, 1));
        assert_eq!(applied.failures[0].code.as_deref(), Some(ALREADY_EXISTS));
        assert_eq!(
            *calls.lock().unwrap(),
            ["create vpc-0000000a vpc-0000000b", "create vpc-0000000a", "create vpc-0000000b"]
        );
    }

    #[tokio::test]
    async fn more_vpcs_than_a_call_takes_are_made_in_several_calls() {
        let calls = Calls::default();
        let changes: Vec<_> = (0..301).map(|n| change(&format!("vpc-{n:08x}"), Step::Create)).collect();
        let applied = run(&changes, &[&create(&calls, &[], &[])]).await;
        assert_eq!((applied.changes(), applied.done.len()), (301, 2));
        assert_eq!(calls.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_flow_log_is_replaced_without_a_gap_where_aws_allows_it() {
        let calls = Calls::default();
        let applied = run(&[replace("vpc-0000000a")], &[&create(&calls, &[], &[]), &delete(&calls)]).await;
        assert!(applied.failures.is_empty());
        assert_eq!(*calls.lock().unwrap(), ["create vpc-0000000a", "delete fl-00000001"]);
    }

    #[tokio::test]
    async fn a_flow_log_that_aws_takes_for_the_wanted_one_goes_first() {
        let calls = Calls::default();
        let applied =
            run(&[replace("vpc-0000000a")], &[&create(&calls, &["vpc-0000000a"], &[]), &delete(&calls)])
                .await;
        assert!(applied.failures.is_empty());
        assert_eq!(
            *calls.lock().unwrap(),
            ["create vpc-0000000a", "delete fl-00000001", "create vpc-0000000a"]
        );
    }

    #[tokio::test]
    async fn a_flow_log_stays_when_its_replacement_cannot_be_made() {
        let calls = Calls::default();
        let applied =
            run(&[replace("vpc-0000000a")], &[&create(&calls, &[], &["vpc-0000000a"]), &delete(&calls)])
                .await;
        assert_eq!(applied.failures.len(), 1);
        assert_eq!(*calls.lock().unwrap(), ["create vpc-0000000a"]);
    }

    #[tokio::test]
    async fn many_flow_logs_are_replaced_with_one_call_each_way() {
        let calls = Calls::default();
        let replace =
            |vpc: &str, old: &str| change(vpc, Step::Replace { old: FlowLogId::parse(old).unwrap() });
        let changes = [replace("vpc-0000000a", "fl-00000001"), replace("vpc-0000000b", "fl-00000002")];
        let applied = run(&changes, &[&create(&calls, &[], &[]), &delete(&calls)]).await;
        assert_eq!(
            applied.done.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "222222222222 eu-west-1: created flow logs for vpc-0000000a, vpc-0000000b",
                "222222222222 eu-west-1: deleted fl-00000001 of vpc-0000000a",
                "222222222222 eu-west-1: deleted fl-00000002 of vpc-0000000b",
            ]
        );
        assert_eq!(
            *calls.lock().unwrap(),
            ["create vpc-0000000a vpc-0000000b", "delete fl-00000001 fl-00000002"]
        );
    }

    #[tokio::test]
    async fn nothing_to_do_makes_no_call() {
        let applied = run(&[], &[]).await;
        assert_eq!(applied, Applied::default());
    }
}
