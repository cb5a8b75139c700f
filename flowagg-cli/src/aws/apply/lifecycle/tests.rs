use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use flowagg_core::fleet::Fleet;
use flowagg_core::observed::Observed;
use flowagg_core::plan::{Expiry, Unnamed};
use flowagg_policy::plan::{PlanOptions, plan};
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::mocked;

const HEADER: &str = "x-amz-transition-default-minimum-object-size";

/// The state of a fake S3, and the requests it received.
#[derive(Debug, Default)]
struct Store {
    document: Option<LifecycleDocument>,
    /// The methods of the writes.
    writes: Vec<String>,
    /// The document that another process writes right before the read with this number.
    theirs: Option<(usize, LifecycleDocument)>,
    reads: usize,
}

#[derive(Clone, Debug, Default)]
struct S3(Arc<Mutex<Store>>);

impl HttpConnector for S3 {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut store = self.0.lock().unwrap();
        let header = |name: &str| request.headers().get(name).map(str::to_owned);
        assert_eq!(header("x-amz-expected-bucket-owner").as_deref(), Some("111122223333"));
        let response = match request.method() {
            "GET" => {
                store.reads += 1;
                let reads = store.reads;
                if let Some((_, theirs)) = store.theirs.take_if(|(read, _)| *read == reads) {
                    store.document = Some(theirs);
                }
                match &store.document {
                    Some(LifecycleDocument { text, minimum_object_size, .. }) => {
                        let mut response =
                            HttpResponse::new(200.try_into().unwrap(), SdkBody::from(text.as_str()));
                        if let Some(size) = minimum_object_size {
                            response.headers_mut().insert(HEADER, size.clone());
                        }
                        response
                    }
                    None => {
                        let none =
                            "<Error><Code>NoSuchLifecycleConfiguration</Code><Message>none</Message></Error>";
                        HttpResponse::new(404.try_into().unwrap(), SdkBody::from(none))
                    }
                }
            }
            method => {
                store.writes.push(method.to_owned());
                let text = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
                if method == "PUT" {
                    assert_eq!(header("content-length"), Some(text.len().to_string()));
                    assert!(header("x-amz-checksum-crc32").is_some(), "S3 needs a checksum of this body");
                    let mut document = LifecycleDocument::new(text);
                    document.minimum_object_size = header(HEADER);
                    store.document = Some(document);
                } else {
                    store.document = None;
                }
                HttpResponse::new(200.try_into().unwrap(), SdkBody::empty())
            }
        };
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn fleet(hub: &str) -> Fleet {
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n{hub}\n\
         [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n"
    );
    Fleet::parse(&text).unwrap()
}

fn document(rules: &str) -> LifecycleDocument {
    let text = format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    );
    let mut document = LifecycleDocument::new(text);
    document.minimum_object_size = Some("varies_by_storage_class".to_owned());
    document
}

const THEIRS: &str = "<Rule><ID>theirs</ID><Status>Enabled</Status><Filter/><NewKind>1</NewKind><Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>";
const NEWER: &str = "<Rule><ID>newer</ID><Status>Enabled</Status><Filter/><Transition><Days>3</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>";

/// Applies a plan made from `found`; `theirs` is what another process writes before a read.
async fn run(
    found: Option<LifecycleDocument>,
    theirs: Option<(usize, LifecycleDocument)>,
    plan: impl FnOnce(&Fleet, &Observed) -> Plan,
) -> (Replaced<Did>, Store) {
    let fleet = fleet("retention-days = 30");
    let store = Store { document: found.clone(), theirs, ..Store::default() };
    let s3 = S3(Arc::new(Mutex::new(store)));
    let connector = s3.clone();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone())));
    let client = Client::from_conf(config.build());
    let mut bucket = observed::Bucket::default();
    bucket.lifecycle = found;
    let mut observed = mocked::observed(None);
    observed.bucket = Ok(Some(bucket));
    let at = At::new(fleet.hub.place()).about(&fleet.hub.bucket);
    let plan = plan(&fleet, &observed);
    let bucket = Bucket { s3: client, fleet: &fleet, at, observed: &observed, plan: &plan };
    let replaced = Lifecycle(&bucket).settle(&mut None).await;
    let store = std::mem::take(&mut *s3.0.lock().unwrap());
    (replaced, store)
}

fn allowed(fleet: &Fleet, observed: &Observed) -> Plan {
    let mut options = PlanOptions::from(Unnamed::Keep);
    options.expiry = Expiry::Allow;
    plan(fleet, observed, options)
}

#[tokio::test]
async fn foreign_rules_and_the_header_are_written_back_unchanged() {
    let found = document(THEIRS);
    let (replaced, store) = run(Some(found.clone()), None, allowed).await;
    assert!(replaced.failure.is_none() && !replaced.is_contended, "{replaced:?}");
    assert!(matches!(replaced.write, Some(Did::SetLifecycle { .. })));
    let written = store.document.unwrap();
    assert_eq!(store.writes, ["PUT"]);
    assert_eq!(written.minimum_object_size, found.minimum_object_size);
    let own = "<Rule><ID>flowagg-expiry/acme-logs/AWSLogs</ID>";
    let start = found.text.strip_suffix("</LifecycleConfiguration>").unwrap();
    assert!(written.text.starts_with(&format!("{start}{own}")), "{}", written.text);
}

#[tokio::test]
async fn rules_added_by_another_process_are_kept() {
    for read in 1..3 {
        let newer = document(&format!("{THEIRS}{NEWER}"));
        let (replaced, store) = run(Some(document(THEIRS)), Some((read, newer)), allowed).await;
        assert!(replaced.failure.is_none() && replaced.lost.is_none(), "{read}: {replaced:?}");
        let written = store.document.unwrap().text;
        for rule in [THEIRS, NEWER, "flowagg-expiry/acme-logs/AWSLogs"] {
            assert!(written.contains(rule), "{read}: {rule} is not in {written}");
        }
        assert!(replaced.is_contended && replaced.warning.is_some(), "{read}");
    }
}

#[tokio::test]
async fn expiry_that_the_plan_did_not_show_is_not_set() {
    let shorter =
        document(&THEIRS.replace("<NewKind>1</NewKind>", "<Expiration><Days>5</Days></Expiration>"));
    let vanished = || Some((1, document(THEIRS)));
    let (replaced, store) = run(Some(shorter.clone()), vanished(), allowed).await;
    let failure = replaced.failure.unwrap();
    assert_data_eq!(
        &failure.message,
        str![[
            r#"the lifecycle configuration was changed after the plan was made: the lifecycle rules changed after the plan was made, and objects would now expire sooner than the plan showed, so no rule was set"#
        ]]
    );
    assert_eq!(store.writes, [""; 0]);

    let withheld = |fleet: &Fleet, observed: &Observed| plan(fleet, observed, Unnamed::Keep);
    let (replaced, store) = run(Some(shorter), vanished(), withheld).await;
    assert!(replaced.failure.is_none() && replaced.write.is_none(), "{replaced:?}");
    assert_eq!((store.writes.as_slice(), store.document), (&[] as &[String], Some(document(THEIRS))));
}

#[tokio::test]
async fn configuration_with_only_fleet_rules_is_deleted() {
    let own = "<Rule><ID>flowagg-expiry/acme-logs/AWSLogs</ID><Status>Enabled</Status><Filter><Prefix>AWSLogs/</Prefix></Filter><Expiration><Days>90</Days></Expiration></Rule>";
    let (replaced, store) = run(Some(document(own)), None, flowagg_policy::plan::destroy).await;
    assert!(replaced.failure.is_none(), "{replaced:?}");
    assert_eq!((store.writes, store.document), (vec!["DELETE".to_owned()], None));
    let (_, store) =
        run(Some(document(&format!("{own}{THEIRS}"))), None, flowagg_policy::plan::destroy).await;
    assert_eq!(store.document, Some(document(THEIRS)));
}
