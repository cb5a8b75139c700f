//! Bucket policies as text: foreign statements, flowagg's, or both.

mod json;
mod statement;

use flowagg_core::fleet::GrantForm;
use flowagg_policy::{Extent, Grant, GrantedOrganization, Unnamed, merge};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::hand::{Hand, hand};
use super::{Scene, crowded_grant, grant};

/// A bucket policy and its parts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LivePolicy {
    /// JSON that S3 would accept, in any formatting.
    pub text: String,
    /// The statements that belong to no grant, verbatim and in order.
    pub foreign: Vec<String>,
    /// Whether its statements are a list. S3 also accepts a single statement without brackets.
    pub is_list: bool,
    /// The grant whose statements it contains.
    pub grant: Option<Grant>,
}

/// A policy of one to four foreign statements: strings instead of lists, unnecessary escapes, members in any order,
/// unusual whitespace, every `Version`, statements that deny, `Not` elements, and statements that resemble flowagg's
/// but are foreign.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_policy::Policy;
/// use flowagg_testkit::arbitrary::{Scene, policy};
/// use proptest::prelude::*;
///
/// proptest!(|(live in policy::foreign(&Scene::new(Partition::Aws)))| prop_assert!(Policy::compile(&live.text).is_ok()));
/// ```
pub fn foreign(scene: &Scene) -> impl Strategy<Value = LivePolicy> + use<> {
    let statements = vec((statement::foreign(scene), hand()), 1..=4);
    (statements, hand()).prop_map(|(statements, mut hand)| {
        let mut sids = Vec::new();
        let foreign = statements
            .into_iter()
            .map(|(json, mut hand)| json.with_a_sid_of_its_own(&mut sids).written(&mut hand))
            .collect();
        let version = hand.one([Some("2012-10-17"), Some("2012-10-17"), Some("2008-10-17"), None]);
        LivePolicy::written(foreign, Vec::new(), version, &mut hand)
    })
}

/// The policy of a grant alone, as flowagg writes it for a bucket without a policy. The grant may name up to 900
/// accounts; one that does not fit is written in form `auto`, which falls back to the organization.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_policy::size::{LIMIT, compact_len};
/// use flowagg_testkit::arbitrary::{Scene, policy};
/// use proptest::prelude::*;
///
/// proptest!(ProptestConfig::with_cases(32), |(live in policy::ours(&Scene::new(Partition::Aws)))| {
///     prop_assert!(live.foreign.is_empty() && compact_len(&live.text) <= LIMIT);
/// });
/// ```
pub fn ours(scene: &Scene) -> impl Strategy<Value = LivePolicy> + use<> {
    let grant = prop_oneof![3 => grant(scene).boxed(), 1 => crowded_grant(scene, 1..900).boxed()];
    let organization = scene.organization.clone();
    grant.prop_filter_map("a grant that fits in no form", move |mut grant| {
        if merge(None, &grant, Unnamed::Keep).is_err() {
            grant.settings.form = GrantForm::Auto;
            grant.settings.source_conditions = true;
            let named = GrantedOrganization::whole(organization.clone());
            grant.organization.get_or_insert(named).extent = Extent::Unlisted;
        }
        let text = merge(None, &grant, Unnamed::Keep).ok()?.text;
        Some(LivePolicy { text, foreign: Vec::new(), is_list: true, grant: Some(grant) })
    })
}

/// A foreign policy with the statements of a grant anywhere between its own. If the two conflict (see
/// [`MergeError`](flowagg_policy::MergeError)), only the foreign policy.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_policy::granted_by;
/// use flowagg_testkit::arbitrary::{Scene, policy};
/// use proptest::prelude::*;
///
/// proptest!(|(live in policy::mixed(&Scene::new(Partition::Aws)))| {
///     let granted = live.grant.as_ref().map(|grant| granted_by(&live.text, grant).unwrap().is_some());
///     prop_assert!(granted.unwrap_or(true), "the grant is found among the foreign statements");
/// });
/// ```
pub fn mixed(scene: &Scene) -> impl Strategy<Value = LivePolicy> + use<> {
    (foreign(scene), grant(scene), hand()).prop_map(|(live, grant, hand)| live.with(&grant, hand))
}

/// A policy and a grant for the same folders, to test a grant on a bucket that already has an earlier one.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_policy::{Unnamed, merge};
/// use flowagg_testkit::arbitrary::{Scene, grant, policy};
/// use proptest::prelude::*;
///
/// let scene = Scene::new(Partition::Aws);
/// proptest!(|((live, grant) in policy::lived_in(&scene))| {
///     let earlier = live.grant.as_ref().map(|earlier| (&earlier.prefix, earlier.hive));
///     prop_assert!(earlier.is_none_or(|folders| folders == (&grant.prefix, grant.hive)));
/// });
/// ```
pub fn lived_in(scene: &Scene) -> impl Strategy<Value = (LivePolicy, Grant)> + use<> {
    (foreign(scene), grant(scene), grant(scene), hand()).prop_map(|(live, mut earlier, grant, hand)| {
        earlier.prefix = grant.prefix.clone();
        earlier.hive = grant.hive;
        (live.with(&earlier, hand), grant)
    })
}

/// The statements of a policy, verbatim. `None` if the text is not a policy.
///
/// ```
/// use flowagg_testkit::arbitrary::policy::statements;
///
/// assert_eq!(statements(r#"{"Statement": [ {"Sid" : "a"}, {} ]}"#).unwrap(), [r#"{"Sid" : "a"}"#, "{}"]);
/// assert_eq!(statements(r#"{"Statement": {"Sid":"a"}}"#).unwrap(), [r#"{"Sid":"a"}"#]);
/// ```
pub fn statements(policy: &str) -> Option<Vec<String>> {
    let members: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_str(policy).ok()?;
    let list = members.get("Statement")?.get();
    let several = serde_json::from_str::<Vec<Box<RawValue>>>(list);
    Some(
        several.map_or_else(
            |_| vec![list.to_owned()],
            |list| list.iter().map(|raw| raw.get().to_owned()).collect(),
        ),
    )
}

impl LivePolicy {
    /// Inserts the statements of a grant between the policy's own.
    fn with(self, grant: &Grant, mut hand: Hand) -> Self {
        let merged = merge(Some(&self.text), grant, Unnamed::Keep).ok();
        let Some(all) = merged.and_then(|merged| statements(&merged.text)) else { return self };
        let ours = all.into_iter().filter(|text| !self.foreign.contains(text)).collect();
        // The grant's statements may use policy variables, which require this version.
        Self {
            grant: Some(grant.clone()),
            ..Self::written(self.foreign, ours, Some("2012-10-17"), &mut hand)
        }
    }

    fn written(foreign: Vec<String>, ours: Vec<String>, version: Option<&str>, hand: &mut Hand) -> Self {
        let (mut others, mut all) = (foreign.iter().peekable(), Vec::new());
        for statement in &ours {
            while !hand.flourish()
                && let Some(other) = others.next()
            {
                all.push(other);
            }
            all.push(statement);
        }
        all.extend(others);
        let is_list = all.len() != 1 || !hand.flourish();
        let mut list = String::new();
        match all.as_slice() {
            [only] if !is_list => list.push_str(only),
            _ => json::list('[', ']', &all, &mut list, hand, |text, out, _| out.push_str(text)),
        }
        let mut members = vec![format!("\"Statement\"{}:{}{list}", json::gap(hand), json::gap(hand))];
        if let Some(version) = version {
            members.insert(hand.pick(2), format!("\"Version\"{}:\"{version}\"", json::gap(hand)));
        }
        if hand.flourish() {
            members.insert(hand.pick(2), "\"Id\": \"a\\u0062c\\/\"".to_owned());
        }
        let mut text = String::from(json::gap(hand));
        json::list('{', '}', &members, &mut text, hand, |member, out, _| out.push_str(member));
        text.push_str(json::gap(hand));
        Self { text, foreign, is_list, grant: None }
    }
}
