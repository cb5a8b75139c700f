//! Creates, replaces, tags and deletes flow logs in one account-region.

use std::collections::{BTreeMap, BTreeSet};

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
use flowagg_core::id::{FlowLogId, Place, ResourceId, ResourceKind};
use flowagg_core::plan::{FlowLogChange, Step};

use super::Applied;
use super::done::{Did, Done};
use crate::aws::Account;
use crate::aws::call::*;
use crate::aws::failure::At;

/// The maximum number of flow logs in one call. Source: "DeleteFlowLogs", FlowLogIds (Amazon EC2 API Reference).
const MOST_FLOW_LOGS: usize = 1000;
/// The error code for a flow log that does not exist.
const NOT_FOUND: &str = "InvalidFlowLogId.NotFound";
/// The error code if an equivalent flow log exists. It fails the whole call.
const ALREADY_EXISTS: &str = "FlowLogAlreadyExists";

pub(super) async fn apply(
    fleet: &Fleet,
    account: &Account,
    place: &Place,
    changes: &[FlowLogChange],
) -> Applied {
    let applied = RegionalEc2::new(fleet, account, place).apply(changes).await;
    // Only creations were planned, and the responses contain an ID for each.
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
    /// The resources for which a flow log was created.
    fn created(&self) -> impl Iterator<Item = &String> {
        let created = |done: &&Done| matches!(done.what, Did::CreatedFlowLogs { .. });
        self.done.iter().filter(created).flat_map(|done| &done.resources)
    }

    fn record(&mut self, outcome: Result<Done, Failure>) {
        match outcome {
            Ok(done) => self.done.push(done),
            Err(failure) => self.failures.push(failure),
        }
    }
}

/// EC2 in one account-region, for the flow logs of a fleet.
pub(super) struct RegionalEc2<'a> {
    fleet: &'a Fleet,
    place: &'a Place,
    pub(super) ec2: Client,
    pub(super) at: At,
}

/// A flow log to delete or tag, and its change.
type Doomed<'c> = (&'c FlowLogChange, &'c FlowLogId);

impl<'a> RegionalEc2<'a> {
    pub(super) fn new(fleet: &'a Fleet, account: &Account, place: &'a Place) -> Self {
        Self { fleet, place, ec2: account.ec2(&place.region), at: At::new(place.clone()) }
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
        let created: BTreeSet<String> = applied.created().cloned().collect();
        doomed.extend(changes.iter().filter_map(|change| match &change.step {
            Step::Delete { flow_log, after: None } => Some((change, flow_log)),
            Step::Delete { flow_log, after: Some(resource) } => {
                created.contains(resource.as_str()).then_some((change, flow_log))
            }
            Step::Create | Step::Replace { .. } | Step::Tag { .. } => None,
        }));
        for batch in doomed.chunks(MOST_FLOW_LOGS) {
            self.delete_all(batch, &mut applied).await;
        }
        self.tag_all(changes, &mut applied).await;
        applied
    }

    /// Creates flow logs for a batch of resources of one kind with one call. Returns the old flow logs that are now superseded.
    ///
    /// New flow logs are created before old ones are deleted, so that no traffic goes unlogged. AWS rejects the whole call if one
    /// resource already has an equivalent flow log; then there is one call for each resource.
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
                let strays = self.strays(CREATE_FLOW_LOGS, answer.unsuccessful(), &resources);
                let is_clear = strays.is_empty();
                applied.failures.extend(strays);
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
                    // It is unclear what was created, so nothing is deleted until the flow logs have been read again.
                    if !is_clear {
                        continue;
                    }
                    created.push(&change.resource);
                    if let Step::Replace { old, .. } = &change.step {
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
                if let Step::Replace { old, .. } = &change.step {
                    applied.record(self.delete(&change.resource, old).await);
                }
            }
            Err(failure) => applied.record(Err(failure)),
        }
    }

    /// Deletes the old flow log first if AWS may consider it identical to the new one.
    async fn make_way(&self, change: &FlowLogChange, refused: Failure, applied: &mut Applied) {
        let Step::Replace { old, may_conflict: true } = &change.step else {
            return applied.record(Err(refused));
        };
        match self.delete(&change.resource, old).await {
            Err(failure) => applied.record(Err(failure)),
            Ok(done) => {
                applied.record(Ok(done));
                applied.record(self.create_one(&change.resource).await.map_err(|mut failure| {
                    failure.message = format!(
                        "{old} was deleted, but its replacement was not created: {}",
                        failure.message
                    );
                    failure
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

    /// The change that a call made. Flow log IDs in an unknown format are omitted.
    fn created<'r>(
        &self,
        resources: impl IntoIterator<Item = &'r ResourceId>,
        answer: &CreateFlowLogsOutput,
    ) -> Done {
        let flow_logs = answer.flow_log_ids().iter().filter_map(|id| FlowLogId::parse(id).ok()).collect();
        Done::to_resources(self.place, resources, Did::CreatedFlowLogs { flow_logs })
    }

    /// `CreateFlowLogs`. HTTP 200 does not mean success: the response lists unsuccessful items.
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
        // Transit gateway flow logs have no traffic type, and have their own fields.
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
            .max_aggregation_interval(spec.aggregation_interval.for_kind(kind).seconds())
            .set_destination_options((spec.files != Files::default()).then(|| options(spec.files)))
            .tag_specifications(tags)
    }

    /// Sets tags, with one call for each set of tags and batch.
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

    /// Deletes a batch with one call. If one flow log no longer exists, AWS deletes none; then there is one call for each.
    async fn delete_all(&self, batch: &[Doomed<'_>], applied: &mut Applied) {
        let ids = batch.iter().map(|(_, id)| id.to_string()).collect();
        match self.ec2.delete_flow_logs().set_flow_log_ids(Some(ids)).send().await {
            Ok(answer) => {
                let ids: Vec<&FlowLogId> = batch.iter().map(|(_, id)| *id).collect();
                let strays = self.strays(DELETE_FLOW_LOGS, answer.unsuccessful(), &ids);
                let is_clear = strays.is_empty();
                applied.failures.extend(strays);
                for (change, id) in batch {
                    let failed =
                        answer.unsuccessful().iter().find(|item| item.resource_id() == Some(id.as_str()));
                    match failed {
                        Some(item) => applied.record(Err(self.unsuccessful(DELETE_FLOW_LOGS, id, item))),
                        None if is_clear => applied.record(Ok(self.deleted(&change.resource, id))),
                        None => {}
                    }
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
            // Already deleted: a response was lost, or another process deleted it.
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

    /// Failures that AWS returns for resources that were not in the call. It is unknown which resources of the call they mean.
    fn strays<T: std::fmt::Display>(
        &self,
        call: Call,
        unsuccessful: &[UnsuccessfulItem],
        asked: &[&T],
    ) -> Vec<Failure> {
        let is_own = |id: Option<&str>| asked.iter().any(|asked| id == Some(asked.to_string().as_str()));
        let strays = unsuccessful.iter().filter(|item| !is_own(item.resource_id()));
        let failures = strays.map(|item| {
            let id = item.resource_id().unwrap_or("an unnamed resource");
            let mut failure = self.unsuccessful(call, &id, item);
            let message = format!(
                "AWS returned an error for a resource that was not in the call, so the outcome is unknown: {}",
                failure.message
            );
            failure.message = message;
            failure.advice = "run `flowagg plan` to see what is missing".into();
            failure
        });
        failures.collect()
    }

    fn unsuccessful(&self, call: Call, resource: &dyn std::fmt::Display, item: &UnsuccessfulItem) -> Failure {
        let error = item.error();
        let (code, message) = error.map(|error| (error.code(), error.message())).unwrap_or_default();
        self.at.about(resource).unsuccessful(call, code, message)
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
mod tests;
